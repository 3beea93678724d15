"""Change the overlay, this installation's own values over params.yaml, and list what counts with where it stands."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from models.errors import ConfigError
from pipeline.config.load import Own, Params, check_values
from pipeline.project.files import delete_durably, write_durably, write_text
from pipeline.project.locks import hold_lock
from pipeline.project.paths import Paths
from pipeline.values.dotted import dotted_values, find_value, remove_value, set_value
from pipeline.values.files import format_values, read_values
from pipeline.values.overlay import lay_over, overlay_of, read_overlay

_HEAD = "# Values of this installation over params.yaml; `likeness params` shows, sets and unsets them.\n"
_PATIENCE = 10.0
"""Seconds to wait for another process that changes the overlay."""


@dataclass(frozen=True)
class Value:
    """A value that counts: where it stands, whether it is an own one, and the value in params.yaml, if any."""

    value: Any
    place: str
    own: bool
    tracked: tuple[Any, ...]


def list_values(params: Path, key: str = "") -> dict[str, Value]:
    """List the values that count by dotted key: all of them, those of a section, or one.

    Raises:
        ConfigError: no such key, or files that `load_params` refuses.
    """
    tracked, overlay = read_values(params), overlay_of(params)
    own, values = read_overlay(overlay), deepcopy(tracked)
    lay_over(values, own)
    check_values(values, params, Own(own, overlay))
    chosen = find_value(values, key) if key else (values,)
    if not chosen:
        raise ConfigError("a key of params.yaml", key, "see `likeness params` for the keys")
    listed = dotted_values(chosen[0], f"{key}." if key else "") if _branches(chosen[0]) else [(key, chosen[0])]
    return {name: _placed(name, value, tracked, own, params, overlay) for name, value in listed}


def set_own_values(params: Path, values: Mapping[str, Any]) -> None:
    """Set values in the overlay by dotted keys, all of them or none; comments in it stay. params.yaml is not touched.

    Raises:
        ConfigError: a key that params.yaml does not have, a section instead of a value, a value that is not admitted,
            or files that cannot be read.
    """
    with _changing(params) as own:
        for key, value in values.items():
            set_value(own, key, deepcopy(value))
        checked = _check(params, own, list(values))
        for key in values:
            if _is_section(checked, key):
                raise ConfigError(
                    "the key of a value", f"the section {key}", f"see `likeness params {key}` for its keys"
                )


def unset_own_values(params: Path, keys: Sequence[str]) -> None:
    """Remove values, or all those of a section, from the overlay: those of params.yaml count again.

    Raises:
        ConfigError: a key that is none of the overlay's, files that cannot be read, or values left that do not fit
            together. What was refused already before is no reason: the rest may be removed later.
    """
    with _changing(params) as own:
        sound = _is_sound(params, own)
        for key in keys:
            if not remove_value(own, key):
                raise ConfigError(f"a value in {overlay_of(params)}", f"no {key}", "see `likeness params --own`")
        if sound:
            _check(params, own, ())


@contextmanager
def _changing(params: Path) -> Iterator[dict[str, Any]]:
    """Hold the overlay, give its values to be changed, and write them unless the block fails."""
    file = overlay_of(params)
    busy = (f"no other change of {file}", "one that lasts", "try again")
    if not file.parent.is_dir():
        write_text(file.parent / ".gitignore", "*\n")
    with hold_lock(Paths(params.parent).home.locks / "overlay.lock", seconds=_PATIENCE, busy=busy):
        own = read_overlay(file)
        yield own
        head = "" if file.exists() else _HEAD
        try:
            if own:
                write_durably(file.resolve(), head + format_values(own))  # a link stays one
            else:
                delete_durably(file.resolve())
        except PermissionError as error:
            raise ConfigError(f"to be allowed to write {file}", "no permission", "call it as its owner") from error


def _check(params: Path, own: Mapping[str, Any], proposed: Sequence[str]) -> Params:
    values = read_values(params)
    lay_over(values, own)
    return check_values(values, params, Own(own, overlay_of(params)), proposed)


def _is_sound(params: Path, own: Mapping[str, Any]) -> bool:
    try:
        _check(params, own, ())
    except ConfigError:
        return False
    return True


def _is_section(params: Params, key: str) -> bool:
    """Tell whether a key names a section, not a value; a mapping by kind of damage is a value."""
    node: Any = params
    for part in key.split("."):
        if isinstance(node, Mapping):
            return False
        node = getattr(node, "validate_" if part == "validate" else part, None)
    return isinstance(node, BaseModel) or is_dataclass(node)


def _branches(value: object) -> bool:
    return isinstance(value, Mapping) and bool(value)


def _placed(
    key: str, value: object, tracked: Mapping[str, Any], own: Mapping[str, Any], params: Path, overlay: Path
) -> Value:
    """Say where a value stands; an overlay that is empty there, as a mapping without entries, leaves params.yaml's."""
    found, before = find_value(own, key), find_value(tracked, key)
    if not found or (_branches(value) and not _branches(found[0])):
        return Value(value, params.name, own=False, tracked=before)
    root = Paths(params.parent).home.root
    place = overlay.relative_to(root) if overlay.is_relative_to(root) else overlay
    return Value(value, str(place), own=True, tracked=before)
