"""Move old entries from the database into sealed segments.

Order of writing: the file under a passing name, to the disk; its final name; one transaction that records it and
deletes its entries. Readers go by the record, so that a process that dies anywhere leaves either the entries or the
segment.
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import delete, text

from models.errors import DataError, StorageError
from monitoring.log.chain import EMPTY, Head
from monitoring.log.history import Range
from monitoring.log.journal import Journal
from monitoring.log.schema import entries, segments
from monitoring.log.segments.check import advance, count_good
from monitoring.log.segments.file import read_file, write_file
from monitoring.log.segments.keys import ROW_BITS, write_index
from monitoring.log.segments.record import Segment, recorded_segments
from pipeline.project.files import private_folder, sync_folder
from pipeline.project.locks import hold_lock
from pipeline.project.storage import full_disk_in_words

MOST_ROWS = 2**ROW_BITS
_BUSY = ("nobody else to seal segments of the log", "another process", "let it end")


def seal_segments(journal: Journal, folder: Path, secret: bytes, *, rows: int, live: int) -> list[Segment]:
    """Seal the oldest entries, so many in a segment, while at least `live` stay in the database.

    Raises:
        Busy: another process seals.
        DataError: the role of the database may not delete entries.
        StorageError: an entry does not fit the chain; it stays where it is.
        StorageFull: there is no room.
    """
    made: list[Segment] = []
    private_folder(folder)
    with hold_lock(folder / "seal.lock", seconds=0, busy=_BUSY), full_disk_in_words("a segment of the production log"):
        for left_over in folder.glob(".*.part"):
            left_over.unlink()
        while (start := _next(journal, rows, live)) is not None:
            segment = _write(journal, folder, secret, start, rows)
            write_index(folder, segment)
            _replace_entries(journal, segment)
            made.append(segment)
    return made


def may_seal(journal: Journal) -> bool:
    """Tell whether this role of the database may move entries."""
    with journal.reading() as (_, connection):
        if connection.dialect.name != "postgresql":
            return True
        asked = "SELECT has_table_privilege('entries', 'DELETE') AND has_table_privilege('entry_segments', 'INSERT')"
        return bool(connection.execute(text(asked)).scalar())


def _next(journal: Journal, rows: int, live: int) -> Head | None:
    """Find the entry behind which the next segment begins; None if too few would stay."""
    with journal.reading() as (history, connection):
        sealed = recorded_segments(connection)
        start = sealed[-1].end if sealed else EMPTY
        return start if history.last(connection).sequence - start.sequence >= rows + live else None


def _write(journal: Journal, folder: Path, secret: bytes, start: Head, rows: int) -> Segment:
    """Write the file of the entries behind `start`."""
    first, last = start.sequence + 1, start.sequence + rows
    for left_over in folder.glob(f"{first:012d}-*"):
        left_over.unlink()  # of a process that died before it was recorded: the entries are in the database
    part = folder / f".{first:012d}.{token_hex(4)}.part"
    try:
        with journal.reading() as (history, connection):
            batches = history.batches_in(connection, [], Range(after=start.sequence, through=last))
            sha256 = write_file(part, _chained(secret, start, batches))
        name = f"{first:012d}-{last:012d}-{sha256[:12]}.parquet"
        segment = _described(part, start, name, sha256, last).sealed(secret)
        part.replace(folder / name)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(folder)
    return segment


def _chained(secret: bytes, good: Head, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Pass entries on that fit the chain."""
    for batch in batches:
        fitting = count_good(secret, good, batch)
        good = advance(good, batch, fitting)
        if fitting < batch.num_rows:
            got = f"entry {good.sequence + 1}, which does not"
            raise StorageError("entries that fit the log's chain", got, "run `likeness audit verify`")
        yield batch


def _described(file: Path, start: Head, name: str, sha256: str, last: int) -> Segment:
    """Describe a segment by what its file holds, read back."""
    kinds: Counter[str] = Counter()
    times: list[str] = []
    end = start
    for batch in read_file(file, ("sequence", "time", "kind", "chain")):
        kinds.update(batch["kind"].to_pylist())
        bounds = pc.min_max(batch["time"])
        times += [bounds["min"].as_py(), bounds["max"].as_py()]
        end = Head(batch["sequence"][-1].as_py(), batch["chain"][-1].as_py())
    if end.sequence != last:
        raise StorageError(f"entries up to {last} in a new segment", f"entry {end.sequence} as its last", "try again")
    return Segment(
        last=last,
        first=start.sequence + 1,
        since=min(times),
        until=max(times),
        previous=start.chain,
        chain=end.chain,
        kinds=json.dumps(dict(sorted(kinds.items()))),
        name=name,
        sha256=sha256,
        seal="",
    )


def _replace_entries(journal: Journal, segment: Segment) -> None:
    """Record a segment and delete its entries, in one transaction."""
    moved = entries.c.sequence.between(segment.first, segment.last)
    with journal.writing() as connection:
        connection.execute(segments.insert(), segment._asdict())
        deleted = connection.execute(delete(entries).where(moved)).rowcount
        if deleted != segment.rows:
            got = f"{deleted} of {segment.rows} entries of a new segment"
            raise DataError("entries that nobody deletes while they are sealed", got, "run `likeness audit verify`")
