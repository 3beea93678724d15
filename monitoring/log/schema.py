"""The production log's table as the code uses it, how its databases are opened, and queries.

`migrations/` makes the table and its triggers; a test compares the two.
"""

import json
import sqlite3
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Index,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    and_,
    create_engine,
    event,
    exists,
    select,
    text,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from models.errors import ConfigError, DataError

METADATA = MetaData()
SEALED_TEXT = ("since", "until", "previous", "chain", "kinds", "name", "sha256", "seal")
"""Columns of text of a segment's record."""
BATCH = 5_000
"""Entries that are held at once, and rows of a row group of a segment, which is decoded to look up one of them."""
_WAIT = 60.0
"""Seconds that SQLite waits for another writer."""

entries = Table(
    "entries",
    METADATA,
    Column("sequence", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False),
    *(Column(name, Text, nullable=False) for name in ("time", "kind", "key", "body", "chain")),
    sqlite_strict=True,
)
Index("by_time", entries.c.kind, entries.c.time)
Index("by_key", entries.c.kind, entries.c.key)
_ONCE = text("kind = 'restoration'")
Index("once", entries.c.key, unique=True, sqlite_where=_ONCE, postgresql_where=_ONCE)

segments = Table(
    "entry_segments",
    METADATA,
    Column("last", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False),
    Column("first", BigInteger().with_variant(Integer(), "sqlite"), nullable=False),
    *(Column(name, Text, nullable=False) for name in SEALED_TEXT),
    sqlite_strict=True,
)
"""Entries that lie in sealed files, and no more in `entries`; see `monitoring.log.segments.record.Segment`."""


def open_engine(address: str) -> Engine:
    """Create an engine for the address; with a connection's option `write`, SQLite locks for writing at its beginning.

    Raises:
        ConfigError: no address, or of another kind of database.
    """
    url = _url(address)
    if url.get_backend_name() == "postgresql":
        return create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": 10})
    engine = create_engine(url, connect_args={"timeout": _WAIT})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _url(address: str) -> URL:
    expected, remedy = "a PostgreSQL or SQLite address in LIKENESS_LOG_URL", "use postgresql+psycopg2://USER@HOST/NAME"
    try:
        url = make_url(address)
    except ArgumentError as error:
        raise ConfigError(expected, "something else", remedy) from error  # it may hold a password: not repeated
    if url.drivername not in {"sqlite", "postgresql", "postgresql+psycopg2"}:
        raise ConfigError(expected, url.drivername, remedy)
    return url


def _prepare(connection: Any, record: Any) -> None:  # noqa: ANN401, ARG001 - SQLAlchemy's event
    connection.isolation_level = None  # transactions begin where SQLAlchemy says so
    _log_ahead(connection)
    connection.execute("PRAGMA synchronous=FULL")  # what was committed outlives a power cut: the head file relies on it


def _log_ahead(connection: Any) -> None:  # noqa: ANN401 - a connection of the driver
    """Switch to a write-ahead log, so that readers and the writer do not wait for one another.

    The driver's timeout does not hold here: while another process makes the same switch, SQLite refuses at once.
    """
    until = time.monotonic() + _WAIT
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                raise
            time.sleep(0.02)
        else:
            return


def _begin(connection: Connection) -> None:
    # between a read and a later request for the lock, another writer could commit
    write = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


_LARGEST_BODY = 65_536  # characters: figures fit, a picture does not


def format_time(time: datetime) -> str:
    """Format a time in one zone and one width, so that the order of texts is that of times.

    Raises:
        DataError: a time without its zone.
    """
    if time.tzinfo is None:
        raise DataError("a time with its zone", time.isoformat(), "use datetime.now(UTC)")
    return time.astimezone(UTC).isoformat(timespec="microseconds")


def format_body(body: Mapping[str, Any]) -> str:
    """Format a body as JSON.

    Raises:
        DataError: it is none (NaN is not JSON), or too large.
    """
    try:
        written = json.dumps(body, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise DataError("a body of JSON values", str(error), "log figures and short texts only") from error
    if len(written) > _LARGEST_BODY:
        remedy = "log figures and short texts only"
        raise DataError(f"a body of at most {_LARGEST_BODY} characters", f"{len(written)}", remedy)
    return written


def entries_about(kind: str, key: str) -> tuple[ColumnElement[bool], ...]:
    """Build the condition for entries of one kind about one key."""
    return entries.c.kind == kind, entries.c.key == key


def unreviewed_with_feedback(since: str) -> Select[Any]:
    """Select (body, latest feedback or NULL) of restorations stored since `since` and without a review."""
    keeping, row, answer, review = (entries.alias(name) for name in ("keeping", "row", "answer", "review"))
    latest = select(answer.c.body).where(answer.c.kind == "feedback", answer.c.key == row.c.key)
    reviewed = exists().where(review.c.kind == "review", review.c.key == row.c.key)
    own = and_(row.c.kind == "restoration", row.c.key == keeping.c.key)
    return (
        select(row.c.body, latest.order_by(answer.c.sequence.desc()).limit(1).scalar_subquery().label("said"))
        .select_from(keeping.join(row, own))
        .where(keeping.c.kind == "keeping", keeping.c.time >= since, ~reviewed)
    )
