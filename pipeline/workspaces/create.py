"""Create a checkout for cycles, so that they never collide with a person's `dvc repro`."""

import shutil
import subprocess
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from models.errors import DataError
from pipeline.config.load import Own, check_values, load_params
from pipeline.project.files import write_text
from pipeline.project.paths import Paths
from pipeline.values.dotted import remove_value, set_value
from pipeline.values.files import format_values
from pipeline.values.overlay import effective_values, lay_over, read_overlay
from pipeline.workspaces.history import begin_history, commit_files
from pipeline.workspaces.overlay import unset_own_values
from pipeline.workspaces.own_values import own_values, record_values

_CORE, _NO_SCM = "[core]\n", "    no_scm = true\n"
SKIPPED = {"tests", "docs", "infra", ".ci"}
"""What no cycle needs."""


def create_workspace(
    source: Path, target: Path, overrides: Mapping[str, Any], *, keep: bool = False, history: bool = False
) -> None:
    """Copy a checkout's files (not its data, state or history) and write its params.yaml with some values changed.

    Own values of `source` are written into that params.yaml. An existing workspace keeps its data and state; its code
    becomes that of `source`.

    Args:
        source: root of a git checkout of this project; changes that are not committed come along.
        target: folder to make.
        overrides: dotted keys of params.yaml and their values.
        keep: values of an existing workspace that were changed since it was made stay, and its overlay but for
            `overrides`; otherwise all become those of `source`.
        history: begin a git history in `target`, or go on with it, for DVC's experiments.

    Raises:
        DataError: `source` is no checkout.
        ConfigError: an override that params.yaml does not admit, or values of the workspace that it does not admit any
            more; nothing is copied then.
    """
    files = [file for file in _files(source) if file.parts[0] not in SKIPPED and (source / file).is_file()]
    given = effective_values(source / "params.yaml")
    load_params(source / "params.yaml", overrides)
    values = {**(own_values(target, given) if keep else {}), **overrides}
    params = _changed_values(given, values)
    overlay = Paths(target).overlay
    replaced = _check_kept(params, overlay, target / "params.yaml", overrides) if keep else []
    if history:
        begin_history(target)
    write_text((target / "params.yaml").resolve(), format_values(params))
    if replaced:
        unset_own_values(target / "params.yaml", replaced)
    if keep:
        record_values(target, given)
    else:
        overlay.unlink(missing_ok=True)
    for file in files:
        if file not in (Path("params.yaml"), Path("local/params.yaml")):
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / file, target / file)
    for folder in {Path(".dvc"), *(file.parent for file in files if file.parts[-2:] == (".dvc", "config"))}:
        _set_history(target / folder / "config.local", target)
    if history:
        commit_files(target, files, source)


def _changed_values(given: dict[str, Any], changed: Mapping[str, Any]) -> dict[str, Any]:
    """Change values of parameters, comments kept."""
    params = deepcopy(given)
    for key, value in changed.items():
        set_value(params, key, value)
    return params


def _check_kept(params: dict[str, Any], overlay: Path, file: Path, overrides: Mapping[str, Any]) -> list[str]:
    """Check that a workspace's overlay still fits over its parameters; gives its keys that `overrides` replace."""
    own = read_overlay(overlay)
    replaced = [key for key in overrides if remove_value(own, key)]
    values = deepcopy(params)
    lay_over(values, own)
    check_values(values, file, Own(own, overlay))
    return replaced


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
