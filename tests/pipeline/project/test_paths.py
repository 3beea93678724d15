"""Where the service writes and what a worker executes can be apart."""

from pathlib import Path

import pytest

from pipeline.project.paths import Paths

OF_THE_SERVICE = (
    "production_log", "keys", "log_key", "subjects", "kept", "tokens", "served", "alerts", "open_alerts",
    "service_locks",
)  # fmt: skip
OF_PRODUCTION = ("cycles", "production", "locks", "drift", "mlflow_database", "prefect_home", "audit", "checkpoints")


def test_all_is_below_state_unless_something_else_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIKENESS_SERVICE_STATE", raising=False)
    for name in (*OF_THE_SERVICE, *OF_PRODUCTION):
        assert getattr(Paths(tmp_path), name).is_relative_to(tmp_path / "state"), name


def test_what_the_service_writes_is_apart_from_what_a_worker_executes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_SERVICE_STATE", str(tmp_path / "service"))
    paths = Paths(tmp_path / "project")
    for name in OF_THE_SERVICE:
        assert getattr(paths, name).is_relative_to(tmp_path / "service"), name
    for name in OF_PRODUCTION:
        assert getattr(paths, name).is_relative_to(tmp_path / "project" / "state"), name
    assert Paths(paths.cycles / "one").kept == paths.kept  # one for every checkout
