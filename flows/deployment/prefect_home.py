"""Keep Prefect's database in the checkout's state, not in the user's home, when no server is configured."""

import os
from pathlib import Path

from pipeline.project.paths import Paths


def use_prefect_home(root: Path) -> None:
    """Set PREFECT_HOME for this process, unless it is set; call it before Prefect is imported."""
    home = Paths(root.resolve()).state / "prefect"
    home.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("PREFECT_HOME", str(home))
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")  # the caller prints errors in one line
