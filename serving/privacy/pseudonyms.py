"""Pseudonyms: who a subject is, said by a number that only this installation can compute, until it is forgotten."""

import hashlib
import hmac
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.project.files import secret_once
from pipeline.project.paths import Paths

_TABLE = "CREATE TABLE IF NOT EXISTS subjects (lookup BLOB PRIMARY KEY, salt BLOB NOT NULL) WITHOUT ROWID"


class Subjects:
    """A small table of salts. It holds no names: a row is found by a keyed hash of the subject.

    pseudonym = HMAC-SHA256(salt, subject), 32 hexadecimal digits. Once its salt is deleted, not even somebody who knows
    the subject, the key and the whole log can tell which pseudonym was theirs.
    """

    def __init__(self, paths: Paths) -> None:
        self._path = paths.subjects
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._key = secret_once(paths.keys / "subjects.key")
        with self._table() as table:
            table.execute(_TABLE)

    def pseudonym(self, subject: str) -> str:
        """The subject's pseudonym, the same until it is forgotten."""
        with self._table() as table:
            table.execute(
                "INSERT OR IGNORE INTO subjects VALUES (?, ?)", (self._lookup(subject), secrets.token_bytes(32))
            )
            return self._read(table, subject)

    def known(self, subject: str) -> str:
        """The pseudonym of a subject that has one, else ""."""
        with self._table() as table:
            return self._read(table, subject)

    def forget(self, subject: str) -> None:
        """Delete the salt, its bytes in the file included."""
        with self._table() as table:
            table.execute("DELETE FROM subjects WHERE lookup = ?", (self._lookup(subject),))

    def _lookup(self, subject: str) -> bytes:
        return hmac.digest(self._key, subject.encode(), hashlib.sha256)

    def _read(self, table: sqlite3.Connection, subject: str) -> str:
        row = table.execute("SELECT salt FROM subjects WHERE lookup = ?", (self._lookup(subject),)).fetchone()
        return hmac.digest(row[0], subject.encode(), hashlib.sha256).hex()[:32] if row else ""

    @contextmanager
    def _table(self) -> Iterator[sqlite3.Connection]:
        """A connection for one transaction: they are cheap, and each thread needs its own."""
        connection = sqlite3.connect(self._path, timeout=30.0)
        try:
            connection.execute("PRAGMA secure_delete = ON")
            with connection:
                yield connection
        finally:
            connection.close()
