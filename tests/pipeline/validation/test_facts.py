"""The arithmetic below the expectations over a batch, by hand."""

import pandas as pd

from pipeline.validation.facts import (
    bin_shares,
    columns_of_other_type,
    columns_with_gaps,
    identities_in_several_splits,
    largest_gap,
)


def test_bins_are_closed_below_and_all_are_listed() -> None:
    shares = bin_shares(pd.Series([-5.0, 0.0, 9.9, 10.0, None]), (0.0, 10.0, 20.0))
    assert shares.tolist() == [0.25, 0.5, 0.25, 0.0]
    assert bin_shares(pd.Series([1.0])[:0], (0.0,)).tolist() == [0.0, 0.0]


def test_identities_in_several_splits() -> None:
    table = pd.DataFrame({"identity": ["b", "a", "b", "c", "c"], "split": ["test", "train", "train", "test", "test"]})
    assert identities_in_several_splits(table) == ["b"]


def test_largest_gap() -> None:
    table = pd.DataFrame(
        {"split": ["train"] * 4 + ["test"] * 2 + ["validation"], "tone": [1.0, 1.0, 1.0, 9.0, 1.0, 9.0, 1.0]}
    )
    assert largest_gap(table, "tone", (5.0,)) == 0.5  # light: 3/4, 1/2 and 1
    assert largest_gap(table.iloc[:0], "tone", (5.0,)) == 0.0


def test_columns_of_another_type_or_with_gaps() -> None:
    table = pd.DataFrame({"name": ["a", None, 3], "size": [1, 2, 3], "score": [0.5, None, None]})
    types = {"name": "str", "size": "int64", "score": "float32"}
    assert columns_of_other_type(table, types) == ["name: int/str", "score: float64"]
    assert columns_with_gaps(table) == ["name: 1", "score: 2"]
    assert columns_of_other_type(table.iloc[:0], {"name": "str"}) == []
