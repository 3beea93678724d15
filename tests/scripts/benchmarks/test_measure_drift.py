"""The replay's bookkeeping, on synthetic requests: who is compared with whom, and after how many an alarm comes."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.errors import DataError
from pipeline.config.load import load_params
from scripts.benchmarks.drift_pool import PART, SHIFTS, parts, read
from scripts.benchmarks.measure_drift import SIZES, delay, false_alarm_table, split_of, traffic_of
from tests.conftest import ROOT
from tests.monitoring.traffic import traffic

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

WATCH = load_params(ROOT / "params.yaml").watch
QUICK = WATCH.model_copy(update={"identity": WATCH.identity.model_copy(update={"resamples": 1000})})


def pool(n: int, seed: int, shift: str = "none") -> pd.DataFrame:
    points = np.random.default_rng(seed).normal(0, 0.1, (n, WATCH.identity.dimensions))
    return traffic(n, seed, shift).assign(**{f"e{axis}": column for axis, column in enumerate(points.T)})


def test_every_part_has_people_of_its_own_and_all_shifts_come_early() -> None:
    wanted = parts(600, 300, 9000)
    assert len({seed for _, seed in wanted}) == len(wanted) == 6 + 3 * len(SHIFTS)
    assert {shift for shift, _ in wanted[: 2 + len(SHIFTS)]} == {"none", *SHIFTS}
    assert PART * sum(shift == "none" for shift, _ in wanted) == 600


def test_reference_tuning_and_reporting_share_no_row() -> None:
    split = split_of(pool(800, 1), 200)
    assert [len(part) for part in split] == [200, 200, 400]
    assert pd.concat(split)["request_id"].is_unique


def test_faces_become_sums() -> None:
    rows = pool(120, 2)
    rows.loc[:19, "e0"] = np.nan  # nothing was restored there
    seen = traffic_of(rows, WATCH).identity
    assert seen is not None
    assert seen.n == 100
    assert seen.mean[0] == pytest.approx(rows["e0"].mean())
    assert traffic_of(rows[:60], WATCH).identity is None  # 40 faces: too few to add up


def test_delay_is_short_where_all_is_dark_and_none_where_nothing_changed() -> None:
    reference = pool(200, 0)
    rng = np.random.default_rng(4)
    assert delay(pool(300, 1, "darker"), reference, QUICK, rng) == SIZES[0]
    assert delay(pool(100, 3), reference, QUICK, rng) is None


def test_table_counts_alarms() -> None:
    quiet = pool(500, 5)
    split = split_of(quiet, 200)
    dark = pool(300, 6, "darker")
    lines = false_alarm_table(quiet, split.reference, dark, QUICK, 3, np.random.default_rng(1))
    assert lines[2].startswith("| 3, fixed reference | 120 | 300 | 3 | brightness")
    assert lines[3].startswith("| 3, reference drawn anew | 120 | 500 | 0 | -")


def test_an_empty_pool_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="let the recipe serve some first"):
        read(tmp_path, "darker")
