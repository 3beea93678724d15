"""The table of portraits without its lists, made by row groups: workers read these from the file themselves."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from pipeline.engine.interface import Engine, Shard, cut
from pipeline.portraits.read import load_image, table_errors
from pipeline.project.paths import Paths
from pipeline.validation.facts import flatten

_ROWS_OF_A_GROUP = 512
"""As ingest writes them at most."""


@dataclass(frozen=True)
class Flattener:
    """Flattens row groups of a table; `side` is that of an aligned picture, pixels."""

    table: Path
    side: int

    def __call__(self, shard: Shard[int]) -> pd.DataFrame:
        """Read the row groups of a shard, by number, and flatten them (`facts.flatten`)."""
        with pq.ParquetFile(self.table) as file:
            return flatten(file.read_row_groups(list(shard.items)).to_pandas(), self.side)


def flat_table(paths: Paths, engine: Engine) -> pd.DataFrame:
    """Flatten the table of portraits.

    Raises:
        DataError: ingest has not run, or its table cannot be read.
        WorkerLost: see `Engine.map_shards`.
    """
    with table_errors(paths.portrait_rows, "ingest"):
        with pq.ParquetFile(paths.portrait_rows) as file:
            groups, columns, rows = range(file.num_row_groups), file.schema_arrow.names, file.metadata.num_rows
            first = file.read_row_groups([0]) if rows and "portrait_id" in columns else None
            empty = flatten(file.schema_arrow.empty_table().to_pandas(), 0)
        if not rows:
            return empty
        side = 0 if first is None else int(load_image(paths, first["portrait_id"][0].as_py()).shape[0])
        shards = cut("validate", groups, max(1, engine.shard_rows // _ROWS_OF_A_GROUP))
        return pd.concat(engine.map_shards(Flattener(paths.portrait_rows, side), shards), ignore_index=True)
