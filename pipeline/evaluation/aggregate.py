"""Aggregate one row per restoration to figures per bucket: pure, without pictures."""

import zlib
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from models.errors import DataError
from models.metrics.names import MEANS, WORST, bucket_names
from pipeline.evaluation.bootstrap import Bootstrap, Floats, Interval
from pipeline.evaluation.results import Buckets, Figure, Metrics


def bucket_of(value: float, edges: Sequence[float]) -> str:
    """Name the bucket that holds a value; buckets are closed below, the last one on both ends."""
    index = int(np.searchsorted(np.asarray(edges), value, side="right")) - 1
    return bucket_names(edges)[min(max(index, 0), len(edges) - 2)]


def tabulate(rows: pd.DataFrame, column: str, resamples: int, seed: int) -> dict[str, Buckets]:
    """Average with intervals by method, by value of `column` and by metric; bucket `all` holds every row.

    Args:
        rows: one row per mask and method, as in evaluation/rows.parquet.
        column: `bucket` or `missing_bucket`.
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """
    tables: dict[str, Buckets] = {method: {} for method in rows["method"].unique()}
    for name, by_method in _groups(rows, column):
        bootstrap = _bootstrap(by_method, name, resamples, seed)
        for method, frame in by_method.items():
            tables[method][name] = _metrics(frame, bootstrap)
    return tables


def compare(rows: pd.DataFrame, challenger: str, resamples: int, seed: int) -> dict[str, dict[str, Figure]]:
    """Compute paired ratios of means, challenger over each other method: `METRIC_vs_METHOD` -> bucket -> figure."""
    ratios: dict[str, dict[str, Figure]] = {}
    for name, by_method in _groups(rows, "bucket"):
        bootstrap = _bootstrap(by_method, name, resamples, seed)
        ours = _values(by_method[challenger])
        for other, frame in by_method.items():
            if other == challenger:
                continue
            for metric, interval in zip(MEANS, bootstrap.ratios(ours, _values(frame)), strict=True):
                ratios.setdefault(f"{metric}_vs_{other}", {})[name] = Figure.of(interval)
    return ratios


def _groups(rows: pd.DataFrame, column: str) -> Iterator[tuple[str, dict[str, pd.DataFrame]]]:
    """Group rows by bucket and method, in the same order of masks for every method."""
    buckets = [("all", rows), *((str(name), part) for name, part in rows.groupby(column, sort=True))]
    for name, part in buckets:
        by_method = {str(m): frame.sort_values("mask_id") for m, frame in part.groupby("method", sort=False)}
        masks = [list(frame["mask_id"]) for frame in by_method.values()]
        if any(each != masks[0] for each in masks):
            raise DataError("the same masks for every method", f"other masks in bucket {name}", "run evaluate again")
        yield name, by_method


def _bootstrap(by_method: dict[str, pd.DataFrame], bucket: str, resamples: int, seed: int) -> Bootstrap:
    identities = list(next(iter(by_method.values()))["identity"])
    # Seeded by the bucket's name, so that a bucket's interval does not depend on which others exist.
    return Bootstrap(identities, resamples, np.random.default_rng([seed, zlib.crc32(bucket.encode())]))


def _metrics(frame: pd.DataFrame, bootstrap: Bootstrap) -> Metrics:
    figures = {m: Figure.of(i) for m, i in zip(MEANS, bootstrap.means(_values(frame)), strict=True)}
    worst = float(frame[WORST].max())
    return figures | {WORST: Figure.of(Interval(worst, worst, worst, len(frame)))}


def _values(frame: pd.DataFrame) -> Floats:
    return frame[list(MEANS)].to_numpy(dtype=np.float64)
