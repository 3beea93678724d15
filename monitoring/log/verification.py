"""Verify the whole log: segments, in several processes, and the entries in the database, many at a time.

What is wrong with the first entry that does not fit is then found by `monitoring.log.audit`, entry by entry.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import islice, repeat
from multiprocessing import get_context
from pathlib import Path
from typing import cast

from sqlalchemy import Connection

from models.errors import StorageError
from monitoring.log.audit import Flaw, Read, Verification, broken_verification, conclude, name_replaced, verify
from monitoring.log.chain import EMPTY, Head, Stored
from monitoring.log.history import EVERYTHING, History, Range, entries_of
from monitoring.log.segments.check import Checked, advance, check_segment, count_good
from monitoring.log.segments.file import read_file
from monitoring.log.segments.record import Segment, recorded_segments

_WORTHWHILE = 4
"""Segments for each process, below which starting one takes longer than it saves."""


def verify_history(
    history: History, connection: Connection, secret: bytes, heads: Sequence[Head], processes: int
) -> Verification:
    """Check every entry of a snapshot; memory does not grow with the log.

    Args:
        history: of the log.
        connection: in a snapshot of it.
        secret: of the chain.
        heads: where the log once ended, from outside it; it must still reach there, by the same entries.
        processes: at most so many check segments at a time.
    """
    good, sealed = EMPTY, recorded_segments(connection)
    for segment, checked in zip(sealed, _check(history.folder, sealed, secret, processes), strict=True):
        if (segment.first, segment.previous) != (good.sequence + 1, good.chain):
            words = f"segment {segment.name} begins at entry {segment.first} and does not follow entry {good.sequence}"
            return broken_verification(good, "missing", words)
        if checked.flaw:
            return _name_flaw(history, secret, heads, segment, checked)
        inside = [head for head in heads if segment.first <= head.sequence <= segment.last]
        for head in sorted(inside):
            if not history.reaches(connection, head):
                return broken_verification(Head(head.sequence - 1, ""), "replaced", name_replaced(head.sequence))
        good = segment.end
    return _verify_rest(history, connection, secret, heads, good)


def _verify_rest(
    history: History, connection: Connection, secret: bytes, heads: Sequence[Head], good: Head
) -> Verification:
    """Check the entries in the database, which follow `good`."""
    chains = {head.sequence: head.chain for head in heads}
    for batch in history.batches_in(connection, []):
        rows = count_good(secret, good, batch)
        within = [place for place in chains if good.sequence < place <= good.sequence + rows]
        replaced = any(batch["chain"][place - good.sequence - 1].as_py() != chains[place] for place in within)
        if rows < batch.num_rows or replaced:
            return verify(_reader(history, good, None), secret, heads, good)
        good = advance(good, batch, rows)
    return conclude(good, max(chains, default=0))


def _name_flaw(
    history: History, secret: bytes, heads: Sequence[Head], segment: Segment, checked: Checked
) -> Verification:
    """Say what is wrong in a segment."""
    if checked.flaw != "entry":
        return broken_verification(checked.good, cast("Flaw", checked.flaw), checked.message)
    try:
        found = verify(_reader(history, checked.good, segment), secret, heads, checked.good)
    except StorageError as error:
        return broken_verification(checked.good, "damaged", f"{error.got}, in segment {segment.name}")
    if found.whole:
        return broken_verification(checked.good, "damaged", f"segment {segment.name} holds more than its record says")
    return found.model_copy(update={"message": f"{found.message}, in segment {segment.name}"})


def _reader(history: History, good: Head, faulty: Segment | None) -> Read:
    """Make a reader for a diagnosis.

    What follows `good` is read as it lies in the faulty segment, or in the database: its number may be any.
    """

    def read(after: int) -> Iterator[Stored]:
        behind = after <= good.sequence
        if behind and faulty is not None:
            stored = (entry for batch in read_file(history.folder / faulty.name) for entry in entries_of(batch))
            yield from islice(stored, good.sequence - faulty.first + 1, None)
        with history.snapshot() as connection:
            records = [] if behind and faulty is None else recorded_segments(connection)
            lowest = EVERYTHING.after if faulty is None else faulty.last
            wanted = Range(after=lowest if behind else after)
            for batch in history.batches_in(connection, records, wanted):
                yield from entries_of(batch)

    return read


def _check(folder: Path, sealed: Sequence[Segment], secret: bytes, processes: int) -> Iterator[Checked]:
    """Check segments in order."""
    workers = min(processes, len(sealed) // _WORTHWHILE)
    if workers < 2:
        yield from map(check_segment, repeat(folder), sealed, repeat(secret))
        return
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    try:
        yield from pool.map(check_segment, repeat(folder), sealed, repeat(secret))
    finally:
        pool.shutdown(cancel_futures=True)
