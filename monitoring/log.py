"""The production log: one append-only SQLite table of `LogRow`s."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from models.errors import DataError
from monitoring.rows import COLUMNS, INTEGERS, TEXT, LogRow, typed

_TYPES = dict.fromkeys((*TEXT, "time"), "TEXT NOT NULL") | dict.fromkeys(INTEGERS, "INTEGER NOT NULL")
_TYPES |= {"request_id": "TEXT NOT NULL UNIQUE", "recognised": "INTEGER"}
Value = datetime | str | float | int | bool | None

_READ = f"SELECT sequence, {', '.join(COLUMNS)} FROM requests"  # noqa: S608 - column names are ours
_WRITE = f"INSERT INTO requests ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608 - column names of ours
_REFUSALS = """
CREATE TRIGGER IF NOT EXISTS no_update BEFORE UPDATE ON requests
BEGIN SELECT RAISE(ABORT, 'the production log is append-only'); END;
CREATE TRIGGER IF NOT EXISTS no_delete BEFORE DELETE ON requests
BEGIN SELECT RAISE(ABORT, 'the production log is append-only'); END;
CREATE TRIGGER IF NOT EXISTS no_replace BEFORE INSERT ON requests
WHEN EXISTS (SELECT 1 FROM requests WHERE request_id = NEW.request_id OR sequence = NEW.sequence)
BEGIN SELECT RAISE(ABORT, 'the production log is append-only'); END;
"""


def append(path: Path, rows: Iterable[LogRow]) -> int:
    """Add rows in one transaction, all or none; returns how many.

    Raises:
        DataError: a request_id is already in the log, or the file is not a log.
    """
    values = [tuple(_store(getattr(row, column)) for column in COLUMNS) for row in rows]
    with _connect(path) as database, database:
        database.executemany(_WRITE, values)
    return len(values)


def window(path: Path, since: datetime, until: datetime) -> pd.DataFrame:
    """Rows with since <= time < until, in order of arrival; columns of `LogRow` and `sequence` (int64)."""
    return _read(path, " WHERE time >= ? AND time < ? ORDER BY sequence", (_store(since), _store(until)))


def after(path: Path, sequence: int) -> pd.DataFrame:
    """Rows that arrived after the row numbered `sequence` (0 = all), in order of arrival."""
    return _read(path, " WHERE sequence > ? ORDER BY sequence", (sequence,))


def _read(path: Path, condition: str, values: tuple[Any, ...]) -> pd.DataFrame:
    with _connect(path) as database:
        table = pd.DataFrame(database.execute(_READ + condition, values).fetchall(), columns=["sequence", *COLUMNS])
    result = typed(table)
    result["sequence"] = result["sequence"].astype("int64")
    return result


@contextmanager
def _connect(path: Path) -> Iterator[sqlite3.Connection]:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with closing(sqlite3.connect(path, timeout=30.0)) as database:
            database.execute("PRAGMA journal_mode=WAL")  # readers and the writer do not wait for one another
            database.executescript(_schema())
            yield database
    except sqlite3.DatabaseError as error:
        raise DataError(f"new requests for the production log {path}", str(error), _remedy(error)) from error


def _remedy(error: sqlite3.DatabaseError) -> str:
    if isinstance(error, sqlite3.IntegrityError):
        return "send each request once, under a request_id of its own"
    return "move the file away, a new log is made by itself"


def _schema() -> str:
    # STRICT: the column types are enforced, so no picture or embedding (BLOB) can enter
    columns = ", ".join(f"{name} {_TYPES.get(name, 'REAL')}" for name in COLUMNS)
    table = f"CREATE TABLE IF NOT EXISTS requests (sequence INTEGER PRIMARY KEY AUTOINCREMENT, {columns}) STRICT;"
    return table + "CREATE INDEX IF NOT EXISTS by_time ON requests (time);" + _REFUSALS


def _store(value: Value) -> str | float | int | None:
    if isinstance(value, datetime):  # one zone and one width, so that text order is time order
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return int(value) if isinstance(value, bool) else value
