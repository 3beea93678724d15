"""The portraits that a run learns from or is judged by, as a data set in MLflow: digest, sources, people per split."""

import json
from typing import TYPE_CHECKING, Literal

import pandas as pd

from pipeline.project.paths import Paths
from pipeline.registry.client import connect, translate_outages
from pipeline.registry.lineage import data_digest
from pipeline.registry.tracking import current_run

if TYPE_CHECKING:
    from mlflow.entities import Dataset

NAME = "portraits"
_DIGEST = 32
"""Hexadecimal digits of the digest; MLflow keeps at most 36 characters. The whole is in the tag `data_digest`."""


def log_data_set(paths: Paths, context: Literal["training", "evaluation"]) -> None:
    """Log the portraits of this checkout as an input of the current run; the same again adds nothing.

    Raises:
        DataError: there are no portraits.
        ServiceUnavailable: MLflow does not answer.
    """
    from mlflow.entities import DatasetInput, InputTag

    digest, rows = data_digest(paths.portrait_rows), pd.read_parquet(paths.portrait_rows)
    tags = {
        "mlflow.data.context": context,
        "data_digest": digest,
        "sources": ", ".join(sorted(rows["source"].unique())),
        **{f"people.{split}": str(people) for split, people in _people(rows).items()},
    }
    run_id, client = current_run(paths), connect(paths)
    entry = DatasetInput(_data_set(paths, digest, rows), [InputTag(name, value) for name, value in tags.items()])
    with translate_outages(client.tracking_uri):
        client.log_inputs(run_id, [entry])


def short_digest(digest: str) -> str:
    """Shorten the digest of the portraits to what MLflow calls their data set by."""
    return digest[:_DIGEST]


def _data_set(paths: Paths, digest: str, rows: pd.DataFrame) -> "Dataset":
    from mlflow.entities import Dataset

    profile = {"num_rows": len(rows), "portraits": _portraits(rows), "people": _people(rows)}
    place = paths.root.resolve().relative_to(paths.home.root) / paths.portrait_rows.relative_to(paths.root)
    source = {"uri": place.as_posix()}  # from the project's folder: a copy of that has its own table
    return Dataset(NAME, short_digest(digest), "local", json.dumps(source), profile=json.dumps(profile))


def _portraits(rows: pd.DataFrame) -> dict[str, int]:
    return {str(split): int(count) for split, count in rows.groupby("split").size().items()}


def _people(rows: pd.DataFrame) -> dict[str, int]:
    return {str(split): int(count) for split, count in rows.groupby("split")["identity"].nunique().items()}
