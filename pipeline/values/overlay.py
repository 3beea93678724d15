"""The overlay: local/params.yaml, this installation's own values over the tracked params.yaml.

It is nested as params.yaml. A value of its own counts instead of the one in params.yaml; mappings are merged, a list is
one value. Cycles, promotions and `likeness params set` write there; git does not track it.
"""

from collections.abc import Mapping, MutableMapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from pipeline.project.files import write_bytes, write_text
from pipeline.project.paths import Paths
from pipeline.values.files import format_values, read_values

REMEDY = "correct it, or move it away and set its values again with `likeness params set`"


def overlay_of(params: Path) -> Path:
    """Give the overlay that counts over a params.yaml, whether it exists or not."""
    return Paths(params.parent).overlay


def read_overlay(file: Path) -> dict[str, Any]:
    """Read an overlay unchecked; without a file there are no values of its own.

    Raises:
        ConfigError: unreadable or damaged file.
    """
    return read_values(file, REMEDY) if file.exists() else {}


def lay_over(values: MutableMapping[str, Any], own: Mapping[str, Any]) -> None:
    """Put own values in place of those of params.yaml; a section without any changes nothing."""
    for key, value in own.items():
        known = values.get(key)
        if isinstance(known, MutableMapping) and isinstance(value, Mapping):
            lay_over(known, value)
        elif not (isinstance(known, Mapping) and value is None):
            values[key] = deepcopy(value)


def effective_values(params: Path) -> dict[str, Any]:
    """Read params.yaml with its overlay over it, unchecked; comments of params.yaml are kept.

    Raises:
        ConfigError: missing, unreadable or damaged file.
    """
    values = read_values(params)
    lay_over(values, read_overlay(overlay_of(params)))
    return values


def copy_effective(params: Path, target: Path) -> None:
    """Write a params.yaml that holds the values that count; without own ones it is the same file, to the byte.

    Raises:
        ConfigError: missing, unreadable or damaged file.
    """
    if read_overlay(overlay_of(params)):
        write_text(target, format_values(effective_values(params)))
    else:
        write_bytes(target, params.read_bytes())
