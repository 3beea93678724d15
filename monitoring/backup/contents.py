"""What of a workspace belongs in a backup: all but what can be made again, and what is about running processes."""

import os
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from pipeline.project.paths import Paths

_CACHES = frozenset({"__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis"})
_PASSING = (".tmp", "-wal", "-shm", "-journal")
"""Endings of files that are half written, or part of a database that is read as a whole."""
_SQLITE = b"SQLite format 3\0"
_GZIP = b"\x1f\x8b"
MARK = {"comment": "backup of Likeness"}
"""PAX headers with which each backup begins."""


def leads_out(name: str, target: str) -> bool:
    """Tell whether a link in a folder leads out of it; `name` is its own place there."""
    place = PurePosixPath(name)
    end = PurePosixPath(os.path.normpath(place.parent / target))
    return place.is_absolute() or ".." in place.parts or end.is_absolute() or end.parts[:1] == ("..",)


def is_backup(path: Path) -> bool:
    """Tell whether a file is a backup, whole or begun, by its first bytes; one that cannot be read is none."""
    try:
        with path.open("rb") as stream:
            if stream.read(len(_GZIP)) != _GZIP:
                return False
            stream.seek(0)
            with tarfile.open(fileobj=stream, mode="r:gz") as tar:
                return MARK.items() <= tar.pax_headers.items()
    except (OSError, EOFError, tarfile.TarError, zlib.error):
        return False


@dataclass(frozen=True)
class Content:
    """A file, or a link if it has a target; `name` is relative to the workspace, with slashes."""

    name: str
    path: Path
    target: str = ""

    @property
    def is_database(self) -> bool:
        """Whether it is a SQLite file, which others may write to meanwhile; one that was deleted is none."""
        try:
            with self.path.open("rb") as stream:
                return stream.read(len(_SQLITE)) == _SQLITE
        except FileNotFoundError:
            return False


@dataclass
class Contents:
    """Walk through a workspace; a link that leads out of it counts as what it leads to. Earlier backups are left out.

    Args:
        paths: of the workspace.
        file: the backup, which may lie in it.
    """

    paths: Paths
    file: Path
    _followed: set[Path] = field(default_factory=set)

    def __post_init__(self) -> None:
        root = self.paths.root
        left_out = (
            root / ".venv", root / ".venv-uv", root / "build", root / "dvc_plots", self.paths.source_cache,
            self.paths.state / "dvc-cache", self.paths.locks, self.paths.logs, self.paths.checkpoints,
            self.paths.running, self.file, *self._unfinished_cycles(),
        )  # fmt: skip
        self._left_out = {path.absolute() for path in left_out}

    def __iter__(self) -> Iterator[Content]:
        """List the service's own state first where that lies elsewhere, under the names that it has by default."""
        known: set[str] = set()
        if not self.paths.service_state.resolve().is_relative_to(self.paths.root.resolve()):
            for content in self._below(self.paths.service_state, "state/"):
                known.add(content.name)
                yield content
        yield from (content for content in self._below(self.paths.root, "") if content.name not in known)

    def _unfinished_cycles(self) -> list[Path]:
        """List checkouts without a record: of a cycle that runs, or died."""
        folders = (path for path in self.paths.cycles.glob("*") if path.is_dir())
        return [path for path in folders if not path.with_name(f"{path.name}.json").is_file()]

    def _below(self, folder: Path, prefix: str) -> Iterator[Content]:
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except FileNotFoundError:  # deleted meanwhile
            return
        for entry in entries:
            name, path = f"{prefix}{entry.name}", Path(entry.path)
            if self._is_left_out(name, path):
                continue
            if entry.is_symlink():
                yield from self._link(name, path)
            elif entry.is_dir():
                yield from self._below(path, f"{name}/")
            elif entry.is_file() and not is_backup(path):
                yield Content(name, path)

    def _is_left_out(self, name: str, path: Path) -> bool:
        in_dvc = name.endswith(("/.dvc/cache", "/.dvc/tmp")) or name in {".dvc/cache", ".dvc/tmp"}
        passing = path.name.endswith(_PASSING)
        return in_dvc or passing or path.name in _CACHES or path.absolute() in self._left_out

    def _link(self, name: str, path: Path) -> Iterator[Content]:
        """Give a link as one from place to place in the workspace, or else what it leads to, once."""
        target = str(path.readlink())
        if Path(target).is_absolute():
            target = os.path.relpath(target, self.paths.root.resolve() / Path(name).parent)
        if not leads_out(name, target):
            yield Content(name, path, target)
        elif path.is_file():
            yield Content(name, path)
        elif path.is_dir() and (real := path.resolve()) not in self._followed:
            self._followed.add(real)
            yield from self._below(path, f"{name}/")
