"""The page of the studies: complete, safe, and every chart and table as a file."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pandas as pd
import pytest

from pipeline.ablation.page import charts, long_table, place_of, write_page
from pipeline.ablation.results import (
    AblateReport,
    Crossing,
    CurvatureReport,
    DisagreementReport,
    FidFigures,
    IdFidReport,
    OnsetFigures,
    OnsetReport,
    TransitionReport,
    VariantFigures,
)
from pipeline.evaluation.charts import line_chart
from pipeline.evaluation.examples import Picture, Strip
from pipeline.evaluation.results import Buckets, Figure
from tests.pipeline.evaluation.test_report import NASTY, Page

NAMES = (
    "identity_similarity_training",
    "identity_similarity_independent",
    "lpips",
    "colour_error",
    "chroma_error",
    "retention",
    "missing_features",
)


def figure(value: float | None) -> Figure:
    return Figure(value=value, low=value and value - 0.1, high=value and value + 0.1, n=4)


def table() -> Buckets:
    return {level: {name: figure(value) for name in NAMES} for level, value in (("0.1", 0.9), ("0.2", 0.4))}


@pytest.fixture
def report() -> AblateReport:
    onset = OnsetFigures(
        floor=0.5,
        floor_from=NASTY,
        shape="smooth",
        bic={"line": 9.0, "smooth": 7.0, "knee": 8.0},
        knee=figure(0.2),
        knee_supported=False,
        slope_before=figure(-1.0),
        slope_after=figure(-2.0),
        first_below=None,
        crossing=figure(None),
        never=1.0,
    )
    by_role = {"training": onset, "independent": onset}
    fid = FidFigures(at_n=0.5, extrapolated=0.25, error=0.01, n=9, dimensions=4, enough=False)
    variant = VariantFigures(
        figures={"0.1-0.2": {"lpips": figure(0.3)}},
        ratios={"lpips": figure(1.25)},
        seeds={"lpips": [1.2, 1.3]},
        seconds=3.0,
    )
    return AblateReport(
        champion="c" * 64,
        version=NASTY,
        split="test",
        portraits=4,
        people=3,
        seed=1,
        encoders={"training": "sface", "independent": "dlib"},
        onset=OnsetReport(
            curves={"champion": table(), "telea": table()},
            onsets={"champion": by_role, "telea": by_role},
            components={"champion": {"nose": table()["0.1"]}},
        ),
        transition=TransitionReport(
            curves={"inpaint champion": table(), "colorize champion": table()},
            colour_ratios={"grey world": figure(0.3)},
            crossings=(Crossing(what="a rises above b", at=None), Crossing(what="c rises above d", at=0.25)),
        ),
        id_fid=IdFidReport(variance_kept=0.75, whole={"champion": {"0.1": fid}}, leading={"champion": {"0.1": fid}}),
        disagreement=DisagreementReport(
            pairs=8, disagree=0.25, rank_correlation=0.5, lpips_correlation=0.75, examples=("x",)
        ),
        curvature=CurvatureReport(
            largest=9.0,
            smallest=-1.0,
            trace=30.0,
            trace_error=2.0,
            parameters=7,
            training_loss=1.0,
            validation_loss=1.5,
            gap=0.5,
        ),
        variants={"complete": variant, "identity": variant},
    )


def test_everything_is_written(report: AblateReport, tmp_path: Path) -> None:
    strip = Strip(NASTY, "", (Picture("intact", "", "data:image/jpeg;base64,AA"),))
    write_page(report, [strip], tmp_path, "report.html")
    drawings = {"onset-training", "onset-independent", "colour", "transition", "retention"}
    assert {file.stem for file in tmp_path.glob("*.svg")} == drawings
    assert {file.stem for file in tmp_path.glob("*.csv")} == {"onset", "components", "transition", "variants"}
    html = (tmp_path / "report.html").read_text()
    page = Page(html)
    assert page.open == []
    assert page.tags.count("svg") == 5
    assert "script" not in page.tags
    assert page.loads == ["data:image/jpeg;base64,AA"]
    assert html.count("nowhere in the range") == 1
    assert "from 0.250 coverage on" in html
    assert "<td>1.250<small>[1.150, 1.350]</small></td>" in html


def test_drawings_are_documents_of_their_own(report: AblateReport, tmp_path: Path) -> None:
    write_page(report, [], tmp_path, "report.html")
    root = ET.fromstring((tmp_path / "onset-training.svg").read_text())
    lines = root.findall("{http://www.w3.org/2000/svg}polyline")
    assert len(lines) == 2
    dashed = [line for line in root.iter("{http://www.w3.org/2000/svg}line") if line.get("stroke-dasharray")]
    assert len(dashed) == 1


def test_studies_that_did_not_run_are_left_out(report: AblateReport, tmp_path: Path) -> None:
    empty = dict.fromkeys(("onset", "transition", "id_fid", "disagreement", "curvature", "variants"))
    write_page(report.model_copy(update=empty), [], tmp_path, "report.html")
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
    assert Page((tmp_path / "report.html").read_text()).tags.count("h2") == 0


def test_guides_lie_on_the_scale(report: AblateReport) -> None:
    chart = line_chart("t", "x", {"m": table()}, "lpips")  # up to 1.0
    (bottom, _), (top, label) = chart.y_ticks[0], chart.y_ticks[-1]
    assert label == "1"
    assert place_of(chart, 0.25) == pytest.approx(bottom + 0.25 * (top - bottom))
    assert charts(report)["onset-training"][1] == ((place_of(chart, 0.5), "genuine pairs, 5th percentile"),)


def test_long_tables_have_a_line_per_figure() -> None:
    lines = long_table({"m": {"0.1": {"lpips": figure(0.5)}}})
    assert lines.equals(
        pd.DataFrame(
            [["m", "0.1", "lpips", 0.5, 0.4, 0.6, 4]],
            columns=["method", "bucket", "metric", "value", "low", "high", "n"],
        )
    )
