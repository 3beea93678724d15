"""Figures by group, worked out by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from models.errors import DataError
from models.metrics.names import MEANS
from pipeline.config.evaluation import SliceParams
from pipeline.evaluation.slices import slice_figures, slice_table

PORTRAITS = pd.DataFrame(
    {
        "portrait_id": ["a", "b", "c", "d"],
        "file": ["test/1.jpg", "test/2.jpg", "test/3.jpg", "test/4.jpg"],
        "yaw": [-20.0, -10.0, 9.9, np.nan],
    }
)


def params(**edges: tuple[float, ...]) -> SliceParams:
    return SliceParams(min_people=2, edges=edges or {"yaw": (-10.0, 10.0)})


def rows(portraits: str, challenger: list[float], champion: list[float]) -> pd.DataFrame:
    parts = []
    for method, values in (("challenger", challenger), ("champion", champion)):
        frame = pd.DataFrame({"portrait_id": list(portraits), "method": method, "lpips": values})
        frame = frame.assign(mask_id=frame["portrait_id"], identity=frame["portrait_id"], bucket="0.1-0.2")
        parts.append(frame.assign(known_pixels_changed=0, **{name: 1.0 for name in MEANS if name != "lpips"}))
    return pd.concat(parts)


def test_bins_are_closed_below_and_gaps_stay_unknown() -> None:
    table = slice_table(PORTRAITS, None, params())
    assert table["yaw"].tolist() == ["yaw below -10", "yaw -10 to 10", "yaw -10 to 10", None]


def test_attributes_are_found_by_file_name(tmp_path: Path) -> None:
    csv = tmp_path / "attributes.csv"
    csv.write_text("file,age,note\nomi/2.jpg,30,x\nomi/1.jpg,29.9,x\nomi/9.jpg,1,x\n")
    table = slice_table(PORTRAITS, csv, params(perceived_age=(30.0,), yaw=(0.0,), perceived_height=(1.0,)))
    assert table["perceived_age"].tolist() == ["perceived_age below 30", "perceived_age from 30", None, None]
    assert list(table) == ["portrait_id", "perceived_age", "yaw"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,age\n1.jpg,3\n", "a column `file` in attributes.csv; got name, age"),
        ("file,age\nx/1.jpg,3\ny/1.jpg,3\n", "got 1.jpg twice"),
        (None, "a CSV table at .*; correct data.attributes"),
        ("", "a CSV table at .*; correct data.attributes"),
    ],
)
def test_tables_that_do_not_fit_are_refused(tmp_path: Path, text: str | None, message: str) -> None:
    csv = tmp_path / "attributes.csv"
    if text is not None:
        csv.write_text(text)
    with pytest.raises(DataError, match=message):
        slice_table(PORTRAITS, csv, params())


def test_means_ratios_and_gaps() -> None:
    table = pd.DataFrame({"portrait_id": list("abcdef"), "yaw": ["left", "left", "right", "right", "rare", None]})
    figures = slice_figures(rows("abcdef", [0.1, 0.3, 0.4, 0.6, 9, 9], [0.2, 0.2, 0.2, 0.3, 9, 9]), table, 2, 200, 1)
    assert {k: v["lpips"].value for k, v in figures.methods["challenger"].items()} == pytest.approx(
        {"left": 0.2, "right": 0.5}
    )
    assert figures.methods["challenger"]["left"]["lpips"].n == 2
    assert {k: v.value for k, v in figures.ratios["lpips_vs_champion"].items()} == pytest.approx(
        {"left": 1.0, "right": 2.0}
    )
    gap = figures.gaps["yaw"]["lpips"]
    assert (gap.worst, gap.best) == ("right", "left")
    assert gap.ratio.value == pytest.approx(2.5)
    assert gap.ratio.low is not None
    assert gap.ratio.high is not None
    # Of two people each, means lie in 0.4..0.6 and 0.1..0.3 whoever is drawn.
    assert 4 / 3 - 1e-9 <= gap.ratio.low <= 2.5 <= gap.ratio.high <= 6 + 1e-9


def test_one_person_many_times_is_still_one_person() -> None:
    table = pd.DataFrame({"portrait_id": list("abcd"), "yaw": ["left", "left", "right", "right"]})
    same = rows("abcd", [0.1, 0.3, 0.4, 0.6], [0.2] * 4)
    same.loc[same["portrait_id"].isin(["a", "b"]), "identity"] = "ann"
    figures = slice_figures(same, table, 2, 50, 1)
    assert set(figures.methods["challenger"]) == {"right"}
    assert figures.gaps == {}


def test_too_few_people_have_no_slices() -> None:
    table = pd.DataFrame({"portrait_id": list("ab"), "yaw": ["left", "right"]})
    figures = slice_figures(rows("ab", [0.1, 0.3], [0.2, 0.2]), table, 2, 50, 1)
    assert (figures.methods, figures.ratios, figures.gaps) == ({}, {}, {})


def test_edges_must_rise() -> None:
    with pytest.raises(ValidationError, match=r"edges\.yaw must be one or more rising numbers"):
        params(yaw=(1.0, 1.0))
