"""Make a backup while everything runs.

What belongs together is read in such an order that nothing is named which is not there: the registry's database before
its artifacts, the log's sealed head before the log, kept pictures before the log that knows who was deleted, and the
log before its sealed segments.
"""

import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import BaseModel, ConfigDict

from models.errors import DataError, StorageError
from monitoring.backup.archive import Writer
from monitoring.backup.contents import Content, Contents
from pipeline.config.load import Params
from pipeline.project.environment import environment
from pipeline.project.paths import Paths
from pipeline.project.sqlite import open_reading
from pipeline.project.storage import is_full, storage_full
from pipeline.registry.alias_moves import journal_file
from pipeline.registry.promotion import promotion_lock

_PATIENCE = 60.0


class BackupMade(BaseModel):
    """A backup that was made; `elsewhere`: what the workspace uses and the backup does not hold."""

    model_config = ConfigDict(frozen=True)

    file: Path
    files: int
    bytes: int
    elsewhere: tuple[str, ...]


def make_backup(paths: Paths, params: Params, file: Path, now: datetime) -> BackupMade:
    """Write a backup of a workspace to a new file, which only its owner reads: it holds the keys.

    Args:
        paths: of the workspace.
        params: of the workspace.
        file: does not exist yet.
        now: the time that the backup is of.

    Raises:
        DataError: there is such a file, or no folder for it.
        Busy: a promotion did not end in time.
        StorageError: a database cannot be read.
        StorageFull: no room for it.
    """
    if file.exists() or not file.parent.is_dir():
        raise DataError(f"a new file {file}", "one that exists, or no folder for it", "choose another name")
    part = file.with_name(f".{file.name}.part")
    try:
        with os.fdopen(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as stream:
            writer = Writer(stream)
            with TemporaryDirectory(dir=file.parent, prefix=f".{file.name}.") as folder:
                _write(writer, Snapshots(writer, Path(folder)), paths.home, part)
            listed = writer.close(now)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(file)
    except OSError as error:
        if is_full(error):
            raise storage_full(f"the backup {file}", error) from error
        raise
    finally:
        part.unlink(missing_ok=True)
    return BackupMade(
        file=file, files=len(listed.files), bytes=file.stat().st_size, elsewhere=tuple(_elsewhere(paths, params))
    )


class Snapshots:
    """Adds databases as they are at one moment, also while others write to them.

    Args:
        writer: of the backup.
        folder: for one copy at a time.
    """

    def __init__(self, writer: Writer, folder: Path) -> None:
        self._writer, self._folder = writer, folder

    def add(self, name: str, path: Path) -> None:
        """Add a database; nothing where there is none.

        Raises:
            StorageError: it cannot be read.
        """
        if not path.is_file():
            return
        copy = self._folder / path.name
        copy.unlink(missing_ok=True)
        try:
            with closing(open_reading(path, _PATIENCE)) as live, closing(sqlite3.connect(copy)) as target:
                live.backup(target)
        except sqlite3.Error as error:
            if is_full(error):
                raise storage_full("a copy of a database, beside the backup", error) from error
            raise StorageError(f"a database at {path}", str(error), "restore it, or move it away") from error
        copy.chmod(path.stat().st_mode & 0o777)
        self._writer.add_file(name, copy)
        copy.unlink()


def _write(writer: Writer, snapshots: Snapshots, paths: Paths, part: Path) -> None:
    first, last = (paths.mlflow_database,), (paths.production_log, paths.subjects)
    journal = journal_file(paths)
    with promotion_lock(paths):  # aliases and the journal of their move are of one moment
        for path in first:
            snapshots.add(_name(paths, path), path)
        writer.add_file(_name(paths, journal), journal)
    done = {_name(paths, path) for path in (*first, *last, journal)}
    sealed = tuple(f"{_name(paths, folder)}/" for folder in paths.all_log_segments)
    others = (
        content for content in Contents(paths, part) if not (content.name in done or content.name.startswith(sealed))
    )
    for content in _files_first(writer, others):
        snapshots.add(content.name, content.path)
    for path in last:
        snapshots.add(_name(paths, path), path)
    for path in (file for folder in paths.all_log_segments for file in sorted(folder.glob("*.parquet"))):
        writer.add_file(_name(paths, path), path)


def _files_first(writer: Writer, contents: Iterable[Content]) -> list[Content]:
    """Add files and links; give the databases, which come after them."""
    databases = []
    for content in contents:
        if content.target:
            writer.add_link(content.name, content.target)
        elif content.is_database:
            databases.append(content)
        else:
            writer.add_file(content.name, content.path)
    return databases


def _name(paths: Paths, path: Path) -> str:
    """Name a file as it lies in the workspace, or would if the service had no state of its own."""
    if path.is_relative_to(paths.service_state):
        return (Path("state") / path.relative_to(paths.service_state)).as_posix()
    return path.relative_to(paths.root).as_posix()


def _elsewhere(paths: Paths, params: Params) -> Iterable[str]:
    """Name what is kept in other places, by the variable or the parameter that says where."""
    settings = environment()
    if settings.log_url:
        yield "the production log (LIKENESS_LOG_URL)"
    if settings.log_key.get_secret_value():
        yield "the log's key (LIKENESS_LOG_KEY)"
    if settings.mlflow_uri and settings.tracking_uri(paths) != f"sqlite:///{paths.mlflow_database.resolve()}":
        yield "the model registry (LIKENESS_MLFLOW_URI)"
    if os.environ.get("PREFECT_SERVER_DATABASE_CONNECTION_URL"):
        yield "Prefect's database (PREFECT_SERVER_DATABASE_CONNECTION_URL)"
    places = {
        "keep.location": params.keep.location,
        "data.location": params.data.location,
        "data.intake": params.data.intake,
    }
    for key, place in places.items():
        if place and _is_outside(place, paths.home.root):
            yield f"what {key} names ({place})"


def _is_outside(place: str, root: Path) -> bool:
    return "://" in place or not (root / Path(place).expanduser()).resolve().is_relative_to(root)
