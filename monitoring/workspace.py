"""The Evidently workspace: every judged window as a run, and a dashboard over them (`evidently ui`)."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evidently.core.report import Snapshot

PROJECT = "Likeness in production"


def add_run(folder: Path, snapshot: "Snapshot", mask_columns: Sequence[str]) -> None:
    """Add one snapshot to the project in the workspace `folder`; project and dashboard are made at the first call.

    Only Evidently's own metrics are on the dashboard, so that `evidently ui` needs nothing of this project.
    """
    from evidently.ui.workspace import Workspace

    workspace = Workspace.create(str(folder))
    found = workspace.search_project(PROJECT)
    project = found[0] if found else workspace.create_project(PROJECT, description="Traffic against the reference")
    if not found:
        for panel in _panels(mask_columns):
            project.dashboard.add_panel(panel)
        project.save()
    workspace.add_run(project.id, snapshot, include_data=False)  # figures only: the rows stay in the log


def _panels(mask_columns: Sequence[str]) -> list[Any]:
    from evidently.sdk.models import PanelMetric
    from evidently.sdk.panels import line_plot_panel

    share = {"metric": "DriftedColumnsCount", "metric_labels": {"value_type": "share"}}
    of_masks = {**share, "metric_labels": {"value_type": "share", "columns": str(list(mask_columns))}}
    shares = [PanelMetric(legend="mask columns", **of_masks), PanelMetric(legend="all columns", **share)]
    scores = [PanelMetric(legend=name, metric="ValueDrift", metric_labels={"column": name}) for name in mask_columns]
    accuracy = [PanelMetric(legend="accuracy", metric="MeanValue", metric_labels={"column": "recognised"})]
    return [
        line_plot_panel(title="Share of drifted columns", values=shares),  # a series goes to the first that fits
        line_plot_panel(title="Drift score of the mask columns", values=scores),
        line_plot_panel(title="Recognition accuracy", values=accuracy),
    ]
