"""Subjects, as callers name people, and the pseudonyms that replace the names until a person is forgotten."""

import hashlib
import hmac
import secrets
import sqlite3
import unicodedata
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from models.errors import Busy, DataError, StorageError
from pipeline.project.files import private_file, private_folder, secret_once
from pipeline.project.paths import Paths
from pipeline.project.sqlite import open_reading
from pipeline.project.storage import is_full, storage_full

SUBJECT_LENGTH = 200
_UNFIT = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Categories of characters that not every proxy and client carries in an address: control, surrogates, separators."""
_SEGMENTS = frozenset({"", ".", ".."})
"""Parts between slashes that clients and proxies take out of addresses."""
_MASKED_SALTS = 1
"""Version of the table; before it, salts were stored as they are."""


def normalised(text: str) -> str:
    """Bring a subject to Unicode's normal form C, so that one name typed on two systems is one subject."""
    return unicodedata.normalize("NFC", text)


def valid_subject(text: str) -> str:
    """Check and normalise a subject, in the form and in the address alike: what can be kept can be deleted.

    Args:
        text: 1 to 200 characters; it may hold slashes.

    Returns:
        The subject, normalised.

    Raises:
        DataError: it would not arrive in an address as it was in the form.
    """
    subject = normalised(text)
    if not 0 < len(subject) <= SUBJECT_LENGTH:
        raise _unfit(f"1 to {SUBJECT_LENGTH} characters", f"{len(subject)} characters")
    if any(unicodedata.category(character) in _UNFIT or character in "\\\ufffd" for character in subject):
        raise _unfit("text without control characters and backslashes", "other ones")
    if subject != subject.strip():
        raise _unfit("no blanks at its ends", "some")
    if not _SEGMENTS.isdisjoint(subject.split("/")):
        raise _unfit("no slash at its ends, and no empty part, `.` or `..` between slashes", "such a part")
    return subject


def _unfit(expected: str, got: str) -> DataError:
    return DataError(f"{expected} as subject", got, "send another id of the person, by which they can be deleted, too")


@dataclass(frozen=True)
class Person:
    """A subject with the one pseudonym that a request uses for it, from its arrival to its last entry; "" for none."""

    subject: str
    pseudonym: str


class Pseudonyms:
    """A table of salts. It holds no names: a row is found by a keyed hash of the subject.

    pseudonym = HMAC-SHA256(salt, subject), 32 hexadecimal digits. The table holds each salt masked by a stream of the
    key, so that nobody can confirm whose pseudonym it is without the key. Once its salt is deleted, nobody can compute
    it, not even from the subject, the key and the whole log.

    A row also says how many deletions of anybody there had been when it was made. A request that arrived before one of
    them must not use it: its person may be the one who was forgotten meanwhile.
    """

    def __init__(self, paths: Paths) -> None:
        self._path = paths.subjects
        private_folder(self._path.parent)
        self._key = secret_once(paths.keys / "subjects.key")
        private_file(self._path)
        with self._table() as table:
            table.execute("BEGIN IMMEDIATE")
            self._migrate(table)

    def deletions(self) -> int:
        """Count the deletions so far, of whoever it was."""
        with self._table() as table:
            return _deletions(table)

    def of(self, subject: str, deletions: int | None = None) -> str:
        """Give the subject's pseudonym, the same one until the subject is forgotten.

        Args:
            subject: of a request.
            deletions: how many there had been when the request arrived; now if not given.

        Returns:
            32 hexadecimal digits: for a request that arrived before its person may have been forgotten, random ones
            that stand for nobody.
        """
        lookup = self._lookup(subject)
        with self._table() as table:
            table.execute("BEGIN")  # most subjects are known: a reader waits for nobody
            masked = self._masked(table, lookup, deletions)
        if masked is None:
            with self._table() as table:
                table.execute("BEGIN IMMEDIATE")
                masked = self._masked(table, lookup, deletions)  # another request may have been first
                masked = self._add(table, lookup) if masked is None else masked
        return self._pseudonym(lookup, masked, subject) if masked else nobody()

    def known(self, subject: str) -> str:
        """Give the pseudonym of a subject that has one, else ""."""
        lookup = self._lookup(subject)
        with self._table() as table:
            row = table.execute("SELECT masked FROM subjects WHERE lookup = ?", (lookup,)).fetchone()
        return self._pseudonym(lookup, row[0], subject) if row else ""

    def forget(self, subject: str) -> None:
        """Delete the salt, including its bytes in the file, and count a deletion, also of somebody unknown."""
        with self._table() as table:
            table.execute("BEGIN IMMEDIATE")
            table.execute("DELETE FROM subjects WHERE lookup = ?", (self._lookup(subject),))
            table.execute("UPDATE deletions SET count = count + 1")

    def forget_those_gone_from(self, later: Path) -> int:
        """Delete salts that a later table of this installation does not have: their people were forgotten since.

        Args:
            later: the table, of the same key; it is only read.

        Returns:
            How many.
        """
        with closing(_reading(later)) as table:
            if table.execute("PRAGMA user_version").fetchone()[0] < _MASKED_SALTS:
                raise StorageError(f"a table of pseudonyms in {later}", "an older one", "start its service once")
            left, count = set(table.execute("SELECT lookup, masked FROM subjects")), _deletions(table)
        with self._table() as table:
            table.execute("BEGIN IMMEDIATE")
            gone = set(table.execute("SELECT lookup, masked FROM subjects")) - left
            table.executemany("DELETE FROM subjects WHERE lookup = ?", [(lookup,) for lookup, _ in gone])
            table.execute("UPDATE deletions SET count = max(count, ?)", (count,))
        return len(gone)

    def _masked(self, table: sqlite3.Connection, lookup: bytes, deletions: int | None) -> bytes | None:
        """Find a masked salt: None where there is none yet, b"" where a request of that time may not have one."""
        count = _deletions(table)
        row = table.execute("SELECT masked, deletions FROM subjects WHERE lookup = ?", (lookup,)).fetchone()
        if deletions is not None and (count if row is None else row[1]) > deletions:
            return b""
        return None if row is None else bytes(row[0])

    def _add(self, table: sqlite3.Connection, lookup: bytes) -> bytes:
        masked = self._mask(lookup, secrets.token_bytes(32))
        table.execute("INSERT INTO subjects VALUES (?, ?, ?)", (lookup, masked, _deletions(table)))
        return masked

    def _lookup(self, subject: str) -> bytes:
        return hmac.digest(self._key, subject.encode(), hashlib.sha256)

    def _mask(self, lookup: bytes, salt: bytes) -> bytes:
        """Mask a salt of 32 bytes, or take the mask off."""
        stream = hmac.digest(self._key, b"salt of " + lookup, hashlib.sha256)
        return bytes(a ^ b for a, b in zip(salt, stream, strict=True))

    def _pseudonym(self, lookup: bytes, masked: bytes, subject: str) -> str:
        return hmac.digest(self._mask(lookup, masked), subject.encode(), hashlib.sha256).hex()[:32]

    def _migrate(self, table: sqlite3.Connection) -> None:
        """Make the tables, or mask the salts of an earlier version: pseudonyms stay what they are."""
        if table.execute("PRAGMA user_version").fetchone()[0] >= _MASKED_SALTS:
            return
        known = table.execute("SELECT name FROM sqlite_master WHERE name = 'subjects'").fetchone()
        rows = table.execute("SELECT lookup, salt FROM subjects").fetchall() if known else []
        table.execute("DROP TABLE IF EXISTS subjects")
        table.execute(
            "CREATE TABLE subjects (lookup BLOB PRIMARY KEY, masked BLOB NOT NULL, deletions INTEGER NOT NULL) "
            "WITHOUT ROWID"
        )
        table.execute("CREATE TABLE deletions (count INTEGER NOT NULL)")
        table.execute("INSERT INTO deletions VALUES (0)")
        table.executemany(
            "INSERT INTO subjects VALUES (?, ?, 0)", [(lookup, self._mask(lookup, salt)) for lookup, salt in rows]
        )
        table.execute(f"PRAGMA user_version = {_MASKED_SALTS}")

    @contextmanager
    def _table(self) -> Iterator[sqlite3.Connection]:
        """Open a connection for one transaction: each thread needs its own."""
        try:
            connection = sqlite3.connect(self._path, timeout=30.0, isolation_level=None)
            try:
                connection.execute("PRAGMA secure_delete = ON")
                yield connection
                if connection.in_transaction:
                    connection.execute("COMMIT")
            finally:
                connection.close()  # rolls back what was not committed
        except sqlite3.Error as error:
            raise _explanation(error) from error


def _reading(file: Path) -> sqlite3.Connection:
    """Open another table to be read only.

    Raises:
        StorageError: it is none.
    """
    try:
        connection = open_reading(file)
        connection.execute("SELECT 1 FROM sqlite_master")
    except sqlite3.Error as error:
        raise StorageError(f"a table of pseudonyms in {file}", str(error), "name the state as it is now") from error
    return connection


def nobody() -> str:
    """Make a pseudonym that stands for nobody, for a request whose person was forgotten while it was under way."""
    return secrets.token_hex(16)


def _deletions(table: sqlite3.Connection) -> int:
    return int(table.execute("SELECT count FROM deletions").fetchone()[0])


def _explanation(error: sqlite3.Error) -> StorageError | Busy:
    if is_full(error):
        return storage_full("the table of pseudonyms", error)
    if "locked" in str(error):
        return Busy("the table of pseudonyms within half a minute", str(error), "try again")
    return StorageError("the table of pseudonyms in state/", str(error), "check its disk, or restore its backup")
