"""Stage `overlay`: lay down this installation's own values, section by section, so that DVC sees them change.

The file local/params.yaml is not always there, nor has it every section, and DVC admits neither; data/overlay.yaml has
all of them. Each stage depends on its sections of params.yaml and of data/overlay.yaml, and reads these two.
"""

import os
import subprocess
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from pipeline.project.files import write_text
from pipeline.project.paths import Paths
from pipeline.values.dotted import dotted_values, find_value, remove_value
from pipeline.values.files import format_values, parse_values, read_values
from pipeline.values.overlay import read_overlay

_BASELINE = "DVC_EXP_BASELINE_REV"
"""The commit that an experiment starts from; DVC sets it for the stages of experiments only."""


class OverlaySections(BaseModel):
    """Own values of every section of params.yaml."""

    model_config = ConfigDict(frozen=True)

    sections: Mapping[str, Any]


def overlay(paths: Paths) -> OverlaySections:
    """Write data/overlay.yaml. What an experiment changes in params.yaml counts in it, also over an own value."""
    tracked, own = read_values(paths.params), read_overlay(paths.overlay)
    for key in _changed_by_experiment(paths, tracked):
        remove_value(own, key)
    sections = {name: own.get(name) or {} for name in tracked}
    write_text(paths.stage_overlay, format_values(sections))
    return OverlaySections(sections=sections)


def _changed_by_experiment(paths: Paths, tracked: Mapping[str, Any]) -> list[str]:
    """List the keys whose values in params.yaml differ from those of the commit that the experiment starts from."""
    baseline = os.environ.get(_BASELINE)
    if not baseline:
        return []
    command = ["git", "show", f"{baseline}:./{paths.params.name}"]
    shown = subprocess.run(command, cwd=paths.root, capture_output=True, check=False)  # noqa: S603 - git of the user, no shell
    before = parse_values(shown.stdout.decode()) if shown.returncode == 0 else tracked
    return [key for key, value in dotted_values(tracked) if find_value(before, key) != (value,)]
