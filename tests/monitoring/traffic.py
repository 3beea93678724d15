"""Log rows drawn from known distributions, as traffic with and without a shift would give them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from monitoring.drift.identity_space import IdentityAggregate, aggregate
from monitoring.log.rows import COLUMNS, LogRow, set_types

MORNING = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SPACE = "sface/16/53"
BY_THE_FACE = [
    "detector_score", "yaw", "pitch", "roll", "face_size", "coverage", "missing_features", "mask_x", "mask_y",
    "identity_risk", "uncertainty", "similarity_plain_training", "similarity_plain_independent",
]  # fmt: skip
KINDS = ("brush", "scratch", "tear", "corner", "stain", "fold", "box", "occluder")


def row(number: int = 0, **changes: Any) -> LogRow:
    """One unremarkable row."""
    values: dict[str, Any] = {
        "request_id": f"r-{number}",
        "time": MORNING + timedelta(seconds=number),
        "model_version": "shipped",
        "mode": "inpaint",
        "reason": "12 % missing",
        "detector_score": 0.9,
        "face_count": 1,
        "width": 128,
        "height": 128,
        "brightness": 120.0,
        "contrast": 40.0,
        "sharpness": 300.0,
        "yaw": 3.0,
        "pitch": -2.0,
        "roll": 0.5,
        "kind": "brush",
        "area": 0.1,
        "coverage": 0.2,
        "missing_features": 0.15,
        "similarity_training": 0.8,
        "similarity_independent": 0.95,
        "recognised": True,
        "milliseconds": 40.0,
        "subject": "",
        "arm": "champion",
        "face_size": 90.0,
        "mask_x": 0.5,
        "mask_y": 0.4,
        "identity_risk": 0.05,
        "uncertainty": 0.3,
        "similarity_plain_training": 0.85,
        "similarity_plain_independent": 0.96,
        "similarity_reference_training": None,
        "similarity_reference_independent": None,
        "lpips": None,
        "cpu_seconds": 0.08,
        "verification_cpu_seconds": 0.02,
        "queue_milliseconds": 0.0,
        "veil": None,
        "strength": 1.0,
        "generated": True,
    }
    return LogRow(**(values | changes))


def traffic(n: int, seed: int, shift: str = "none", version: str = "shipped", accuracy: float = 0.95) -> pd.DataFrame:
    """n rows, evenly over coverage 0..0.5 and eight kinds; `shift` as in `simulate.shift`."""
    rng = np.random.default_rng(seed)
    coverage = rng.uniform(0.3 if shift == "larger-masks" else 0.0, 0.5, n)
    brightness = rng.normal(120, 20, n).clip(5, 250) * (0.4 if shift == "darker" else 1.0)
    columns = {
        "request_id": [f"{seed}-{number}" for number in range(n)],
        "time": [MORNING + timedelta(seconds=number) for number in range(n)],
        "model_version": version,
        "mode": np.select([coverage > 0.45, coverage > 0.4], ["refuse", "partial"], "inpaint"),
        "reason": "",
        "detector_score": rng.beta(20, 2, n),
        "face_count": 1,
        "width": 128,
        "height": 128,
        "brightness": brightness,
        "contrast": brightness * rng.normal(0.4, 0.05, n).clip(0.1, 1),
        "sharpness": rng.gamma(5, 100, n),
        "yaw": rng.normal(0, 10, n),
        "pitch": rng.normal(0, 5, n),
        "roll": rng.normal(0, 2, n),
        "kind": rng.choice(("fold", "box") if shift == "other-kinds" else KINDS, n),
        "area": coverage * rng.normal(0.45, 0.05, n).clip(0.2, 0.7) + (0.2 if shift == "other-kinds" else 0.0),
        "coverage": coverage,
        "missing_features": (coverage + rng.normal(0, 0.1, n)).clip(0, 1),
        "similarity_training": rng.normal(0.9 - coverage / 2, 0.05, n).clip(-1, 1),
        "similarity_independent": rng.normal(0.95, 0.02, n).clip(-1, 1),
        "recognised": rng.permutation(n) < round(accuracy * n),
        "milliseconds": rng.gamma(5, 10, n),
        "subject": "",
        "arm": "champion",
        "face_size": rng.normal(90, 5, n).clip(40, 128),
        "mask_x": rng.normal(0.5, 0.15, n),
        "mask_y": rng.normal(0.5, 0.15, n),
        "identity_risk": (0.3 * coverage + rng.normal(0, 0.02, n)).clip(0, 1),
        "uncertainty": rng.beta(4, 8, n),
        "similarity_plain_training": rng.normal(0.9 - coverage / 3, 0.04, n).clip(-1, 1),
        "similarity_plain_independent": rng.normal(0.97, 0.01, n).clip(-1, 1),
        "similarity_reference_training": np.nan,
        "similarity_reference_independent": np.nan,
        "lpips": np.nan,
        "cpu_seconds": rng.gamma(5, 0.02, n),
        "verification_cpu_seconds": rng.gamma(5, 0.004, n),
        "queue_milliseconds": 0.0,
        "veil": np.nan,
        "strength": 1.0,
        "generated": True,
    }
    return set_types(_shifted(pd.DataFrame(columns)[list(COLUMNS)], shift, rng))


def _shifted(rows: pd.DataFrame, shift: str, rng: np.random.Generator) -> pd.DataFrame:
    """What is drawn after everything else, so that the other columns of a seed stay the same."""
    if shift == "more-profile":
        rows["yaw"] = rows["yaw"] * 2
    if shift == "other-people":
        rows["brightness"] = rows["brightness"] * 0.9
    if shift == "broken-detector":
        rows["detector_score"] = rows["detector_score"] * 0.9
        missed = rng.random(len(rows)) < 0.15
        rows.loc[missed, [*BY_THE_FACE, "similarity_training", "similarity_independent"]] = np.nan
        rows["recognised"] = rows["recognised"].astype("boolean").mask(missed)
        rows["face_count"] = rows["face_count"].mask(missed, 0)
        rows["mode"] = rows["mode"].mask(missed, "refuse")
    return rows


def faces(n: int, seed: int, shift: str = "none", version: str = "shipped") -> IdentityAggregate:
    """Who was in such traffic: 16 dimensions of uneven spread, their mean moved for `other-people`."""
    rng = np.random.default_rng([seed, 1])
    points = rng.normal(0, np.linspace(0.05, 0.12, 16), (n, 16)) + (0.04 if shift == "other-people" else 0.0)
    return aggregate(points, SPACE, version)


def rows_of(table: pd.DataFrame) -> list[LogRow]:
    """The rows of a table; NaN and NA become None."""
    plain = table.astype(object).where(table.notna(), None)
    return [LogRow(**{str(key): value for key, value in record.items()}) for record in plain.to_dict("records")]
