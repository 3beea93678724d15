"""The production log: one append-only, hash-chained journal of restorations, feedback and decisions (docs/audit.md)."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, Self

import pandas as pd

from models.errors import DataError
from monitoring.log.audit import UNSEALED, Verification, broken_verification
from monitoring.log.chain import EMPTY, Head
from monitoring.log.history import Range
from monitoring.log.journal import Journal, New
from monitoring.log.rows import Feedback, LogRow
from monitoring.log.schema import format_body, format_time
from monitoring.log.sealed_head import HeadFile, load_key
from monitoring.log.segments.record import Segment
from monitoring.log.table import add_feedback, empty_rows, read_rows
from pipeline.project.environment import environment
from pipeline.project.files import private_file, private_folder
from pipeline.project.paths import Paths
from pipeline.project.storage import full_disk_in_words

Kind = Literal[
    "restoration", "feedback", "keeping", "look", "review", "deletion",
    "promotion", "verdict", "alert", "identity", "study",
]  # fmt: skip
_LONGEST_KEY = 200
_RESTORATION, _FEEDBACK = frozenset({"restoration"}), frozenset({"feedback"})


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
    return ProductionLog(address, secret, head, paths.log_segments(name))


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

    def __init__(self, address: str, secret: bytes, head: HeadFile, segments: Path) -> None:
        self._secret, self._head, self._segments = secret, head, segments
        self._journal = Journal(address, secret, head, segments)

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
        new = (format_time(now), "feedback", request_id, given.model_dump_json())
        if self._journal.append([new], about=request_id) is None:
            raise DataError("the id of a logged request", repr(request_id[:80]), "use the request_id of the answer")

    def _add(self, new: tuple[str, str, str, str]) -> int:
        return (self._journal.append([new]) or [])[-1].sequence

    def after(self, sequence: int) -> pd.DataFrame:
        """Read rows that arrived after the entry numbered `sequence` (0 = all), in order of arrival.

        Columns: those of `LogRow`, `sequence` (int64), and of the latest feedback `feedback_recognised` (boolean, NA
        without) and `feedback_preferred` ("" without). Numbers between belong to entries of other kinds.
        """
        return self._table(Range(_RESTORATION, after=sequence))

    def window(self, since: datetime, until: datetime) -> pd.DataFrame:
        """Read rows with since <= time < until, in order of arrival; columns as in `after`."""
        return self._table(Range(_RESTORATION, since=format_time(since), until=format_time(until)))

    def batches(self, since: datetime | None = None, until: datetime | None = None) -> Iterator[pd.DataFrame]:
        """Read the same rows some thousands at a time, without feedback; memory does not grow with them."""
        begin, end = ("" if time is None else format_time(time) for time in (since, until))
        for batch in self._journal.batches(Range(_RESTORATION, since=begin, until=end)):
            yield read_rows(batch)

    def _table(self, wanted: Range) -> pd.DataFrame:
        rows = pd.concat([empty_rows(), *map(read_rows, self._journal.batches(wanted))], ignore_index=True)
        if rows.empty:
            return add_feedback(rows, ())
        given = self._journal.read(Range(_FEEDBACK, after=int(rows["sequence"].iloc[0])))  # it comes after its row
        return add_feedback(rows, ((entry.key, entry.body) for entry in given))

    def entries(self, kind: Kind, after: int = 0) -> list[Entry]:
        """Read entries of one kind whose sequence is greater than `after`, in order."""
        found = self._journal.read(Range(frozenset({kind}), after=after))
        return [Entry(e.sequence, datetime.fromisoformat(e.time), kind, e.key, json.loads(e.body)) for e in found]

    def row(self, request_id: str) -> LogRow | None:
        """Read the row of a request, None if there is none."""
        found = self._journal.about("restoration", request_id)
        return LogRow.model_validate_json(found[0].body) if found else None

    def has(self, kind: Kind, key: str) -> bool:
        """Check whether there is an entry of this kind about `key`."""
        return bool(self._journal.about(kind, key))

    def unreviewed(self, since: datetime) -> Iterator[tuple[LogRow, Feedback | None]]:
        """Stream rows with pictures stored since `since` and without a review, with their latest feedback."""
        for row, feedback in self._journal.unreviewed(format_time(since)):
            yield LogRow.model_validate_json(row), None if feedback is None else Feedback.model_validate_json(feedback)

    def head(self) -> Head:
        """Read where the log ends now; store it elsewhere and `verify` against it later."""
        return self._journal.last()

    def verify(self, *heads: Head, processes: int = 1) -> Verification:
        """Check the whole chain, and that it still reaches its sealed head and the given ones.

        Args:
            heads: ends of the log that were written down elsewhere.
            processes: at most so many check segments at a time.
        """
        from monitoring.log.verification import verify_history

        try:
            sealed = self._head.read() or EMPTY  # before the log: one that is being appended to only grows
        except DataError:
            return broken_verification(EMPTY, "unsealed", UNSEALED)
        with self._journal.reading() as (history, connection):
            return verify_history(history, connection, self._secret, (sealed, *heads), processes)

    def seal(self, *, rows: int, live: int) -> list[Segment]:
        """Move the oldest entries to segments of so many rows; at least `live` entries stay in the database.

        Raises:
            Busy: another process does it.
            DataError: the role of the database may not delete entries.
            StorageError: an entry does not fit the chain; it stays where it is.
            StorageFull: there is no room.
        """
        from monitoring.log.seal import seal_segments

        return seal_segments(self._journal, self._segments, self._secret, rows=rows, live=live)

    def may_seal(self) -> bool:
        """Tell whether this role of the database may do so."""
        from monitoring.log.seal import may_seal

        return may_seal(self._journal)

    def close(self) -> None:
        """Close the connections to the database."""
        self._journal.close()
