"""Rows made ready for the tests."""

import pandas as pd
import pytest

from monitoring.drift.columns import CATEGORICAL, GROUP_OF, IDENTITY, NUMERICAL, one_per_subject, select_comparable
from monitoring.log.rows import COLUMNS, frame
from restoration.modes import UNFILLED, Mode
from tests.monitoring.traffic import row


def test_every_column_is_in_the_log_and_in_one_group() -> None:
    names = [name for table in (NUMERICAL, CATEGORICAL) for group in table.values() for name in group]
    assert len(names) == len(set(names))
    assert set(names) - {"turn"} <= set(COLUMNS)
    assert GROUP_OF["turn"] == "inputs"
    assert GROUP_OF[IDENTITY] == "identity"


def test_a_subject_counts_once_and_strangers_each() -> None:
    table = frame(row(number, subject=name) for number, name in enumerate(["a", "", "b", "a", "", "b", "a"]))
    assert list(one_per_subject(table)["request_id"]) == ["r-0", "r-1", "r-2", "r-4"]
    assert list(one_per_subject(table, keep="last")["request_id"]) == ["r-1", "r-4", "r-5", "r-6"]
    assert len(select_comparable(table)) == 4


@pytest.mark.parametrize("mode", UNFILLED)
def test_photos_in_which_nothing_was_filled_are_left_out(mode: Mode) -> None:
    table = frame([row(0), row(1, mode=mode, area=0.0, coverage=None, subject="a"), row(2, subject="a")])
    assert select_comparable(table)["area"].tolist() == [row(0).area, row(2).area]


def test_photos_that_were_restored_at_less_than_full_strength_are_left_out() -> None:
    table = frame([row(0, area=0.2), row(1, strength=0.4, area=0.3, subject="a"), row(2, area=0.4, subject="a")])
    assert select_comparable(table)["area"].tolist() == [0.2, 0.4]


def test_turn_kind_and_faces() -> None:
    table = frame([row(0, yaw=-12.0, kind="", face_count=0), row(1, yaw=None, face_count=3), row(2, yaw=5.0)])
    made = select_comparable(table)
    assert made["turn"].tolist()[::2] == [12.0, 5.0]
    assert pd.isna(made["turn"][1])
    assert made["kind"].isna().tolist() == [True, False, False]
    assert made["face_count"].tolist() == ["none", "several", "one"]
    assert set(made.columns) == set(GROUP_OF) - {IDENTITY}
