"""How the log's database is opened while others hold it."""

import sqlite3
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
