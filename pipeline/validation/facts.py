"""The portrait table as validation looks at it, and facts about the batch as a whole."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

COLUMN_TYPES = {
    "portrait_id": "str",
    "source": "str",
    "file": "str",
    "identity": "str",
    "split": "str",
    "sha256": "str",
    "width": "int32",
    "height": "int32",
    "face_count": "int32",
    "detector_score": "float32",
    "points": "int64",
    "landmarks": "int64",
    "yaw": "float32",
    "pitch": "float32",
    "roll": "float32",
    "brightness": "float32",
    "contrast": "float32",
    "sharpness": "float32",
    "skin_tone": "float32",
    "normalised": "int64",
    "consent": "str",
}
"""Columns of rows.parquet with the type that each has here; of list columns the length is left."""
LISTS = ("points", "landmarks", "normalised")
DERIVED = ("points_inside", "landmarks_inside")
"""Columns that `flatten` adds: share of the coordinates inside the aligned picture, [0, 1]."""


def flatten(rows: pd.DataFrame, side: int) -> pd.DataFrame:
    """Copy the table without lists; absent columns stay absent.

    Args:
        rows: as ingest wrote them.
        side: of an aligned picture, pixels.
    """
    flat = rows.drop(columns=[name for name in LISTS if name in rows])
    for name in (name for name in LISTS if name in rows):
        flat[name] = np.array([0 if value is None else len(value) for value in rows[name]], np.int64)
    for name in (name for name in ("points", "landmarks") if name in rows):
        flat[f"{name}_inside"] = shares_inside(rows[name], flat[name].to_numpy(), side)
    return flat


def shares_inside(coordinates: "pd.Series[Any]", counts: npt.NDArray[np.int64], side: int) -> npt.NDArray[np.float64]:
    """Compute each row's share of coordinates in [0, side); 0 if it has none. NaN lies outside."""
    values = [np.asarray(row, np.float64) for row in coordinates[counts > 0]]
    together = np.concatenate(values) if values else np.empty(0)
    of_row = np.repeat(np.arange(len(counts)), counts)
    inside = np.bincount(of_row, weights=(together >= 0) & (together < side), minlength=len(counts))
    return np.asarray(inside / np.maximum(counts, 1), np.float64)


def bin_shares(values: "pd.Series[float]", edges: tuple[float, ...]) -> "pd.Series[float]":
    """Compute shares of values per bin between the inner edges, all bins listed; closed below. Sums to 1, or is 0."""
    bins = pd.Series(np.digitize(values.dropna(), edges))
    counts = bins.value_counts().reindex(range(len(edges) + 1), fill_value=0)
    return counts / max(len(bins), 1)


def identities_in_several_splits(table: pd.DataFrame) -> list[str]:
    """List identities whose portraits lie in more than one split, sorted."""
    splits = table.groupby("identity")["split"].nunique()
    return sorted(splits.index[splits > 1])


def largest_gap(table: pd.DataFrame, column: str, edges: tuple[float, ...]) -> float:
    """Find the largest difference of a bin's share of `column` between any two splits, in [0, 1]."""
    shares = pd.DataFrame({name: bin_shares(part[column], edges) for name, part in table.groupby("split")})
    return float((shares.max(axis=1) - shares.min(axis=1)).max()) if len(shares.columns) else 0.0


def columns_of_other_type(table: pd.DataFrame, types: Mapping[str, str]) -> list[str]:
    """List `column: type` for each column that is not of its type; `str` means that every value is one."""
    return [f"{name}: {_kind(table[name])}" for name, kind in types.items() if _kind(table[name]) != kind]


def columns_with_gaps(table: pd.DataFrame) -> list[str]:
    """List `column: number of gaps` (None, NaN) for each column that has some."""
    gaps = table.isna().sum()
    return [f"{name}: {count}" for name, count in gaps[gaps > 0].items()]


def _kind(column: "pd.Series[float]") -> str:
    if column.dtype != object:
        return str(column.dtype)
    kinds = sorted({type(value).__name__ for value in column.dropna()})
    return "/".join(kinds) or "str"  # a column without values has every type
