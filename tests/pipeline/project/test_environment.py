"""Settings come from the environment, and wrong ones are named."""

from pathlib import Path

import pytest

from models.errors import ConfigError
from pipeline.project.environment import environment
from pipeline.project.paths import Paths


def test_variables_have_a_prefix_and_empty_ones_count_as_unset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LIKENESS_CACHE", str(tmp_path))
    monkeypatch.setenv("LIKENESS_MLFLOW_URI", "")
    monkeypatch.setenv("MLFLOW_URI", "http://elsewhere")
    monkeypatch.setenv("LIKENESS_S3_ENDPOINT", "http://storage:9000")
    found = environment()
    assert (found.cache, found.mlflow_uri, found.s3_endpoint) == (tmp_path, "", "http://storage:9000")


def test_without_a_server_tracking_is_a_file_below_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LIKENESS_MLFLOW_URI", raising=False)
    assert environment().tracking_uri(Paths(tmp_path)) == f"sqlite:///{tmp_path}/state/mlflow.db"
    monkeypatch.setenv("LIKENESS_MLFLOW_URI", "http://tracking:5000")
    assert environment().tracking_uri(Paths(tmp_path)) == "http://tracking:5000"


def test_a_wrong_value_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIKENESS_DEVICE", "tpu")
    with pytest.raises(ConfigError, match=r"LIKENESS_DEVICE.*got 'tpu'; change or unset LIKENESS_DEVICE"):
        environment()
