"""The confidence sequence against numbers by hand, the paper's two forms, and brute force."""

import math

import numpy as np
import pytest

from monitoring.ab.confidence import Moments, difference, moments, radius, tightest_rho


def test_radius_by_hand() -> None:
    # t = 100, sigma = 2, rho = 0.1, alpha = 0.05: t rho^2 + 1 = 2, so
    # 2 * sqrt(2 * 2 / (100^2 * 0.01) * ln(sqrt(2) / 0.05)) = 2 * sqrt(0.04 * 3.342306)
    assert radius(100.0, 2.0, rho=0.1, alpha=0.05) == pytest.approx(2 * math.sqrt(0.04 * 3.3423059), rel=1e-7)


def test_robbins_own_form_is_the_same_boundary() -> None:
    """|S_t| <= sqrt((t + m)(ln((t + m) / m) + 2 ln(1 / alpha))) with m = 1 / rho^2, Robbins 1970, for sigma = 1."""
    for t in (1.0, 30.0, 1000.0):
        rho, alpha = 0.07, 0.01
        m = 1 / rho**2
        robbins = math.sqrt((t + m) * (math.log((t + m) / m) + 2 * math.log(1 / alpha))) / t
        assert radius(t, 1.0, rho=rho, alpha=alpha) == pytest.approx(robbins, rel=1e-12)


def test_it_is_narrowest_relative_to_a_fixed_interval_where_it_is_tuned() -> None:
    t = np.arange(10.0, 5000.0, 10.0)
    for wanted in (200.0, 1500.0):
        relative = radius(t, 1.0, rho=tightest_rho(0.05, wanted), alpha=0.05) * np.sqrt(t)
        assert t[relative.argmin()] == pytest.approx(wanted, rel=0.1)


def test_a_difference_by_hand() -> None:
    champion, challenger = moments(np.array([0.7, 0.8, 0.9, 0.8])), moments(np.array([0.8, 1.0, 0.9, 0.9]))
    assert [float(value) for value in champion] == pytest.approx([4, 0.8, 0.02 / 3])
    found = difference(champion, challenger, alpha=0.05, tuned_for=8)
    sigma = math.sqrt(8 * (0.02 / 3 / 4 + 0.02 / 3 / 4))
    half = radius(8.0, sigma, rho=tightest_rho(0.05, 8), alpha=0.05)
    assert found.effect == pytest.approx(0.1)
    assert [float(found.low), float(found.high)] == pytest.approx([0.1 - float(half), 0.1 + float(half)])


def test_unequal_arms_weigh_as_they_should() -> None:
    few, many = Moments(10, 0.0, 1.0), Moments(90, 0.0, 1.0)
    wide = difference(few, many, alpha=0.05, tuned_for=100)
    narrow = difference(Moments(50, 0.0, 1.0), Moments(50, 0.0, 1.0), alpha=0.05, tuned_for=100)
    # sqrt(1/10 + 1/90) against sqrt(1/50 + 1/50)
    assert wide.high / narrow.high == pytest.approx(math.sqrt((1 / 10 + 1 / 90) / (2 / 50)))


@pytest.mark.parametrize("skewed", [False, True])
def test_it_holds_at_all_times_at_once(skewed: bool) -> None:
    """3,000 runs, a look after each of 1,000 pairs: the truth leaves 10 % of them at most, but a z-interval's 30 %."""
    rng = np.random.default_rng(7)
    runs, n = 3000, 1000
    values = 1 - rng.gamma(1.0, 1.0, (2, runs, n)) if skewed else rng.standard_normal((2, runs, n))
    arms = [_running(arm) for arm in values]
    found = difference(*arms, alpha=0.1, tuned_for=400)
    z_interval = 1.6449 * np.sqrt(arms[0].variance / arms[0].n + arms[1].variance / arms[1].n)
    late = slice(29, None)  # 30 in each arm, as `ab.min_subjects` has it
    missed = (np.asarray(found.low > 0) | np.asarray(found.high < 0))[:, late].any(axis=1).mean()
    assert missed <= 0.1 + 2 * math.sqrt(0.1 * 0.9 / runs)
    assert missed > 0.01  # not merely wide
    assert np.asarray(np.abs(found.effect) > z_interval)[:, late].any(axis=1).mean() > 0.3


def _running(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Moments:
    n = np.arange(1, values.shape[1] + 1, dtype=float)
    mean = values.cumsum(axis=1) / n
    variance = ((values**2).cumsum(axis=1) - n * mean**2) / np.maximum(n - 1, 1)
    return Moments(n, mean, variance)
