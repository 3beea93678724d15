"""Compare production traffic with the baseline: a p-value and an effect size per column, corrected for all."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pandas as pd

from monitoring.drift.column_tests import ColumnTestResult, Type, holm, run_column_test, type_of
from monitoring.drift.columns import GROUP_OF, IDENTITY, MISSING, one_per_subject, select_comparable
from monitoring.drift.identity_distance import IdentityDrift, measure_identity_drift
from monitoring.drift.identity_space import IdentityAggregate
from monitoring.drift.results import ColumnDrift, Drift, Frames, least_effect
from pipeline.config.watch import WatchParams


@dataclass(frozen=True)
class Traffic:
    """Rows of the log (columns of `LogRow`) and, where enough faces were seen, who was in them."""

    rows: pd.DataFrame
    identity: IdentityAggregate | None


def detect_drift(
    current: Traffic, reference: Traffic, watch: WatchParams, *, folder: Path, workspace: Path, now: datetime
) -> Drift:
    """Compare a window of production with the baseline, and write the report.

    Writes `folder/report.html` and adds the run, stamped `now` and named after the folder, to the Evidently
    workspace. A column with fewer than `watch.min_values` values on either side is skipped and named.
    """
    os.environ["DO_NOT_TRACK"] = "true"
    from monitoring.drift.report import write_report

    frames = prepare_frames(current.rows, reference.rows, watch)
    result = compare_columns(frames, current, reference, watch)
    sides = (current.rows, reference.rows)
    page = write_report(frames, sides, result, watch, folder=folder, workspace=workspace, now=now)
    return result.model_copy(update={"page": page})


def measure_drift(current: Traffic, reference: Traffic, watch: WatchParams) -> Drift:
    """Compute the same figures without report and dashboard; nothing is written."""
    return compare_columns(prepare_frames(current.rows, reference.rows, watch), current, reference, watch)


def prepare_frames(current: pd.DataFrame, reference: pd.DataFrame, watch: WatchParams) -> Frames:
    """Prepare rows for the tests; see `monitoring.drift.columns.select_comparable`.

    Where no value of a column is missing on either side, there is no test of missing values: given that there are none
    it could not reject, and the correction need not count it (Tarone 1990).
    """
    now, then = select_comparable(current), select_comparable(reference)
    whole = [name for name in MISSING if not any(side[name].eq("missing").any() for side in (now, then))]
    now, then = now.drop(columns=whole), then.drop(columns=whole)
    counts = {str(name): min(int(now[name].count()), int(then[name].count())) for name in now}
    skipped = {name: too_few(n, watch) for name, n in counts.items() if n < watch.min_values}
    columns = [str(name) for name in now if name not in skipped]
    types = {name: type_of(then[name].dropna(), now[name].dropna(), watch.few_values) for name in columns}
    return Frames(_typed(now[columns], types), _typed(then[columns], types), types, skipped)


def too_few(values: int, watch: WatchParams) -> str:
    """Say why a column is skipped."""
    return f"{values} values, needs {watch.min_values}"


def compare_columns(frames: Frames, current: Traffic, reference: Traffic, watch: WatchParams) -> Drift:
    """Test every column, correct for their number, and require a minimum effect as well."""
    answers = {
        name: run_column_test(frames.reference[name].dropna(), frames.current[name].dropna(), type_)
        for name, type_ in frames.types.items()
    }
    return conclude(answers, frames.skipped, _identity(current, reference, watch), watch)


def conclude(
    found: Mapping[str, ColumnTestResult],
    skipped: Mapping[str, str],
    identity: IdentityDrift | None,
    watch: WatchParams,
) -> Drift:
    """Correct the tests of columns, and of identities where there is one, for their number."""
    answers = dict(found)
    if identity is not None:
        answers[IDENTITY] = ColumnTestResult(identity.p, identity.effect, "bootstrap", "frechet")
    unseen = {} if identity else {IDENTITY: f"no {watch.identity.min_faces} faces to compare"}
    columns = _columns(answers, watch)
    share = sum(column.drifted for column in columns.values()) / max(1, len(columns))
    return Drift(columns=columns, skipped={**skipped, **unseen}, share=share, identity=identity)


def _columns(answers: Mapping[str, ColumnTestResult], watch: WatchParams) -> dict[str, ColumnDrift]:
    adjusted = holm({name: found.p for name, found in answers.items()})
    floors = {name: least_effect(name, found.effect_method, watch) for name, found in answers.items()}
    return {
        name: ColumnDrift(
            group=GROUP_OF[name],
            test=found.test,
            p=found.p,
            p_adjusted=adjusted[name],
            effect_method=found.effect_method,
            effect=found.effect,
            floor=floors[name],
            drifted=adjusted[name] <= watch.alpha and found.effect >= floors[name],
        )
        for name, found in answers.items()
    }


def _identity(current: Traffic, reference: Traffic, watch: WatchParams) -> IdentityDrift | None:
    now, then = current.identity, reference.identity
    if now is None or then is None or now.space != then.space:
        return None
    people = len(one_per_subject(current.rows)) / max(1, len(current.rows))
    return measure_identity_drift(now, then, watch.identity, people=people)


def _typed(table: pd.DataFrame, types: Mapping[str, Type]) -> pd.DataFrame:
    """Convert categories to text for Evidently; missing ones stay missing."""
    categories = [name for name, type_ in types.items() if type_ == "cat"]
    return table.assign(**{name: table[name].astype("object").map(str, na_action="ignore") for name in categories})
