"""A folder that a command makes anew each time, without deleting or overwriting what it did not make.

`.made.json` lies in it and lists every file that the command left there, with a digest of those that a person may edit.
A file that is not listed, or was edited since, is somebody else's: then nothing is deleted, and the command is refused.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from models.errors import DataError
from pipeline.project.files import write_text

LIST = ".made.json"
TOOLS = ("data", "state", ".dvc")
"""Folders in which the project's tools keep their files; a listed file may change there, as databases do."""
_VIEWERS = ("state/prefect/", "state/evidently/", "state/logs/")
"""Folders that looking at results fills: their files are nobody's work."""
_BESIDE_DATABASES = ("-wal", "-shm", "-journal", ".lock")
_SHOWN = 3


class Made(BaseModel):
    """What a command made: digests by path; "" for files that may change. `whole`: the command came to its end."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    whole: bool
    files: Mapping[str, str]


def begin_folder(folder: Path) -> None:
    """Empty a folder of what this command made there before, or make it, and mark it as the command's.

    Raises:
        DataError: the folder holds something else; nothing was deleted then.
    """
    made = _read(folder)
    foreign = find_foreign(folder, made)
    if foreign:
        more = " and others" if len(foreign) > _SHOWN else ""
        raise DataError(
            f"a folder that is new, empty or wholly this command's own at {folder}",
            f"{', '.join(foreign[:_SHOWN])}{more}, which it did not make, or which was edited since",
            "choose another folder, or move these files away",
        )
    _clear(folder)
    write_text(folder / LIST, Made(whole=False, files={}).model_dump_json())


def list_made(folder: Path, *, whole: bool) -> None:
    """List every file of the folder as the command's own; with `whole` the command is done with it."""
    names = sorted(file.relative_to(folder).as_posix() for file in _files(folder))
    files = {name: _digest(folder / name, name) for name in names if name != LIST}
    write_text(folder / LIST, Made(whole=whole, files=files).model_dump_json())


def find_foreign(folder: Path, made: Made | None) -> list[str]:
    """List paths below a folder that `made` does not cover: a few more than an error names.

    A command that was killed has not listed what its tools wrote last, so in their folders everything is its own.
    """
    names = (file.relative_to(folder).as_posix() for file in _files(folder))
    foreign = (name for name in names if name != LIST and not (made and _is_own(folder / name, name, made)))
    return list(islice(foreign, _SHOWN + 1))


def _is_own(file: Path, name: str, made: Made) -> bool:
    if name in made.files:
        return made.files[name] in ("", _digest(file, name))
    if not made.whole and name.startswith(tuple(f"{tool}/" for tool in TOOLS)):
        return True
    beside = any(name.endswith(end) and name.removesuffix(end) in made.files for end in _BESIDE_DATABASES)
    return beside or "__pycache__" in Path(name).parts or name.startswith(_VIEWERS)


def _read(folder: Path) -> Made | None:
    """Read the folder's list; None if it has none that can be read."""
    try:
        return Made.model_validate_json((folder / LIST).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return None


def _digest(file: Path, name: str) -> str:
    if name.startswith(tuple(f"{tool}/" for tool in TOOLS)):
        return ""
    if file.is_symlink():
        return f"link to {file.readlink()}"
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    """Yield everything below a folder that is no folder; links are not followed."""
    for parent, folders, files in os.walk(folder):
        for name in (*files, *(name for name in folders if (Path(parent) / name).is_symlink())):
            yield Path(parent) / name


def _clear(folder: Path) -> None:
    """Delete the files of a folder, and the folders that this leaves empty; the folder itself stays."""
    for file in list(_files(folder)):
        file.unlink()
    for parent, _, _ in os.walk(folder, topdown=False):
        if Path(parent) != folder:
            Path(parent).rmdir()
