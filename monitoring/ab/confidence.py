"""Confidence sequences: intervals for a difference of means that hold at all times at once, under repeated checks.

The asymptotic confidence sequence of I. Waudby-Smith, D. Arbour, R. Sinha, E. H. Kennedy and A. Ramdas, Time-uniform
central limit theory and asymptotic confidence sequences, Annals of Statistics 52 (2024), Theorem 2.2: with mean
estimate mu_t over t observations whose standard deviation is estimated as sigma_t,

    mu_t +- sigma_t * sqrt(2 (t rho^2 + 1) / (t^2 rho^2) * log(sqrt(t rho^2 + 1) / alpha)).

It is H. Robbins' normal mixture (Statistical methods related to the law of the iterated logarithm, Annals of
Mathematical Statistics 41, 1970) with an estimated variance. Here t counts subjects of both arms and mu_t is the
difference of the arms' means, whose influence function has the variance sigma_t^2 = t (s_0^2 / n_0 + s_1^2 / n_1)
(their section 3). Being asymptotic, it is not used before `ab.min_subjects` subjects are in each arm.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = float | npt.NDArray[np.float64]
"""One value, or one per simulated run or look: everything here works element by element."""


class Moments(NamedTuple):
    """Of one arm: number of subjects, their mean and their variance (ddof = 1)."""

    n: Floats
    mean: Floats
    variance: Floats


class Interval(NamedTuple):
    """Difference challenger minus champion, and the ends of its confidence sequence at this time."""

    effect: Floats
    low: Floats
    high: Floats


def moments(values: npt.NDArray[np.float64]) -> Moments:
    """Compute mean and variance of the subjects' values (n,); mean NaN for none, variance NaN for fewer than two."""
    n = len(values)
    return Moments(n, float(values.mean()) if n else np.nan, float(values.var(ddof=1)) if n > 1 else np.nan)


def tightest_rho(alpha: float, t: float) -> float:
    """Compute the rho that makes the interval narrowest at t observations: equation (B.2), up to O(1)."""
    return float(np.sqrt((-2 * np.log(alpha) + np.log(-2 * np.log(alpha) + 1)) / t))


def radius(t: Floats, sigma: Floats, *, rho: float, alpha: float) -> Floats:
    """Compute half the width after t observations with standard deviation sigma, valid at all times together."""
    spread = t * rho**2 + 1
    return sigma * np.sqrt(2 * spread / (t**2 * rho**2) * np.log(np.sqrt(spread) / alpha))


def difference(champion: Moments, challenger: Moments, *, alpha: float, tuned_for: float) -> Interval:
    """Subtract the champion's mean from the challenger's, with the interval of the difference.

    Args:
        champion: of its subjects, at least two.
        challenger: likewise.
        alpha: probability that the true difference ever leaves the interval.
        tuned_for: subjects in both arms together at which the interval is to be narrowest.
    """
    t = champion.n + challenger.n
    sigma = np.sqrt(t * (champion.variance / champion.n + challenger.variance / challenger.n))
    half = radius(t, sigma, rho=tightest_rho(alpha, tuned_for), alpha=alpha)
    effect = challenger.mean - champion.mean
    return Interval(effect, effect - half, effect + half)
