"""A workspace that is copied or moved finds its own artifacts, and the other one stays as it was."""

import shutil
from pathlib import Path

import pytest

from models.errors import ConfigError, WeightsError
from models.weight_files import weights_sha256
from pipeline.project.artifact_locations import artifacts_folder, relocate_artifacts
from pipeline.project.paths import Paths
from pipeline.registry import tracking
from pipeline.registry.client import connect
from pipeline.registry.promotion import promote, rollback
from pipeline.registry.versions import find_version, list_models
from pipeline.registry.weights import resolve_weights
from tests.copies import absolute_addresses, make_absolute, tree
from tests.pipeline.registry.site import NAME

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow"),
]


def use(paths: Paths) -> None:
    """All that people do with a registry."""
    weights, version = resolve_weights(paths, NAME, "research", "1")
    assert weights_sha256(weights) == find_version(connect(paths), NAME, version).tags["weights_sha256"]
    earlier = tracking.current_run(paths)
    tracking.log_artifact(paths, paths.gate_report, "again")
    assert (paths.mlflow_artifacts / earlier / "artifacts" / "again" / "gate.json").is_file()
    with tracking.run(paths, "cycle", {}) as run_id:
        tracking.log_artifact(paths, paths.gate_report)
    assert (paths.mlflow_artifacts / run_id / "artifacts" / "gate.json").is_file()
    promote(paths, NAME, "1")
    promote(paths, NAME, "2")
    assert rollback(paths, NAME).champion == "1"
    assert [row.version for row in list_models(paths, NAME)] == ["3", "2", "1"]


@pytest.mark.parametrize("absolute", [True, False])
def test_a_copy_works_and_changes_nothing_of_the_original(site: Paths, absolute: bool) -> None:
    tracking.log_artifact(site, site.gate_report, "first")  # MLflow knows where a run of both has its artifacts
    if absolute:
        make_absolute(site)
    before = tree(site.root)
    copy = Paths(site.root.with_name("a copy"))
    shutil.copytree(site.root, copy.root, symlinks=True)
    use(copy)
    assert tree(site.root) == before
    assert absolute_addresses(copy) == []


def test_a_moved_workspace_works_with_addresses_of_before(site: Paths) -> None:
    make_absolute(site)
    moved = Paths(site.root.with_name("moved"))
    site.root.rename(moved.root)
    use(moved)
    assert not site.root.exists()
    assert absolute_addresses(moved) == []


def test_the_original_s_files_are_not_taken_where_the_copy_has_none(site: Paths) -> None:
    make_absolute(site)
    copy = Paths(site.root.with_name("copy"))
    shutil.copytree(site.root, copy.root, symlinks=True)
    shutil.rmtree(copy.mlflow_artifacts)
    with pytest.raises(WeightsError, match="stored weights of version 1"):
        resolve_weights(copy, NAME, "research", "1")


def test_nothing_is_written_where_all_is_relative(site: Paths) -> None:
    connect(site)
    before = site.mlflow_database.stat().st_mtime_ns
    assert relocate_artifacts(site) == 0
    assert site.mlflow_database.stat().st_mtime_ns == before


def test_an_address_that_leads_out_is_refused(site: Paths) -> None:
    from mlflow.artifacts import download_artifacts
    from mlflow.exceptions import MlflowException

    connect(site)
    with pytest.raises(MlflowException, match=r"leads out|Invalid"):
        download_artifacts("mlflow-artifacts:/../../params.yaml")


def test_a_database_elsewhere_has_its_artifacts_beside_it(
    site: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shared").mkdir()
    shutil.copy(site.mlflow_database, tmp_path / "shared")
    store = f"sqlite:///{tmp_path}/shared/mlflow.db"
    monkeypatch.setenv("LIKENESS_MLFLOW_URI", store)
    (tmp_path / "note.txt").write_text("seen")
    run_id = tracking.start_run(site, "cycle", {})
    tracking.log_artifact(site, tmp_path / "note.txt")
    assert artifacts_folder(store, site) == tmp_path / "shared" / "mlartifacts"
    assert (tmp_path / "shared" / "mlartifacts" / run_id / "artifacts" / "note.txt").read_text() == "seen"


def test_an_installation_without_the_entry_point_is_named(site: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow.store.artifact.artifact_repository_registry import get_registered_artifact_repositories
    from mlflow.store.artifact.mlflow_artifacts_repo import MlflowArtifactsRepository

    monkeypatch.setitem(get_registered_artifact_repositories(), "mlflow-artifacts", MlflowArtifactsRepository)
    with pytest.raises(ConfigError, match="entry point for MLflow"):
        connect(site)
