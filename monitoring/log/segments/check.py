"""Check many entries at once, and a segment against its record."""

import hmac
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.errors import StorageError
from monitoring.log.chain import Head
from monitoring.log.segments.file import file_digest, read_file
from monitoring.log.segments.keys import Index, hash_keys, index_file, load_index, sort_hashes
from monitoring.log.segments.record import Segment


class Checked(NamedTuple):
    """How far a segment is good, and what is wrong with it as a whole, if it is not one of its entries.

    `flaw`: "" = nothing, "entry" = the one after `good` does not fit, else what `Verification` calls it.
    """

    good: Head
    flaw: str = ""
    message: str = ""


def chained_bytes(batch: pa.RecordBatch, previous: str) -> pa.Array:
    """Build what the chain's values are computed of (see `chain.chain_value`), for a batch that follows `previous`."""
    before = pa.concat_arrays([pa.array([previous]), batch["chain"].slice(0, batch.num_rows - 1)])
    fields = (before, batch["sequence"].cast(pa.string()), *(batch[name] for name in ("time", "kind", "key", "body")))
    parts = [part for field in fields for part in (pc.binary_length(field).cast(pa.string()), ":", field, ",")]
    return pc.binary_join_element_wise(*parts, "").cast(pa.binary())


def count_good(secret: bytes, good: Head, batch: pa.RecordBatch) -> int:
    """Count the entries of a batch, from its first on, that follow each other and `good`."""
    expected = np.arange(good.sequence + 1, good.sequence + 1 + batch.num_rows)
    in_place = batch["sequence"].to_numpy(zero_copy_only=False) == expected
    rows = int(batch.num_rows if in_place.all() else in_place.argmin())
    digest, number = hmac.digest, 0
    contents = chained_bytes(batch.slice(0, rows), good.chain).to_pylist() if rows else []
    for content, chain in zip(contents, batch["chain"].slice(0, rows).to_pylist(), strict=True):
        if content is None or digest(secret, content, "sha256").hex() != chain:
            return number
        number += 1
    return number


def advance(good: Head, batch: pa.RecordBatch, rows: int) -> Head:
    """Give the last of the first `rows` entries of a batch, or `good` if there are none."""
    return Head(good.sequence + rows, batch["chain"][rows - 1].as_py()) if rows else good


def check_segment(folder: Path, segment: Segment, secret: bytes) -> Checked:
    """Check every entry of a segment, that it is the file that was sealed, and that its keys are found."""
    start, file = Head(segment.first - 1, segment.previous), folder / segment.name
    if not segment.is_sealed(secret):
        return Checked(start, "edited", f"the record of segment {segment.name} was changed")
    if not file.is_file():
        words = f"entries {segment.first} to {segment.last} are gone with segment {segment.name}"
        return Checked(start, "missing", words)
    hashes: list[Index] = []
    checked = _check_entries(file, segment, secret, hashes)
    return checked if checked.flaw else _check_files(folder, segment, start, checked.good, hashes)


def _check_entries(file: Path, segment: Segment, secret: bytes, hashes: list[Index]) -> Checked:
    """Check the chain through the file; adds the hashes of its keys to `hashes`."""
    good = Head(segment.first - 1, segment.previous)
    try:
        for batch in read_file(file):
            rows = count_good(secret, good, batch)
            good = advance(good, batch, rows)
            if rows < batch.num_rows or good.sequence > segment.last:
                return Checked(good, "entry")
            hashes.append(hash_keys(batch["kind"], batch["key"]))
    except StorageError as error:
        words = f"segment {segment.name} cannot be read from entry {good.sequence + 1} on: {error.got}"
        return Checked(good, "damaged", words)
    if good.sequence < segment.last:
        words = f"entries {good.sequence + 1} to {segment.last} are gone from segment {segment.name}"
        return Checked(good, "truncated", words)
    return Checked(good)


def _check_files(folder: Path, segment: Segment, start: Head, end: Head, hashes: list[Index]) -> Checked:
    """Check what is true of a segment whose entries fit."""
    if end != segment.end or file_digest(folder / segment.name) != segment.sha256:
        return Checked(start, "damaged", f"segment {segment.name} is not the file that was sealed")
    index = load_index(index_file(folder, segment))
    if index is not None and not np.array_equal(index, sort_hashes(hashes)):
        words = f"{index_file(folder, segment).name} does not fit its segment: delete it, it is made anew"
        return Checked(start, "damaged", words)
    return Checked(end)
