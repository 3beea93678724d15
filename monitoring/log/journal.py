"""The append-only journal of the production log, in SQLite or PostgreSQL: chained entries in, streams of them out."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from models.errors import Busy, DataError, LikenessError, ServiceUnavailable, StorageError
from monitoring.log.chain import EMPTY, Head, Stored, extend
from monitoring.log.history import EVERYTHING, History, Range
from monitoring.log.migrations import is_current, migrate
from monitoring.log.schema import entries, open_engine
from monitoring.log.sealed_head import HeadFile
from pipeline.project.storage import go_on_when_full, is_full, storage_full

if TYPE_CHECKING:
    import pyarrow as pa

New = tuple[str, str, str, str]
"""(time, kind, key, body) of an entry to be appended."""
_LOCK = 4_785_316_203_917  # any number: the advisory lock under which the log is appended to
_KEEP = (
    "leave the file where it is, as it is the audit trail: check its permissions and its disk, or restore its backup"
)
_DISK_FULL = "53100"
"""PostgreSQL's code for it."""
_ONCE = ("new requests for the production log", "send each request once, under its own id")
_logger = logging.getLogger(__name__)


class Journal:
    """Appends and streams entries; migrates its database first.

    Threads may share it; processes each open their own (after a fork, not before).

    Args:
        address: SQLAlchemy address; `sqlite:///PATH` or `postgresql+psycopg2://...`.
        secret: of the chain.
        head: file that remembers where the log ends.
        segments: folder of its sealed segments.

    Raises:
        ConfigError: an address that is none, or of another database.
        DataError: the file is not a log, or one that a newer version wrote, or the role may not migrate it.
        StorageFull: there is no room to make or migrate it.
        ServiceUnavailable: PostgreSQL does not answer.
    """

    def __init__(self, address: str, secret: bytes, head: HeadFile, segments: Path) -> None:
        self._secret, self._head, self._lock, self._warned = secret, head, Lock(), False
        self._engine = open_engine(address)
        self._writer = self._engine.execution_options(write=True)
        self._history = History(self._engine, segments)
        with self._translate_errors(), self._engine.connect() as connection:
            current = is_current(connection)  # a reader waits for no writer, and needs no right to write
        if not current:
            with self.writing() as connection:
                migrate(connection)
        if not head.path.is_file():
            head.advance(self.last())

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that excludes all other writers, of any process."""
        with self._lock, self._translate_errors(), self._writer.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            yield connection

    @contextmanager
    def reading(self) -> Iterator[tuple[History, Connection]]:
        """Open a snapshot of the log."""
        with self._translate_errors(), self._history.snapshot() as connection:
            yield self._history, connection

    def append(self, new: Sequence[New], about: str = "") -> list[Stored] | None:
        """Add entries in one transaction, all or none.

        Args:
            new: the entries.
            about: nothing is added, and None returned, where no such request was logged; "" for none.

        Raises:
            DataError: a request is already in the log.
        """
        with self.writing() as connection:
            if about and not self._history.about(connection, "restoration", about):
                return None
            self._refuse_known(connection, [key for _, kind, key, _ in new if kind == "restoration"])
            last = self._history.last(connection)
            stored = extend(self._secret, last, new)
            if stored:
                connection.execute(entries.insert(), [entry._asdict() for entry in stored])
            trusted = self._reaches(connection, last)
        if trusted and stored:
            # the entries are committed: a disk that fills now must not undo what rests on them
            with go_on_when_full("the sealed head of the log"):
                self._head.advance(Head(stored[-1].sequence, stored[-1].chain))
        return stored

    def _refuse_known(self, connection: Connection, requests: Sequence[str]) -> None:
        """Do for requests in segments what the database's own index does for the others."""
        known = self._history.sealed_request(connection, requests)
        if known is not None:
            raise DataError(_ONCE[0], f"{known!r}, which is in a sealed segment", _ONCE[1])

    def _reaches(self, connection: Connection, last: Head) -> bool:
        """Check whether the log contains its sealed head; if not, that is evidence of tampering and stays as it is."""
        try:
            sealed = self._head.read() or EMPTY
            reached = sealed in {last, EMPTY} or self._history.reaches(connection, sealed)
        except DataError:
            reached = False
        if not reached and not self._warned:
            self._warned = True
            _logger.error("the production log does not reach its sealed head: run `likeness audit verify`")
        return reached

    def unreviewed(self, since: str) -> Iterator[tuple[str, str | None]]:
        """Stream (body, latest feedback) of restorations whose pictures were stored since a time, without a review."""
        with self.reading() as (history, connection):
            yield from history.unreviewed(connection, since)

    def batches(self, wanted: Range = EVERYTHING) -> "Iterator[pa.RecordBatch]":
        """Read entries in order and in batches, whether they were sealed or not."""
        with self._translate_errors():
            yield from self._history.batches(wanted)

    def read(self, wanted: Range = EVERYTHING) -> Iterator[Stored]:
        """Read entries one by one."""
        with self._translate_errors():
            yield from self._history.read(wanted)

    def about(self, kind: str, key: str) -> list[Stored]:
        """Find the entries of one kind about one key, in order."""
        with self.reading() as (history, connection):
            return history.about(connection, kind, key)

    def last(self) -> Head:
        """Read the last entry's place and chain value."""
        with self.reading() as (history, connection):
            return history.last(connection)

    def close(self) -> None:
        """Close the connections to the database."""
        self._engine.dispose()

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise _explanation(error, self._engine.url) from error


def _explanation(error: DBAPIError, url: URL) -> LikenessError:
    place, got = url.render_as_string(hide_password=True), str(error.orig).strip().splitlines()[0]
    if isinstance(error, IntegrityError):
        return DataError(_ONCE[0], got, _ONCE[1])
    if is_full(error) or getattr(error.orig, "pgcode", "") == _DISK_FULL:
        return storage_full(f"the production log {place}", error.orig or error)
    if "locked" in got:
        return Busy(f"the production log {place} within a minute", got, "try again when its other writers are done")
    if url.get_backend_name() == "sqlite":
        return StorageError(f"a production log at {place}", got, _KEEP)
    if isinstance(error, OperationalError):
        return ServiceUnavailable(f"the production log {place}", got, "start PostgreSQL, or check LIKENESS_LOG_URL")
    return DataError(f"a production log at {place}", got, "check that LIKENESS_LOG_URL names the log's own database")
