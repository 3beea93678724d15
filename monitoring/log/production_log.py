"""The production log: one append-only, hash-chained journal of restorations, feedback and decisions (docs/audit.md)."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal, Self

import pandas as pd
from sqlalchemy import ColumnElement, select

from models.errors import DataError
from monitoring.log.audit import UNSEALED, Verification, broken_verification, verify
from monitoring.log.chain import EMPTY, Head
from monitoring.log.journal import Journal, New
from monitoring.log.rows import Feedback, LogRow
from monitoring.log.schema import entries, entries_about, format_body, format_time, unreviewed_with_feedback
from monitoring.log.sealed_head import HeadFile, load_key
from monitoring.log.table import build_log_table
from pipeline.project.environment import environment
from pipeline.project.files import private_file, private_folder
from pipeline.project.paths import Paths
from pipeline.project.storage import full_disk_in_words

Kind = Literal[
    "restoration", "feedback", "keeping", "look", "review", "deletion",
    "promotion", "verdict", "alert", "identity", "study",
]  # fmt: skip
_LONGEST_KEY = 200


@dataclass(frozen=True)
class Entry:
    """One entry of the journal. `key` says what it is about: a request, a version, a subject's pseudonym."""

    sequence: int
    time: datetime
    kind: Kind
    key: str
    body: dict[str, Any]


def open_log(paths: Paths, *, sealed: bool = True) -> "ProductionLog":
    """Open the log of a checkout, and migrate its database if this version has a newer schema.

    It lies at LIKENESS_LOG_URL, else in SQLite below state/; its key is LIKENESS_LOG_KEY, else made once.

    Args:
        paths: of the checkout.
        sealed: refuse a log whose head was sealed with another key, before anything is appended that never verifies.

    Raises:
        ConfigError: the address or the key is of no use.
        DataError: the file is not a log, or one of a newer version, or others can read the key, or it is another
            key.
        StorageFull: there is no room for it.
        ServiceUnavailable: PostgreSQL does not answer.
    """
    with full_disk_in_words("the production log, its key and its head"):
        return _opened(paths, sealed=sealed)


def _opened(paths: Paths, *, sealed: bool) -> "ProductionLog":
    settings = environment()
    secret = load_key(settings.log_key.get_secret_value(), paths.log_key)
    name = "log"
    if settings.log_url:  # another database is another log, with a head of its own
        name = f"log-{sha256(_place(settings.log_url).encode()).hexdigest()[:8]}"
    else:
        private_folder(paths.production_log.parent)
        private_file(paths.production_log)  # SQLite gives its further files the same mode
    address = settings.log_url or f"sqlite:///{paths.production_log.resolve()}"
    head = HeadFile(paths.log_head(name), secret)
    if sealed:
        head.read()
    return ProductionLog(address, secret, head)


def _restoration(row: LogRow) -> New:
    return format_time(row.time), "restoration", row.request_id, row.model_dump_json()


def _place(address: str) -> str:
    host, _, rest = address.rpartition("@")  # the password may change, the log stays the same
    return rest if host else address


class ProductionLog:
    """See `open_log`; also a context manager. Threads may share one, and many processes may append to the same log.

    Errors of the database come as StorageError (SQLite), StorageFull (no room, in either), ServiceUnavailable
    (PostgreSQL), or DataError (a request logged twice).
    """

    def __init__(self, address: str, secret: bytes, head: HeadFile) -> None:
        self._secret, self._head = secret, head
        self._journal = Journal(address, secret, head)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(self, rows: Iterable[LogRow]) -> int:
        """Add rows in one transaction, all or none; returns how many.

        Raises:
            DataError: a request_id is already in the log.
        """
        return len(self._journal.append([_restoration(row) for row in rows]) or ())

    def append_kept(self, row: LogRow, references: int) -> None:
        """Add a row whose pictures are kept, among them so many references, and the entry that says so: both or none.

        Raises:
            DataError: the request_id is already in the log.
        """
        body = format_body({"references": references})
        self._journal.append([(format_time(row.time), "keeping", row.request_id, body), _restoration(row)])

    def record(self, kind: Kind, key: str, body: Mapping[str, Any], now: datetime) -> int:
        """Add one entry of another kind; returns its sequence.

        Raises:
            DataError: the body is no JSON (NaN is none) or too large, or the kind has a method of its own.
        """
        if kind in {"restoration", "feedback"}:
            raise DataError("a kind other than restoration and feedback", kind, "use `append` or `feedback`")
        if not 0 < len(key) <= _LONGEST_KEY or "\0" in key:
            raise DataError(f"a key of 1 to {_LONGEST_KEY} characters", repr(key[:40]), "shorten it")
        return self._add((format_time(now), kind, key, format_body(body)))

    def feedback(self, request_id: str, given: Feedback, now: datetime) -> None:
        """Add feedback to a request; the latest counts, all are stored.

        Raises:
            DataError: no such request was logged.
        """
        known = select(entries.c.sequence).where(*entries_about("restoration", request_id))
        new = (format_time(now), "feedback", request_id, given.model_dump_json())
        if self._journal.append([new], guard=known) is None:
            raise DataError("the id of a logged request", repr(request_id[:80]), "use the request_id of the answer")

    def _add(self, new: tuple[str, str, str, str]) -> int:
        return (self._journal.append([new]) or [])[-1].sequence

    def after(self, sequence: int) -> pd.DataFrame:
        """Read rows that arrived after the entry numbered `sequence` (0 = all), in order of arrival.

        Columns: those of `LogRow`, `sequence` (int64), and of the latest feedback `feedback_recognised` (boolean, NA
        without) and `feedback_preferred` ("" without). Numbers between belong to entries of other kinds.
        """
        return self._table(entries.c.sequence > sequence)

    def window(self, since: datetime, until: datetime) -> pd.DataFrame:
        """Read rows with since <= time < until, in order of arrival; columns as in `after`."""
        return self._table(entries.c.time >= format_time(since), entries.c.time < format_time(until))

    def _table(self, *conditions: ColumnElement[bool]) -> pd.DataFrame:
        where = (entries.c.kind == "restoration", *conditions)
        rows = select(entries.c.sequence, entries.c.body).where(*where).order_by(entries.c.sequence)
        keys = select(entries.c.key).where(*where)
        answers = select(entries.c.key, entries.c.body).where(entries.c.kind == "feedback", entries.c.key.in_(keys))
        return build_log_table(self._journal.stream(rows), self._journal.stream(answers.order_by(entries.c.sequence)))

    def entries(self, kind: Kind, after: int = 0) -> list[Entry]:
        """Read entries of one kind whose sequence is greater than `after`, in order."""
        query = select(*entries.c).where(entries.c.kind == kind, entries.c.sequence > after)
        rows = self._journal.stream(query.order_by(entries.c.sequence))
        return [Entry(r.sequence, datetime.fromisoformat(r.time), kind, r.key, json.loads(r.body)) for r in rows]

    def row(self, request_id: str) -> LogRow | None:
        """Read the row of a request, None if there is none."""
        entry = next(
            self._journal.stream(select(entries.c.body).where(*entries_about("restoration", request_id))), None
        )
        return None if entry is None else LogRow.model_validate_json(entry.body)

    def has(self, kind: Kind, key: str) -> bool:
        """Check whether there is an entry of this kind about `key`."""
        return (
            next(self._journal.stream(select(entries.c.sequence).where(*entries_about(kind, key)).limit(1)), None)
            is not None
        )

    def unreviewed(self, since: datetime) -> Iterator[tuple[LogRow, Feedback | None]]:
        """Stream rows with pictures stored since `since` and without a review, with their latest feedback."""
        for row, feedback in self._journal.stream(unreviewed_with_feedback(format_time(since))):
            yield LogRow.model_validate_json(row), None if feedback is None else Feedback.model_validate_json(feedback)

    def head(self) -> Head:
        """Read where the log ends now; store it elsewhere and `verify` against it later."""
        return self._journal.last()

    def verify(self, *heads: Head) -> Verification:
        """Check the whole chain, and that it still reaches its sealed head and the given ones."""
        try:
            sealed = self._head.read() or EMPTY  # before the log: one that is being appended to only grows
        except DataError:
            return broken_verification(EMPTY, "unsealed", UNSEALED)
        return verify(self._journal.read, self._secret, (sealed, *heads))

    def close(self) -> None:
        """Close the connections to the database."""
        self._journal.close()
