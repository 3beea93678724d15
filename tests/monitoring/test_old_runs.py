"""Old runs go, with their files, and the database can shrink; runs of registered versions, and young ones, stay."""

import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitoring.old_runs import remove_runs
from pipeline.project.paths import Paths
from pipeline.project.sqlite import vacuum
from pipeline.registry.client import connect
from pipeline.registry.tracking import finish_run, log_artifact, start_run
from tests.copies import make_absolute, tree
from tests.mlflow_database import lay_database
from tests.pipeline.registry.site import NAME

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow"),
]


def test_runs_without_a_version_go_and_the_others_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIKENESS_MLFLOW_URI", raising=False)
    paths = Paths(tmp_path / "a")
    lay_database(paths.mlflow_database)
    kept = start_run(paths, "kept", {})
    (tmp_path / "weights.bin").write_bytes(b"x")
    log_artifact(paths, tmp_path / "weights.bin")
    finish_run(paths)
    client = connect(paths)
    client.create_registered_model(NAME)
    client.create_model_version(NAME, client.get_run(kept).info.artifact_uri, kept)
    (tmp_path / "large.bin").write_bytes(bytes(1000))
    old = [start_run(paths, f"old {n}", {f"note {m}": "x" * 5000 for m in range(20)}) for n in range(10)]
    log_artifact(paths, tmp_path / "large.bin")
    finish_run(paths, "FAILED")
    time.sleep(0.05)
    now = datetime.now(UTC)
    running = start_run(paths, "running", {})
    size = paths.mlflow_database.stat().st_size
    shutil.copytree(paths.root, tmp_path / "original")
    original = tree(tmp_path / "original")
    make_absolute(paths, tmp_path / "original")

    assert remove_runs(paths, now - timedelta(days=1)) == 0
    assert remove_runs(paths, now) == len(old)

    experiment = client.get_experiment(client.get_run(kept).info.experiment_id)
    left = client.search_runs([experiment.experiment_id], run_view_type=3)
    assert {run.info.run_id for run in left} == {kept, running}
    assert [file.name for file in paths.mlflow_artifacts.rglob("*.bin")] == ["weights.bin"]
    assert vacuum(paths.mlflow_database) > 0
    assert paths.mlflow_database.stat().st_size < size
    assert tree(tmp_path / "original") == original
