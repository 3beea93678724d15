"""Any number of rows, in batches: the same figures as of the rows at once."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from monitoring.drift.detect import Traffic, measure_drift
from monitoring.drift.long import measure_long_drift
from pipeline.config.load import load_params
from tests.conftest import ROOT
from tests.monitoring.traffic import traffic

pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.slow]

WATCH = load_params(ROOT / "params.yaml").watch


def sent(shift: str) -> pd.DataFrame:
    """Rows with everything that is left out or counts once: refusals, subjects, missing values, rows in part."""
    rng = np.random.default_rng(5)
    rows = traffic(700, 3, shift)
    rows["subject"] = [f"{n:032x}" if n < 60 else "" for n in rng.integers(0, 200, len(rows))]
    rows["strength"] = np.where(rng.random(len(rows)) < 0.1, 0.5, 1.0)
    rows.loc[rng.random(len(rows)) < 0.1, "mode"] = "unchanged"
    rows.loc[rng.random(len(rows)) < 0.08, "sharpness"] = np.nan
    rows.loc[rng.random(len(rows)) < 0.2, "kind"] = ""
    rows["face_count"] = rng.integers(0, 4, len(rows))
    rows["roll"] = rng.integers(0, 3, len(rows)).astype(float)  # few values: a category
    return rows


@pytest.mark.parametrize(("shift", "size"), [("none", 700), ("darker", 97), ("larger-masks", 300)])
def test_the_figures_are_those_of_the_rows_at_once(shift: str, size: int, tmp_path: Path) -> None:
    rows, reference = sent(shift), traffic(200, 0)
    batches = (rows.iloc[begin : begin + size] for begin in range(0, len(rows), size))
    found = measure_long_drift(batches, reference, WATCH, beside=tmp_path)
    expected = measure_drift(Traffic(rows, None), Traffic(reference, None), WATCH)
    assert found == expected
    assert {"sharpness_missing", "roll", "face_count", "brightness"} <= set(found.columns)
    assert found.columns["brightness"].drifted == (shift == "darker")
    assert list(tmp_path.iterdir()) == []


def test_without_rows_every_column_is_skipped(tmp_path: Path) -> None:
    found = measure_long_drift([], traffic(200, 0), WATCH, beside=tmp_path)
    assert found.columns == {}
    assert found.skipped["brightness"] == f"0 values, needs {WATCH.min_values}"
