"""The file of a segment: Parquet with the columns of the log's table, text as it was chained."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from models.errors import StorageError
from monitoring.log.chain import Stored
from monitoring.log.schema import BATCH

SCHEMA = pa.schema([("sequence", pa.int64()), *((name, pa.string()) for name in Stored._fields[1:])])
_MODE = 0o600


def batch_of(rows: Sequence[Sequence[Any]]) -> pa.RecordBatch:
    """Make a batch of entries (the fields of `Stored`)."""
    columns = zip(*rows, strict=True) if rows else [[] for _ in SCHEMA]
    return pa.RecordBatch.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)], schema=SCHEMA
    )


def write_file(path: Path, batches: Iterable[pa.RecordBatch]) -> str:
    """Write batches of at most `BATCH` rows, all but the last of exactly so many; gives the file's SHA-256.

    When this returns the file is on the disk.
    """
    handle = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_RDWR, _MODE)
    with os.fdopen(handle, "wb") as stream:
        with parquet.ParquetWriter(stream, SCHEMA, compression="zstd", use_dictionary=["kind"]) as writer:
            for batch in batches:
                writer.write_batch(batch, row_group_size=BATCH)
        stream.flush()
        os.fsync(stream.fileno())
    return file_digest(path)


def file_digest(path: Path) -> str:
    """Compute the SHA-256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_file(path: Path, columns: Sequence[str] = SCHEMA.names, group: int | None = None) -> Iterator[pa.RecordBatch]:
    """Read a segment's file, or one of its row groups, a row group at a time.

    Raises:
        StorageError: it is missing or no such file.
    """
    try:
        with parquet.ParquetFile(path, pre_buffer=False) as file:
            for number in range(file.num_row_groups) if group is None else (group,):
                yield from file.read_row_group(number, columns=list(columns), use_threads=False).to_batches()
    except (pa.ArrowException, OSError, KeyError, IndexError) as error:
        raise StorageError(
            f"a segment of the production log in {path}",
            str(error).splitlines()[0][:200],
            "restore the file from a backup; `likeness audit verify` names what is wrong",
        ) from error


def keys_in(path: Path, kind: str) -> Iterator[str]:
    """Read what the entries of one kind are about in a segment's file.

    Raises:
        StorageError: it is missing or no such file.
    """
    for batch in read_file(path, ("kind", "key")):
        yield from batch.filter(pc.field("kind") == kind)["key"].to_pylist()
