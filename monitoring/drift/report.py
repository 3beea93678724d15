"""Write the drift of a window for people: Evidently's HTML report, and a run in its workspace."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from monitoring.drift.column_tests import METHODS, Type, register
from monitoring.drift.columns import CATEGORICAL, NUMERICAL, Group
from monitoring.drift.results import Drift, Frames, least_effect
from pipeline.config.watch import WatchParams

if TYPE_CHECKING:
    from evidently.core.report import Snapshot
    from evidently.sdk.models import PanelMetric

PROJECT = "Likeness in production"


def add_run(folder: Path, snapshot: "Snapshot", groups: Mapping[Group, Sequence[str]]) -> str:
    """Add one snapshot to the project in the workspace `folder`; project and dashboard are made at the first call.

    Returns its page, below the address of Evidently's pages.

    Only Evidently's own metrics are on the dashboard, so that `evidently ui` needs nothing of this project.
    """
    from evidently.ui.workspace import Workspace

    workspace = Workspace.create(str(folder))
    projects = workspace.search_project(PROJECT)
    project = projects[0] if projects else workspace.create_project(PROJECT, description="Traffic against the baseline")
    if not projects:
        for panel in _panels(groups):
            project.dashboard.add_panel(panel)
        project.save()
    added = workspace.add_run(project.id, snapshot, include_data=False)  # figures only: the rows stay in the log
    return f"projects/{added.project_id}/reports/{added.id}"


def _panels(groups: Mapping[Group, Sequence[str]]) -> list[Any]:
    from evidently.sdk.models import PanelMetric
    from evidently.sdk.panels import line_plot_panel

    panels = [
        line_plot_panel(title=f"How far the {group} moved", values=[_effect(name) for name in names])
        for group, names in groups.items()
        if names
    ]
    accuracy = PanelMetric(legend="accuracy", metric="MeanValue", metric_labels={"column": "recognised"})
    return [*panels, line_plot_panel(title="Recognition accuracy", values=[accuracy])]


def _effect(name: str) -> "PanelMetric":
    from evidently.sdk.models import PanelMetric

    type_: Type = "cat" if any(name in names for names in CATEGORICAL.values()) else "num"
    return PanelMetric(legend=name, metric="ValueDrift", metric_labels={"column": name, "method": METHODS[type_][1]})


COLUMNS_OF: dict[Group, tuple[str, ...]] = {group: (*NUMERICAL[group], *CATEGORICAL[group]) for group in NUMERICAL}


def write_report(
    frames: Frames,
    sides: tuple[pd.DataFrame, pd.DataFrame],
    drift: Drift,
    watch: WatchParams,
    *,
    folder: Path,
    workspace: Path,
    now: datetime,
) -> str:
    """Write `folder/report.html` and add a run named after the folder to the workspace.

    Evidently tests each column by itself; its verdicts are shown at `watch.alpha` divided by the number of columns, the
    strictest step of Holm's correction. What counts is `found`, in verdict.json. `sides`: rows of the window and of the
    reference, for recognition accuracy. Returns the run's page, as `add_run`.
    """
    snapshot = _snapshot(frames, sides, watch.alpha / max(1, len(drift.columns)), watch, name=folder.name, now=now)
    folder.mkdir(parents=True, exist_ok=True)
    snapshot.save_html(str(folder / "report.html"))
    return add_run(workspace, snapshot, COLUMNS_OF)


def _snapshot(
    frames: Frames,
    sides: tuple[pd.DataFrame, pd.DataFrame],
    alpha: float,
    watch: WatchParams,
    *,
    name: str,
    now: datetime,
) -> "Snapshot":
    from evidently import DataDefinition, Dataset, Report

    register()
    extra = [] if any(rows["recognised"].isna().all() for rows in sides) else ["recognised"]
    definition = DataDefinition(
        numerical_columns=[*(column for column, type_ in frames.types.items() if type_ == "num"), *extra],
        categorical_columns=[column for column, type_ in frames.types.items() if type_ == "cat"],
    )
    current, reference = (
        Dataset.from_pandas(_with(table, rows, extra), data_definition=definition)
        for table, rows in zip((frames.current, frames.reference), sides, strict=True)
    )
    with np.errstate(divide="ignore", invalid="ignore"):  # Evidently correlates constant columns too
        report = Report(_metrics(frames, alpha, watch, extra), include_tests=True)
        return report.run(current, reference, timestamp=now, name=name)


def _with(table: pd.DataFrame, rows: pd.DataFrame, extra: list[str]) -> pd.DataFrame:
    """Add the columns of all rows to the compared ones, also where a subject came more than once."""
    return pd.concat([table, rows[extra].astype("float64").reset_index(drop=True)], axis=1)


def _metrics(frames: Frames, alpha: float, watch: WatchParams, extra: list[str]) -> list[Any]:
    from evidently.metrics import MeanValue, ValueDrift

    metrics: list[Any] = []
    for name, type_ in frames.types.items():
        test, effect = METHODS[type_]
        metrics.append(ValueDrift(column=name, method=test, threshold=alpha))
        metrics.append(ValueDrift(column=name, method=effect, threshold=least_effect(name, effect, watch)))
    return [*metrics, *(MeanValue(column=column) for column in extra)]
