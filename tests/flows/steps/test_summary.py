"""What people read at the end of a cycle."""

import json
from datetime import UTC, datetime, timedelta
from math import log
from pathlib import Path

import pytest

from flows.steps.artifacts import summary
from flows.steps.promotion_policy import STUDY
from flows.steps.reports import AbReport, CycleReport
from flows.steps.summary import ab_lines, cycle_lines, effect_line, models_lines, run_outcome, stage_lines
from monitoring.ab.decision import Effect
from monitoring.ab.experiment import Experiment
from monitoring.ab.verdict import AbVerdict, judge_rows
from pipeline.config.load import Params, load_params
from pipeline.evaluation.gate_report import GateReport, GateRow
from pipeline.project.paths import Paths
from pipeline.registry.versions import ModelRow
from tests.conftest import ROOT
from tests.monitoring.ab.rows import ab_rows, log_rows
from tests.monitoring.traffic import MORNING

NOW = MORNING + timedelta(days=1)


@pytest.fixture
def params() -> Params:
    """The parameters of the repository."""
    return load_params(ROOT / "params.yaml")


def report(*, promoted: bool) -> CycleReport:
    """A cycle in which ingest was cached."""
    row = GateRow(
        name="lpips_vs_telea", metric="lpips", versus="telea", bucket="all", bound="<= 0.95", judge="upper",
        value=0.8, low=0.7, high=0.9, verdict="pass",
    )  # fmt: skip
    return CycleReport(
        reason="three weeks have passed",
        run_id="r",
        seconds={"train": 12.34},
        cached=("ingest",),
        orchestration_seconds=1.5,
        gate=GateReport(passed=promoted, challenger="0" * 64, rows=(row,)),
        version="4",
        promoted=promoted,
    )


def test_a_cycle_says_what_went_in_and_came_out(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    paths.ingest_report.parent.mkdir(parents=True)
    ingest = {"files_in": 10, "accepted": 7, "identities": 5, "quarantined": {"corrupt": 2, "no_face": 1}}
    paths.ingest_report.write_text(json.dumps(ingest), encoding="utf-8")
    text = "\n".join(cycle_lines(tmp_path, report(promoted=True)))
    assert "10 pictures -> 7 portraits of 5 people, 3 quarantined" in text
    assert "cached" in text
    assert "lpips_vs_telea" in text
    assert "version 4 is now champion" in text
    assert list(stage_lines(paths)) == ["ingest"]


def test_a_refused_challenger_is_not_called_champion(tmp_path: Path) -> None:
    text = "\n".join(cycle_lines(tmp_path, report(promoted=False)))
    assert "stays challenger: it did not pass the gate" in text
    assert "Version 4 stays challenger: it did not pass the gate" in summary(report(promoted=False))


def test_a_version_in_a_test_is_neither_champion_nor_refused(tmp_path: Path) -> None:
    waiting = report(promoted=False).model_copy(update={"awaiting": "3-vs-4"})
    text = "\n".join([*cycle_lines(tmp_path, waiting), summary(waiting)])
    assert "version 4 is challenger: the A/B test 3-vs-4 decides on live traffic" in text
    assert "did not pass the gate" not in text
    assert "now champion" not in text


def test_a_version_that_people_decide_about_is_in_no_ab_test(tmp_path: Path) -> None:
    waiting = report(promoted=False).model_copy(update={"awaiting": STUDY})
    for text in (summary(waiting), "\n".join(cycle_lines(tmp_path, waiting))):
        assert "4 is challenger: a user study decides (likeness study new)" in text
        assert "A/B" not in text


def test_a_test_is_told_in_figures(params: Params) -> None:
    one = Experiment(id="1-vs-2", champion="1", challenger="2", started=MORNING)
    verdict = judge_rows(one, ab_rows(300, 1, effect=0.03), log_rows(0, 0), params.ab, now=NOW)
    lines = ab_lines(AbReport(verdict=verdict, action="promoted", waiting=False), "")
    identity = verdict.effects[0]
    assert lines[0] == "A/B test 1-vs-2: win"
    assert f"difference {identity.effect:+.4f} [{identity.low:+.4f}, {identity.high:+.4f}] cosine" in "\n".join(lines)
    assert not [line for line in lines if "lpips" in line]  # nothing was measured
    assert lines[-1] == "  done: version 2 was promoted"


def test_models_table_shows_gaps_as_gaps() -> None:
    row = ModelRow(
        version="2",
        aliases=("champion",),
        gate="passed",
        created=datetime(2026, 11, 1, 12, tzinfo=UTC),
        promoted=None,
        data_digest="",
        git_revision="",
        weights_sha256="",
        recognition_accuracy=0.912,
        lpips_vs_telea=None,
        identity_distance_vs_telea=0.5,
    )
    head, line = models_lines([row])
    assert head.split()[:3] == ["version", "alias", "gate"]
    assert line.split()[:6] == ["2", "champion", "passed", "0.912", "-", "0.500"]
    assert "no version registered" in models_lines([])[0]


def test_latency_is_told_in_milliseconds() -> None:
    effect = Effect(
        name="latency", unit="ln milliseconds", better="lower", alpha=0.0025, n_champion=58, n_challenger=61,
        mean_champion=log(1000), mean_challenger=log(1100), effect=log(1.1), low=log(0.9), high=log(1.3),
    )  # fmt: skip
    expected = "  latency    1000 -> 1100 ms  ratio 1.10 [0.90, 1.30], lower is better, n 58 + 61"
    assert effect_line(effect) == expected


def test_no_test_is_one_line_and_what_comes_next() -> None:
    verdict = AbVerdict(state="none", reason="no A/B test is on", judged=NOW)
    lines = ab_lines(AbReport(verdict=verdict, action=None, waiting=False), "the next version")
    assert lines == ["no A/B test is on", "  next: the next version"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"promoted": True}, "promoted to champion"),
        ({"awaiting": "2-against-1"}, "passed the gate, an A/B test decides"),
        ({"awaiting": STUDY}, "passed the gate, a user study decides"),
    ],
)
def test_a_run_is_named_by_what_came_of_its_cycle(changes: dict[str, object], expected: str) -> None:
    assert run_outcome(report(promoted=False).model_copy(update=changes)) == expected


def test_a_run_whose_model_failed_names_the_criteria() -> None:
    failed = report(promoted=False)
    rows = (failed.gate.rows[0], failed.gate.rows[0].model_copy(update={"verdict": "fail"}))
    gate = failed.gate.model_copy(update={"rows": rows})
    assert run_outcome(failed.model_copy(update={"gate": gate})) == "gate failed: lpips_vs_telea"
