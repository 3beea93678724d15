"""A checkout with a real registry whose versions were made by hand, as training and logging them would take minutes."""

import shutil
from pathlib import Path

import pytest

from models.weight_files import weights_sha256
from pipeline.project.paths import Paths
from tests.pipeline.registry.site import NAME, lay_out


@pytest.fixture(scope="session")
def three_versions(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    """Versions 1 and 2 passed the gate, 3 did not. Copy its database, do not change it."""
    from pipeline.registry.client import connect

    paths = Paths(tmp_path_factory.mktemp("versions"))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("LIKENESS_MLFLOW_URI", raising=False)
        client = connect(paths)
        client.create_registered_model(NAME)
        for number, gate in ((1, "passed"), (2, "passed"), (3, "failed")):
            lay_out(paths, number)
            stored = paths.mlflow_artifacts / str(number) / "artifacts" / "weights.safetensors"
            stored.parent.mkdir(parents=True)
            shutil.copy(paths.trained_weights, stored)
            tags = {"gate": gate, "weights_sha256": weights_sha256(stored)}
            client.create_model_version(NAME, stored.parent.parent.as_uri(), tags=tags)
    return paths


@pytest.fixture
def registry(three_versions: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """An empty checkout with the three versions and a cache of its own."""
    monkeypatch.delenv("LIKENESS_MLFLOW_URI", raising=False)
    monkeypatch.setenv("LIKENESS_CACHE", str(tmp_path / "cache"))
    paths = Paths(tmp_path / "site")
    paths.state.mkdir(parents=True)
    shutil.copy(three_versions.mlflow_database, paths.mlflow_database)
    return paths
