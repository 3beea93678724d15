"""Prove that `dvc repro` by hand gives the flow's numbers: `make check-repro`, after `make demo-tiny`.

In the workspace that the flow used, `dvc repro` must find nothing to do. In a fresh one with the same parameters it
must give the same evaluation, to the last digit, but for times.
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from models.assets import ASSETS
from pipeline.project.paths import Paths
from pipeline.values.overlay import copy_effective
from pipeline.workspaces.create import create_workspace
from pipeline.workspaces.dvc import environment

NOTHING_TO_DO = "Data and pipelines are up to date."


def main() -> int:
    """Both checks; exit status 1 where one fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, default=Path("build/demo-tiny"))
    used = parser.parse_args().workspace.resolve()
    started = time.monotonic()
    idle = NOTHING_TO_DO in repro(used)
    print(
        f"dvc repro after the flow: {'nothing to do' if idle else 'RAN SOMETHING'}, {time.monotonic() - started:.1f} s"
    )
    fresh = used.with_name(used.name + "-by-hand")
    shutil.rmtree(fresh, ignore_errors=True)
    create_workspace(ASSETS.parent, fresh, {})
    copy_effective(used / "params.yaml", fresh / "params.yaml")
    lend_registry(used, fresh)
    lend_kept(used, fresh)
    repro(fresh)
    same = figures(used) == figures(fresh)
    print(f"dvc repro in a fresh checkout: {'the same figures' if same else 'OTHER FIGURES'}")
    return 0 if idle and same else 1


def repro(root: Path) -> str:
    """`dvc repro` in a checkout; its output."""
    command = [sys.executable, "-m", "dvc", "repro"]
    done = subprocess.run(command, cwd=root, env=environment(), capture_output=True, text=True, check=True)  # noqa: S603 - our own command
    return done.stdout


def lend_registry(used: Path, fresh: Path) -> None:
    """The fresh checkout reads the same registry: its parameters pin a version of it."""
    database = Paths(used).mlflow_database
    (fresh / "state").mkdir(exist_ok=True)
    shutil.copyfile(database, Paths(fresh).mlflow_database)


def lend_kept(used: Path, fresh: Path) -> None:
    """The fresh checkout takes in the same portraits that people let the project keep."""
    if Paths(used).kept.is_dir():
        shutil.copytree(Paths(used).kept, Paths(fresh).kept)


def figures(root: Path) -> dict[str, Any]:
    """The evaluation without its times."""
    report: dict[str, Any] = json.loads(Paths(root).evaluation_report.read_bytes())
    return {key: value for key, value in report.items() if key != "latency_ms"}


if __name__ == "__main__":
    sys.exit(main())
