"""The table of evaluation masks, written a batch at a time."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.damage.sampler import MaskRecord

SCHEMA = pa.schema(
    [
        ("mask_id", pa.string()),
        ("portrait_id", pa.string()),
        ("kind", pa.string()),
        ("seed", pa.int64()),
        ("bucket", pa.string()),
        ("area", pa.float32()),
        ("coverage", pa.float32()),
        ("missing_features", pa.float32()),
        ("chroma_area", pa.float32()),
        ("missing", pa.list_(pa.string())),
    ]
)
Row = dict[str, Any]


def mask_row(mask_id: str, portrait_id: str, record: MaskRecord) -> Row:
    """One row of the table."""
    return {"mask_id": mask_id, "portrait_id": portrait_id, **vars(record), "missing": list(record.missing)}


def record_of(row: Row) -> MaskRecord:
    """The record in a row (shares as float32 kept them); `pipeline.damage.redraw` draws its mask again."""
    values = {name: row[name] for name in MaskRecord.__dataclass_fields__}
    return MaskRecord(**{**values, "missing": tuple(row["missing"]), "seed": int(row["seed"])})


def write_rows(path: Path, rows: Iterable[Row], batch: int = 512) -> None:
    """Write the rows to a new parquet file as they come; memory holds one batch."""
    with pq.ParquetWriter(path, SCHEMA) as writer:
        for group in _groups(rows, batch):
            writer.write_table(pa.Table.from_pylist(group, schema=SCHEMA))


def _groups(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    group: list[Row] = []
    for row in rows:
        group.append(row)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group
