"""Look entries up by kind and key in segments: a sorted array beside each, read where it is searched.

The array is made of the segment alone, and made anew where it is missing or has another length.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from secrets import token_hex

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pandas.util import hash_array

from monitoring.log.chain import Stored
from monitoring.log.schema import BATCH
from monitoring.log.segments.file import read_file
from monitoring.log.segments.record import Segment

ROW_BITS = 24
"""Bits for a row's number in its segment; the others are the hash's."""
_ROW = np.uint64(2**ROW_BITS - 1)
Index = npt.NDArray[np.uint64]


def hash_keys(kinds: pa.Array, keys: pa.Array) -> Index:
    """Hash pairs of kind and key."""
    joined = pc.binary_join_element_wise(kinds, keys, "\0")
    hashes: Index = hash_array(joined.to_numpy(zero_copy_only=False), categorize=False)
    return hashes & ~_ROW


def build_index(file: Path) -> Index:
    """Build the array of a segment's file: hash and row number in one value, sorted."""
    return sort_hashes([hash_keys(batch["kind"], batch["key"]) for batch in read_file(file, ("kind", "key"))])


def sort_hashes(hashes: Sequence[Index]) -> Index:
    """Put the number of its row into each hash, and sort."""
    values = np.concatenate([np.empty(0, np.uint64), *hashes])
    return np.sort(values | np.arange(len(values), dtype=np.uint64))


def load_index(path: Path) -> Index | None:
    """Open an array where it lies; None if there is none, or half of one."""
    try:
        found: Index = np.load(path, mmap_mode="r")
    except (FileNotFoundError, ValueError, EOFError):
        return None
    return found


def index_file(folder: Path, segment: Segment) -> Path:
    """Locate the array of a segment."""
    return folder / f"{segment.name.removesuffix('.parquet')}.keys.npy"


def write_index(folder: Path, segment: Segment) -> None:
    """Write the array of a segment, whole or not at all."""
    path = index_file(folder, segment)
    temporary = path.with_name(f".{path.name}.{token_hex(4)}.tmp")
    try:
        with temporary.open("wb") as stream:
            np.save(stream, build_index(folder / segment.name))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def find_sealed(folder: Path, segment: Segment, kind: str, key: str) -> Iterator[Stored]:
    """Find the entries of one kind about one key in a segment, in order."""
    wanted = int(hash_keys(pa.array([kind]), pa.array([key]))[0])
    index = _opened(folder, segment)
    first, last = np.searchsorted(index, np.array([wanted, wanted | int(_ROW)], np.uint64))
    for row in sorted(int(value & _ROW) for value in index[first : last + 1] if value & ~_ROW == np.uint64(wanted)):
        entry = _entry(folder / segment.name, row)
        if (entry.kind, entry.key) == (kind, key):
            yield entry


def sealed_among(folder: Path, segment: Segment, kind: str, keys: Sequence[str]) -> str | None:
    """Find the first of these keys that a segment has an entry of this kind about."""
    index = _opened(folder, segment)
    hashes = hash_keys(pa.array([kind] * len(keys), pa.string()), pa.array(keys, pa.string()))
    near = index[np.minimum(np.searchsorted(index, hashes), len(index) - 1)]
    likely = [keys[int(place)] for place in np.flatnonzero(near & ~_ROW == hashes)]
    return next((key for key in likely if any(find_sealed(folder, segment, kind, key))), None)


def _opened(folder: Path, segment: Segment) -> Index:
    return _mapped(index_file(folder, segment), folder, segment)


@lru_cache(maxsize=4096)
def _mapped(path: Path, folder: Path, segment: Segment) -> Index:
    found = load_index(path)
    if found is None or len(found) != segment.rows:
        write_index(folder, segment)
        found = load_index(path)
    assert found is not None  # it was written
    return found


def _entry(file: Path, row: int) -> Stored:
    (found,) = pa.Table.from_batches(read_file(file, group=row // BATCH)).slice(row % BATCH, 1).to_pylist()
    return Stored(**found)
