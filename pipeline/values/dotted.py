"""Name the values of nested sections by dotted keys, as `train.epochs`."""

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any


def dotted_values(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Walk through sections and give each value with its key; a list is one value, and so is an empty mapping."""
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from dotted_values(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def find_value(values: Mapping[str, Any], key: str) -> tuple[Any, ...]:
    """Find what a dotted key names, a section or a value: as a tuple of one, which is empty where there is none."""
    node: Any = values
    for part in key.split("."):
        if not isinstance(node, Mapping) or part not in node:
            return ()
        node = node[part]
    return (node,)


def set_value(values: MutableMapping[str, Any], key: str, value: object) -> None:
    """Set the value of a dotted key; sections on the way are made."""
    *parents, last = key.split(".")
    node = values
    for part in parents:
        if not isinstance(node.get(part), MutableMapping):
            node[part] = {}
        node = node[part]
    node[last] = value


def remove_value(values: MutableMapping[str, Any], key: str) -> bool:
    """Remove what a dotted key names, and sections that this leaves empty; False where there is no such key."""
    if key in values:
        del values[key]
        return True
    first, _, rest = key.partition(".")
    inner = values.get(first)
    removed = isinstance(inner, MutableMapping) and bool(rest) and remove_value(inner, rest)
    if removed and not inner:
        del values[first]
    return removed
