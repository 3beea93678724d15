"""Log entries as a typed table: JSON is read by Arrow, a chunk at a time."""

import io
import json
from collections.abc import Iterable

import pandas as pd
import pyarrow as pa
from pyarrow import json as arrow_json

from monitoring.log.rows import COLUMNS, FLAGS, INTEGERS, TEXT, set_types

_TYPES = dict.fromkeys((*TEXT, "time"), pa.string()) | dict.fromkeys(INTEGERS, pa.int64())
_TYPES |= dict.fromkeys(FLAGS, pa.bool_())
_SCHEMA = pa.schema([(name, _TYPES.get(name, pa.float64())) for name in COLUMNS])
_READING = arrow_json.ReadOptions(block_size=2**28, use_threads=False)
"""A batch is one block, so that its rows stay in order."""
_PARSING = arrow_json.ParseOptions(explicit_schema=_SCHEMA, unexpected_field_behavior="ignore")


def read_rows(batch: pa.RecordBatch) -> pd.DataFrame:
    """Read the rows of restorations (columns of `LogRow`, and `sequence`) from a batch of their entries."""
    if not batch.num_rows:
        return empty_rows()
    content = io.BytesIO("\n".join(batch["body"].to_pylist()).encode())
    table = set_types(arrow_json.read_json(content, read_options=_READING, parse_options=_PARSING).to_pandas())
    return table.assign(sequence=batch["sequence"].to_numpy())


def empty_rows() -> pd.DataFrame:
    """Make the same table without a row."""
    return set_types(_SCHEMA.empty_table().to_pandas()).assign(sequence=pd.Series(dtype="int64"))


def add_feedback(rows: pd.DataFrame, answers: Iterable[tuple[str, str]]) -> pd.DataFrame:
    """Add the latest feedback to rows.

    Args:
        rows: see `read_rows`.
        answers: (key, body) of feedback, oldest first, also on other requests.
    """
    asked = set(rows["request_id"])
    latest = {key: json.loads(body) for key, body in answers if key in asked}
    given = [latest.get(request_id, {}) for request_id in rows["request_id"]]
    return rows.assign(
        feedback_recognised=pd.Series([answer.get("recognised") for answer in given], dtype="boolean"),
        feedback_preferred=pd.Series([answer.get("preferred") or "" for answer in given], dtype="object"),
    )
