"""Artifacts link to pages that are served, by http; where none are, there is no link."""

from pathlib import Path

import pytest

from flows.local import services, up
from flows.local.supervisor import Running
from flows.steps.links import Links, links
from pipeline.project.paths import Paths
from pipeline.registry.tracking import finish_run, log_artifact, start_run
from tests.conftest import ROOT

SET = ("LIKENESS_SERVICE_ADDRESS", "LIKENESS_MLFLOW_ADDRESS", "LIKENESS_DRIFT_ADDRESS", "LIKENESS_MLFLOW_URI")


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    for name in SET:
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    made = Paths(tmp_path)
    made.state.mkdir()
    return made


def test_where_nothing_is_served_there_are_no_links(paths: Paths) -> None:
    known = links(paths)
    assert known == Links()
    assert known.status() == known.drift_report("projects/a/reports/b") == ""
    assert known.version("m", "1") == known.run(paths, "x") == ""


def test_settings_say_where_pages_are(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIKENESS_SERVICE_ADDRESS", "https://likeness.example/app/")
    monkeypatch.setenv("LIKENESS_DRIFT_ADDRESS", "https://drift.example")
    monkeypatch.setenv("LIKENESS_MLFLOW_URI", "http://mlflow:5000")
    known = links(paths)
    assert known.status() == "https://likeness.example/app/status"
    assert known.drift_report("projects/a/reports/b") == "https://drift.example/projects/a/reports/b"
    assert known.drift_report("") == ""
    assert known.version("portrait-restorer", "3") == "http://mlflow:5000/#/models/portrait-restorer/versions/3"
    monkeypatch.setenv("LIKENESS_MLFLOW_ADDRESS", "https://mlflow.example")
    assert links(paths).mlflow == "https://mlflow.example"


def test_servers_of_likeness_up_are_found_also_from_production_s_root(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths.running.write_text(Running(mark="m", port=4300).model_dump_json(), encoding="utf-8")
    assert links(paths) == Links()  # that was once
    monkeypatch.setattr(up, "find_marked", lambda _: [object()])
    (paths.root / "state" / "production").mkdir(parents=True, exist_ok=True)
    assert links(paths) == Links("http://127.0.0.1:4303", "http://127.0.0.1:4301", "http://127.0.0.1:4302")
    environment = services.child_environment(paths, 4300)
    assert {environment[name] for name in SET[:3]} == {f"http://127.0.0.1:430{n}" for n in (1, 2, 3)}


@pytest.mark.slow
def test_a_run_s_link_names_its_experiment_and_a_file_that_it_has(paths: Paths) -> None:
    run_id = start_run(paths, "cycle", {})
    page = paths.root / "report.html"
    page.write_text("<p>worst first", encoding="utf-8")
    log_artifact(paths, page, "evaluate")
    finish_run(paths)
    address = Links(mlflow="http://127.0.0.1:5000").run(paths, run_id, "evaluate/report.html")
    assert address == f"http://127.0.0.1:5000/#/experiments/1/runs/{run_id}/artifacts/evaluate/report.html"
