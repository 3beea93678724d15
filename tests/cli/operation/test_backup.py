"""`likeness backup` and `restore-backup`: a workspace goes on elsewhere, and the one it came from stays as it was."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.main import main
from monitoring.log.production_log import open_log
from pipeline.config.load import load_params
from pipeline.project.files import write_text
from pipeline.project.paths import Paths
from pipeline.registry import tracking
from pipeline.registry.promotion import promote
from pipeline.workspaces.cycle_checkouts import CycleRecord, adopt_cycle, cycle_in_use, record_cycle
from serving.inference.desired_versions import Registry
from tests.conftest import ROOT
from tests.copies import make_absolute, tree
from tests.pipeline.registry.site import NAME, register_by_hand

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::UserWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow"),
]
NOW = datetime(2026, 11, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    """Two versions, the second champion, made by a cycle whose data production reads; a log. Copy it."""
    with pytest.MonkeyPatch.context() as patch:
        set_environment(patch, tmp_path_factory.mktemp("cache"))
        paths = Paths(tmp_path_factory.mktemp("made"))
        shutil.copy(ROOT / "params.yaml", paths.root)
        register_by_hand(paths, ("passed", "passed"))
        write_text(paths.cycles / "c2" / "data" / "portraits" / "rows.txt", "rows")
        (paths.cycles / "c2" / "state").symlink_to("../..")
        done = CycleRecord(cycle="c2", revision="r", reason="", overrides={}, version="2", finished=NOW, adopted=True)
        record_cycle(paths, done)
        assert adopt_cycle(paths, "2")
        with open_log(paths) as log:
            for number in ("1", "2"):
                promote(paths, NAME, number)
                log.record("promotion", number, {}, NOW)
    return paths


@pytest.fixture
def site(made: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """It, with the absolute addresses that earlier versions wrote."""
    set_environment(monkeypatch, tmp_path / "cache")
    paths = Paths(tmp_path / "original")
    shutil.copytree(made.root, paths.root, symlinks=True)
    make_absolute(paths)
    write_text(paths.cycles / "c2" / ".dvc" / "config.local", f"[cache]\n    dir = {paths.state}/dvc-cache\n")
    return paths


def set_environment(patch: pytest.MonkeyPatch, cache: Path) -> None:
    for name in ("LIKENESS_LOG_URL", "LIKENESS_LOG_KEY", "LIKENESS_MLFLOW_URI", "LIKENESS_MLFLOW_ADDRESS"):
        patch.delenv(name, raising=False)
    patch.setenv("LIKENESS_CACHE", str(cache))


def status(arguments: list[str]) -> int:
    try:
        main(arguments)
    except SystemExit as left:
        return int(left.code or 0)
    return 0


def go_on(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    """Serve, list, roll back, promote, log into a run, and verify the log."""
    root = ["--root", str(paths.root)]
    served = Registry(load_params(paths.params), paths).desired_versions()
    assert (served.champion, served.challenger) == ("2", None)
    assert [status([command, *root]) for command in ("models", "rollback")] == [0, 0]
    assert "champion: version 1; previous: version 2" in capsys.readouterr().out
    assert status(["promote", "2", *root]) == 0
    with tracking.run(paths, "cycle", {}) as run_id:
        tracking.log_artifact(paths, paths.params)
    assert (paths.mlflow_artifacts / run_id / "artifacts" / "params.yaml").is_file()
    assert (paths.production / "data" / "portraits" / "rows.txt").read_text() == "rows"
    assert cycle_in_use(paths) == "c2"
    assert status(["audit", "verify", *root]) == 0
    with open_log(paths) as log:
        assert [entry.key for entry in log.entries("promotion")] == ["1", "2"]
    assert capsys.readouterr().out.splitlines()[-1] == "whole: 2 entries, none wrong"


def test_a_restored_workspace_goes_on_elsewhere(
    site: Paths, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, new = tmp_path / "backup.tgz", tmp_path / "elsewhere" / "restored"
    assert status(["backup", str(file), "--root", str(site.root)]) == 0
    assert "it holds keys" in capsys.readouterr().out
    before = tree(site.root)
    monkeypatch.setenv("LIKENESS_CACHE", str(tmp_path / "another cache"))
    assert status(["restore-backup", str(file), str(new)]) == 0
    told = capsys.readouterr().out
    assert "log: whole: " in told
    assert "deletions since" in told
    gone = site.root.rename(tmp_path / "gone")
    go_on(Paths(new), capsys)
    assert tree(gone) == before
    assert not site.root.exists()
    settings = (Paths(new).cycles / "c2" / ".dvc" / "config.local").read_text()
    assert "dir = ../../../dvc-cache" in settings
    assert status(["restore-backup", str(file), str(new)]) == 1


@pytest.mark.parametrize("how", ["copied", "moved"])
def test_a_copied_or_moved_workspace_goes_on(
    site: Paths, tmp_path: Path, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    before, other = tree(site.root), Paths(tmp_path / "other")
    if how == "copied":
        shutil.copytree(site.root, other.root, symlinks=True)
    else:
        site.root.rename(other.root)
    go_on(other, capsys)
    assert site.root.exists() == (how == "copied")
    if how == "copied":
        assert tree(site.root) == before
