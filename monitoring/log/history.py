"""Read the log as one: sealed segments, then the entries in the database, in order and from one snapshot."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Connection, Engine, select

from monitoring.log.chain import EMPTY, Head, Stored
from monitoring.log.schema import BATCH, entries, entries_about, unreviewed_with_feedback
from monitoring.log.segments.record import Segment, recorded_segments

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Range:
    """Which entries to read: of these kinds (none = all), after one and up to one, since <= time < until ("" = open).

    A segment is opened only if its record says that it may hold such an entry.
    """

    kinds: frozenset[str] = frozenset()
    after: int = -(2**62)
    through: int = 2**62
    since: str = ""
    until: str = ""

    def touches(self, segment: Segment) -> bool:
        """Tell whether a segment may hold such an entry, by its record."""
        return (
            self.after < segment.last
            and segment.first <= self.through
            and self.since <= segment.until
            and (not self.until or segment.since < self.until)
            and (not self.kinds or segment.has(self.kinds))
        )

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """Give the same as conditions of the database."""
        yield entries.c.sequence > self.after
        if self.through < 2**62:
            yield entries.c.sequence <= self.through
        if self.kinds:
            yield entries.c.kind.in_(sorted(self.kinds))
        if self.since:
            yield entries.c.time >= self.since
        if self.until:
            yield entries.c.time < self.until

    def select(self, batch: "pa.RecordBatch") -> "pa.RecordBatch":
        """Select what belongs to the range of a batch of a segment."""
        import pyarrow.compute as pc

        column = pc.field
        wanted = (column("sequence") > self.after) & (column("sequence") <= self.through)
        if self.kinds:
            wanted &= column("kind").isin(sorted(self.kinds))
        if self.since:
            wanted &= column("time") >= self.since
        if self.until:
            wanted &= column("time") < self.until
        return batch.filter(wanted)


EVERYTHING = Range()


def entries_of(batch: "pa.RecordBatch") -> Iterator[Stored]:
    """Give the entries of a batch one by one."""
    return map(Stored._make, zip(*(column.to_pylist() for column in batch.columns), strict=True))


@dataclass(frozen=True)
class History:
    """The log's past and present: `folder` holds the segments that the database names."""

    engine: Engine
    folder: Path

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Open a transaction in which records of segments and entries are of one moment."""
        with self.engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ")  # noqa: PLW2901 - as documented
            with connection.begin():
                yield connection

    def batches(self, wanted: Range = EVERYTHING) -> Iterator["pa.RecordBatch"]:
        """Read entries in order, in batches of some thousands, whether they were sealed or not.

        Files are opened only of segments whose record says that they may hold one.
        """
        with self.snapshot() as connection:
            yield from self.batches_in(connection, recorded_segments(connection), wanted)

    def batches_in(
        self, connection: Connection, sealed: Iterable[Segment], wanted: Range = EVERYTHING
    ) -> Iterator["pa.RecordBatch"]:
        """Read the same in a snapshot whose segments are known."""
        from monitoring.log.segments.file import batch_of, read_file

        for segment in sealed:
            if wanted.touches(segment):
                yield from (
                    found for batch in read_file(self.folder / segment.name) if (found := wanted.select(batch)).num_rows
                )
        query = select(*entries.c).where(*wanted.conditions()).order_by(entries.c.sequence)
        streamed = connection.execution_options(yield_per=BATCH).execute(query)
        yield from (batch_of(rows) for rows in streamed.partitions())

    def read(self, wanted: Range = EVERYTHING) -> Iterator[Stored]:
        """Read entries one by one."""
        for batch in self.batches(wanted):
            yield from entries_of(batch)

    def about(self, connection: Connection, kind: str, key: str) -> list[Stored]:
        """Find the entries of one kind about one key, in order."""
        from monitoring.log.segments.keys import find_sealed

        sealed = [
            entry
            for segment in recorded_segments(connection)
            if segment.has(frozenset({kind}))
            for entry in find_sealed(self.folder, segment, kind, key)
        ]
        live = select(*entries.c).where(*entries_about(kind, key)).order_by(entries.c.sequence)
        return [*sealed, *(Stored(*row) for row in connection.execute(live))]

    def unreviewed(self, connection: Connection, since: str) -> Iterator[tuple[str, str | None]]:
        """Stream (body, latest feedback) of restorations whose pictures were stored since a time, without a review.

        What is said of an entry comes after it: of those in the database nothing is in a segment.
        """
        wanted = Range(frozenset({"keeping"}), since=since)
        sealed = [segment for segment in recorded_segments(connection) if wanted.touches(segment)]
        through = Range(wanted.kinds, since=since, through=sealed[-1].last if sealed else 0)
        for batch in self.batches_in(connection, sealed, through):
            for key in batch["key"].to_pylist():
                if not self.about(connection, "review", key):
                    (row, *_), feedback = (self.about(connection, kind, key) for kind in ("restoration", "feedback"))
                    yield row.body, feedback[-1].body if feedback else None
        live = connection.execution_options(yield_per=BATCH).execute(unreviewed_with_feedback(since))
        yield from ((row, said) for row, said in live)

    def sealed_request(self, connection: Connection, requests: Sequence[str]) -> str | None:
        """Find a request that was logged in a segment; those in the database are refused by its own index."""
        if not requests:
            return None
        from monitoring.log.segments.keys import sealed_among

        found = (
            sealed_among(self.folder, segment, "restoration", requests) for segment in recorded_segments(connection)
        )
        return next((request for request in found if request is not None), None)

    def last(self, connection: Connection) -> Head:
        """Read where the log ends."""
        query = select(entries.c.sequence, entries.c.chain).order_by(entries.c.sequence.desc()).limit(1)
        row = connection.execute(query).first()
        if row is not None:
            return Head(*row)
        sealed = recorded_segments(connection)
        return sealed[-1].end if sealed else EMPTY

    def reaches(self, connection: Connection, head: Head) -> bool:
        """Tell whether the entry that `head` names is in the log, with its chain value."""
        chain = connection.execute(select(entries.c.chain).where(entries.c.sequence == head.sequence)).scalar()
        if chain is not None:
            return bool(chain == head.chain)
        sealed = next(iter(recorded_segments(connection, after=head.sequence - 1)), None)
        if sealed is None or sealed.end == head:
            return sealed is not None
        place = Range(after=head.sequence - 1, through=head.sequence)
        values = (batch["chain"][0].as_py() for batch in self.batches_in(connection, [sealed], place))
        return next(values, None) == head.chain
