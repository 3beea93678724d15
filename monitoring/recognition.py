"""Recognition accuracy in production: the share of restored portraits that are still the same person."""

from math import sqrt

import pandas as pd
from pydantic import BaseModel, ConfigDict

Z_95 = 1.959963984540054
"""97.5 % quantile of the normal distribution: a two-sided 95 % interval."""


class Recognition(BaseModel):
    """Recognition accuracy over the requests whose original is known, with a 95 % Wilson interval."""

    model_config = ConfigDict(frozen=True)

    recognised: int
    judged: int
    accuracy: float | None
    low: float | None
    high: float | None
    below: bool
    """The accuracy is under the bound, and enough requests were judged to say so."""


def recognition(log: pd.DataFrame, *, at_least: float, min_judged: int) -> Recognition:
    """Accuracy over a window of the production log (column `recognised`; NA = original unknown).

    The point estimate decides, as the rule "below 0.80" says: a needless cycle costs some compute and still has
    to pass the gate, a missed one costs people's trust. So that a handful of requests does not cry wolf,
    fewer than `min_judged` never count as below. The interval is reported beside it.
    """
    known = log["recognised"].dropna()
    judged, hits = len(known), int(known.sum())
    if not judged:
        return Recognition(recognised=0, judged=0, accuracy=None, low=None, high=None, below=False)
    low, high = wilson(hits, judged)
    below = judged >= min_judged and hits / judged < at_least
    return Recognition(recognised=hits, judged=judged, accuracy=hits / judged, low=low, high=high, below=below)


def wilson(hits: int, n: int, z: float = Z_95) -> tuple[float, float]:
    """Wilson score interval (low, high) of a share of `hits` in `n` >= 1 trials.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
    """
    share = hits / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)
