"""Sealed or not, the log reads the same; nothing that was refused before is taken afterwards; on both databases."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyarrow import parquet
from sqlalchemy.exc import DBAPIError

from models.errors import DataError, StorageError
from monitoring.log.production_log import ProductionLog
from monitoring.log.rows import Feedback
from monitoring.log.segments.keys import index_file
from tests.monitoring.log.logs import opened, stored, tamper
from tests.monitoring.log.sealed import ROWS, SIZE, files, filled, sealed
from tests.monitoring.log.unversioned import run
from tests.monitoring.traffic import MORNING, row
from tests.postgres import Postgres

READS: dict[str, Callable[[ProductionLog], Any]] = {
    "all": lambda log: log.after(0),
    "after": lambda log: log.after(17),
    "window": lambda log: log.window(MORNING + timedelta(seconds=3), MORNING + timedelta(seconds=25)),
    "no rows": lambda log: log.window(MORNING - timedelta(days=3), MORNING - timedelta(days=2)),
    "batches": lambda log: pd.concat(log.batches(), ignore_index=True),
    "batches of a time": lambda log: pd.concat(log.batches(MORNING + timedelta(seconds=12)), ignore_index=True),
    "a row": lambda log: [log.row(f"r-{n}") for n in (0, 5, 33, 99)],
    "has": lambda log: [log.has("deletion", "cd" * 16), log.has("keeping", "r-5"), log.has("review", "r-5")],
    "entries": lambda log: [log.entries(kind) for kind in ("feedback", "deletion", "promotion", "verdict")],
    "entries after": lambda log: log.entries("feedback", after=8),
    "unreviewed": lambda log: list(log.unreviewed(MORNING)),
    "head": lambda log: log.head(),
    "verification": lambda log: log.verify(),
}


def same(one: Any, other: Any) -> bool:
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other)
        return True
    return bool(one == other)


@pytest.mark.parametrize("live", [0, 12, 100])
def test_the_log_reads_the_same_whatever_is_sealed(address: str, tmp_path: Path, live: int) -> None:
    with filled(address, tmp_path) as log:
        before = {name: read(log) for name, read in READS.items()}
        made = sealed(log, live)
        assert len(made) == max(0, (log.head().sequence - live) // SIZE)
        assert len(stored(address)) == log.head().sequence - SIZE * len(made)
        assert all(same(before[name], read(log)) for name, read in READS.items())
        assert sealed(log, live) == []
    with opened(address, tmp_path) as again:
        assert all(same(before[name], read(again)) for name, read in READS.items())


def test_what_follows_a_sealed_entry_is_as_if_it_were_not(address: str, tmp_path: Path) -> None:
    with filled(address, tmp_path) as log:
        sealed(log)
        with pytest.raises(DataError, match="'r-3', which is in a sealed segment; send each request once"):
            log.append([row(70), row(3)])
        assert log.row("r-70") is None
        with pytest.raises(DataError, match="expected the id of a logged request; got 'r-70'"):
            log.feedback("r-70", Feedback(recognised=True), MORNING)
        log.feedback("r-3", Feedback(recognised=False), MORNING)
        log.record("review", "r-5", {}, MORNING)
        assert log.after(0).set_index("request_id")["feedback_recognised"].loc["r-3"] == False  # noqa: E712 - numpy's
        assert list(log.unreviewed(MORNING)) == []
        assert log.append([row(70)]) == 1
        assert log.verify().whole


def test_the_chain_goes_on_where_all_is_sealed(address: str, tmp_path: Path) -> None:
    with opened(address, tmp_path) as log:
        log.append([row(number) for number in range(2 * SIZE)])
        head = log.head()
        assert len(sealed(log)) == 2
        assert (stored(address), log.head()) == ([], head)
        log.append([row(50)])
        assert log.head().sequence == 2 * SIZE + 1
        assert log.verify(head).message == "21 entries, none wrong"


def test_only_what_was_sealed_may_leave_and_nothing_may_take_its_place(address: str, tmp_path: Path) -> None:
    with filled(address, tmp_path) as log:
        sealed(log)
        last = log.head().sequence
    refused = (
        f"DELETE FROM entries WHERE sequence = {last}",
        "INSERT INTO entries SELECT 3, time, 'alert', key, body, chain FROM entries LIMIT 1",
        "UPDATE entries SET body = '{}'",
        "UPDATE entry_segments SET last = 99",
        "DELETE FROM entry_segments",
        "INSERT INTO entry_segments SELECT 99, 50, since, until, previous, chain, kinds, name, sha256, seal"
        " FROM entry_segments LIMIT 1",
    )
    for statement in refused:
        with pytest.raises(DBAPIError, match="append-only"):
            tamper(address, statement, unlock=False)


def test_old_windows_open_only_the_segments_they_need(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with filled(address, tmp_path) as log:
        made = sealed(log)
        read: list[str] = []
        real = parquet.ParquetFile

        def noted(path: Path, **how: Any) -> parquet.ParquetFile:
            read.append(path.name)
            return real(path, **how)

        monkeypatch.setattr(parquet, "ParquetFile", noted)
        assert len(list(log.batches(MORNING + timedelta(seconds=11), MORNING + timedelta(seconds=14)))) == 1
        assert read == [made[1].name]
        assert log.entries("verdict") == []
        assert read == [made[1].name]


def test_entries_that_do_not_fit_the_chain_stay(address: str, tmp_path: Path) -> None:
    with filled(address, tmp_path) as log:
        tamper(address, "UPDATE entries SET body = '{}' WHERE sequence = 14")
    before = stored(address)
    with opened(address, tmp_path) as log:
        with pytest.raises(StorageError, match="entry 14, which does not; run `likeness audit verify`"):
            sealed(log)
        assert stored(address) == before[SIZE:]  # the segment before it is sealed
        assert log.verify().message == "edited: entry 14 was changed, the one after it was not"


def test_an_index_of_keys_is_made_anew(address: str, tmp_path: Path) -> None:
    with filled(address, tmp_path) as log:
        first, second, *_ = sealed(log)
    index_file(tmp_path / "log-segments", first).unlink()
    index_file(tmp_path / "log-segments", second).write_bytes(b"\x93NUMPY")
    with opened(address, tmp_path) as log:
        assert (log.row("r-3"), log.row("r-14")) == (row(3), row(14, subject="ab" * 16))
        assert log.verify().whole


def test_a_role_that_only_appends_seals_nothing(postgres: Postgres, tmp_path: Path) -> None:
    address = postgres.database()
    filled(address, tmp_path).close()
    place, role = address.rpartition("%3D")[2], "appender"
    run(address, [f"CREATE ROLE {role} LOGIN", f"GRANT USAGE ON SCHEMA {place} TO {role}"])
    run(address, [f"GRANT SELECT, INSERT ON entries TO {role}", f"GRANT SELECT ON entries_version TO {role}"])
    with opened(address.replace("likeness@", f"{role}@"), tmp_path) as log:
        assert not log.may_seal()
        with opened(address, tmp_path) as owner:
            assert owner.may_seal()
            sealed(owner)
        assert len(log.after(0)) == ROWS
        log.append([row(80)])
        assert log.verify().whole
    assert len(files(tmp_path)) == 3
