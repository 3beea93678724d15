"""Recognition accuracy in production: the share of restored portraits that are still the same person."""

from datetime import UTC, datetime, timedelta
from math import exp, log, sqrt

import pandas as pd
from pydantic import BaseModel, ConfigDict

from monitoring.drift.columns import one_per_subject
from monitoring.log.rows import restored_in_full
from restoration.modes import UNFILLED

Z_95 = 1.959963984540054
"""97.5 % quantile of the normal distribution: a two-sided 95 % interval."""
_EPOCH = datetime(1970, 1, 5, tzinfo=UTC)  # a Monday


class Recognition(BaseModel):
    """Recognition accuracy over a block of requests for which it is known.

    `low`, `high`: 95 % Wilson interval, for people to read. `evidence`: factor against an accuracy of the bound or
    more; `below`: it reached one over the error, so the accuracy is below the bound, however often one has looked.
    """

    model_config = ConfigDict(frozen=True)

    recognised: int
    judged: int
    accuracy: float | None
    low: float | None
    high: float | None
    evidence: float
    below: bool
    since: datetime | None = None


def measure_recognition(
    rows: pd.DataFrame, *, at_least: float, error: float, since: datetime | None = None
) -> Recognition:
    """Measure accuracy over rows of the production log, each counted once, by feedback where there is some.

    Else `recognised` counts, by a known original or a reference photo. Of one subject the last judgement counts, so
    that nobody starts a cycle alone. Feedback on a photo in which nothing was filled, or that was restored at less
    than full strength, does not count.

    Args:
        rows: with `mode`, `strength`, `recognised`, `feedback_recognised` (boolean, NA = unknown) and `subject`.
        at_least: the accuracy that is required, (0, 1).
        error: probability that an accuracy of `at_least` is ever called lower while these rows come in.
        since: stored with the result.
    """
    restored = restored_in_full(rows[~rows["mode"].isin(UNFILLED)])
    judgements_by_request = restored["feedback_recognised"].fillna(restored["recognised"])
    known = restored.assign(judgement=judgements_by_request).dropna(subset=["judgement"])
    judgements = one_per_subject(known, keep="last")["judgement"]
    judged, hits = len(judgements), int(judgements.sum())
    low, high = wilson_interval(hits, judged) if judged else (None, None)
    strength = evidence_below(hits, judged, at_least)
    return Recognition(
        recognised=hits,
        judged=judged,
        accuracy=hits / judged if judged else None,
        low=low,
        high=high,
        evidence=strength,
        below=strength >= 1 / error,
        since=since,
    )


def recognition_by_block(
    rows: pd.DataFrame, now: datetime, *, at_least: float, error: float, days: float
) -> Recognition:
    """Choose the block that alarms, else the longer one of the two that are under way.

    A test that goes on for ever would let a good past hide a bad today, so evidence is gathered in blocks of so many
    days; every half a block another begins, so that one at least half as long is always there. Each gets half the
    error: one false alarm in `days` days with probability `error` at most. Feedback that comes late counts in every
    block that its request is in, as blocks are read from the log at each run.
    """
    half = timedelta(days=days / 2)
    latest = _EPOCH + half * ((now - _EPOCH) // half)
    blocks = [
        measure_recognition(rows[rows["time"] >= start], at_least=at_least, error=error / 2, since=start)
        for start in (latest - half, latest)
    ]
    return next((block for block in blocks if block.below), blocks[0])


def evidence_below(hits: int, n: int, bound: float) -> float:
    """Compute the evidence that a share is below `bound`: the e-value of `hits` in `n`, 1 for no data.

    The likelihood, averaged evenly over all shares below the bound, against that of the bound itself. While the true
    share is at least the bound this is a non-negative supermartingale, so by Ville's inequality it ever reaches
    1 / error with probability `error` at most: valid under repeated checks.

    Source: H. Robbins, Statistical methods related to the law of the iterated logarithm, Ann. Math. Stat. 41 (1970),
    and the beta-binomial mixture of S. R. Howard et al., Time-uniform, nonparametric, nonasymptotic confidence
    sequences, Ann. Stat. 49 (2021), doi:10.1214/20-AOS1991.
    """
    from scipy.special import betainc, betaln

    misses = n - hits
    averaged = betaln(1 + hits, 1 + misses) + log(max(betainc(1 + hits, 1 + misses, bound), 1e-300)) - log(bound)
    return exp(min(averaged - hits * log(bound) - misses * log(1 - bound), 700.0))


def wilson_interval(hits: int, n: int, z: float = Z_95) -> tuple[float, float]:
    """Compute the Wilson score interval (low, high) of a share of `hits` in `n` >= 1 trials.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
    """
    share = hits / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)
