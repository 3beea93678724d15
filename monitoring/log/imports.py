"""Take rows of another service into the production log: read from a file, checked one by one, then appended."""

import csv
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from models.errors import DataError
from monitoring.log.production_log import ProductionLog
from monitoring.log.rows import TEXT, LogRow

_AT_ONCE = 1_000
"""Rows of one transaction."""
_LONGEST = 2**20
"""Bytes of one line."""
_OBJECT = TypeAdapter(dict[str, Any])


class Imported(NamedTuple):
    """How many rows were added, and how many of the file were in the log already."""

    added: int
    known: int


def import_rows(
    log: ProductionLog, file: Path, valid: Callable[[str], str], pseudonym: Callable[[str], str]
) -> Imported:
    """Append the rows of a file; those that are in the log already stay, so a broken-off import can be repeated.

    All rows are checked before the first is appended. Memory does not grow with the file.

    Args:
        log: to append to.
        file: JSON lines (.jsonl), CSV (.csv) or Parquet (.parquet) with the fields of `LogRow`.
        valid: checks and normalises a subject's identifier in the file.
        pseudonym: from such an identifier to what is logged of it.

    Raises:
        DataError: another format, an unreadable file, a row that is no `LogRow`, with its number, or one whose request
            is in the log with other figures.
    """
    for _ in _rows(file, lambda subject: valid(subject) and ""):
        pass
    rows, added, known = _rows(file, lambda subject: pseudonym(valid(subject))), 0, 0
    while chunk := list(islice(rows, _AT_ONCE)):
        new = [row for row in chunk if not _is_known(log, row)]
        added, known = added + log.append(new), known + len(chunk) - len(new)
    return Imported(added, known)


def _is_known(log: ProductionLog, row: LogRow) -> bool:
    logged = log.row(row.request_id)
    if logged not in (None, row):
        found = f"another row with request_id {row.request_id!r} in the log"
        raise DataError("rows that are not in the log, or are as they are there", found, "leave it out of the file")
    return logged is not None


def _rows(file: Path, pseudonym: Callable[[str], str]) -> Iterator[LogRow]:
    """Read and check row by row; a subject becomes its pseudonym."""
    for number, fields in enumerate(_read(file), 1):
        subject = fields.get("subject")
        named = fields | {"subject": pseudonym(subject) if isinstance(subject, str) and subject else ""}
        try:
            yield LogRow.model_validate(named)
        except ValidationError as error:
            first = error.errors()[0]
            at = ".".join(map(str, first["loc"])) or "row"
            raise DataError(
                "rows as `likeness log schema` describes them",
                f"row {number} of {file.name}: {at}: {first['msg']}",
                "mend it; nothing was imported",
            ) from error


def _read(file: Path) -> Iterator[dict[str, Any]]:
    readers = {".jsonl": _read_json_lines, ".csv": _read_csv, ".parquet": _read_parquet}
    reader = readers.get(file.suffix.lower())
    if reader is None or not file.is_file():
        raise DataError(f"a file that ends in {', '.join(readers)}", str(file), "name such a file")
    return reader(file)


def _read_json_lines(file: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(_lines(file), 1):
        if line.strip():
            try:
                yield _OBJECT.validate_json(line)
            except ValidationError as error:
                found = f"line {number} of {file.name}: {error.errors()[0]['msg']}"
                raise DataError("one JSON object a line", found, "mend it; nothing was imported") from error


def _lines(file: Path) -> Iterator[bytes]:
    """Read line by line, without the mark of UTF-8 that some programs put first; a line has an end, so memory has."""
    with file.open("rb") as stream:
        mark = stream.read(len(BOM_UTF8))
        stream.seek(len(mark) if mark == BOM_UTF8 else 0)
        number = 0
        while line := stream.readline(_LONGEST + 1):
            number += 1
            if len(line) > _LONGEST:
                found = f"line {number} of {file.name} with more"
                raise DataError(f"lines of at most {_LONGEST} bytes", found, "mend it; nothing was imported")
            yield line


def _read_csv(file: Path) -> Iterator[dict[str, Any]]:
    """Read cells as text; an empty one is no value, but for columns of text."""
    lines = (line.decode("utf-8") for line in _lines(file))
    try:
        for cells in csv.DictReader(lines, restkey="more cells than columns"):
            yield {name: cell if cell or name in TEXT else None for name, cell in cells.items()}
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError("a CSV file in UTF-8", f"{file.name}: {error}", "write it anew") from error


def _read_parquet(file: Path) -> Iterator[dict[str, Any]]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(file) as table:
            for batch in table.iter_batches(_AT_ONCE):
                yield from map(_without_nan, batch.to_pylist())
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError("a Parquet file", f"{file.name}: {error}", "write it anew") from error


def _without_nan(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Replace not-a-number, which tables hold where there is no value."""
    return {name: None if value != value else value for name, value in fields.items()}  # noqa: PLR0124 - NaN
