"""A checkout with a real registry whose versions were made by hand, as training and logging them would take minutes."""

import shutil
from pathlib import Path

import pytest

from pipeline.project.paths import Paths
from tests.pipeline.registry.site import register_by_hand


@pytest.fixture(scope="session")
def three_versions(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    """Versions 1 and 2 passed the gate, 3 did not. Copy it, do not change it."""
    paths = Paths(tmp_path_factory.mktemp("versions"))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("LIKENESS_MLFLOW_URI", raising=False)
        register_by_hand(paths, ("passed", "passed", "failed"))
    return paths


@pytest.fixture
def registry(three_versions: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """An empty checkout with the three versions and a cache of its own."""
    monkeypatch.delenv("LIKENESS_MLFLOW_URI", raising=False)
    monkeypatch.setenv("LIKENESS_CACHE", str(tmp_path / "cache"))
    paths = Paths(tmp_path / "site")
    shutil.copytree(three_versions.mlflow_artifacts, paths.mlflow_artifacts)
    shutil.copy(three_versions.mlflow_database, paths.mlflow_database)
    return paths
