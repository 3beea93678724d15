"""What the demo's page says, from results made by hand."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from cli.loop.demo_page import compare_people, moved_properties
from flows.demo.pictures import Attempt, Person
from flows.demo.results import Demo, RowTime, keep_results, read_results
from flows.demo.story import outcome_sentence, promoted_after, run_ab_test
from flows.steps.reports import AbReport, CycleReport, WatchReport
from models.errors import DataError
from monitoring.ab.verdict import AbVerdict
from monitoring.drift.results import ColumnDrift, Drift
from monitoring.retraining.watch import Verdict
from pipeline.evaluation.gate_report import GateReport
from pipeline.project.paths import Paths

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
NOW = datetime(2026, 11, 30, tzinfo=UTC)
PICTURE = np.zeros((8, 8, 3), np.uint8)


def column(effect: float, *, drifted: bool, floor: float = 0.1) -> ColumnDrift:
    return ColumnDrift(
        group="masks", test="ks", p=0.5, p_adjusted=0.5, effect_method="wasserstein", effect=effect, floor=floor,
        drifted=drifted,
    )  # fmt: skip


def drift(**columns: ColumnDrift) -> Drift:
    return Drift(columns=columns, skipped={}, share=0.0, identity=None)


def cycle(version: str, awaiting: str) -> CycleReport:
    gate = GateReport(passed=bool(awaiting), challenger="a", rows=())
    return CycleReport(
        reason="drift", run_id="r", seconds={}, cached=(), orchestration_seconds=0.0, gate=gate, version=version,
        promoted=False, awaiting=awaiting,
    )  # fmt: skip


def watched(made: CycleReport) -> WatchReport:
    verdict = Verdict(
        window_id="w", triggered=True, alarms=(), reasons=("drift",), note="", requests=80, champion="1",
        champion_weeks=None, drift=None, recognition=None, overrides={}, report_html=None,
    )  # fmt: skip
    return WatchReport(verdict=verdict, cycle=made)


def look(state: Any, action: Any) -> AbReport:
    return AbReport(verdict=AbVerdict(state=state, reason="", judged=NOW), action=action, waiting=False)


def test_properties_come_as_multiples_of_their_limit_those_that_alarm_first() -> None:
    usual = drift(area=column(0.05, drifted=False), yaw=column(0.3, drifted=False))
    changed = drift(
        area=column(0.4, drifted=True), yaw=column(0.9, drifted=False), kind=column(0.2, drifted=True, floor=0.05)
    )
    rows = moved_properties(usual, changed, 3)
    assert [(row.name, row.alarmed) for row in rows] == [
        ("damaged area", True), ("kind of damage", True), ("turn of the heads", False),
    ]  # fmt: skip
    assert [row.drifted for row in rows] == pytest.approx([4.0, 4.0, 9.0])
    assert rows[0].usual == pytest.approx(0.5)
    assert rows[1].usual is None
    assert len(moved_properties(usual, changed, 1)) == 1
    assert moved_properties(usual, None, 3) == []


def person(before: float | None, after: float | None) -> Person:
    return Person(PICTURE, PICTURE, Attempt(PICTURE, "inpaint", before), Attempt(PICTURE, "inpaint", after))


def test_only_people_whom_both_restored_are_compared() -> None:
    words = compare_people([person(0.6, 0.7), person(0.8, 0.9), person(0.1, None)])
    assert "0.700 before and 0.800 after" in words
    assert "closer to the person" in words
    assert "further from the person" in compare_people([person(0.7, 0.6)])
    assert "the same to the eye" in compare_people([person(0.7, 0.704)])
    assert "None of them was restored as a whole" in compare_people([person(None, 0.6)])


def test_each_end_is_told_as_it_was() -> None:
    passed, failed = watched(cycle("2", "1-vs-2")), watched(cycle("2", ""))
    won = Demo(second_watch=passed, looks=(look("running", None), look("win", "promoted")))
    won = won.model_copy(update={"drift_to_champion": promoted_after(0.0, won)})
    lost = Demo(second_watch=passed, looks=(look("loss", "retired"),))
    assert promoted_after(0.0, lost) is None
    assert outcome_sentence(won).endswith("passed the gate, and became champion.")
    assert outcome_sentence(lost).endswith("was retired; the old version stays.")
    assert "did not pass the gate" in outcome_sentence(Demo(second_watch=failed))
    assert outcome_sentence(Demo()) == "no drift was found, so no cycle ran."


def test_without_a_challenger_there_is_no_test(tmp_path: Any) -> None:
    done = Demo(second_watch=watched(cycle("2", "")))
    assert run_ab_test(tmp_path, done) == done


def test_results_are_kept(tmp_path: Any) -> None:
    paths = Paths(tmp_path)
    with pytest.raises(DataError, match="demo"):
        read_results(paths)
    row = RowTime(key="page", title="Page", seconds=1.5, images=0)
    done = Demo(second_watch=watched(cycle("2", "1-vs-2")), looks=(look("win", "promoted"),), rows=(row,))
    keep_results(paths, done)
    assert read_results(paths) == done
