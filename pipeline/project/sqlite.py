"""Read SQLite files of others without leaving anything beside them; give the space of deleted rows back."""

import sqlite3
from contextlib import closing
from pathlib import Path

_WRITE_AHEAD = b"\2\2"
"""What a database in that mode has at bytes 18 and 19."""
_WORTHWHILE = 0.2
"""Free share of a file from which it is written anew."""


def open_reading(file: Path, timeout: float = 30.0) -> sqlite3.Connection:
    """Open a database, which others may write to, to be read only.

    A reader makes write-ahead files where a database is in that mode and has none; then nobody has it open, so that it
    can be read as it lies there.

    Raises:
        FileNotFoundError: there is no such file.
        sqlite3.Error: it cannot be opened.
    """
    with file.open("rb") as stream:
        ahead = stream.read(20)[18:] == _WRITE_AHEAD
    idle = "&immutable=1" if ahead and not file.with_name(f"{file.name}-wal").exists() else ""
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro{idle}", uri=True, timeout=timeout)


def vacuum(file: Path) -> int:
    """Write a database anew without its free pages, if they are a fifth of it or more; gives the bytes freed.

    A database that is in use for longer than some seconds is left for the next time.
    """
    if not file.is_file():
        return 0
    before = file.stat().st_size
    with closing(sqlite3.connect(file, timeout=10.0, isolation_level=None)) as connection:
        (free,), (pages,) = (
            connection.execute(f"PRAGMA {name}").fetchone() for name in ("freelist_count", "page_count")
        )
        if free < _WORTHWHILE * max(1, pages):
            return 0
        try:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.OperationalError:  # locked, or no space for the copy
            return 0
    return before - file.stat().st_size
