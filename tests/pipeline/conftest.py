"""Fixtures around MLflow, which is slow to start: one database is made and copied for every test."""

import os
import shutil
from pathlib import Path

import pytest

from pipeline.project.paths import Paths
from tests.mlflow_database import lay_database
from tests.pipeline.registry.site import lay_out, params


@pytest.fixture(scope="session")
def registered_site(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    """Three versions in a real registry: 1 and 2 passed the gate, 3 did not. Copy it, do not change it."""
    from pipeline.registry.register import register

    paths = Paths(tmp_path_factory.mktemp("registered"))
    lay_database(paths.mlflow_database)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("LIKENESS_MLFLOW_URI", raising=False)
        for seed, ratio in ((1, 0.5), (2, 0.6), (3, 0.99)):
            lay_out(paths, seed, lpips_ratio=ratio)
            register(paths=paths, params=params())
    return paths


@pytest.fixture
def local_mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """An empty checkout with its own MLflow and its own cache."""
    monkeypatch.delenv("LIKENESS_MLFLOW_URI", raising=False)
    monkeypatch.setenv("LIKENESS_CACHE", str(tmp_path / "cache"))
    return Paths(tmp_path / "site")


@pytest.fixture
def site(registered_site: Paths, local_mlflow: Paths) -> Paths:
    """A checkout of one's own with the three versions; their artifacts are copied too."""
    shutil.copytree(registered_site.root, local_mlflow.root, copy_function=_copy)
    return local_mlflow


def _copy(source: str, target: str) -> None:
    """Link the 20 MB of code and assets in each version, which nobody changes; copy the rest."""
    if "code" in Path(source).parts:
        os.link(source, target)
    else:
        shutil.copy2(source, target)
