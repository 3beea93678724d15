"""Keep what operators, or production, changed in a workspace's params.yaml when the workspace is made anew."""

import shutil
from pathlib import Path
from typing import Any

from pipeline.config.dotted import dotted_values
from pipeline.config.load import read_values
from pipeline.project.paths import Paths


def own_values(workspace: Path, source: Path) -> dict[str, Any]:
    """List the values of a workspace that are its own, by dotted keys: they differ from those that it was made with.

    Keys that the parameters at `source` lack are left out. Nothing is recorded of workspaces of earlier versions: there
    all that differs from `source` is their own.
    """
    params, recorded = workspace / "params.yaml", _recorded(workspace)
    if not params.is_file():
        return {}
    known = dict(dotted_values(read_values(source)))
    made_with = dict(dotted_values(read_values(recorded))) if recorded.is_file() else known
    return {
        key: value
        for key, value in dotted_values(read_values(params))
        if key in known and (key not in made_with or value != made_with[key])
    }


def record_values(workspace: Path, source: Path) -> None:
    """Record the parameters that a workspace was made with."""
    _recorded(workspace).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, _recorded(workspace))


def _recorded(workspace: Path) -> Path:
    return Paths(workspace).state / "params-of-checkout.yaml"
