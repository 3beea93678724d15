"""Name the values of nested sections by dotted keys, as `train.epochs`."""

from collections.abc import Iterator, Mapping
from typing import Any


def dotted_values(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Walk through sections and give each value with its key; a list is one value."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from dotted_values(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
