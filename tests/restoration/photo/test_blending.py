import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import diags, identity, kron
from scipy.sparse.linalg import spsolve

from restoration.photo import blending
from restoration.photo.blending import blend
from restoration.photo.harmonic import harmonic, harmonic_part


def exact_harmonic(values: npt.NDArray[np.float32], fixed: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """The same equation through a sparse direct solver."""

    def line(n: int) -> object:
        main = np.full(n, 2.0)
        main[[0, -1]] = 1.0  # zero slope at the edge
        return diags([-np.ones(n - 1), main, -np.ones(n - 1)], [-1, 0, 1])

    height, width = fixed.shape
    laplacian = kron(identity(height), line(width)) + kron(line(height), identity(width))
    keep = diags(fixed.ravel().astype(float))
    free = identity(height * width) - keep
    solution = spsolve((free @ laplacian + keep).tocsc(), keep @ values.reshape(-1, 3).astype(float))
    return np.asarray(solution).reshape(height, width, 3)


def disc(size: int, radius: float) -> npt.NDArray[np.bool_]:
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    return np.asarray(x**2 + y**2 < radius**2)


def test_harmonic_is_the_solution_of_laplaces_equation() -> None:
    hole = disc(49, 18)
    y, x = np.mgrid[:49, :49].astype(np.float32)
    values = np.stack([x, 20 * np.sin(y / 6), (x - y) ** 2 / 20], axis=-1)
    expected = exact_harmonic(values, ~hole)
    found = harmonic(values, ~hole)
    assert np.abs(found - expected)[hole].max() < 0.02 * np.ptp(expected[hole])


def test_harmonic_without_a_fixed_pixel_is_zero() -> None:
    assert not harmonic(np.ones((5, 7, 3), np.float32), np.zeros((5, 7), np.bool_)).any()


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 40), st.integers(2, 40), st.integers(0, 2**31 - 1), st.floats(0.0, 1.0))
def test_pixels_outside_the_domain_are_the_same_bits(height: int, width: int, seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    canvas = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    missing = rng.random((height, width)) < share
    domain = missing & (rng.random((height, width)) < 0.7)
    before = canvas.copy()
    result = blend(canvas, rng.normal(120, 90, canvas.shape).astype(np.float32), domain, missing, 3.0)
    assert np.array_equal(result[~domain], canvas[~domain])
    assert np.array_equal(canvas, before)


def test_a_fill_that_is_off_by_a_constant_is_put_right() -> None:
    hole = disc(41, 12)
    y, x = np.mgrid[:41, :41]
    truth = np.stack([60 + 2 * x, 100 + y, 90 + 0 * x], axis=-1).astype(np.uint8)
    fill = truth.astype(np.float32) + np.array([25, -30, 10], np.float32)
    canvas = np.where(hole[..., None], 0, truth).astype(np.uint8)
    result = blend(canvas, fill, hole, hole, 3.0)
    assert np.abs(result.astype(int) - truth)[hole].max() <= 1


def test_what_is_unknown_on_the_rim_does_not_pull_the_fill() -> None:
    """The whole picture is missing but only its middle is ours: the fill stays, and fades towards the canvas."""
    canvas = np.zeros((41, 41, 3), np.uint8)
    fill = np.full((41, 41, 3), 200, np.float32)
    domain = disc(41, 15)
    result = blend(canvas, fill, domain, np.ones((41, 41), np.bool_), 5.0)
    assert (result[disc(41, 9)] == 200).all()
    edge = result[domain & ~disc(41, 14)]
    assert 0 < edge.min() <= edge.max() < 120


def test_a_fill_does_not_fade_into_what_will_stay_missing() -> None:
    canvas = np.zeros((41, 41, 3), np.uint8)
    fill = np.full((41, 41, 3), 200, np.float32)
    domain, everything = disc(41, 15), np.ones((41, 41), np.bool_)
    result = blend(canvas, fill, domain, everything, 5.0, bare=everything & ~domain)
    assert (result[domain] == 200).all()
    half = everything & ~domain
    half[:, :20] = False  # on the left there is a fill to fade into
    result = blend(canvas, fill, domain, everything, 5.0, bare=half)
    assert result[20, 6].max() < 120
    assert (result[20, 34] == 200).all()


def test_tiles_of_a_large_part_are_those_of_the_whole_to_the_bit() -> None:
    rng = np.random.default_rng(5)
    values = rng.normal(0, 40, (901, 1203, 3)).astype(np.float32)
    fixed = np.ones((901, 1203), np.bool_)
    cv2.line(hole := np.zeros((901, 1203), np.uint8), (30, 40), (1202, 800), 1, 90)
    fixed &= hole == 0
    whole = harmonic(values, fixed)
    tiles = [(slice(300, 512), slice(400, 801)), (slice(640, 901), slice(1000, 1203)), (slice(0, 97), slice(0, 311))]
    for tile, part in harmonic_part(lambda window: values[window], fixed, tiles):
        assert np.array_equal(part, whole[tile])


def test_a_large_hole_is_filled_as_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(6)
    canvas = rng.integers(0, 256, (1300, 1100, 3)).astype(np.uint8)
    fill = rng.normal(120, 90, canvas.shape).astype(np.float32)
    mask = np.zeros(canvas.shape[:2], np.uint8)
    cv2.line(mask, (40, 30), (1050, 1299), 1, 70)
    domain, missing = mask > 0, mask > 0
    missing[500:600] = True
    domain[500:600] = False
    tiled = blend(canvas, fill, domain, missing, 40.0)
    monkeypatch.setattr(blending, "_WHOLE", 1 << 30)
    assert np.array_equal(tiled, blend(canvas, fill, domain, missing, 40.0))
