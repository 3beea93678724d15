"""The production log keeps what it was given, only that, and forever."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

from models.errors import DataError
from monitoring import log
from monitoring.rows import COLUMNS, LogRow, frame
from tests.monitoring.traffic import MORNING, row, rows_of, traffic


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "production.sqlite"


def test_what_goes_in_comes_out(path: Path) -> None:
    rows = rows_of(traffic(20, seed=1))
    assert log.append(path, rows) == 20
    stored = log.after(path, 0)
    pd.testing.assert_frame_equal(stored[list(COLUMNS)], frame(rows))
    assert list(stored["sequence"]) == list(range(1, 21))


def test_a_refusal_has_no_numbers_and_keeps_its_types(path: Path) -> None:
    nothing: dict[str, Any] = dict.fromkeys(
        ("detector_score", "yaw", "pitch", "roll", "coverage", "missing_features", "recognised")
    )
    log.append(path, [row(mode="refuse", reason="no face", face_count=0, **nothing)])
    stored = log.after(path, 0)
    assert stored.loc[0, list(nothing)].isna().all()
    assert stored.dtypes.equals(log.after(path, 99).dtypes)  # the empty table has the same types


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE requests SET recognised = 1",
        "DELETE FROM requests",
        "INSERT OR REPLACE INTO requests SELECT * FROM requests",
        "REPLACE INTO requests SELECT * FROM requests WHERE sequence = 2",
    ],
)
def test_rows_cannot_be_changed_or_removed(path: Path, statement: str) -> None:
    log.append(path, [row(0), row(1)])
    before = log.after(path, 0)
    with closing(sqlite3.connect(path)) as database, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        database.execute(statement)
    pd.testing.assert_frame_equal(log.after(path, 0), before)


def test_no_column_can_hold_a_picture(path: Path) -> None:
    log.append(path, [row()])
    with closing(sqlite3.connect(path)) as database:
        types = {name: kind for _, name, kind, *_ in database.execute("PRAGMA table_info(requests)")}
        assert set(types) == {*COLUMNS, "sequence"}
        assert set(types.values()) <= {"TEXT", "REAL", "INTEGER"}
        with pytest.raises(sqlite3.IntegrityError, match="cannot store BLOB"):
            database.execute("INSERT INTO requests (request_id, time) VALUES (?, '')", (b"picture",))


def test_columns_are_numbers_and_short_words() -> None:
    assert not {"image", "embedding", "file", "path", "name"} & set(COLUMNS)
    with pytest.raises(ValidationError, match="at most 200 characters"):
        row(reason="x" * 201)
    with pytest.raises(ValidationError, match="Extra inputs"):
        row(embedding=[0.1])


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("time", datetime(2026, 1, 1)),  # no zone
        ("brightness", float("nan")),
        ("area", 1.2),
        ("mode", "guess"),
        ("width", 0),
    ],
)
def test_values_are_checked(column: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        row(**{column: value})


def test_recognised_needs_a_known_original() -> None:
    with pytest.raises(ValidationError, match="similarity_independent"):
        row(recognised=True, similarity_independent=None)


def test_a_request_is_logged_once_and_a_batch_whole_or_not_at_all(path: Path) -> None:
    log.append(path, [row(0)])
    with pytest.raises(DataError, match="send each request once"):
        log.append(path, [row(1), row(0)])
    assert list(log.after(path, 0)["request_id"]) == ["r-0"]


def test_a_time_window_takes_its_start_and_leaves_its_end(path: Path) -> None:
    east = timezone(timedelta(hours=5, minutes=30))
    log.append(path, [row(n, time=(MORNING + timedelta(minutes=n)).astimezone(east)) for n in range(5)])
    found = log.window(path, MORNING + timedelta(minutes=1), MORNING + timedelta(minutes=3))
    assert list(found["request_id"]) == ["r-1", "r-2"]
    assert found["time"].iloc[0] == MORNING + timedelta(minutes=1)


def test_writers_do_not_lose_rows(path: Path) -> None:
    batches: list[list[LogRow]] = [[row(10 * batch + n) for n in range(10)] for batch in range(8)]
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda batch: log.append(path, batch), batches)) == 80
    assert set(log.after(path, 0)["request_id"]) == {f"r-{n}" for n in range(80)}


def test_a_file_that_is_no_log_is_named(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database, but long enough to look like one" * 20)
    with pytest.raises(DataError, match="not a database; move the file away"):
        log.after(path, 0)
