"""The portrait table as validation looks at it: lists become lengths, and how much of them lies inside the picture."""

import numpy as np
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
    """The table without lists; columns that are not there stay away.

    Args:
        rows: as ingest wrote them.
        side: of an aligned picture, pixels.
    """
    flat = rows.drop(columns=[name for name in LISTS if name in rows])
    for name in (name for name in LISTS if name in rows):
        flat[name] = np.array([0 if value is None else len(value) for value in rows[name]], np.int64)
    for name in (name for name in ("points", "landmarks") if name in rows):
        flat[f"{name}_inside"] = np.array([share_inside(value, side) for value in rows[name]], np.float64)
    return flat


def share_inside(coordinates: object, side: int) -> float:
    """Share of coordinates in [0, side); 0 where there are none. NaN lies outside."""
    values = np.asarray(coordinates if coordinates is not None else [], np.float64)
    return float(((values >= 0) & (values < side)).mean()) if values.size else 0.0
