"""What a data scientist types, with the real DVC: the project's stages, with one that only writes in their place."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.workspaces.create import create_workspace
from tests.conftest import ROOT
from tests.s3 import BUCKET, client, server  # noqa: F401 - fixtures

DVC_YAML = """\
stages:
  gate:
    cmd: sh pipeline/stage.sh gate
    params: [train.epochs]
    outs: [data/gate.md]
    metrics:
      - metrics.json: {cache: false}
"""
STAGE = """\
import json, sys
from pathlib import Path
from pipeline.project.paths import Paths
from ruamel.yaml import YAML
epochs = YAML(typ="safe").load(Path("params.yaml"))["train"]["epochs"]
Path("data").mkdir(exist_ok=True)
Path("data/gate.md").write_text(f"{epochs} epochs")
Path("metrics.json").write_text(json.dumps({"lpips": 1 / epochs}))
state = Paths(Path.cwd()).state
state.mkdir(exist_ok=True)
with (state / "ran").open("a") as stream:
    stream.write(f"{epochs} {Path(sys.prefix).resolve()}\\n")
"""
COMMANDS = """\
import json, sys
from dvc.cli import main
for command in json.loads(sys.argv[1]):
    assert main(command) == 0, command
"""
"""Several commands in one process: starting DVC takes longer than what it does here."""
COPIED = (
    "params.yaml", ".gitignore", ".dvc/config", "pipeline/stage.sh", "pipeline/project/paths.py",
    "pipeline/project/environment.py", "models/errors.py",
)  # fmt: skip


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace of a checkout whose only stage writes what its parameters say."""
    checkout = tmp_path / "checkout"
    for folder in (".dvc", "pipeline/project", "models"):
        (checkout / folder).mkdir(parents=True)
    for name in COPIED:
        shutil.copy(ROOT / name, checkout / name)
    for name, text in {"dvc.yaml": DVC_YAML, "pipeline/__main__.py": STAGE}.items():
        (checkout / name).write_text(text, encoding="utf-8")
    subprocess.run(["git", "init", "-q"], cwd=checkout, check=True)
    create_workspace(checkout, tmp_path / "workspace", {"train.epochs": 2}, history=True)
    return tmp_path / "workspace"


def dvc(root: Path, *commands: str) -> None:
    """Run commands of `.venv/bin/dvc` in a shell where no environment is activated."""
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "LIKENESS_PYTHON")}
    environment["PATH"] = "/usr/bin:/bin"
    words = json.dumps([command.split() for command in commands])
    subprocess.run([sys.executable, "-c", COMMANDS, words], cwd=root, env=environment, check=True, capture_output=True)


def git(root: Path, *arguments: str) -> str:
    author = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    done = subprocess.run(["git", *author, *arguments], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def metrics(root: Path) -> Any:
    return json.loads((root / "metrics.json").read_text(encoding="utf-8"))


@pytest.mark.usefixtures("client")
def test_repro_experiments_and_a_remote_work_in_a_workspace_without_activation(workspace: Path, tmp_path: Path) -> None:
    dvc(workspace, "repro -q", "metrics show -q")
    git(workspace, "add", "--all")
    git(workspace, "commit", "-qm", "Run")
    dvc(
        workspace,
        "exp run -q --temp -n longer -S train.epochs=4",
        "exp apply longer",
        f"remote add -q --local -d store s3://{BUCKET}/dvc",
        "push -q",
    )
    assert metrics(workspace) == {"lpips": 0.25}
    ran = (workspace / "state" / "ran").read_text(encoding="utf-8").split("\n")[:-1]
    here = Path(sys.prefix).resolve()
    assert ran == [f"2 {here}", f"4 {here}"]  # the experiment too, in the project's state
    git(workspace, "commit", "-qam", "Take the longer one")

    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(workspace), str(clone))
    dvc(clone, f"remote add -q --local -d store s3://{BUCKET}/dvc", "pull -q", "metrics show -q", "checkout -q")
    assert (clone / "data" / "gate.md").read_text(encoding="utf-8") == "4 epochs"
    assert metrics(clone) == {"lpips": 0.25}


def test_a_stage_without_a_python_says_what_is_missing(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pipeline" / "stage.sh", tmp_path)
    (tmp_path / "bin").mkdir()
    environment = {"PATH": str(tmp_path / "bin")}
    done = subprocess.run(
        ["/bin/sh", "stage.sh", "ingest"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 127
    assert done.stderr == (
        "expected a Python with Likeness; got no .venv here and no python on the PATH; "
        "run `make .venv/.ready`, or set LIKENESS_PYTHON\n"
    )
