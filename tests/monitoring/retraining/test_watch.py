"""The watch: what triggers, what does not, and that no window triggers twice."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitoring.champion import Champion, current_champion
from monitoring.log.production_log import open_log
from monitoring.log.rows import Feedback
from monitoring.retraining.watch import verdict_of, watch
from monitoring.retraining.windows import claim_window, close_window, open_window, watch_progress, window_folder
from monitoring.simulation.baseline import reference_path
from pipeline.config.load import Params, load_params
from pipeline.project.files import write_text
from pipeline.project.paths import Paths
from tests.monitoring.traffic import faces, rows_of, traffic

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def measured(params: Params, paths: Paths) -> Paths:
    """A checkout whose reference has been measured."""
    path = reference_path(params, paths, current_champion(params, paths, now=NOW))
    path.parent.mkdir(parents=True)
    traffic(200, seed=0).to_parquet(path)
    path.with_suffix(".identity.json").write_text(faces(160, seed=0).model_dump_json())
    return paths


def send(
    paths: Paths, n: int, seed: int, shift: str = "none", version: str = "shipped", accuracy: float = 0.95
) -> None:
    """Rows, and before them who is in them, as `simulate` does."""
    seen = faces(n, seed, shift, version)
    with open_log(paths) as log:
        log.record("identity", seen.model_version, seen.model_dump(), NOW)
        log.append(rows_of(traffic(n, seed, shift, version, accuracy)))


def test_not_enough_traffic_keeps_the_window_open(params: Params, paths: Paths) -> None:
    send(paths, 59, seed=1, shift="larger-masks")
    send(paths, 100, seed=2, shift="larger-masks", version="7")  # a challenger's rows say nothing of the champion
    verdict = watch(params, paths, now=NOW)
    assert not verdict.triggered
    assert verdict.note == "not enough traffic: 59 requests, needs 60"
    assert len(open_window(paths)) == 159
    assert not paths.drift.exists()


@pytest.mark.slow
def test_a_shift_triggers_until_a_cycle_claims_it(params: Params, measured: Paths) -> None:
    send(measured, 120, seed=1, shift="larger-masks")
    verdict = watch(params, measured, now=NOW)
    assert verdict.triggered
    assert verdict.window_id == "00000002-00000121"
    assert [alarm.group for alarm in verdict.alarms] == ["masks", "outputs"]
    assert verdict.reasons == tuple(alarm.reason for alarm in verdict.alarms)
    assert verdict.reasons[0].startswith("masks drifted: coverage (p ")
    assert {"area", "coverage", "missing_features"} == set(verdict.alarms[0].columns)
    assert verdict.report_html is not None
    assert verdict.report_html.is_file()
    assert verdict_of(measured, verdict.window_id) == verdict
    stored = (window_folder(measured, verdict.window_id) / "verdict.json").read_text()
    assert str(measured.root) not in stored  # a copy has its own report
    changed = load_params(measured.params, verdict.overrides)
    assert changed.masks.training.bucket_weights[-1] > 1 > changed.masks.training.bucket_weights[0]

    assert watch(params, measured, now=NOW) == verdict  # another cycle was under way: it is still due
    assert claim_window(measured, verdict.window_id, NOW)
    assert not watch(params, measured, now=NOW).triggered
    assert not claim_window(measured, verdict.window_id, NOW)


@pytest.mark.slow
def test_expected_traffic_moves_on(params: Params, measured: Paths) -> None:
    send(measured, 120, seed=3)
    verdict = watch(params, measured, now=NOW)
    assert (verdict.triggered, verdict.note) == (False, "traffic looks like the baseline")
    judged = watch_progress(measured)
    assert judged is not None
    assert judged.last_sequence == 121
    assert verdict.drift is not None
    assert verdict.drift.identity is not None
    assert verdict.drift.identity.faces == 120
    assert watch(params, measured, now=NOW).note == "not enough traffic: 0 requests, needs 60"


@pytest.mark.slow
def test_people_who_are_not_recognised_trigger(params: Params, measured: Paths) -> None:
    send(measured, 120, seed=4, accuracy=0.6)
    verdict = watch(params, measured, now=NOW)
    assert [alarm.group for alarm in verdict.alarms] == ["recognition"]
    assert verdict.reasons == ("recognition accuracy 60.0% [51.1%, 68.3%] over 120 requests is below 80% (95% sure)",)


@pytest.mark.slow
def test_late_feedback_on_a_judged_window_counts(params: Params, measured: Paths) -> None:
    send(measured, 120, seed=3)
    close_window(measured, "00000002-00000121", 121)
    with open_log(measured) as log:
        for number in range(60):
            log.feedback(f"3-{number}", Feedback(recognised=False, preferred=None), NOW)
    send(measured, 60, seed=5)
    verdict = watch(params, measured, now=NOW)
    assert verdict.requests == 60
    assert verdict.recognition is not None
    assert (verdict.recognition.judged, verdict.recognition.recognised < 120) == (180, True)
    assert [alarm.group for alarm in verdict.alarms] == ["recognition"]


@pytest.mark.slow
def test_a_broken_detector_calls_a_person_and_no_cycle(params: Params, measured: Paths) -> None:
    send(measured, 120, seed=1, shift="broken-detector")
    verdict = watch(params, measured, now=NOW)
    assert verdict.alarms[0].group == "detector"
    assert not any(alarm.starts_cycle for alarm in verdict.alarms)
    assert (verdict.triggered, verdict.reasons) == (False, ())
    assert verdict.note.startswith("no cycle, retraining would not help: detector drifted: ")


@pytest.mark.slow
def test_other_people_are_found_by_sums_alone(params: Params, measured: Paths) -> None:
    send(measured, 120, seed=2, shift="other-people")
    send(measured, 30, seed=9, version="7")  # of another version: not in this window
    verdict = watch(params, measured, now=NOW)
    (identity,) = [alarm for alarm in verdict.alarms if alarm.group == "identity"]
    assert identity.starts_cycle
    assert identity.columns == ("identity_space",)
    assert verdict.drift is not None
    assert verdict.drift.identity is not None
    assert verdict.drift.identity.faces == 120


@pytest.mark.slow
def test_faces_by_another_encoder_are_not_compared(params: Params, measured: Paths) -> None:
    """The parameters named another training encoder while the window was open."""
    stale = faces(60, 4).model_copy(update={"space": "buffalo_l/16/53"})
    with open_log(measured) as log:
        log.record("identity", stale.model_version, stale.model_dump(), NOW)
    send(measured, 120, seed=2)
    verdict = watch(params, measured, now=NOW)
    assert verdict.drift is not None
    assert verdict.drift.identity is not None
    assert verdict.drift.identity.faces == 120


def test_an_old_champion_triggers_once_a_week(
    params: Params, paths: Paths, small_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = Champion("3", small_model / "restorer.safetensors", weeks=12.5)
    monkeypatch.setattr("monitoring.retraining.watch.current_champion", lambda *_, **__: old)
    verdict = watch(params, paths, now=NOW)
    assert verdict.reasons == ("champion 3 is 12.5 weeks old (limit 12)",)
    assert verdict.overrides == {"champion.version": "3"}
    assert verdict.note.startswith("not enough traffic")
    assert claim_window(paths, verdict.window_id, NOW)
    assert not watch(params, paths, now=NOW + timedelta(days=1)).triggered
    assert watch(params, paths, now=NOW + timedelta(days=7)).triggered


def test_a_stale_trigger_is_dropped_with_its_champion(
    params: Params, paths: Paths, small_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    due = watch(params, paths, now=NOW).model_copy(
        update={"triggered": True, "window_id": "00000001-00000002", "reasons": ("drift",)}
    )
    write_text(window_folder(paths, due.window_id) / "verdict.json", due.model_dump_json())
    close_window(paths, due.window_id, 2)
    assert watch(params, paths, now=NOW) == due
    newer = Champion("4", small_model / "restorer.safetensors", weeks=0.0)
    monkeypatch.setattr("monitoring.retraining.watch.current_champion", lambda *_, **__: newer)
    assert not watch(params, paths, now=NOW).triggered
