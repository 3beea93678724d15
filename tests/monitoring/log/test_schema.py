"""How the log's database is opened while others open or hold it."""

import sqlite3
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from monitoring.log import schema


def held(path: Path) -> sqlite3.Connection:
    """A connection that keeps a database, not yet in write-ahead mode, to itself."""
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("CREATE TABLE t (x)")
    holder.execute("BEGIN EXCLUSIVE")
    return holder


def connect_together(path: Path, together: Barrier) -> None:
    """Connect at the same moment as other processes."""
    engine = schema.open_engine(f"sqlite:///{path}")
    together.wait(30)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    engine.dispose()


@pytest.mark.slow
def test_processes_that_open_a_database_at_once_all_get_it(tmp_path: Path) -> None:
    """Sixty databases, eight processes each: without waiting about one process in a hundred is refused."""
    processes = get_context("fork")
    for number in range(60):
        path = tmp_path / f"{number}.sqlite"
        sqlite3.connect(path).execute("CREATE TABLE t (x)").connection.close()
        together = processes.Barrier(8)
        started = [processes.Process(target=connect_together, args=(path, together)) for _ in range(8)]
        for process in started:
            process.start()
        for process in started:
            process.join()
        assert [process.exitcode for process in started] == [0] * 8


def test_opening_gives_up_where_the_database_is_held_for_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "_WAIT", 0.2)
    holder = held(tmp_path / "log.sqlite")
    engine = schema.open_engine(f"sqlite:///{tmp_path / 'log.sqlite'}")
    with pytest.raises(OperationalError, match="locked"):
        engine.connect()
    engine.dispose()
    holder.close()
