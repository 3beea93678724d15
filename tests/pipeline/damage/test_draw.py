"""Every kind of damage: exact size, shapes, determinism, and what it does to a picture."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import DataError
from models.face.regions import coverage, face_hull
from models.images import Image
from pipeline.damage.draw import COLOUR_KINDS, HOLE_KINDS, Damage, apply, draw
from pipeline.damage.measure import measure
from tests.faces import mean_landmarks

SIZE = 96
KINDS = (*HOLE_KINDS, *COLOUR_KINDS)
seeds = st.integers(0, 2**31 - 1)


def _drawn(seed: int, kind: str, target: float, size: int = SIZE) -> Damage:
    return draw(np.random.default_rng(seed), kind, target, mean_landmarks(size), size)


@settings(max_examples=120, deadline=None)
@given(seed=seeds, kind=st.sampled_from(KINDS), target=st.floats(0.0, 0.6))
def test_coverage_is_exact_to_a_pixel_and_chroma_contains_the_hole(seed: int, kind: str, target: float) -> None:
    damage = _drawn(seed, kind, target)
    hull = face_hull(mean_landmarks(SIZE), SIZE)
    assert abs(coverage(damage.hole, hull) - target) <= 0.5001 / np.count_nonzero(hull)
    assert damage.hole.shape == damage.chroma.shape == (SIZE, SIZE)
    assert damage.hole.dtype == damage.chroma.dtype == np.bool_
    assert not (damage.hole & ~damage.chroma).any()
    assert damage.kind == kind


@settings(max_examples=60, deadline=None)
@given(seed=seeds, kind=st.sampled_from(KINDS), shift=st.tuples(st.integers(-25, 25), st.integers(-25, 25)))
def test_faces_off_centre_and_oblong_pictures(seed: int, kind: str, shift: tuple[int, int]) -> None:
    landmarks = mean_landmarks(SIZE) * 0.8 + np.array(shift, np.float32)
    hull = face_hull(landmarks, (SIZE, SIZE + 30))
    damage = draw(np.random.default_rng(seed), kind, 0.2, landmarks, (SIZE, SIZE + 30))
    assert damage.hole.shape == (SIZE, SIZE + 30)
    assert abs(coverage(damage.hole, hull) - 0.2) <= 0.5001 / np.count_nonzero(hull)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("target", [0.03, 0.45])
def test_the_same_seed_draws_the_same_and_another_does_not(kind: str, target: float) -> None:
    first, again, other = (_drawn(seed, kind, target) for seed in (7, 7, 8))
    assert np.array_equal(first.hole, again.hole)
    assert np.array_equal(first.chroma, again.chroma)
    assert not np.array_equal(first.hole, other.hole)


@pytest.mark.parametrize("kind", HOLE_KINDS)
def test_small_and_large_pictures(kind: str) -> None:
    for size in (64, 256):
        assert measure(_drawn(3, kind, 0.25, size), mean_landmarks(size)).coverage == pytest.approx(0.25, abs=0.001)


def test_holes_have_the_shape_of_their_kind() -> None:
    """Boundary pixels per root of the area: a box is compact, scratches and creases are all edge."""
    edges = {kind: np.mean([_edge(_drawn(seed, kind, 0.2).hole) for seed in range(12)]) for kind in HOLE_KINDS}
    assert edges["scratch"] > 2 * edges["box"]
    assert edges["fold"] > 1.5 * edges["corner"]
    assert edges["tear"] > 1.2 * edges["occluder"]


def _edge(hole: np.ndarray) -> float:
    inner = cv2.erode(hole.view(np.uint8), np.ones((3, 3), np.uint8))
    return float((hole.sum() - inner.sum()) / np.sqrt(hole.sum()))


@pytest.mark.parametrize("seed", range(6))
def test_a_corner_is_missing_and_a_tear_starts_at_the_border(seed: int) -> None:
    corners = _drawn(seed, "corner", 0.1).hole[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert corners.any()
    torn = _drawn(seed, "tear", 0.1).hole
    assert torn[0].any() or torn[-1].any() or torn[:, 0].any() or torn[:, -1].any()


def test_an_occluder_hides_a_feature() -> None:
    hidden = [measure(_drawn(seed, "occluder", 0.2), mean_landmarks(SIZE)).missing for seed in range(20)]
    assert sum(bool(names) for names in hidden) >= 18
    assert len({name for names in hidden for name in names}) == 6


def test_colour_kinds_take_colour_only_when_no_hole_is_asked_for() -> None:
    assert _drawn(1, "greyscale", 0.0).chroma.all()
    for seed in range(5):
        faded = _drawn(seed, "fade", 0.0)
        assert not faded.hole.any()
        assert 0.29 < faded.chroma.mean() < 0.91


@settings(max_examples=30, deadline=None)
@given(seed=seeds, kind=st.sampled_from(KINDS))
def test_apply_leaves_known_pixels_alone_and_keeps_luma(seed: int, kind: str) -> None:
    image: Image = np.random.default_rng(seed).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    before, damage = image.copy(), _drawn(seed, kind, 0.15)
    damaged = apply(image, damage)
    assert np.array_equal(image, before)
    assert np.array_equal(damaged[~damage.chroma], image[~damage.chroma])
    assert (damaged[damage.hole] == 127).all()
    grey = damage.chroma & ~damage.hole
    weights = np.array([0.299, 0.587, 0.114])
    assert np.ptp(damaged[grey], axis=-1).max(initial=0) == 0
    assert np.abs(damaged[grey] @ weights - image[grey] @ weights).max(initial=0.0) <= 1.0


def test_measures_by_hand() -> None:
    landmarks, hole = mean_landmarks(SIZE), np.zeros((SIZE, SIZE), np.bool_)
    hole[: SIZE // 4] = True
    found = measure(Damage(hole, np.ones_like(hole), "fade"), landmarks)
    hull = face_hull(landmarks, SIZE)
    assert found.area == 0.25
    assert found.chroma_area == 1.0
    assert found.coverage == hull[: SIZE // 4].sum() / hull.sum()
    assert (found.missing_features, found.missing) == (0.0, ())


def test_errors_say_what_to_do() -> None:
    with pytest.raises(DataError, match=r"expected a kind of damage; got 'rust'; take one of brush, scratch"):
        _drawn(0, "rust", 0.1)
    with pytest.raises(DataError, match=r"expected a coverage in 0\.\.1; got 1\.5"):
        _drawn(0, "box", 1.5)
    with pytest.raises(DataError, match="a face inside the picture"):
        draw(np.random.default_rng(0), "box", 0.1, mean_landmarks(SIZE) + 500, SIZE)
