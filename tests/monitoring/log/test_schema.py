"""How the log's database is opened while others hold it."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from monitoring.log import schema
from tests.conftest import ROOT


def held(path: Path) -> sqlite3.Connection:
    """A connection that keeps a database, not yet in write-ahead mode, to itself."""
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("CREATE TABLE t (x)")
    holder.execute("BEGIN EXCLUSIVE")
    return holder


OPEN_AT_ONCE = """
import multiprocessing, sqlite3, sys
from monitoring.log.schema import open_engine

def connect(path, together):
    engine = open_engine(f"sqlite:///{path}")
    together.wait(120)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"

processes = multiprocessing.get_context("fork")
refused = 0
for number in range(60):
    path = f"{sys.argv[1]}/{number}.sqlite"
    sqlite3.connect(path).execute("CREATE TABLE t (x)").connection.close()
    together = processes.Barrier(8)
    started = [processes.Process(target=connect, args=(path, together)) for _ in range(8)]
    for process in started:
        process.start()
    for process in started:
        process.join()
        refused += process.exitcode != 0
print(refused)
"""


@pytest.mark.slow
def test_processes_that_open_a_database_at_once_all_get_it(tmp_path: Path) -> None:
    """Sixty databases, eight processes each: without waiting about one process in a hundred is refused."""
    ran = subprocess.run(
        [sys.executable, "-c", OPEN_AT_ONCE, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout.strip()) == (0, "0"), ran.stderr[-2000:]


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
