"""The file of a backup: a compressed tar archive with a list of its files and their SHA-256 as its last member."""

import hashlib
import io
import os
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from models.errors import DataError, StorageError
from monitoring.backup.contents import MARK, leads_out

LIST = "likeness-backup.json"
_REMEDY = "take another backup"


class Listed(BaseModel):
    """What a backup holds: the SHA-256 of each file, the target of each link, and the time that it is of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    made: AwareDatetime
    files: Mapping[str, str]
    links: Mapping[str, str]


class Writer:
    """Writes a backup member by member; `close` adds the list, without which it is no backup."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._tar = tarfile.open(  # noqa: SIM115 - closed by `close`
            fileobj=stream, mode="w:gz", compresslevel=1, format=tarfile.PAX_FORMAT, pax_headers=MARK
        )
        self._files: dict[str, str] = {}
        self._links: dict[str, str] = {}

    def add_file(self, name: str, path: Path) -> None:
        """Add a file as it is now; one that was deleted meanwhile is left out, one that grows is cut.

        Raises:
            StorageError: it became shorter while it was read.
        """
        try:
            stream = path.open("rb")
        except FileNotFoundError:
            return
        with stream:
            found = os.fstat(stream.fileno())
            reader = _HashingReader(stream, path)
            self._tar.addfile(_member(name, found.st_size, found.st_mode, found.st_mtime), reader)
        self._files[name] = reader.digest

    def add_link(self, name: str, target: str) -> None:
        """Note a symbolic link; `target` is relative to its folder."""
        self._links[name] = target

    def close(self, made: datetime) -> Listed:
        """Add the list, and end the archive."""
        listed = Listed(made=made, files=self._files, links=self._links)
        content = listed.model_dump_json().encode()
        self._tar.addfile(_member(LIST, len(content), 0o600, made.timestamp()), io.BytesIO(content))
        self._tar.close()
        return listed


class Reader:
    """Reads a backup from its beginning; a context manager.

    Raises:
        DataError: the file is no backup, or a damaged one. `DataError` comes of all methods.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        with self._errors():
            self._tar = tarfile.open(file, "r:gz")  # noqa: SIM115 - closed by `__exit__`

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._tar.close()

    def extract(self, folder: Path) -> Listed:
        """Extract into an empty folder, and compare every file with the list; links are made last."""
        found: dict[str, str] = {}
        listed: Listed | None = None
        with self._errors():
            for member in self._tar:
                if listed is not None or not member.isreg() or leads_out(member.name, "."):
                    raise _damaged(self._file, f"{member.name[:80]!r}, which no backup has there")
                if member.name == LIST:
                    listed = self._read_list(member)
                else:
                    self._tar.extract(member, folder, filter="data")
                    found[member.name] = _digest(folder / member.name)
        if listed is None:
            raise _damaged(self._file, "no list of its files: it was cut")
        self._compare(found, listed)
        for name, target in listed.links.items():
            _make_link(self._file, folder, name, target)
        return listed

    def _read_list(self, member: tarfile.TarInfo) -> Listed:
        stream = self._tar.extractfile(member)
        assert stream is not None  # a regular file has one
        try:
            return Listed.model_validate_json(stream.read())
        except ValidationError as error:
            raise _damaged(self._file, f"a list with {error.error_count()} errors") from error

    def _compare(self, found: Mapping[str, str], listed: Listed) -> None:
        wrong = sorted(name for name in {*found, *listed.files} if found.get(name) != listed.files.get(name))
        if wrong:
            raise _damaged(self._file, f"{wrong[0]!r} is not what was backed up, and {len(wrong) - 1} others")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except tarfile.FilterError as error:
            raise _damaged(self._file, str(error)[:160]) from error
        except (tarfile.TarError, EOFError, zlib.error) as error:
            raise _damaged(self._file, str(error)[:160] or "an end too early") from error
        except FileNotFoundError as error:
            raise DataError(f"a backup at {self._file}", "no such file", "name the file") from error
        except OSError as error:
            if error.errno is not None:  # of the disk; gzip's own have none
                raise
            raise _damaged(self._file, str(error)[:160]) from error


class _HashingReader:
    """Passes a file on to tarfile, and hashes what it passes."""

    def __init__(self, stream: IO[bytes], path: Path) -> None:
        self._stream, self._path, self._hash = stream, path, hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        content = self._stream.read(size)
        if len(content) < size:
            raise StorageError(f"{self._path} to stay as it is", "a file that became shorter", "run the backup again")
        self._hash.update(content)
        return content

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


def _member(name: str, size: int, mode: int, modified: float) -> tarfile.TarInfo:
    """Describe a file without its owner: it becomes whose restores it."""
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, mode & 0o777, int(modified)
    return member


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _make_link(file: Path, folder: Path, name: str, target: str) -> None:
    """Make a link that stays in the folder."""
    if leads_out(name, target):
        raise _damaged(file, f"a link {name!r} that leads out of the folder")
    link = folder / name
    if not link.parent.resolve().is_relative_to(folder.resolve()) or link.is_symlink() or link.exists():
        raise _damaged(file, f"a link {name!r} in the place of something else")
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(target)


def _damaged(file: Path, got: str) -> DataError:
    return DataError(f"a whole backup of Likeness in {file}", got, _REMEDY)
