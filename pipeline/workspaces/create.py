"""Create a checkout for cycles, so that they never collide with a person's `dvc repro`."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.errors import DataError
from pipeline.config.load import load_params, write_params
from pipeline.project.files import write_text
from pipeline.workspaces.history import begin_history, commit_files
from pipeline.workspaces.own_values import own_values, record_values

_CORE, _NO_SCM = "[core]\n", "    no_scm = true\n"
SKIPPED = {"tests", "docs", "infra", ".ci"}
"""What no cycle needs."""


def create_workspace(
    source: Path, target: Path, overrides: Mapping[str, Any], *, keep: bool = False, history: bool = False
) -> None:
    """Copy a checkout's files (not its data, state or history) and write its params.yaml with some values changed.

    An existing workspace keeps its data and state; its code becomes that of `source`.

    Args:
        source: root of a git checkout of this project; changes that are not committed come along.
        target: folder to make.
        overrides: dotted keys of params.yaml and their values.
        keep: values of an existing workspace that were changed since it was made stay; otherwise all become those of
            `source`.
        history: begin a git history in `target`, or go on with it, for DVC's experiments.

    Raises:
        DataError: `source` is no checkout.
        ConfigError: an override that params.yaml does not admit; nothing is copied then.
    """
    files = [file for file in _files(source) if file.parts[0] not in SKIPPED and (source / file).is_file()]
    params = source / "params.yaml"
    values = {**(own_values(target, params) if keep else {}), **overrides}
    load_params(params, values)
    if history:
        begin_history(target)
    write_params(params, target / "params.yaml", values)
    if keep:
        record_values(target, params)
    for file in files:
        if str(file) != "params.yaml":
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / file, target / file)
    for folder in {Path(".dvc"), *(file.parent for file in files if file.parts[-2:] == (".dvc", "config"))}:
        _set_history(target / folder / "config.local", target)
    if history:
        commit_files(target, files, source)


def _set_history(config: Path, workspace: Path) -> None:
    """Tell DVC that there is no git, or leave it to find it; other settings of that file stay, as remotes."""
    known = config.read_text(encoding="utf-8") if config.is_file() else ""
    if (workspace / ".git").exists():
        wanted = known.replace(_NO_SCM, "")
    elif _NO_SCM not in known:
        begun = known if _CORE in known else _CORE + known
        wanted = begun.replace(_CORE, _CORE + _NO_SCM, 1)
    else:
        return
    write_text(config, wanted)


def _files(source: Path) -> list[Path]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=source, capture_output=True, check=True, text=True)  # noqa: S603 - our own command
    except (OSError, subprocess.CalledProcessError) as error:
        raise DataError(f"a git checkout at {source}", "none", "clone the project with git") from error
    return sorted(Path(name) for name in listed.stdout.split("\0") if name)
