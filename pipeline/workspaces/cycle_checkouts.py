"""A cycle's own checkout: the project at one revision, beside production's state, away from a person's files.

`state/cycles/<id>/` holds the files of the revision, production's parameters as they were when the cycle began (in its
params.yaml, own values included, so that it has no overlay), `state` as a link back to the one state, and a DVC cache
that all cycles share: what one has computed the next restores.

`state/production/` is what the flows and the service are given as their root: params.yaml and state are links to the
project's, and the project's overlay counts; `data` is a link to the data of the cycle that made the champion. A
person's `data/` is read by nobody else.
"""

import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from models.assets import ASSETS
from models.errors import DataError
from pipeline.config.load import write_params
from pipeline.project.files import write_text
from pipeline.project.paths import Paths
from pipeline.values.overlay import copy_effective
from pipeline.workspaces.create import SKIPPED
from pipeline.workspaces.history import is_workspace
from pipeline.workspaces.overlay import set_own_values

FILES = "files"
"""Stands for a revision where the project is no git checkout: the files as they lie there."""
_NOT_CODE = {*SKIPPED, ".git", ".venv", "build", "data", "state"}
_LOCAL = {"cache", "tmp", "config.local"}
_CONFIG = '[core]\n    no_scm = true\n[cache]\n    dir = ../../../dvc-cache\n    type = "reflink,hardlink,copy"\n'
"""DVC's settings of a checkout; its cache is named from the folder they lie in, so that a copy has its own."""


class CycleRecord(BaseModel):
    """What a cycle in its own checkout did: `overrides` are the changes of params.yaml that it was made with."""

    model_config = ConfigDict(frozen=True)

    cycle: str
    revision: str
    reason: str
    overrides: Mapping[str, Any]
    version: str
    finished: datetime
    adopted: bool


def revision_source(paths: Paths) -> Path:
    """Find where revisions come from: the root if it is a git checkout, else the one Likeness is installed from.

    A workspace's own history serves experiments; its cycles run at revisions of the project.
    """
    root = paths.home.root
    return root if _is_git(root) and not is_workspace(root) else ASSETS.parent


def resolve_revision(source: Path, revision: str) -> str:
    """Find the full name of a revision ("" = HEAD); `files` if there is no git.

    Raises:
        DataError: no such revision.
    """
    if not _is_git(source):
        return FILES
    done = _git(source, "rev-parse", "--verify", "--quiet", f"{revision or 'HEAD'}^{{commit}}")
    if done.returncode != 0:
        raise DataError(
            f"a revision {revision or 'HEAD'} in {source}",
            "none",
            "correct operate.revision in params.yaml, or fetch it",
        )
    return done.stdout.decode().strip()


def create_checkout(source: Path, revision: str, paths: Paths, cycle: str) -> Path:
    """Make state/cycles/<cycle>: whole, or not at all.

    Args:
        source: a git checkout of the project; nothing in it is touched, not even its list of worktrees.
        revision: as `resolve_revision` gives it.
        paths: of the project whose state and params.yaml the cycle works with.
        cycle: its name.

    Raises:
        DataError: no such revision in `source`.
    """
    origin, target = paths.home, paths.home.cycles / cycle
    building = target.with_name(f".{cycle}.tmp")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    if revision == FILES:
        shutil.copytree(source, building, ignore=_not_code(source), dirs_exist_ok=True)
    else:
        _extract(source, revision, building)
    copy_effective(origin.params, building / "params.yaml")
    (building / "local").mkdir(exist_ok=True)
    (building / "local" / "params.yaml").unlink(missing_ok=True)
    (building / "state").symlink_to(Path("..", ".."), target_is_directory=True)
    write_text(_dvc_settings(building), _CONFIG)
    write_text(building / ".revision", revision)
    building.rename(target)
    return target


def take_values(paths: Paths, values: Mapping[str, Any]) -> None:
    """Write down what a cycle has decided, for its stages: in the params.yaml of its own checkout, else in the overlay.

    Raises:
        ConfigError: they are not admitted, or params.yaml or the overlay cannot be read.
    """
    if paths.root.resolve().parent == paths.home.cycles.resolve():
        write_params(paths.params, paths.params, values)
    else:
        set_own_values(paths.params, values)


def share_own_cache(paths: Paths) -> None:
    """Let all checkouts use the cache of this state, also those that were made before the state was copied or moved."""
    for folder in paths.home.cycles.glob("[!.]*/"):
        settings = _dvc_settings(folder)
        if settings.is_file() and settings.read_text(encoding="utf-8") != _CONFIG:
            write_text(settings, _CONFIG)


def record_cycle(paths: Paths, done: CycleRecord) -> None:
    """Record what a cycle made; the record outlives its checkout."""
    write_text(_record_file(paths, done.cycle), done.model_dump_json(indent=2))


def cycle_records(paths: Paths) -> list[CycleRecord]:
    """Read the records of all cycles that ran in checkouts of their own, oldest first."""
    files = sorted(paths.home.cycles.glob("*.json"))
    return [CycleRecord.model_validate_json(file.read_bytes()) for file in files]


def adopt_cycle(paths: Paths, version: str) -> bool:
    """Let production read the data of the cycle that made `version`, now champion, and take its parameters over.

    The parameters are taken once for a version: what a person changes afterwards stays. Returns whether that
    version came from a checkout that is still there; calling it again changes nothing.
    """
    made = next((done for done in reversed(cycle_records(paths)) if version and done.version == version), None)
    if made is None or not (paths.home.cycles / made.cycle / "data").is_dir():
        return False
    ensure_production(paths)
    _replace_link(paths.home.production / "data", Path("..", "cycles", made.cycle, "data"))
    if not made.adopted:
        set_own_values(paths.home.params, made.overrides)
        record_cycle(paths, made.model_copy(update={"adopted": True}))
    return True


def ensure_production(paths: Paths) -> Path:
    """Make state/production if it is not there yet; its data are the project's until a cycle's take their place."""
    origin = paths.home
    folder = origin.production
    folder.mkdir(parents=True, exist_ok=True)
    for name, target in {"state": "..", "params.yaml": "../../params.yaml", "data": "../../data"}.items():
        if not (folder / name).is_symlink():
            _replace_link(folder / name, Path(target))
    return folder


def cycle_in_use(paths: Paths) -> str:
    """Name the cycle whose data production reads; "" if it reads the project's own."""
    data = paths.home.production / "data"
    return data.readlink().parent.name if data.is_symlink() and data.readlink().parent.parent.name == "cycles" else ""


def _not_code(source: Path) -> Callable[[str, list[str]], set[str]]:
    """Make the filter that leaves out of a copy what is not the project's code."""
    left_out = {str(source): _NOT_CODE, str(source / ".dvc"): _LOCAL}
    return lambda folder, names: left_out.get(folder, {"__pycache__"}).intersection(names)


def _extract(source: Path, revision: str, target: Path) -> None:
    skipped = [f":(exclude){name}" for name in sorted(SKIPPED)]
    done = _git(source, "archive", "--format=tar", revision, "--", ".", *skipped)
    if done.returncode != 0:
        raise DataError(f"the revision {revision[:12]} in {source}", done.stderr.decode().strip()[:160], "fetch it")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(target, filter="data")


def _replace_link(link: Path, target: Path) -> None:
    """Put a symbolic link in place of an older one in one step."""
    temporary = link.with_name(f".{link.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.replace(link)


def _dvc_settings(checkout: Path) -> Path:
    return checkout / ".dvc" / "config.local"


def _record_file(paths: Paths, cycle: str) -> Path:
    return paths.home.cycles / f"{cycle}.json"


def _is_git(folder: Path) -> bool:
    """Check whether this very folder is the root of a git checkout, not merely inside one."""
    done = _git(folder, "rev-parse", "--show-toplevel")
    return done.returncode == 0 and Path(done.stdout.decode().strip()) == folder.resolve()


def _git(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    try:
        return subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, check=False)  # noqa: S603, S607 - git of the user, no shell
    except FileNotFoundError:
        return subprocess.CompletedProcess(arguments, returncode=127, stdout=b"", stderr=b"git is not installed")
