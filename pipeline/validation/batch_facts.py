"""Facts about a batch of portraits as a whole: shares of bins, who lies in which split, columns of the wrong kind."""

from collections.abc import Mapping

import numpy as np
import pandas as pd


def bin_shares(values: "pd.Series[float]", edges: tuple[float, ...]) -> "pd.Series[float]":
    """Share of values per bin between the inner edges, all bins listed; bins are closed below. Sums to 1, or is 0."""
    bins = pd.Series(np.digitize(values.dropna(), edges))
    counts = bins.value_counts().reindex(range(len(edges) + 1), fill_value=0)
    return counts / max(len(bins), 1)


def identities_in_several_splits(table: pd.DataFrame) -> list[str]:
    """Identities whose portraits lie in more than one split, sorted."""
    splits = table.groupby("identity")["split"].nunique()
    return sorted(splits.index[splits > 1])


def largest_gap(table: pd.DataFrame, column: str, edges: tuple[float, ...]) -> float:
    """Largest difference of a bin's share of `column` between any two splits, in [0, 1]."""
    shares = pd.DataFrame({name: bin_shares(part[column], edges) for name, part in table.groupby("split")})
    return float((shares.max(axis=1) - shares.min(axis=1)).max()) if len(shares.columns) else 0.0


def columns_of_other_type(table: pd.DataFrame, types: Mapping[str, str]) -> list[str]:
    """`column: type` for each column that is not of its type; `str` means that every value is one."""
    return [f"{name}: {_kind(table[name])}" for name, kind in types.items() if _kind(table[name]) != kind]


def columns_with_gaps(table: pd.DataFrame) -> list[str]:
    """`column: number of gaps` (None, NaN) for each column that has some."""
    gaps = table.isna().sum()
    return [f"{name}: {count}" for name, count in gaps[gaps > 0].items()]


def _kind(column: "pd.Series[float]") -> str:
    if column.dtype != object:
        return str(column.dtype)
    kinds = sorted({type(value).__name__ for value in column.dropna()})
    return "/".join(kinds) or "str"  # a column without values has every type
