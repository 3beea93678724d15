"""The production log keeps what it was given, only that, and forever; in SQLite and in PostgreSQL."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from sqlalchemy import create_engine, inspect
from sqlalchemy.exc import DBAPIError

from models.errors import ConfigError, DataError, ServiceUnavailable
from monitoring.log.production_log import ProductionLog, open_log
from monitoring.log.rows import COLUMNS, Feedback, LogRow, frame, set_types
from pipeline.project.paths import Paths
from tests.monitoring.log.logs import opened, stored, tamper
from tests.monitoring.traffic import MORNING, row, rows_of, traffic
from tests.postgres import Postgres


@pytest.fixture
def log(address: str, tmp_path: Path) -> Iterator[ProductionLog]:
    with opened(address, tmp_path) as made:
        yield made


def test_what_goes_in_comes_out(log: ProductionLog) -> None:
    rows = rows_of(traffic(20, seed=1))
    assert log.append(rows) == 20
    found = log.after(0)
    pd.testing.assert_frame_equal(found[list(COLUMNS)], frame(rows))
    assert list(found["sequence"]) == list(range(1, 21))
    assert log.row(rows[7].request_id) == rows[7]
    assert log.row("nobody") is None


def test_a_row_without_a_strength_was_restored_in_full(log: ProductionLog) -> None:
    one = row(1)
    body = one.model_dump_json(exclude={"strength"})
    log._journal.append([(one.time.isoformat(), "restoration", one.request_id, body)])  # as it stands in the log
    log.append([row(2, strength=0.25)])
    assert log.after(0)["strength"].tolist() == [1.0, 0.25]
    assert log.row(one.request_id) == one
    table = frame([one, row(2)])
    pd.testing.assert_frame_equal(set_types(table.drop(columns="strength")), table, check_like=True)


def test_a_row_without_a_veil_had_none_lifted(log: ProductionLog) -> None:
    one = row(1)
    body = one.model_dump_json(exclude={"veil"})
    log._journal.append([(one.time.isoformat(), "restoration", one.request_id, body)])  # as it stands in the log
    log.append([row(2, mode="fade", veil=0.25)])
    assert log.after(0)["veil"].fillna(-1).tolist() == [-1, 0.25]
    assert log.row(one.request_id) == one
    older = set_types(frame([one, row(2)]).drop(columns="veil"))
    assert older["veil"].dtype == np.float64
    assert older["veil"].isna().all()


def test_of_a_row_that_does_not_say_it_nobody_knows_what_was_generated(log: ProductionLog) -> None:
    one = row(1, generated=None)
    body = one.model_dump_json(exclude={"generated"})
    log._journal.append([(one.time.isoformat(), "restoration", one.request_id, body)])  # as it stands in the log
    log.append([row(2, generated=False)])
    found = log.after(0)["generated"]
    assert (found.isna().tolist(), found.tolist()[1]) == ([True, False], False)
    assert log.row(one.request_id) == one
    table = frame([one, row(2, generated=None)])
    pd.testing.assert_frame_equal(set_types(table.drop(columns="generated")), table)


def test_a_refusal_has_no_numbers_and_keeps_its_types(log: ProductionLog) -> None:
    nothing: dict[str, Any] = dict.fromkeys(
        ("detector_score", "yaw", "pitch", "roll", "coverage", "missing_features", "recognised", "uncertainty")
    )
    log.append([row(mode="refuse", reason="no face", face_count=0, **nothing)])
    found = log.after(0)
    assert found.loc[0, list(nothing)].isna().all()
    assert found.dtypes.equals(log.after(99).dtypes)  # the empty table has the same types
    assert list(found) == [*COLUMNS, "sequence", "feedback_recognised", "feedback_preferred"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET body = '{}'",
        "DELETE FROM entries",
        "INSERT OR REPLACE INTO entries SELECT * FROM entries",
        "REPLACE INTO entries SELECT * FROM entries WHERE sequence = 2",
        "TRUNCATE entries",
    ],
)
def test_entries_cannot_be_changed_or_removed(log: ProductionLog, address: str, statement: str) -> None:
    if statement.partition(" ")[0] not in {"UPDATE", "DELETE"} and ("REPLACE" in statement) != address.startswith(
        "sqlite"
    ):
        return  # not in this database's language
    log.append([row(0), row(1)])
    before = stored(address)
    with pytest.raises(DBAPIError, match="append-only"):
        tamper(address, statement, unlock=False)
    assert stored(address) == before


def test_no_column_can_hold_a_picture(log: ProductionLog, address: str) -> None:
    engine = create_engine(address)
    types = {column["name"]: str(column["type"]) for column in inspect(engine).get_columns("entries")}
    engine.dispose()
    assert types.pop("sequence") in {"INTEGER", "BIGINT"}
    assert types == dict.fromkeys(("time", "kind", "key", "body", "chain"), "TEXT")
    if address.startswith("sqlite"):  # whose types bind no one unless the table is STRICT
        with pytest.raises(DBAPIError, match="cannot store BLOB"):
            tamper(address, "INSERT INTO entries VALUES (1, '', '', '', x'00', '')", unlock=False)
    with pytest.raises(DataError, match="expected a body of JSON values; got Object of type bytes"):
        log.record("study", "s", {"picture": b"\x89PNG"}, MORNING)
    with pytest.raises(DataError, match="at most 65536 characters; got 700"):
        log.record("study", "s", {"picture": "A" * 70_000}, MORNING)


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
        ("arm", "both"),
        ("width", 0),
        ("subject", "x" * 33),
        ("uncertainty", -0.1),
        ("cpu_seconds", -1.0),
    ],
)
def test_values_are_checked(column: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        row(**{column: value})


def test_recognised_needs_something_to_compare_with() -> None:
    with pytest.raises(ValidationError, match="similarity_independent"):
        row(recognised=True, similarity_independent=None)
    by_reference = row(recognised=True, similarity_independent=None, similarity_reference_independent=0.8)
    assert by_reference.recognised


def test_a_request_is_logged_once_and_a_batch_whole_or_not_at_all(log: ProductionLog) -> None:
    log.append([row(0)])
    with pytest.raises(DataError, match="send each request once"):
        log.append([row(1), row(0)])
    assert list(log.after(0)["request_id"]) == ["r-0"]
    assert log.append([row(2)]) == 1
    assert log.append([]) == 0
    assert log.verify().whole


def test_a_time_window_takes_its_start_and_leaves_its_end(log: ProductionLog) -> None:
    east = timezone(timedelta(hours=5, minutes=30))
    log.append([row(n, time=(MORNING + timedelta(minutes=n)).astimezone(east)) for n in range(5)])
    found = log.window(MORNING + timedelta(minutes=1), MORNING + timedelta(minutes=3))
    assert list(found["request_id"]) == ["r-1", "r-2"]
    assert found["time"].iloc[0] == MORNING + timedelta(minutes=1)


def test_the_latest_feedback_counts_and_all_is_kept(log: ProductionLog) -> None:
    log.append([row(0), row(1), row(2)])
    log.feedback("r-1", Feedback(recognised=False, preferred="restored"), MORNING)
    log.feedback("r-2", Feedback(recognised=False), MORNING)
    log.feedback("r-2", Feedback(preferred="original"), MORNING + timedelta(hours=1))  # takes the first back
    found = log.after(0)
    assert found["feedback_recognised"].isna().tolist() == [True, False, True]
    assert found["feedback_recognised"].iloc[1] == False  # noqa: E712 - a numpy value
    assert found["feedback_preferred"].tolist() == ["", "restored", "original"]
    assert [entry.body["recognised"] for entry in log.entries("feedback")] == [False, False, None]
    assert log.after(2)["feedback_preferred"].tolist() == ["original"]  # behind the window, still joined
    assert log.window(MORNING, MORNING + timedelta(seconds=2))["feedback_preferred"].tolist() == ["", "restored"]


def test_feedback_needs_its_request_and_an_answer(log: ProductionLog) -> None:
    log.record("study", "r-9", {}, MORNING)  # a key of another kind is no request
    with pytest.raises(DataError, match="expected the id of a logged request; got 'r-9'; use the request_id"):
        log.feedback("r-9", Feedback(recognised=True), MORNING)
    assert log.entries("feedback") == []
    with pytest.raises(ValidationError, match="give recognised, preferred, or both"):
        Feedback()


def test_other_kinds_share_the_journal(log: ProductionLog) -> None:
    log.append([row(0)])
    assert log.record("promotion", "3", {"from": "2", "gate": [1.5, None, True, "ä"]}, MORNING) == 2
    assert log.record("alert", "drift", {}, MORNING + timedelta(microseconds=1)) == 3
    (entry,) = log.entries("promotion")
    assert (entry.sequence, entry.time, entry.key) == (2, MORNING, "3")
    assert entry.body == {"from": "2", "gate": [1.5, None, True, "ä"]}
    assert log.entries("promotion", after=2) == []
    assert log.entries("alert")[0].time - MORNING == timedelta(microseconds=1)
    assert len(log.after(0)) == 1
    assert log.head().sequence == 3


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (("restoration", "r-0", {}, MORNING), "use `append` or `feedback`"),
        (("feedback", "r-0", {}, MORNING), "use `append` or `feedback`"),
        (("alert", "", {}, MORNING), "a key of 1 to 200 characters"),
        (("alert", "a\0b", {}, MORNING), "a key of 1 to 200 characters"),
        (("alert", "a", {"score": float("nan")}, MORNING), "a body of JSON values"),
        (("alert", "a", {}, datetime(2026, 1, 1)), "a time with its zone"),
    ],
)
def test_what_is_no_entry_is_refused(log: ProductionLog, call: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        log.record(*call)
    assert log.head().sequence == 0


def test_threads_do_not_lose_rows(log: ProductionLog) -> None:
    batches: list[list[LogRow]] = [[row(10 * batch + n) for n in range(10)] for batch in range(8)]
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(log.append, batches)) == 80
    found = log.after(0)
    assert set(found["request_id"]) == {f"r-{n}" for n in range(80)}
    assert list(found["sequence"]) == list(range(1, 81))
    assert log.verify().entries == 80


def test_a_checkout_has_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    paths = Paths(tmp_path)
    if address.startswith("postgresql"):
        monkeypatch.setenv("LIKENESS_LOG_URL", address)
    with open_log(paths) as log:
        log.append([row(0)])
    with open_log(paths) as again:
        assert again.after(0)["request_id"].tolist() == ["r-0"]
        assert again.verify().whole
    assert paths.production_log.exists() == address.startswith("sqlite")
    monkeypatch.setenv("LIKENESS_LOG_KEY", "another key, of thirty-two characters")
    with pytest.raises(DataError, match="give the key that the log was made with"):
        open_log(paths)  # before it can append what would never verify


def test_a_file_that_is_no_log_is_named(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"not a database, but long enough to look like one" * 20)
    with pytest.raises(DataError, match="not a database; leave the file where it is"):
        opened(f"sqlite:///{tmp_path / 'log'}", tmp_path)


@pytest.mark.parametrize("address", ["mysql://u:hidden@h/d", "not an address: hidden", "sqlite+aiosqlite:///hidden"])
def test_addresses_are_checked_and_not_repeated(address: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="LIKENESS_LOG_URL") as raised:
        opened(address, tmp_path)
    assert "hidden" not in str(raised.value)


def test_a_database_that_does_not_answer_is_a_service(tmp_path: Path) -> None:
    with pytest.raises(ServiceUnavailable, match="start PostgreSQL, or check LIKENESS_LOG_URL") as raised:
        opened(f"postgresql+psycopg2://u:hidden@/none?host={tmp_path}", tmp_path)
    assert "hidden" not in str(raised.value)


def test_times_are_stored_in_one_zone(log: ProductionLog, address: str) -> None:
    log.append([row(time=datetime(2026, 3, 2, 13, 30, tzinfo=timezone(timedelta(hours=5, minutes=30))))])
    assert stored(address)[0].time == "2026-03-02T08:00:00.000000+00:00"
    assert log.row("r-0") == row(time=datetime(2026, 3, 2, 8, 0, tzinfo=UTC))


def test_a_role_that_may_only_read_and_add_is_enough(postgres: Postgres, tmp_path: Path) -> None:
    address = postgres.database()
    opened(address, tmp_path).close()  # the owner makes the table
    place = address.rpartition("%3D")[2]
    rights = (f"GRANT USAGE ON SCHEMA {place} TO clerk", "GRANT SELECT, INSERT ON entries TO clerk")
    tamper(address, "CREATE ROLE clerk LOGIN", *rights, unlock=False)
    with opened(address.replace("likeness@", "clerk@"), tmp_path) as log:
        log.append([row(0)])
        assert log.verify().entries == 1
    with pytest.raises(DBAPIError, match="permission denied"):
        tamper(address.replace("likeness@", "clerk@"), "DELETE FROM entries", unlock=False)
