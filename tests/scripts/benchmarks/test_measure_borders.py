"""The tables of damage over a face's border: ratios of means, and no table of nobody."""

import pandas as pd

from scripts.benchmarks.measure_borders import METHODS, tables

FIGURES = ("lpips", "identity", "error")


def rows(*yaws: float) -> pd.DataFrame:
    """People; every figure of the n-th method is n times that of the first."""
    return pd.DataFrame(
        [
            {"person": person, "yaw": yaw}
            | {f"{figure} {name}": (person + 1) * (at + 1) for figure in FIGURES for at, name in enumerate(METHODS)}
            for person, yaw in enumerate(yaws)
        ]
    )


def test_all_people_and_turned_heads_have_a_table_each() -> None:
    lines = tables(rows(-30.0, 2.0, 17.0), seed=5)
    assert [line for line in lines if line.startswith("###")] == ["### all, 3", "### turned, 2"]
    assert lines.count("| restored | " + " | ".join(["2.000 [2.000, 2.000]"] * 3) + " |") == 2
    assert lines.count("| Telea | " + " | ".join(["4.000 [4.000, 4.000]"] * 3) + " |") == 2


def test_where_no_head_is_turned_or_nobody_was_found_that_is_said() -> None:
    assert tables(rows(1.0, 2.0), seed=5)[-3:] == ["### turned, 0", "", "nobody"]
    assert tables(pd.DataFrame([]), seed=5) == ["", "### all, 0", "", "nobody", "", "### turned, 0", "", "nobody"]
