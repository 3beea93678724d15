"""Outcomes of each arm, one value per subject: requests of one subject are not independent of one another.

The identity outcome is the independent encoder's cosine of the restored face with the intact original or, where that
never came to light, with a reference photo. `similarity_plain_*` and `identity_risk` are no outcomes: the first rewards
a model that restores nothing, the second is a property of the damage.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from monitoring.ab.adjustment import Adjustment
from restoration.modes import UNFILLED

Name = Literal["identity", "lpips", "recognised", "preferred", "latency"]


class Kind(NamedTuple):
    """How to read an outcome: its unit, and whether more of it is better."""

    unit: str
    better: Literal["higher", "lower"]


OUTCOMES: dict[Name, Kind] = {
    "identity": Kind("cosine", "higher"),
    "lpips": Kind("LPIPS", "lower"),
    "recognised": Kind("share of feedback", "higher"),
    "preferred": Kind("share of feedback", "higher"),
    "latency": Kind("ln milliseconds", "lower"),
}


@dataclass(frozen=True)
class Trial:
    """The requests of one test.

    `subjects`: one row each in order of arrival, columns `challenger` (bool) and those of OUTCOMES (NaN = not
    measured), each the mean over the subject's requests. `requests`: all of them, by arm. `crossed`: subjects that
    both arms served, which sticky assignment rules out; they count where they came first.
    """

    subjects: pd.DataFrame
    requests: dict[str, int]
    crossed: int


def identity_similarity(rows: pd.DataFrame) -> "pd.Series[float]":
    """Choose the identity similarity of each row: to the original, else to the reference photo, else NaN."""
    return rows["similarity_independent"].fillna(rows["similarity_reference_independent"])


def select_trial(rows: pd.DataFrame, champion: str, challenger: str, adjustment: Adjustment | None) -> Trial:
    """Select the test's requests among rows of the log, from the first one that the challenger served.

    Before that one some service had not loaded the challenger yet, and the champion had all subjects. The subject who
    opens it does not count: it is always one of the challenger's.
    """
    ours = rows[_served_by(rows, champion, "champion") | _served_by(rows, challenger, "challenger")].sort_values(
        "sequence"
    )
    opened = ours["arm"].eq("challenger").cummax()
    ours = ours[opened]
    units = ours["subject"].where(ours["subject"] != "", ours["request_id"])
    counted = units != units.iloc[0] if len(units) else units.astype(bool)
    ours, units = ours[counted], units[counted]
    in_challenger = ours["arm"] == "challenger"
    first = in_challenger.groupby(units, sort=False).transform("first").astype(bool)
    crossed = int(units[in_challenger != first].nunique())
    requests = {arm: int((ours["arm"] == arm).sum()) for arm in ("champion", "challenger")}
    rows, units, first = ours[in_challenger == first], units[in_challenger == first], first[in_challenger == first]
    table = measure_outcomes(rows, adjustment).assign(challenger=first)
    return Trial(table.groupby(units, sort=False).mean().astype({"challenger": bool}), requests, crossed)


def measure_outcomes(rows: pd.DataFrame, adjustment: Adjustment | None) -> pd.DataFrame:
    """Compute every outcome of every row, NaN where it was not measured or no model took part in the answer."""
    similarity = identity_similarity(rows)
    if adjustment is not None:
        similarity = similarity - adjustment.predict(rows) + adjustment.intercept
    preferred = rows["feedback_preferred"].map({"restored": 1.0, "original": 0.0})
    columns: dict[Name, pd.Series[float]] = {
        "identity": similarity,
        "lpips": rows["lpips"],
        "recognised": rows["feedback_recognised"].astype("float64"),
        "preferred": preferred.astype("float64"),
        "latency": np.log(rows["milliseconds"].clip(lower=1.0)),
    }
    return pd.DataFrame(columns).mask(rows["mode"].isin(UNFILLED))


def _served_by(rows: pd.DataFrame, version: str, arm: str) -> "pd.Series[bool]":
    return (rows["model_version"] == version) & (rows["arm"] == arm)
