"""The stage `overlay`, and DVC around it: a changed own value reruns the stages that read it, and no others."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from models.errors import ConfigError
from pipeline.overlay import overlay
from pipeline.project.paths import Paths
from pipeline.stages import run_stage
from pipeline.workspaces.overlay import set_own_values
from tests.conftest import ROOT

STAGE = """\
def {name}({sections}, paths):
    with (paths.home.root / "ran").open("a") as stream:
        stream.write("{name} ")
    out = paths.root / "data" / "{name}.txt"
    out.parent.mkdir(exist_ok=True)
    out.write_text(str({shown}))
    return {name}
"""
"""Stand in for stages that take minutes; all around them is real."""
STAGES = {"masks": ("ingest, masks", "masks.evaluation.per_portrait"), "train": ("train", "train.epochs")}
COMMANDS = """\
import json, sys
from dvc.cli import main
for command in json.loads(sys.argv[1]):
    assert main(command) == 0, command
"""


@pytest.fixture
def clone(tmp_path: Path) -> Paths:
    """A git checkout with the project's code, in which two stages only write what they read."""
    root = tmp_path / "clone"
    ignored = shutil.ignore_patterns("__pycache__")
    for folder in ("models", "pipeline", ".dvc"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__", "tmp", "cache"))
    shutil.copytree(ROOT / "local", root / "local", ignore=ignored)
    for name in ("params.yaml", ".gitignore"):
        shutil.copy(ROOT / name, root)
    stages: dict[str, Any] = {
        "overlay": {
            "cmd": "sh pipeline/stage.sh overlay",
            "deps": ["local"],
            "params": ["ingest", "masks", "train"],
            "outs": [{"data/overlay.yaml": {"persist": True}}],
        }
    }
    for name, (sections, shown) in STAGES.items():
        (root / "pipeline" / f"{name}.py").write_text(STAGE.format(name=name, sections=sections, shown=shown))
        taken = sections.split(", ")
        stages[name] = {
            "cmd": f"sh pipeline/stage.sh {name}",
            "params": [*taken, {"data/overlay.yaml": taken}],
            "outs": [f"data/{name}.txt"],
        }
    with (root / "dvc.yaml").open("w") as stream:
        YAML().dump({"stages": stages}, stream)
    with (root / ".gitignore").open("a") as stream:
        stream.write("/ran\n")
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-qm", "A clone")
    return Paths(root)


def git(root: Path, *arguments: str) -> str:
    author = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    done = subprocess.run(["git", *author, *arguments], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def dvc(paths: Paths, *commands: str) -> str:
    environment = os.environ | {"LIKENESS_PYTHON": sys.executable, "DVC_NO_ANALYTICS": "1"}
    environment.pop("DVC_STAGE", None)
    words = json.dumps([command.split() for command in commands])
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS, words],
        cwd=paths.root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def made(paths: Paths) -> tuple[str, str]:
    """What the two stages wrote: masks per portrait, epochs."""
    masks, train = ((paths.root / "data" / f"{name}.txt").read_text() for name in STAGES)
    return masks, train


def ran(paths: Paths) -> str:
    """The stages that ran since it was last asked."""
    file = paths.root / "ran"
    names = file.read_text() if file.is_file() else ""
    file.unlink(missing_ok=True)
    return names.strip()


@pytest.mark.slow
def test_a_changed_own_value_reruns_the_stages_that_read_it_here_and_in_experiments(clone: Paths) -> None:
    dvc(clone, "repro -q")
    assert (made(clone), ran(clone)) == (("1", "2"), "masks train")
    git(clone.root, "add", ".")
    git(clone.root, "commit", "-qm", "Run")

    set_own_values(clone.params, {"train.epochs": 7, "serve.queue": 3})
    assert git(clone.root, "status", "--porcelain") == ""
    dvc(clone, "repro -q", "status -q")
    assert (made(clone), ran(clone)) == (("1", "7"), "train")
    git(clone.root, "commit", "-qam", "Run with an own value")

    dvc(
        clone,
        "exp run -q --temp -n other -S masks.evaluation.per_portrait=2",
        "exp apply -q other",
        "repro -q",  # but for the overlay, which the experiment's folder did not have, there is nothing to do
        "exp run -q -n same -S train.epochs=4",
        "status -q",
    )
    assert (made(clone), ran(clone)) == (("2", "4"), "masks train")


def sections_of(paths: Paths) -> Any:
    return YAML(typ="safe").load(paths.stage_overlay)


@pytest.fixture
def site(tmp_path: Path) -> Paths:
    shutil.copy(ROOT / "params.yaml", tmp_path)
    return Paths(tmp_path)


def test_every_section_is_laid_down_and_through_dvc_a_stage_reads_what_dvc_recorded(
    site: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    overlay(site)
    sections = sections_of(site)
    assert set(sections) == set(YAML(typ="safe").load(site.params))
    assert not any(sections.values())
    set_own_values(site.params, {"champion.version": "41"})
    with pytest.raises(Exception, match="41"):
        run_stage("champion", site.root)
    monkeypatch.setenv("DVC_STAGE", "champion")
    run_stage("champion", site.root)
    assert site.champion_report.is_file()
    run_stage("overlay", site.root)
    assert sections_of(site)["champion"] == {"version": "41"}


def test_a_damaged_overlay_ends_the_stage_with_its_name(site: Paths) -> None:
    site.overlay.parent.mkdir()
    site.overlay.write_text("train: {gone: 1}\n")
    with pytest.raises(ConfigError, match=f"known keys in {site.overlay}"):
        run_stage("overlay", site.root)
    assert not site.stage_overlay.exists()


def test_what_an_experiment_changes_counts_over_an_own_value(site: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    git(site.root, "init", "-q")
    git(site.root, "add", "params.yaml")
    git(site.root, "commit", "-qm", "A baseline")
    set_own_values(site.params, {"train.epochs": 7, "train.patience": 5})
    site.params.write_text(site.params.read_text().replace("  epochs: 2 ", "  epochs: 4 "))
    overlay(site)
    assert sections_of(site)["train"] == {"epochs": 7, "patience": 5}
    monkeypatch.setenv("DVC_EXP_BASELINE_REV", git(site.root, "rev-parse", "HEAD"))
    overlay(site)
    assert sections_of(site)["train"] == {"patience": 5}
