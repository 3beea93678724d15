"""Log entries as a typed table: JSON is read by Arrow, a chunk at a time."""

import io
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import json as arrow_json

from monitoring.log.rows import COLUMNS, FLAGS, INTEGERS, TEXT, set_types

_CHUNK = 5_000
_TYPES = dict.fromkeys((*TEXT, "time"), pa.string()) | dict.fromkeys(INTEGERS, pa.int64())
_TYPES |= dict.fromkeys(FLAGS, pa.bool_())
_SCHEMA = pa.schema([(name, _TYPES.get(name, pa.float64())) for name in COLUMNS])
_PARSING = arrow_json.ParseOptions(explicit_schema=_SCHEMA, unexpected_field_behavior="ignore")


def build_log_table(rows: Iterator[Any], answers: Iterable[Any]) -> pd.DataFrame:
    """Build the table of `ProductionLog.after`.

    Args:
        rows: (sequence, body) of restorations.
        answers: (key, body) of feedback, oldest first.
    """
    sequences: list[int] = []
    parts = [_SCHEMA.empty_table()]
    while chunk := list(islice(rows, _CHUNK)):
        sequences += [sequence for sequence, _ in chunk]
        parts.append(_parsed([body for _, body in chunk]))
    table = set_types(pa.concat_tables(parts).to_pandas())
    table["sequence"] = pd.Series(sequences, dtype="int64")
    latest = {key: json.loads(body) for key, body in answers}
    given = [latest.get(request_id, {}) for request_id in table["request_id"]]
    table["feedback_recognised"] = pd.Series([answer.get("recognised") for answer in given], dtype="boolean")
    table["feedback_preferred"] = pd.Series([answer.get("preferred") or "" for answer in given], dtype="object")
    return table


def _parsed(bodies: list[str]) -> pa.Table:
    return arrow_json.read_json(io.BytesIO("\n".join(bodies).encode()), parse_options=_PARSING)
