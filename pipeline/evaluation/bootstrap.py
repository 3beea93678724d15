"""Percentile bootstrap over identities, for means and for paired ratios of means.

Two pictures of one person are not two independent observations, so whole identities are drawn, with
replacement (cluster bootstrap; Davison & Hinkley, Bootstrap Methods and their Application, 1997, section 3.8).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A value with the ends of its 95 % interval and the number of observations; NaN where there is none."""

    value: float
    low: float
    high: float
    n: int


class Bootstrap:
    """Resamples of the identities of one set of observations, drawn once and shared by all that is compared.

    Args:
        identities: identity of each observation, length n.
        resamples: number of resamples; memory is resamples x identities x 8 bytes.
        rng: source of the draws.
    """

    def __init__(self, identities: Sequence[str], resamples: int, rng: np.random.Generator) -> None:
        names, self._codes = np.unique(np.asarray(identities, dtype=str), return_inverse=True)
        self._clusters = len(names)
        self._n = len(self._codes)
        # How often each identity is drawn: a resampled mean is then one product of matrices.
        even = np.full(self._clusters, 1.0 / max(self._clusters, 1))
        self._draws: Floats = rng.multinomial(self._clusters, even, size=resamples).astype(np.float64)

    def means(self, values: Floats) -> list[Interval]:
        """Average each column of values (n, columns), with its interval."""
        return self._intervals(values.mean(axis=0), self.resampled_means(values))

    def ratios(self, numerator: Floats, denominator: Floats) -> list[Interval]:
        """Divide means of paired columns, both (n, columns); every resample takes the same rows of both.

        A mean of zero below the line gives NaN: there is no such ratio.
        """
        value = _divide(numerator.mean(axis=0), denominator.mean(axis=0))
        return self._intervals(value, _divide(self._resample(numerator), self._resample(denominator)))

    def resampled_means(self, values: Floats) -> Floats:
        """Average each column of values (n, columns) in every resample: (resamples, columns)."""
        means: Floats = self._resample(values) / self._resample(np.ones((self._n, 1)))
        return means

    def _resample(self, values: Floats) -> Floats:
        """Add up values (n, columns) over the drawn rows: (resamples, columns)."""
        sums = np.stack([np.bincount(self._codes, column, self._clusters) for column in values.T], axis=1)
        totals: Floats = self._draws @ sums
        return totals

    def _intervals(self, values: Floats, resampled: Floats) -> list[Interval]:
        tail = (1.0 - CONFIDENCE) / 2.0
        low, high = np.quantile(resampled, [tail, 1.0 - tail], axis=0)
        if self._clusters < 2:  # one identity says nothing about others
            low, high = np.full_like(low, np.nan), np.full_like(high, np.nan)
        return [Interval(float(v), float(a), float(b), self._n) for v, a, b in zip(values, low, high, strict=True)]


def _divide(numerator: Floats, denominator: Floats) -> Floats:
    result = np.full_like(denominator, np.nan)
    np.divide(numerator, denominator, out=result, where=denominator != 0)
    return result
