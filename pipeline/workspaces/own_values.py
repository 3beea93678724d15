"""Keep what people changed in a workspace's params.yaml when the workspace is made anew."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.project.files import write_text
from pipeline.project.paths import Paths
from pipeline.values.dotted import dotted_values, find_value
from pipeline.values.files import format_values, read_values


def own_values(workspace: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """List the values of a workspace's params.yaml that were changed since it was made, by dotted keys.

    Keys that `given`, the parameters it is to be made of, lack are left out. Nothing is recorded of workspaces of
    earlier versions: there all that differs from `given` counts as changed.
    """
    params, recorded = workspace / "params.yaml", _recorded(workspace)
    if not params.is_file():
        return {}
    standing = read_values(params)
    made_with = read_values(recorded) if recorded.is_file() else given
    found = ((key, find_value(standing, key)) for key, _ in dotted_values(given))
    return {key: value[0] for key, value in found if value and value != find_value(made_with, key)}


def record_values(workspace: Path, given: dict[str, Any]) -> None:
    """Record the parameters that a workspace was made of."""
    write_text(_recorded(workspace), format_values(given))


def _recorded(workspace: Path) -> Path:
    return Paths(workspace).state / "params-of-checkout.yaml"
