"""Extrapolated Frechet distance on Gaussians whose distance is known."""

import numpy as np
import pytest

from models.errors import DataError
from pipeline.ablation.fid_infinity import fid_infinity, intercept, principal


def gaussians(n: int, dimensions: int, seed: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Two samples and their true distance: |shift|^2 + sum (scale - 1)^2 for diagonal covariances."""
    rng = np.random.default_rng(seed)
    scale, shift = np.linspace(1.0, 1.5, dimensions), np.full(dimensions, 0.05)
    a = rng.normal(size=(n, dimensions))
    b = rng.normal(size=(n, dimensions)) * scale + shift
    return a, b, float(np.square(shift).sum() + np.square(scale - 1).sum())


def test_the_bias_of_small_samples_is_taken_off() -> None:
    errors = []
    for seed in range(8):
        a, b, truth = gaussians(300, 16, seed)
        found = fid_infinity(a, b, 8, np.random.default_rng(seed))
        errors.append((found.at_n - truth, found.extrapolated - truth))
        assert found.enough
        assert (found.n, found.dimensions) == (300, 16)
    plain, extrapolated = np.mean(errors, axis=0)
    assert plain > 0.2  # D^2 / N = 0.85 at equal spreads, less here; never below 0.2
    assert abs(extrapolated) < 0.25 * plain


def test_equal_pairs_are_at_distance_zero_at_every_size() -> None:
    a, _, _ = gaussians(60, 5, 1)
    found = fid_infinity(a, a, 4, np.random.default_rng(0))
    assert found.at_n == pytest.approx(0, abs=1e-6)
    assert found.extrapolated == pytest.approx(0, abs=1e-6)


def test_a_shift_of_pairs_needs_no_extrapolation() -> None:
    a, _, _ = gaussians(60, 5, 1)
    found = fid_infinity(a + np.array([0.6, 0.8, 0, 0, 0]), a, 4, np.random.default_rng(0))
    assert (found.at_n, found.extrapolated) == pytest.approx((1.0, 1.0), abs=1e-6)


def test_it_says_where_the_sample_is_too_small() -> None:
    a, b, _ = gaussians(60, 16, 2)
    assert not fid_infinity(a, b, 2, np.random.default_rng(0)).enough  # 30 samples of 16 dimensions
    assert fid_infinity(a[:, :15], b[:, :15], 2, np.random.default_rng(0)).enough


def test_the_same_seed_gives_the_same_figure() -> None:
    a, b, _ = gaussians(50, 4, 3)
    first, again, other = (fid_infinity(a, b, 3, np.random.default_rng(seed)) for seed in (7, 7, 8))
    assert first == again
    assert first.extrapolated != other.extrapolated


def test_a_line_through_known_points() -> None:
    assert intercept(np.array([1.0, 2.0, 3.0]), np.array([5.0, 7.0, 9.0])) == pytest.approx((3.0, 0.0), abs=1e-9)
    # y = 1, 2, 2 over x = 1, 2, 3: slope 1/2, intercept 2/3, residuals -1/6, 1/3, -1/6; (X'X)^-1 has 7/3 at the corner.
    value, error = intercept(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 2.0]))
    assert (value, error) == pytest.approx((2 / 3, np.sqrt(1 / 6 * 7 / 3)))
    with pytest.raises(DataError, match="at least three points"):
        intercept(np.ones(2), np.ones(2))


def test_principal_components_keep_the_leading_spread() -> None:
    spread = np.array([[3.0, 0, 0], [-3.0, 0, 0], [0, 1.0, 0], [0, -1.0, 0]])
    (intact, other), share = principal(spread, [spread + 1.0], 1)
    assert share == pytest.approx(18 / 20)
    assert np.abs(intact).ravel() == pytest.approx([3, 3, 0, 0])
    assert (other - intact).ravel() == pytest.approx([np.sign(intact[0, 0])] * 4)


def test_too_few_or_unlike_sets_are_refused() -> None:
    with pytest.raises(DataError, match="at least 8 portraits; got 7 and 7"):
        fid_infinity(np.eye(7), np.eye(7), 1, np.random.default_rng(0))
    with pytest.raises(DataError, match="got 9 and 8"):
        fid_infinity(np.eye(9), np.eye(9)[:8], 1, np.random.default_rng(0))
