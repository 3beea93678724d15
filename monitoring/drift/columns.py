"""Columns of the log that are compared with the baseline, their groups, and how rows are prepared."""

from typing import Literal

import numpy as np
import pandas as pd

from monitoring.log.rows import restored_in_full
from restoration.modes import UNFILLED

Group = Literal["inputs", "detector", "masks", "outputs", "identity", "missing"]

NUMERICAL: dict[Group, tuple[str, ...]] = {
    "inputs": ("brightness", "contrast", "sharpness", "face_size", "yaw", "pitch", "roll", "turn"),
    "detector": ("detector_score",),
    "masks": ("area", "coverage", "missing_features", "mask_x", "mask_y"),
    "outputs": (
        "identity_risk", "uncertainty", "similarity_plain_training", "similarity_plain_independent",
        "similarity_reference_training", "similarity_reference_independent",
    ),
    "identity": (),
    "missing": (),
}  # fmt: skip
"""Not compared: sizes (every face is brought to the model's), durations and CPU (the machine's), and how alike restored
and original are, which recognition judges. `turn` is |yaw|: heads that turn either way widen yaw but do not move it."""
CATEGORICAL: dict[Group, tuple[str, ...]] = {
    "inputs": (), "detector": ("face_count",), "masks": ("kind",), "outputs": ("mode",), "identity": (), "missing": ()
}  # fmt: skip
IDENTITY = "identity_space"
"""Name of the one figure of the group identity; see `monitoring.drift.identity_distance`."""

_GIVEN = ("kind", "similarity_reference_training", "similarity_reference_independent")
"""Columns that depend on what callers give: a missing value there is no fault."""
_MEASURED: dict[str, Group] = {
    name: group for table in (NUMERICAL, CATEGORICAL) for group, names in table.items() for name in names
}
MISSING: dict[str, str] = {f"{name}_missing": name for name in _MEASURED if name not in _GIVEN}
"""Columns that tell of other columns whether they have a value, and of which."""
GROUP_OF: dict[str, Group] = _MEASURED | {IDENTITY: "identity"} | dict.fromkeys(MISSING, "missing")


def select_comparable(table: pd.DataFrame) -> pd.DataFrame:
    """Select the compared columns of log rows, one row per person.

    Rows of one subject are no independent witnesses of the traffic, and every test here counts on independence: of each
    named subject the first row stays. No subject counts as another person. Unknown kinds are missing values, not
    a kind of their own; categories are text, more than one face is one category.

    Photos in which nothing was filled are left out: no model was used for them, and the baseline, whose damage is
    known, has none. How many there are is a figure of the damage finder (`likeness_requests` by mode). So are photos
    that were restored at less than full strength.
    """
    own = one_per_subject(select_restored(table))
    return measured_columns(own).reset_index(drop=True)


def select_restored(table: pd.DataFrame) -> pd.DataFrame:
    """Select the rows in which something was filled, at full strength."""
    return restored_in_full(table[~table["mode"].isin(UNFILLED)])


def measured_columns(own: pd.DataFrame) -> pd.DataFrame:
    """Make the compared columns of selected rows, each from its own row alone."""
    result = own.reindex(columns=[name for name in _MEASURED if name != "turn"])
    result["turn"] = own["yaw"].abs()
    result["kind"] = own["kind"].replace("", None)
    result["face_count"] = own["face_count"].clip(upper=2).map({0: "none", 1: "one", 2: "several"})
    return pd.concat([result, _missing_values(result, own)], axis=1)


def _missing_values(columns: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Tell of each column whether it has a value; nothing of rows that may have none: refused, or without a face."""
    asked = ((rows["mode"] != "refuse") & (rows["face_count"] > 0)).to_numpy(bool)
    words = np.where(columns[list(MISSING.values())].isna(), "missing", "there").astype(object)
    words[~asked] = None
    return pd.DataFrame(words, columns.index, list(MISSING))


def one_per_subject(table: pd.DataFrame, keep: Literal["first", "last"] = "first") -> pd.DataFrame:
    """Keep all rows without a subject, and one of each subject."""
    return table[(table["subject"] == "") | ~table["subject"].duplicated(keep=keep)]
