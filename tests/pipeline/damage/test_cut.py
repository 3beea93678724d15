"""The cut against sorting, and the fast strokes against the naive drawer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.damage.bench import draw_naively
from pipeline.damage.cut import cut
from pipeline.damage.scene import Scene
from pipeline.damage.strokes import Strokes, brush_strokes, paint, scratch_strokes
from tests.faces import mean_landmarks

SIZE = 96


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), levels=st.integers(1, 400), share=st.floats(0, 1))
def test_cut_takes_the_first_pixels_exactly_even_with_ties(seed: int, levels: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    field = rng.integers(0, levels, (20, 24)).astype(np.float32)
    field[rng.random(field.shape) < 0.2] = np.inf
    hull = rng.random(field.shape) < 0.6
    missing = int(share * np.count_nonzero(hull))
    hole = cut(rng, field, hull, missing)
    assert np.count_nonzero(hole & hull) == missing
    if missing:
        last = np.sort(field[hull])[missing - 1]
        assert hole[field < last].all()
        assert not hole[field > last].any()


def test_strokes_that_do_not_suffice_grow_wider() -> None:
    field = np.full((15, 15), np.inf, np.float32)
    field[7] = 0
    hole = cut(np.random.default_rng(0), field, np.ones((15, 15), np.bool_), 45)
    assert hole[6:9].sum() >= 35  # three rows, but for the noise that decides between equals
    assert not hole[:4].any()
    assert not hole[11:].any()


def test_the_first_stroke_over_a_pixel_counts() -> None:
    points = np.array([[[10, 40], [80, 40]], [[40, 10], [40, 80]]], np.float32)
    field = paint(Strokes(points, np.array([[5], [5]], np.float32)), Scene.of(mean_landmarks(SIZE), SIZE))
    assert field[40, 40] == 0
    assert field[20, 40] == 1
    assert field[40, 70] == 0
    assert np.isinf(field[70, 70])
    assert np.count_nonzero(field[:, 70] == 0) == 5


@pytest.mark.parametrize("seed", range(8))
def test_brush_equals_the_naive_drawing(seed: int) -> None:
    scene = Scene.of(mean_landmarks(160), 160)
    strokes = brush_strokes(np.random.default_rng(seed), scene, 0.05 + 0.06 * seed)
    naive = draw_naively(strokes, scene, round((0.05 + 0.06 * seed) * len(scene.hull_pixels)))
    reached = int(np.count_nonzero(naive & scene.hull))
    fast = cut(np.random.default_rng(seed), paint(strokes, scene), scene.hull, reached)
    assert (naive & fast).sum() / (naive | fast).sum() > 0.95


@pytest.mark.parametrize("share", [0.02, 0.25, 0.5])
def test_enough_ink_is_drawn(share: float) -> None:
    """Strokes reach the share by themselves nearly always; widening is the exception."""
    scene = Scene.of(mean_landmarks(SIZE), SIZE)
    for draw_strokes in (brush_strokes, scratch_strokes):
        reached = []
        for seed in range(15):
            strokes = draw_strokes(np.random.default_rng(seed), scene, share)
            reached.append(np.isfinite(paint(strokes, scene))[scene.hull].mean() >= share)
        assert np.mean(reached) >= 0.8, draw_strokes.__name__
