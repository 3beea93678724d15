"""What the status reads from a checkout: windows, alerts, a running cycle, the registry; and what it says of them."""

import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from monitoring.status.collect import champion_among, collect_status, registry_page
from monitoring.status.experiments import measured_onsets
from monitoring.status.windows import is_locked, judged_windows, recent_alerts, running_cycle
from monitoring.status.wording import advice, format_duration
from pipeline.config.load import Params
from pipeline.project.files import write_text
from pipeline.project.paths import Paths
from pipeline.registry.promotion import promote
from pipeline.registry.register import register
from pipeline.registry.versions import ChampionState
from serving.views.status import render
from tests.disks import MEBIBYTES, fill, small_disk  # noqa: F401 - fixture
from tests.mlflow_database import lay_database
from tests.pipeline.registry.site import NAME, lay_out
from tests.pipeline.registry.site import params as small
from tests.serving.status_examples import LOST, alarming, empty, made, normal, version, window

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow"),
]


@pytest.mark.parametrize(
    ("variables", "given", "address"),
    [
        ({}, "", ""),
        ({}, "http://127.0.0.1:4201", "http://127.0.0.1:4201/#/models/m"),
        ({"URI": "sqlite:////elsewhere/mlflow.db"}, "", ""),
        ({"URI": "http://mlflow:5000"}, "", "http://mlflow:5000/#/models/m"),
        ({"URI": "http://mlflow:5000", "ADDRESS": "https://a.org/mlflow/"}, "", "https://a.org/mlflow/#/models/m"),
        ({"ADDRESS": "https://a.org/mlflow"}, "http://127.0.0.1:4201", "https://a.org/mlflow/#/models/m"),
    ],
)
def test_the_registry_is_linked_where_people_see_it(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], given: str, address: str
) -> None:
    for name in ("URI", "ADDRESS"):
        monkeypatch.delenv(f"LIKENESS_MLFLOW_{name}", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(f"LIKENESS_MLFLOW_{name}", value)
    assert registry_page("m", given) == address


def test_the_page_leads_to_each_version_in_the_registry() -> None:
    address = "https://a.org/#/models/m"
    linked = render(normal().model_copy(update={"registry": address}))
    assert f'<a href="{address}">' in linked
    for row in normal().versions:
        assert f'<a href="{address}/versions/{row.version}">{row.version}</a>' in linked
    assert "#/models" not in render(normal())


def verdict(paths: Paths, window_id: str, champion: str, recognised: int, drifted: tuple[str, ...] = ()) -> None:
    """What the watch leaves of a window of 60 judged requests."""
    columns = {name: {"drifted": name in drifted} for name in ("area", "yaw", "mode")}
    body: dict[str, Any] = {
        "window_id": window_id,
        "triggered": bool(drifted),
        "alarms": [{"group": "masks", "columns": drifted, "reason": "area", "what_to_do": "wait"}],
        "reasons": ["area"],
        "requests": 500,
        "champion": champion,
        "drift": {"columns": columns, "identity": {"frechet": 0.25}},
        "recognition": {
            "recognised": recognised, "judged": 60, "accuracy": recognised / 60, "low": 0.5, "high": 0.9,
            "evidence": 1.0, "below": False, "since": "2026-11-20T00:00:00+00:00",
        },
    }  # fmt: skip
    write_text(paths.drift / window_id / "verdict.json", json.dumps(body | ({} if drifted else {"alarms": []})))


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    monkeypatch.delenv("LIKENESS_MLFLOW_URI", raising=False)
    monkeypatch.delenv("LIKENESS_LOG_URL", raising=False)
    return Paths(tmp_path)


def test_a_fresh_checkout_is_waiting_and_stays_empty(paths: Paths) -> None:
    found = collect_status(small(), paths, now=NOW)
    assert (found.light, found.champion.version, found.versions, found.windows) == ("waiting", "shipped", (), ())
    assert found.problems == ()
    assert list(paths.root.iterdir()) == []  # reading makes nothing


def test_a_disk_with_little_room_and_a_full_one(paths: Paths, small_disk: Path) -> None:  # noqa: F811 - fixture
    params = small()
    kept = params.model_copy(update={"keep": params.keep.model_copy(update={"location": str(small_disk)})})
    found = collect_status(kept, paths, now=NOW)
    assert (found.light, found.storage.full, found.storage.free_mebibytes) == ("attention", False, MEBIBYTES)
    assert found.headline[0] == "Only 8 MiB are free on the disk."
    fill(small_disk)
    found = collect_status(kept, paths, now=NOW)
    assert (found.light, found.storage.full) == ("alarm", True)
    assert found.headline[0] == "The disk is full: nothing can be logged, so no photo is restored."
    assert "it is the audit trail" in advice(found)


def test_a_write_that_failed_counts_although_there_is_room(paths: Paths) -> None:
    found = collect_status(small(), paths, now=NOW, storage_full=True)
    assert found.light == "alarm"
    assert found.headline[0].startswith("The disk cannot be written to, though it has room")


def test_a_log_that_cannot_be_read_is_told_without_its_path(paths: Paths) -> None:
    write_text(paths.production_log, "not a database, but long enough to look like one" * 20)
    found = collect_status(small(), paths, now=NOW)
    assert found.light == "attention"
    assert "not a database" in " ".join(found.problems)
    assert str(paths.root) not in found.model_dump_json()


def test_windows_come_in_the_order_of_the_log_and_age_is_no_window(paths: Paths) -> None:
    verdict(paths, "00000501-00001000", "2", 50, ("area",))
    verdict(paths, "00000001-00000500", "1", 60)
    verdict(paths, "age-2-2026-47", "2", 60)
    (paths.drift / "00000501-00001000" / "claimed").touch()
    first, second = judged_windows(paths)
    assert (first.champion, first.drifted, first.findings, first.claimed) == ("1", (), (), False)
    assert (second.champion, second.drifted, second.columns, second.claimed) == ("2", ("area",), 3, True)
    assert (second.accuracy.recognised, second.accuracy.judged, second.frechet) == (50, 60, 0.25)
    assert second.findings[0].what_to_do == "wait"


def test_accuracy_is_the_last_of_the_champion_not_of_its_predecessor(paths: Paths) -> None:
    verdict(paths, "00000001-00000500", "shipped", 57)
    verdict(paths, "00000501-00001000", "7", 12)
    found = collect_status(small(), paths, now=NOW)
    assert (found.accuracy.recognised, found.accuracy.value) == (57, 57 / 60)
    assert "95 % of the people are still recognised (target: at least 80 %)." in found.headline


def test_alerts_are_newest_first_and_a_cut_line_is_left_out(paths: Paths) -> None:
    lines = [
        {"time": f"2026-11-2{day}T00:00:00+00:00", "code": "c", "title": f"t{day}", "what_to_do": "x"} for day in (1, 2)
    ]
    write_text(paths.alerts, "\n".join([*map(json.dumps, lines), '{"time": "2026-11-2']))
    assert [alert.title for alert in recent_alerts(paths)] == ["t2", "t1"]


def test_a_held_lock_is_a_running_cycle_with_its_stage(paths: Paths) -> None:
    lock = paths.locks / "cycle.lock"
    lock.parent.mkdir(parents=True)
    write_text(paths.state / "run.json", json.dumps({"run_id": "r", "cycle": "cycle after 1"}))
    os.utime(paths.state / "run.json", (NOW.timestamp() - 600,) * 2)
    writer = {"pid": 1, "cmd": "dvc repro --single-item train"}
    write_text(paths.cycles / "20261123" / ".dvc" / "tmp" / "rwlock", json.dumps({"write": {"/x": writer}, "read": {}}))
    with FileLock(lock):
        found = running_cycle(paths)
        assert (found.running, found.stage, found.since) == (True, "train", NOW - timedelta(seconds=600))
    assert not running_cycle(paths).running
    assert not is_locked(paths.locks / "none.lock")


def test_asking_leaves_the_lock_free(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "x.lock")
    lock.acquire()
    lock.release()
    assert not is_locked(tmp_path / "x.lock")
    lock.acquire(timeout=0)
    assert is_locked(tmp_path / "x.lock")
    lock.release()


def test_a_deleted_champion_is_looked_at_and_the_way_out_is_named() -> None:
    found = made(champion=champion_among((), 12.0, NOW, ChampionState("2", lost=True)))
    assert (found.light, found.champion.version, found.champion.recognition_accuracy) == ("attention", "2", None)
    assert found.headline[:2] == (
        "The model that serves was deleted from the registry; its copy goes on serving.",
        "Version 2 is serving.",
    )
    assert "`likeness promote VERSION`" in advice(found)


@pytest.mark.slow
def test_the_registry_gives_champion_age_and_gate_history(paths: Paths, params: Params) -> None:
    lay_database(paths.mlflow_database)
    for seed, ratio in ((1, 0.5), (2, 0.9)):
        lay_out(paths, seed, lpips_ratio=ratio)
        register(paths=paths, params=small())
    promote(paths, NAME, "1")
    later = datetime.now(UTC) + timedelta(weeks=3)
    found = collect_status(params, paths, now=later)
    assert [(row.version, row.gate) for row in found.versions] == [("2", "failed"), ("1", "passed")]
    assert found.champion.version == "1"
    assert found.champion.weeks == pytest.approx(3.0, abs=0.01)
    assert found.headline[0] == "Version 1 is serving, 3 weeks old."
    assert [onset.value for onset in measured_onsets(paths, found.versions)] == [None, None]
    began = time.process_time()
    collect_status(params, paths, now=later)
    assert time.process_time() - began < 1.0  # warm, in CPU seconds: other work on the machine does not count


def test_a_registry_that_does_not_answer_takes_only_its_part(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    verdict(paths, "00000001-00000500", "shipped", 57)
    monkeypatch.setenv("LIKENESS_MLFLOW_URI", "http://127.0.0.1:9")
    found = collect_status(small(), paths, now=NOW)
    assert len(found.windows) == 1
    assert found.light == "attention"
    (problem,) = found.problems
    assert "127.0.0.1:9" in problem
    assert (found.champion.known, found.champion.version) == (False, "shipped")
    assert found.headline[:2] == (
        "The model registry does not answer.",
        "The model that came with Likeness served when the watch last ran.",
    )
    assert advice(found).startswith("Start MLflow again")


def test_an_overdue_champion_is_a_concern_and_a_young_one_is_not() -> None:
    windows = (window(1, "1", 58),)
    old = made(versions=(version(1, 12 * 7 + 1, "passed", "champion"),), windows=windows)
    young = made(versions=(version(1, 12 * 7 - 1, "passed", "champion"),), windows=windows)
    assert (old.light, young.light) == ("attention", "good")


def test_a_watch_that_has_fallen_silent_is_a_concern() -> None:
    facts = {"versions": (version(1, 3, "passed", "champion"),), "windows": (window(1, "1", 58),)}
    lately, long_ago = (made(**facts, last_look=NOW - timedelta(hours=hours)) for hours in (2, 5))
    assert (lately.light, long_ago.light) == ("good", "attention")
    assert long_ago.headline[0] == "The traffic has not been checked for 5 hours."


def test_lights_and_the_first_sentence() -> None:
    assert [state().light for state in (empty, normal, alarming)] == ["waiting", "good", "alarm"]
    assert alarming().headline[0] == "Too few people are still recognised: 58 %."
    assert normal().headline[0] == "Version 2 is serving, 2 weeks old."


def test_recognition_below_the_bound_by_chance_is_no_alarm() -> None:
    few = window(1, "1", 47)  # 78 %, but the interval reaches 87 %
    assert made(versions=(version(1, 3, "passed", "champion"),), windows=(few,)).light == "good"


def test_advice_is_the_watch_s_and_silent_while_all_is_well() -> None:
    assert advice(alarming()) == LOST.what_to_do
    assert advice(normal()) == ""


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=59), "less than a minute"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(hours=47), "1 day"),
        (timedelta(days=13), "13 days"),
        (timedelta(days=14), "2 weeks"),
        (-timedelta(hours=1), "less than a minute"),
    ],
)
def test_durations(span: timedelta, words: str) -> None:
    assert format_duration(span) == words
