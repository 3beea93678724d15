"""Figures by group of people: is the model worse for one group than for another, and did it become worse for one?

Groups come from ingest's own columns (yaw, brightness, skin tone) and from a table of attributes, if there is one. Such
a table holds how raters perceived a face, which is no fact about a person; its columns get the prefix `perceived_`.
"""

import zlib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from models.errors import DataError
from pipeline.config.evaluation import SliceParams
from pipeline.evaluation.aggregate import compare, tabulate
from pipeline.evaluation.bootstrap import CONFIDENCE, Bootstrap
from pipeline.evaluation.results import Figure, Gap, Slices

PREFIX = "perceived_"
METRICS = ("identity_distance_independent", "lpips")
"""Metrics whose worst and best slice are compared: better when smaller."""


def slice_table(portraits: pd.DataFrame, attributes: Path | None, params: SliceParams) -> pd.DataFrame:
    """Assign every portrait to a slice by every available attribute.

    Args:
        portraits: rows of ingest.
        attributes: CSV with a column `file` and numeric columns; portraits are found by file name, without folders.
        params: inner edges of the bins by column.

    Returns:
        `portrait_id`, then one column per attribute with names such as "yaw -10 to 10"; None where it is not known.

    Raises:
        DataError: the table cannot be read, has no column `file`, or holds one file name twice.
    """
    table = portraits if attributes is None else _join_attributes(portraits, _read(attributes))
    columns = {name: _binned(table[name], name, edges) for name, edges in params.edges.items() if name in table}
    return pd.DataFrame({"portrait_id": table["portrait_id"]} | columns)


def slice_figures(rows: pd.DataFrame, table: pd.DataFrame, min_people: int, resamples: int, seed: int) -> Slices:
    """Compute means, ratios and gaps by slice, of slices with at least `min_people` people.

    Args:
        rows: one row per mask and method, as in evaluation/rows.parquet; one method is `challenger`.
        table: of `slice_table`.
        min_people: different identities that a slice needs; others are left out.
        resamples: of the bootstrap over people.
        seed: of the bootstrap.
    """
    joined = rows.merge(table, on="portrait_id", how="left", suffixes=("", "_slice"))
    slices = Slices(methods={}, ratios={}, gaps={})
    for attribute in table.columns.drop("portrait_id"):
        part = _large_slices(joined.assign(bucket=joined[attribute]), min_people)
        if part.empty:
            continue
        for method, buckets in tabulate(part, "bucket", resamples, seed).items():
            slices.methods.setdefault(method, {}).update({k: v for k, v in buckets.items() if k != "all"})
        for name, ratios in compare(part, "challenger", resamples, seed).items():
            slices.ratios.setdefault(name, {}).update({k: v for k, v in ratios.items() if k != "all"})
        gaps = _gaps(part[part["method"] == "challenger"], resamples, seed)
        slices.gaps.update({attribute: gaps} if gaps else {})
    return slices


def _read(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise DataError(f"a CSV table at {path}", str(error).splitlines()[0], "correct data.attributes") from error
    if "file" not in table:
        raise DataError(f"a column `file` in {path.name}", ", ".join(table.columns), "rename it to `file`")
    return table


def _join_attributes(portraits: pd.DataFrame, attributes: pd.DataFrame) -> pd.DataFrame:
    """Join the attributes' numeric columns, prefixed, to the portraits."""
    numbers = attributes.select_dtypes("number").add_prefix(PREFIX)
    keyed = numbers.assign(key=[Path(str(file)).name for file in attributes["file"]])
    if keyed["key"].duplicated().any():
        twice = str(keyed["key"][keyed["key"].duplicated()].iloc[0])
        raise DataError("file names that differ in data.attributes", f"{twice} twice", "give every file one row")
    names = pd.Series([Path(file).name for file in portraits["file"]], index=portraits.index)
    return portraits.assign(key=names).merge(keyed, on="key", how="left")


def _binned(values: "pd.Series[float]", name: str, edges: Sequence[float]) -> "pd.Series[str]":
    """Name the bin of each value; bins are closed below; None for NaN."""
    numbers = np.asarray(values, np.float64)
    middle = [f"{name} {low:g} to {high:g}" for low, high in pairwise(edges)]
    names = np.array([f"{name} below {edges[0]:g}", *middle, f"{name} from {edges[-1]:g}"], object)
    labels = names[np.digitize(np.nan_to_num(numbers), edges)]
    labels[np.isnan(numbers)] = None
    return pd.Series(labels, index=values.index)


def _large_slices(rows: pd.DataFrame, min_people: int) -> pd.DataFrame:
    """Select rows whose bucket has enough people."""
    known = rows[rows["bucket"].notna()]
    people = known.groupby("bucket")["identity"].nunique()
    return known[known["bucket"].isin(people.index[people >= min_people])]


def _gaps(rows: pd.DataFrame, resamples: int, seed: int) -> dict[str, Gap]:
    """Divide the worst slice by the best, by metric; empty if there is only one slice."""
    if rows["bucket"].nunique() < 2:
        return {}
    return {metric: _gap(rows, metric, resamples, seed) for metric in METRICS}


def _gap(rows: pd.DataFrame, metric: str, resamples: int, seed: int) -> Gap:
    means = rows.groupby("bucket")[metric].mean()
    worst, best = str(means.idxmax()), str(means.idxmin())
    inside = [(rows["bucket"] == name).to_numpy(np.float64) for name in (worst, best)]
    values = rows[metric].to_numpy(np.float64)
    columns = np.stack([column for mask in inside for column in (values * mask, mask)], axis=1)
    bootstrap = Bootstrap(list(rows["identity"]), resamples, np.random.default_rng([seed, zlib.crc32(worst.encode())]))
    drawn = bootstrap.resampled_means(columns)
    with np.errstate(divide="ignore", invalid="ignore"):  # a perfect model, or a resample without the slice
        ratios = drawn[:, 0] * drawn[:, 3] / (drawn[:, 1] * drawn[:, 2])
        value = float(np.float64(means[worst]) / np.float64(means[best]))
    usable = ratios[np.isfinite(ratios)]
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(usable, [tail, 1 - tail]) if len(usable) else (np.nan, np.nan)
    return Gap(worst=worst, best=best, ratio=Figure.finite(value, float(low), float(high), len(rows)))
