"""The gate on hand-made reports: every way to judge, the boundary, and figures that are not there."""

import json
from pathlib import Path

import pytest

from models.errors import DataError
from pipeline.config.evaluation import Criterion, GateParams
from pipeline.evaluation.gate_report import format_gate
from pipeline.evaluation.headline import FIGURES, headline_figures
from pipeline.evaluation.results import EvaluateReport, Figure, Slices
from pipeline.gate import find_figure, gate, judge, verdict_of, write_gate
from pipeline.project.paths import Paths


def criterion(**changes: object) -> Criterion:
    fields = {"name": "c", "metric": "lpips", "versus": "", "bucket": "all", "at_most": 0.5, "judge": "value"}
    return Criterion.model_validate(fields | changes)


def figure(value: float | None, low: float | None = None, high: float | None = None) -> Figure:
    return Figure(value=value, low=low, high=high, n=10)


@pytest.fixture
def evaluation() -> EvaluateReport:
    return EvaluateReport(
        portraits=10,
        identities=5,
        masks=10,
        versions={"challenger": "c" * 64},
        encoders={"training": "sface", "independent": "dlib"},
        thresholds={"training": 0.4, "independent": 0.9},
        methods={"challenger": {"all": {"lpips": figure(0.20, 0.15, 0.25)}}},
        missing={},
        ratios={"lpips_vs_telea": {"all": figure(0.90, 0.85, 0.97), "0.1-0.2": figure(0.8)}},
        id_fid={},
        latency_ms={},
        summary={},
    )


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"at_most": 0.2, "judge": "value"}, "pass"),
        ({"at_most": 0.2, "judge": "upper"}, "fail"),
        ({"at_most": 0.25, "judge": "upper"}, "pass"),  # the bound itself passes
        ({"at_most": 0.2499, "judge": "upper"}, "fail"),
        ({"at_most": 0.15, "judge": "lower"}, "pass"),
        ({"at_most": None, "at_least": 0.15, "judge": "lower"}, "pass"),
        ({"at_most": None, "at_least": 0.151, "judge": "lower"}, "fail"),
        ({"at_most": None, "at_least": 0.2, "judge": "value"}, "pass"),
        ({"versus": "telea", "at_most": 0.95, "judge": "value"}, "pass"),
        ({"versus": "telea", "at_most": 0.95, "judge": "upper"}, "fail"),
        ({"versus": "telea", "bucket": "0.1-0.2", "judge": "upper", "at_most": 1.0}, "no figure"),  # no interval
        ({"versus": "champion"}, "no figure"),
        ({"bucket": "0.4-0.5"}, "no figure"),
        ({"metric": "psnr"}, "no figure"),
    ],
)
def test_verdicts(evaluation: EvaluateReport, changes: dict[str, object], verdict: str) -> None:
    wanted = criterion(**changes)
    assert verdict_of(wanted, find_figure(wanted, evaluation)[1]) == verdict
    assert judge(GateParams(criteria=(wanted,)), evaluation).passed is (verdict == "pass")


def test_one_failure_is_enough(evaluation: EvaluateReport) -> None:
    good, bad = criterion(name="good"), criterion(name="bad", at_most=0.1)
    report = judge(GateParams(criteria=(good, bad)), evaluation)
    assert [row.verdict for row in report.rows] == ["pass", "fail"]
    assert not report.passed
    assert report.challenger == "c" * 64


def test_a_figure_without_value_never_passes() -> None:
    for bound in ({"at_most": 1e9}, {"at_most": None, "at_least": -1e9}):
        assert verdict_of(criterion(**bound), figure(None)) == "no figure"


def test_table_for_people(evaluation: EvaluateReport) -> None:
    wanted = criterion(name="lpips_vs_telea", versus="telea", at_most=0.95, judge="upper")
    text = format_gate(judge(GateParams(criteria=(wanted, criterion(metric="psnr"))), evaluation))
    lines = text.splitlines()
    assert "| lpips_vs_telea | all    | <= 0.95 | upper     | 0.900 [0.850, 0.970]  | FAIL      |" in lines
    assert "NO FIGURE" in lines[3]
    assert len({len(line) for line in lines[:4]}) == 1  # columns line up
    assert lines[-1] == "Gate: NOT PASSED (2 of 2 criteria)"


def test_both_tables_are_written(evaluation: EvaluateReport, tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    report = judge(GateParams(criteria=(criterion(),)), evaluation)
    write_gate(report, paths)
    assert json.loads(paths.gate_report.read_text()) == report.model_dump(mode="json")
    assert paths.gate_table.read_text() == format_gate(report)


def test_headline_figures_are_few_and_the_challenger_s(evaluation: EvaluateReport) -> None:
    measured = {
        "lpips": 0.2,
        "recognised_independent": 0.9,
        "lpips_vs_telea": 0.9,
        "recognised_training": 1.0,
        "psnr": None,
    }
    report = evaluation.model_copy(update={"summary": measured})
    for bound, passed in ((0.5, 1), (0.1, 0)):
        gate = judge(GateParams(criteria=(criterion(at_most=bound),)), report)
        expected = {"gate_passed": passed, "lpips": 0.2, "recognised": 0.9, "lpips_vs_telea": 0.9}
        assert headline_figures(report, gate) == expected
    assert len(FIGURES) < 15  # columns that a person takes in at once


def test_stage_without_evaluation_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"evaluate\.json; got no such file; run the stage evaluate first"):
        gate(gate=GateParams(criteria=(criterion(),)), paths=Paths(tmp_path))


def sliced(evaluation: EvaluateReport) -> EvaluateReport:
    """Everything is fine on average; old people lost 20 %, give or take 10 %."""
    ratios = {
        "lpips_vs_champion": {"age below 30": figure(0.9, 0.8, 1.0), "age from 30": figure(1.2, 1.1, 1.3)},
        "lpips_vs_telea": {"age from 30": figure(None)},
    }
    table = {"age below 30": {"lpips": figure(0.1, 0.05, 0.15)}, "age from 30": {"lpips": figure(0.3, 0.2, 0.4)}}
    champion = {"lpips_vs_champion": {"all": figure(0.97, 0.95, 0.99)}}
    slices = Slices(methods={"challenger": table}, ratios=ratios, gaps={})
    return evaluation.model_copy(update={"slices": slices, "ratios": evaluation.ratios | champion})


@pytest.mark.parametrize(
    ("changes", "bucket", "verdict"),
    [
        ({"versus": "champion", "at_most": 1.05, "judge": "lower"}, "worst slice: age from 30", "fail"),
        ({"versus": "champion", "at_most": 1.1, "judge": "lower"}, "worst slice: age from 30", "pass"),
        ({"at_most": 0.3}, "worst slice: age from 30", "pass"),
        ({"at_most": None, "at_least": 0.1, "judge": "lower"}, "worst slice: age below 30", "fail"),
        # a slice without a figure is passed over, everything together never is
        ({"versus": "telea", "at_most": 1.0, "judge": "lower"}, "worst slice: all", "pass"),
        ({"metric": "psnr"}, "worst slice", "no figure"),
    ],
)
def test_the_worst_slice_decides(
    evaluation: EvaluateReport, changes: dict[str, object], bucket: str, verdict: str
) -> None:
    report = judge(GateParams(criteria=(criterion(bucket="worst slice", **changes),)), sliced(evaluation))
    assert [(row.bucket, row.verdict) for row in report.rows] == [(bucket, verdict)]


def test_without_slices_everything_is_the_worst_slice(evaluation: EvaluateReport) -> None:
    assert find_figure(criterion(bucket="worst slice"), evaluation) == ("worst slice: all", figure(0.20, 0.15, 0.25))
