"""A workspace holds the code and the changed parameters, and nothing else."""

import subprocess
from pathlib import Path

import pytest

from models.errors import ConfigError, DataError
from pipeline.config.load import load_params, write_params
from pipeline.project.paths import Paths
from pipeline.workspaces.create import create_workspace
from pipeline.workspaces.cycle_checkouts import revision_source
from pipeline.workspaces.overlay import set_own_values, unset_own_values
from tests.conftest import ROOT

PARAMS = (ROOT / "params.yaml").read_text(encoding="utf-8")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A git checkout with one committed, one new and one ignored file."""
    root = tmp_path / "checkout"
    root.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    for name, text in {
        "params.yaml": PARAMS,
        "models/a.py": "A = 1\n",
        ".gitignore": "data/\n",
        "data/big.bin": "x",
        "tests/test_a.py": "",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    subprocess.run(["git", "add", "params.yaml"], cwd=root, check=True)
    return root


def test_code_and_changed_parameters_come_along(checkout: Path, tmp_path: Path) -> None:
    create_workspace(checkout, tmp_path / "w", {"train.epochs": 9})
    files = {str(file.relative_to(tmp_path / "w")) for file in (tmp_path / "w").rglob("*") if file.is_file()}
    assert files == {"params.yaml", "models/a.py", ".gitignore", ".dvc/config.local"}
    assert load_params(tmp_path / "w" / "params.yaml").train.epochs == 9


def test_an_existing_workspace_keeps_its_state(checkout: Path, tmp_path: Path) -> None:
    create_workspace(checkout, tmp_path / "w", {})
    (tmp_path / "w" / "state").mkdir()
    (tmp_path / "w" / "state" / "log").write_text("kept", encoding="utf-8")
    (checkout / "models" / "a.py").write_text("A = 2\n", encoding="utf-8")
    create_workspace(checkout, tmp_path / "w", {})
    assert (tmp_path / "w" / "state" / "log").read_text(encoding="utf-8") == "kept"
    assert (tmp_path / "w" / "models" / "a.py").read_text(encoding="utf-8") == "A = 2\n"


def test_values_that_were_changed_in_a_workspace_stay_and_the_others_follow_the_checkout(
    checkout: Path, tmp_path: Path
) -> None:
    source, target = checkout / "params.yaml", tmp_path / "w" / "params.yaml"
    create_workspace(checkout, tmp_path / "w", {"train.epochs": 9}, keep=True)
    write_params(target, target, {"serve.queue": 3, "data.location": "s3://bucket/people"})
    write_params(source, source, {"serve.workers": 1, "serve.queue": 20, "train.epochs": 12})
    source.write_text(source.read_text().replace("serve:\n", "serve:  # of the checkout\n"))
    create_workspace(checkout, tmp_path / "w", {}, keep=True)
    params = load_params(target)
    assert (params.serve.queue, params.data.location, params.train.epochs) == (3, "s3://bucket/people", 9)
    assert params.serve.workers == 1
    assert "serve:  # of the checkout" in target.read_text()
    create_workspace(checkout, tmp_path / "w", {"serve.queue": 5}, keep=True)
    assert load_params(target).serve.queue == 5
    create_workspace(checkout, tmp_path / "w", {})
    assert load_params(target).serve.queue == 20


def test_own_values_of_a_workspace_stay_but_for_those_that_are_set_anew(checkout: Path, tmp_path: Path) -> None:
    place, params = tmp_path / "w", tmp_path / "w" / "params.yaml"
    set_own_values(checkout / "params.yaml", {"serve.workers": 3, "train.epochs": 8})
    create_workspace(checkout, place, {}, keep=True, history=True)
    assert load_params(params).serve.workers == 3
    assert not Paths(place).overlay.exists()
    weights = {"fold": 2.0}
    set_own_values(params, {"serve.queue": 3, "train.epochs": 9, "masks.training.kind_weights": weights})
    assert "local/" not in git(place, "status", "--porcelain", "--untracked-files=all")
    assert git(place, "status", "--porcelain", "--untracked-files=no") == ""
    unset_own_values(checkout / "params.yaml", ["serve.workers"])
    create_workspace(checkout, place, {"train.epochs": 11}, keep=True, history=True)
    kept = load_params(params)
    assert (kept.serve.queue, kept.train.epochs, kept.masks.training.kind_weights) == (3, 11, weights)
    assert kept.serve.workers == load_params(ROOT / "params.yaml").serve.workers  # as the checkout has it again
    create_workspace(checkout, place, {})
    assert load_params(params).train.epochs == 8


def test_an_own_value_that_the_checkout_has_no_more_is_named_and_nothing_is_copied(
    checkout: Path, tmp_path: Path
) -> None:
    create_workspace(checkout, tmp_path / "w", {}, keep=True)
    overlay = Paths(tmp_path / "w").overlay
    overlay.parent.mkdir()
    overlay.write_text("train: {removed: 1}\n", encoding="utf-8")
    (checkout / "models" / "a.py").write_text("A = 2\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"known keys in {overlay}; got the unknown key train.removed"):
        create_workspace(checkout, tmp_path / "w", {}, keep=True)
    assert (tmp_path / "w" / "models" / "a.py").read_text(encoding="utf-8") == "A = 1\n"


def test_a_mapping_that_is_empty_in_the_checkout_keeps_what_a_workspace_wrote_there(
    checkout: Path, tmp_path: Path
) -> None:
    create_workspace(checkout, tmp_path / "w", {}, keep=True)
    params = tmp_path / "w" / "params.yaml"
    write_params(params, params, {"masks.training.kind_weights": {"fold": 2.0}})
    create_workspace(checkout, tmp_path / "w", {}, keep=True)
    assert load_params(params).masks.training.kind_weights == {"fold": 2.0}


def test_a_workspace_whose_parameters_were_not_recorded_keeps_all_that_differs(checkout: Path, tmp_path: Path) -> None:
    create_workspace(checkout, tmp_path / "w", {"train.epochs": 9})
    create_workspace(checkout, tmp_path / "w", {}, keep=True)
    assert load_params(tmp_path / "w" / "params.yaml").train.epochs == 9


def test_a_workspace_with_a_history_takes_experiments_and_loses_no_change(checkout: Path, tmp_path: Path) -> None:
    place = tmp_path / "w"
    create_workspace(checkout, place, {}, history=True)
    assert git(place, "status", "--porcelain", "--untracked-files=no") == ""
    assert "no_scm" not in (place / ".dvc" / "config.local").read_text(encoding="utf-8")
    (place / "models" / "a.py").write_text("A = 7  # mine\n", encoding="utf-8")
    (place / "notes.txt").write_text("nobody else's", encoding="utf-8")
    (place / ".dvc" / "config.local").write_text("[core]\n    remote = mine\n", encoding="utf-8")
    create_workspace(checkout, place, {"train.epochs": 9}, history=True)
    assert git(place, "show", "HEAD~1:models/a.py") == "A = 7  # mine"
    assert "?? notes.txt" in git(place, "status", "--porcelain")
    assert load_params(place / "params.yaml").train.epochs == 9
    assert "remote = mine" in (place / ".dvc" / "config.local").read_text(encoding="utf-8")


def test_cycles_of_a_workspace_run_at_revisions_of_the_project(checkout: Path, tmp_path: Path) -> None:
    create_workspace(checkout, tmp_path / "w", {}, history=True)
    assert revision_source(Paths(checkout)) == checkout
    assert revision_source(Paths(tmp_path / "w")) == ROOT


def test_other_local_settings_of_dvc_stay(checkout: Path, tmp_path: Path) -> None:
    config = tmp_path / "w" / ".dvc" / "config.local"
    config.parent.mkdir(parents=True)
    config.write_text("[core]\n    remote = mine\n", encoding="utf-8")
    for _ in range(2):
        create_workspace(checkout, tmp_path / "w", {})
        assert config.read_text(encoding="utf-8") == "[core]\n    no_scm = true\n    remote = mine\n"
    create_workspace(checkout, tmp_path / "w", {}, history=True)
    assert config.read_text(encoding="utf-8") == "[core]\n    remote = mine\n"


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True)
    return done.stdout.rstrip()


def test_a_wrong_override_copies_nothing(checkout: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        create_workspace(checkout, tmp_path / "w", {"train.epoch": 9})
    assert not (tmp_path / "w").exists()


def test_not_a_checkout(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text(PARAMS, encoding="utf-8")
    with pytest.raises(DataError, match="git checkout"):
        create_workspace(tmp_path, tmp_path / "w", {})
