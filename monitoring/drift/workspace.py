"""The Evidently workspace: every judged window as a run, and a dashboard over them (`evidently ui`)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitoring.drift.column_tests import METHODS, Type
from monitoring.drift.columns import CATEGORICAL, Group

if TYPE_CHECKING:
    from evidently.core.report import Snapshot
    from evidently.sdk.models import PanelMetric

PROJECT = "Likeness in production"


def add_run(folder: Path, snapshot: "Snapshot", groups: Mapping[Group, Sequence[str]]) -> None:
    """Add one snapshot to the project in the workspace `folder`; project and dashboard are made at the first call.

    Only Evidently's own metrics are on the dashboard, so that `evidently ui` needs nothing of this project.
    """
    from evidently.ui.workspace import Workspace

    workspace = Workspace.create(str(folder))
    found = workspace.search_project(PROJECT)
    project = found[0] if found else workspace.create_project(PROJECT, description="Traffic against the reference")
    if not found:
        for panel in _panels(groups):
            project.dashboard.add_panel(panel)
        project.save()
    workspace.add_run(project.id, snapshot, include_data=False)  # figures only: the rows stay in the log


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
