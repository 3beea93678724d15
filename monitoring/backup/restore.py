"""Restore a backup into an empty folder, wherever it lies."""

import shutil
from datetime import datetime
from pathlib import Path

from models.errors import ConfigError, DataError
from monitoring.backup.archive import Reader
from pipeline.project.artifact_locations import relocate_artifacts
from pipeline.project.environment import environment
from pipeline.project.files import close_to_others
from pipeline.project.paths import Paths
from pipeline.workspaces.cycle_checkouts import ensure_production, share_own_cache

_UNDER_WAY = ".restoring"


def restore_backup(file: Path, folder: Path) -> datetime:
    """Restore a whole workspace, or nothing of it: its files are compared with their digests first.

    Args:
        file: the backup.
        folder: that does not exist, or is empty.

    Returns:
        The time that the backup is of.

    Raises:
        ConfigError: the service's state is to lie elsewhere.
        DataError: the folder holds something, or the file is no whole backup; nothing stays in the folder then.
    """
    if (place := environment().service_state) is not None:
        remedy = f"unset it; what the service wrote comes to {folder / 'state'}"
        raise ConfigError("no LIKENESS_SERVICE_STATE while a backup is restored", str(place), remedy)
    if folder.is_symlink() or (folder.exists() and not (folder.is_dir() and not any(folder.iterdir()))):
        raise DataError(f"an empty or a new folder {folder}", "one that holds something", "choose another folder")
    building = folder / _UNDER_WAY
    building.mkdir(mode=0o700, parents=True)
    try:
        with Reader(file) as reader:
            listed = reader.extract(building)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    for path in sorted(building.iterdir(), key=lambda path: path.name == "params.yaml"):
        path.rename(folder / path.name)  # params.yaml last: with it the folder is a workspace
    building.rmdir()
    _settle(Paths(folder.resolve()))
    return listed.made


def _settle(paths: Paths) -> None:
    """Let what was made in another folder lead into this one."""
    for private in (paths.state, paths.keys):
        close_to_others(private)
    relocate_artifacts(paths)
    share_own_cache(paths)
    ensure_production(paths)
