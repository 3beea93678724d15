"""Prepare a command that runs flows: Prefect's database in the checkout's state, and no server that outlives it."""

import os
from pathlib import Path

from pipeline.project.child_processes import end_children_at_exit
from pipeline.project.paths import Paths


def use_prefect_home(root: Path) -> None:
    """Set PREFECT_HOME for this process, unless it is set; call it before Prefect is imported.

    Where no server is configured, Prefect starts one. That one, and whatever the flow starts, ends with this process.
    """
    home = Paths(root.resolve()).state / "prefect"
    home.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("PREFECT_HOME", str(home))
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")  # the caller prints errors in one line
    end_children_at_exit()
