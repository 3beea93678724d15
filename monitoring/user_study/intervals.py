"""95 % intervals that generalise to other raters and other people.

Answers of one rater belong together, and so do answers about one person. Their variance is that of two-way clustering
(Cameron, Gelbach & Miller, Journal of Business & Economic Statistics 29 (2011)): by raters, plus by people, minus by
both, and never less than by either alone; with Student's t for as many degrees of freedom as the smaller number of
clusters allows. (Drawing raters and people again, as bootstraps do, counts each answer's own chance three times.)
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

Floats = npt.NDArray[np.float64]

_TAIL = 0.025
_FEW = 5
"""With fewer raters or people there is no interval."""


class Estimate(BaseModel):
    """A value with its 95 % interval; None where there is none. It rests on `n` answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float | None
    low: float | None
    high: float | None
    n: int

    def __str__(self) -> str:
        if self.value is None:
            return "-"
        ends = "" if self.low is None or self.high is None else f" [{self.low:.2f}, {self.high:.2f}]"
        return f"{self.value:.2f}{ends}"


@dataclass(frozen=True)
class Clusters:
    """Who gave each of n answers, and about whom it was."""

    raters: npt.NDArray[np.str_]
    people: npt.NDArray[np.int64]

    @classmethod
    def of(cls, raters: Sequence[str], people: Sequence[int]) -> "Clusters":
        """Create from lists of the same length."""
        return cls(np.asarray(raters, str), np.asarray(people, np.int64))

    def where(self, chosen: npt.NDArray[np.bool_]) -> "Clusters":
        """Select the answers `chosen` (n,)."""
        return Clusters(self.raters[chosen], self.people[chosen])

    @property
    def smaller(self) -> int:
        """The smaller of the numbers of raters and of people."""
        return min(len(np.unique(self.raters)), len(np.unique(self.people)))

    def variance(self, parts: Floats) -> float:
        """Compute the variance of the sum of n parts (n,) with mean zero."""
        rater, person = (np.unique(labels, return_inverse=True)[1] for labels in (self.raters, self.people))
        by_rater, by_person = _summed(rater, parts), _summed(person, parts)
        both = _summed(rater * (person.max(initial=0) + 1) + person, parts)
        return max(by_rater, by_person, by_rater + by_person - both)


def estimate_around(value: float, spread: float, n: int, clusters: int) -> Estimate:
    """Build an estimate from its standard error; without an interval for fewer than 5 clusters."""
    from scipy.stats import t

    if clusters < _FEW:
        return Estimate(value=value, low=None, high=None, n=n)
    reach = float(t.ppf(1 - _TAIL, clusters - 1)) * spread
    return Estimate(value=value, low=value - reach, high=value + reach, n=n)


def estimate_mean(values: Floats, clusters: Clusters) -> Estimate:
    """Estimate the mean of values (n,) with its interval."""
    n = len(values)
    if n == 0:
        return Estimate(value=None, low=None, high=None, n=0)
    middle = float(values.mean())
    return estimate_around(middle, float(np.sqrt(clusters.variance(values - middle))) / n, n, clusters.smaller)


def estimate_share(values: npt.NDArray[np.bool_], clusters: Clusters) -> Estimate:
    """Estimate the share of True in values (n,) with its interval, cut to [0, 1].

    Where all are the same there is no variance to see; the interval is then the exact one of Clopper and Pearson (1934)
    for as many observations as there are clusters.
    """
    estimate = estimate_mean(values.astype(np.float64), clusters)
    if estimate.low is None or estimate.high is None:
        return estimate
    end = _TAIL ** (1.0 / clusters.smaller)
    low, high = {0.0: (0.0, 1.0 - end), 1.0: (end, 1.0)}.get(estimate.value or 0.0, (estimate.low, estimate.high))
    return estimate.model_copy(update={"low": max(low, 0.0), "high": min(high, 1.0)})


def _summed(codes: npt.NDArray[np.int64], parts: Floats) -> float:
    """Add up squares of the clusters' sums, with the correction for few clusters."""
    sums = np.bincount(codes, parts)[np.bincount(codes) > 0]
    return float(len(sums) / max(len(sums) - 1, 1) * (sums**2).sum())


def krippendorff_alpha(units: Iterable[Sequence[Hashable]]) -> float | None:
    """Compute Krippendorff's alpha for nominal values: 1 = full agreement, 0 = as by chance, below 0 = less.

    Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), section C. Raters may be many and values missing:
    alpha = 1 - (n - 1) * sum_{c<k} o_ck / sum_{c<k} n_c n_k, with the coincidences o_ck of the values given to one
    unit, each unit's pairs weighted by 1 / (m_u - 1), m_u values in the unit, and n_c the coincidences' margins.

    Args:
        units: for each thing that was judged, the values that it was given, one per rater.

    Returns:
        None where no unit has two values, or where all values are the same (then there is no chance to beat).
    """
    counts = [Counter(unit) for unit in units if len(unit) > 1]
    margins: Counter[Hashable] = Counter()
    agreed = 0.0
    for unit in counts:
        margins.update(unit)
        agreed += sum(count * (count - 1) for count in unit.values()) / (unit.total() - 1)
    n = margins.total()
    by_chance = n * n - sum(count * count for count in margins.values())
    return None if by_chance == 0 else 1.0 - (n - 1) * (n - agreed) / by_chance
