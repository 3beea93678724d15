"""Give the space that deleted rows left in SQLite files back to the file system."""

import sqlite3
from contextlib import closing
from pathlib import Path

_WORTHWHILE = 0.2
"""Free share of a file from which it is written anew."""


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
