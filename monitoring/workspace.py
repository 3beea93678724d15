"""The Evidently workspace: every judged window as a run, and a dashboard over them (`evidently ui`)."""

from pathlib import Path
from typing import Any

PROJECT = "Likeness in production"


def add_run(folder: Path, snapshot: Any) -> None:
    """Add one snapshot to the project in the workspace `folder`; both are made at the first call."""
    from evidently.ui.workspace import Workspace

    workspace = Workspace.create(str(folder))
    found = workspace.search_project(PROJECT)
    project = found[0] if found else workspace.create_project(PROJECT, description="Traffic against the reference")
    if not found:
        for panel in _panels():
            project.dashboard.add_panel(panel)
        project.save()
    workspace.add_run(project.id, snapshot, include_data=False)


def _panels() -> list[Any]:
    from evidently.sdk.models import PanelMetric
    from evidently.sdk.panels import line_plot_panel

    share = PanelMetric(legend="share", metric="DriftedColumnsCount", metric_labels={"value_type": "share"})
    return [line_plot_panel(title="Share of drifted columns", values=[share])]
