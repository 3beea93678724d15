"""Does production traffic still look like the reference? Asked through Evidently, column by column."""

import json
import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd
from pydantic import BaseModel, ConfigDict

from monitoring.workspace import add_run
from pipeline.config import WatchParams

if TYPE_CHECKING:
    from evidently.core.report import Snapshot

# Not compared: width and height (every face is brought to the model's size) and milliseconds (the machine's).
NUMERICAL = (
    "detector_score", "brightness", "contrast", "sharpness", "yaw", "pitch", "roll",
    "area", "coverage", "missing_features", "similarity_training", "similarity_independent",
)  # fmt: skip
CATEGORICAL = ("mode", "kind", "face_count")


class ColumnDrift(BaseModel):
    """Evidently's score of one column; it drifted when the score reaches the threshold."""

    model_config = ConfigDict(frozen=True)

    method: str
    score: float
    threshold: float
    drifted: bool


class Drift(BaseModel):
    """Drift of a window against the reference; the shares are over the columns that could be judged."""

    model_config = ConfigDict(frozen=True)

    columns: dict[str, ColumnDrift]
    skipped: dict[str, str]
    share: float
    mask_share: float


class _Frames(NamedTuple):
    current: pd.DataFrame
    reference: pd.DataFrame
    numerical: list[str]
    categorical: list[str]
    masks: list[str]
    skipped: dict[str, str]


def drift(
    current: pd.DataFrame, reference: pd.DataFrame, watch: WatchParams, *, folder: Path, workspace: Path, now: datetime
) -> Drift:
    """Compare a window of the log with the reference; both have the columns of `LogRow`.

    Writes `folder/report.html` and adds the run, stamped `now` and named after the folder, to the Evidently
    workspace. A column with fewer than `watch.min_values` values on either side is skipped and named.
    """
    os.environ["DO_NOT_TRACK"] = "true"
    frames = _frames(current, reference, watch)
    snapshot = _snapshot(frames, watch, name=folder.name, now=now)
    folder.mkdir(parents=True, exist_ok=True)
    snapshot.save_html(str(folder / "report.html"))
    add_run(workspace, snapshot, watch.mask_columns)
    columns = _columns(json.loads(snapshot.json()))  # .dict() would leak numpy numbers and enums
    return Drift(
        columns=columns,
        skipped=frames.skipped,
        share=_share(columns, list(columns)),
        mask_share=_share(columns, frames.masks),
    )


def _frames(current: pd.DataFrame, reference: pd.DataFrame, watch: WatchParams) -> _Frames:
    names = [*NUMERICAL, *CATEGORICAL]
    now, then = _comparable(current), _comparable(reference)
    counts = {name: min(int(now[name].count()), int(then[name].count())) for name in names}
    skipped = {name: f"{n} values, needs {watch.min_values}" for name, n in counts.items() if n < watch.min_values}
    judged = [name for name in names if name not in skipped]
    extra = [] if now["recognised"].isna().all() else ["recognised"]
    return _Frames(
        current=now[[*judged, *extra]],
        reference=then[[*judged, *extra]],
        numerical=[name for name in judged if name in NUMERICAL],
        categorical=[name for name in judged if name in CATEGORICAL],
        masks=[name for name in watch.mask_columns if name in judged],
        skipped=skipped,
    )


def _comparable(table: pd.DataFrame) -> pd.DataFrame:
    """Unknown kinds are missing values, not a kind of their own; categories are text."""
    result = table[[*NUMERICAL, *CATEGORICAL]].reset_index(drop=True)
    result["kind"] = result["kind"].replace("", None)
    result["face_count"] = result["face_count"].astype(str)
    result["recognised"] = table["recognised"].astype("float64").to_numpy()
    return result


def _snapshot(frames: _Frames, watch: WatchParams, *, name: str, now: datetime) -> "Snapshot":
    import numpy as np
    from evidently import DataDefinition, Dataset, Report

    scores = [column for column in ("recognised",) if column in frames.current]
    definition = DataDefinition(numerical_columns=[*frames.numerical, *scores], categorical_columns=frames.categorical)
    current, reference = (
        Dataset.from_pandas(table, data_definition=definition) for table in (frames.current, frames.reference)
    )
    with np.errstate(divide="ignore", invalid="ignore"):  # Evidently correlates constant columns too
        return Report(_metrics(frames, watch), include_tests=True).run(current, reference, timestamp=now, name=name)


def _metrics(frames: _Frames, watch: WatchParams) -> list[Any]:
    from evidently.metrics import DriftedColumnsCount, MeanValue
    from evidently.presets import DataDriftPreset

    how: dict[str, Any] = {
        "num_method": watch.column_method.numerical,
        "cat_method": watch.column_method.categorical,
        "num_threshold": watch.column_threshold.numerical,
        "cat_threshold": watch.column_threshold.categorical,
    }
    judged = [*frames.numerical, *frames.categorical]
    metrics: list[Any] = [DataDriftPreset(columns=judged, drift_share=watch.drift_share, **how)]
    if frames.masks:
        metrics.append(DriftedColumnsCount(columns=frames.masks, drift_share=watch.mask_share, **how))
    if "recognised" in frames.current:
        metrics.append(MeanValue(column="recognised"))
    return metrics


def _columns(snapshot: dict[str, Any]) -> dict[str, ColumnDrift]:
    found = [metric for metric in snapshot["metrics"] if metric["config"]["type"].endswith(":ValueDrift")]
    return {metric["config"]["column"]: _column(metric["config"], metric["value"]) for metric in found}


def _column(config: dict[str, Any], score: float) -> ColumnDrift:
    threshold = float(config["threshold"])
    return ColumnDrift(method=config["method"], score=score, threshold=threshold, drifted=score >= threshold)


def _share(columns: dict[str, ColumnDrift], names: list[str]) -> float:
    return sum(columns[name].drifted for name in names) / len(names) if names else 0.0
