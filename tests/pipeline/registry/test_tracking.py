"""One run per cycle, shared by stages; and what happens when the store does not answer."""

import json
import socket
import time
from typing import Any

import numpy as np
import pytest

from models.errors import ServiceUnavailable
from pipeline.project.paths import Paths
from pipeline.registry import client, tracking
from pipeline.registry.run_names import name_run_of_version
from pipeline.registry.versions import find_version
from tests.pipeline.registry.site import NAME

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow"),
]


def found(paths: Paths, run_id: str) -> Any:
    return tracking.connect(paths).get_run(run_id)


def test_stages_log_into_the_run_of_their_cycle(site: Paths) -> None:
    with tracking.run(site, "cycle-7", {"why": "drift"}) as run_id:
        assert tracking.current_run(site) == run_id
        assert tracking.current_run(site, fresh=True) == run_id  # training starts anew, the cycle is the same
        tracking.log_params(site, {"train": {"steps": 40, "losses": {"lpips": 2.0}}})
        tracking.log_metrics(site, {"loss": 0.5}, step=1)
        tracking.log_metrics(site, {"loss": 0.25}, step=2)
        assert found(site, run_id).info.status == "RUNNING"
    run = found(site, run_id)
    assert (run.info.status, run.info.run_name, run.data.tags["why"]) == ("FINISHED", "cycle-7", "drift")
    assert run.data.params == {"train.steps": "40", "train.losses.lpips": "2.0"}
    history = tracking.connect(site).get_metric_history(run_id, "loss")
    assert [(metric.step, metric.value) for metric in history] == [(1, 0.5), (2, 0.25)]
    assert not (site.state / "run.json").exists()


def test_an_error_marks_the_run_as_failed(site: Paths) -> None:
    with pytest.raises(RuntimeError), tracking.run(site, "cycle", {}) as run_id:
        raise RuntimeError
    assert found(site, run_id).info.status == "FAILED"


def test_a_run_left_open_by_a_crash_is_killed_by_the_next(site: Paths) -> None:
    crashed = tracking.start_run(site, "cycle-1", {})
    assert tracking.start_run(site, "cycle-2", {}) != crashed
    assert found(site, crashed).info.status == "KILLED"


def test_by_hand_a_stage_opens_its_own_run_and_training_a_fresh_one(site: Paths) -> None:
    tracking.finish_run(site)
    trained = tracking.current_run(site, fresh=True)
    assert tracking.current_run(site) == trained  # evaluate joins train
    again = tracking.current_run(site, fresh=True)
    assert again != trained
    assert found(site, trained).info.status == "FINISHED"


def test_a_run_by_hand_ends_with_its_last_stage_and_a_repeated_stage_goes_on_with_it(site: Paths) -> None:
    by_hand = tracking.current_run(site, fresh=True)
    tracking.end_run_by_hand(site)
    assert found(site, by_hand).info.status == "FINISHED"
    tracking.log_metrics(site, {"again": 1.0})
    assert found(site, by_hand).data.metrics["again"] == 1.0
    with tracking.run(site, "cycle", {}) as cycle:
        tracking.end_run_by_hand(site)
        assert found(site, cycle).info.status == "RUNNING"  # the flow ends it
    assert found(site, by_hand).info.status == "FINISHED"  # not KILLED by the cycle


def test_a_run_by_hand_whose_stage_fails_is_marked_until_the_stage_succeeds(site: Paths) -> None:
    by_hand = tracking.current_run(site, fresh=True)
    steps: list[tuple[tracking.Status, str]]
    steps = [("FAILED", "FAILED"), ("FINISHED", "FINISHED"), ("FAILED", "FINISHED")]
    for status, expected in steps:
        tracking.end_run_by_hand(site, status)
        assert found(site, by_hand).info.status == expected


def test_an_experiment_that_fails_before_it_has_a_run_gets_none(site: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    tracking.connect(site)
    monkeypatch.setenv("DVC_EXP_NAME", "never-began")
    tracking.end_run_by_hand(site, "FAILED")
    assert tracking._latest_of_experiment(tracking.connect(site), "never-began") == ""


@pytest.mark.parametrize("name", ["rusty-oast", "anna's"])
def test_an_experiment_in_a_folder_of_dvc_s_has_its_own_run_in_the_project_s_store(
    site: Paths, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    by_hand = tracking.current_run(site, fresh=True)
    monkeypatch.setenv("DVC_EXP_NAME", name)
    folder = Paths(site.root / ".dvc" / "tmp" / "exps" / "standalone" / "tmp1")
    folder.root.mkdir(parents=True, exist_ok=True)
    trained = tracking.current_run(folder, fresh=True)
    assert tracking.current_run(folder) == trained != by_hand
    tracking.log_metrics(folder, {"loss": 0.5})
    tracking.end_run_by_hand(folder)
    run = found(site, trained)
    assert (run.info.run_name, run.info.status, run.data.metrics["loss"]) == (name, "FINISHED", 0.5)
    assert tracking.current_run(folder, fresh=True) != trained  # the experiment is run again
    monkeypatch.delenv("DVC_EXP_NAME")
    assert tracking.current_run(site) == by_hand
    assert not folder.root.joinpath("state").exists()


def test_a_run_of_another_database_is_not_continued(site: Paths) -> None:
    (site.state / "run.json").write_text(json.dumps({"run_id": "0" * 32, "cycle": "gone"}))
    assert tracking.current_run(site) != "0" * 32


def test_a_parameter_keeps_its_first_value(site: Paths) -> None:
    tracking.log_params(site, {"seed": 3})
    tracking.log_params(site, {"seed": 4, "more": True})
    assert found(site, tracking.current_run(site)).data.params.items() >= {"seed": "3", "more": "True"}.items()


def test_files_pictures_and_machine_figures_are_kept_below_state(site: Paths) -> None:
    run_id = tracking.start_run(site, "cycle", {})
    picture = np.full((8, 8, 3), 200, np.uint8)
    tracking.log_image(site, picture, "before-after")
    tracking.log_image(site, picture, "held-out", step=20)
    tracking.log_artifact(site, site.gate_report, "reports")
    with tracking.system_metrics(site, seconds=0.2):
        time.sleep(0.9)
    kept = {
        str(file.relative_to(site.mlflow_artifacts / run_id))
        for file in site.mlflow_artifacts.rglob("*.*")
        if run_id in file.parts
    }
    assert {"artifacts/images/before-after.png", "artifacts/reports/gate.json"} <= kept
    assert any("held-out" in name and "step" in name for name in kept)
    assert "system/cpu_utilization_percentage" in found(site, run_id).data.metrics


def test_nothing_listens(local_mlflow: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIKENESS_MLFLOW_URI", "http://127.0.0.1:9")
    with pytest.raises(ServiceUnavailable, match=r"refused.*start the server, or set or unset LIKENESS_MLFLOW_URI"):
        tracking.connect(local_mlflow)


def test_a_server_that_never_answers(local_mlflow: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_PROBE_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("LIKENESS_MLFLOW_URI", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(ServiceUnavailable, match="timed out"):
            tracking.connect(local_mlflow)


def test_a_database_that_is_none(local_mlflow: Paths) -> None:
    local_mlflow.state.mkdir(parents=True)
    local_mlflow.mlflow_database.write_bytes(b"not a database" * 100)
    with pytest.raises(ServiceUnavailable, match="file is not a database"):
        tracking.connect(local_mlflow)


def test_a_run_is_named_by_its_outcome(site: Paths) -> None:
    run_id = tracking.start_run(site, "cycle 2026-11-30", {})
    tracking.name_run(site, "promoted to champion")
    tracking.finish_run(site)
    tracking.name_run(site, "of no run")  # none is under way
    assert found(site, run_id).info.run_name == "cycle 2026-11-30: promoted to champion"


def test_a_version_s_run_is_renamed_when_its_test_ends(site: Paths) -> None:
    run_id = find_version(tracking.connect(site), NAME, "2").run_id
    for outcome in ("passed the gate, an A/B test decides", "retired, A/B test: loss"):
        name_run_of_version(site, NAME, "2", outcome)
    assert found(site, run_id).info.run_name == "by-hand: retired, A/B test: loss"
