"""Write results so that nothing half written remains, read them back, and keep secrets in files of their owner's."""

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from filelock import FileLock
from pydantic import BaseModel, ValidationError

from models.errors import DataError

_OTHERS = 0o077

Report = TypeVar("Report", bound=BaseModel)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all; folders are made. Of several writers the last one counts."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; folders are made. Of several writers the last one counts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")  # two processes may write at once
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def append_line(path: Path, line: str) -> None:
    """Append a line to a file, which is made if it is missing.

    Raises:
        OSError: a link lies in its place. Several processes write the file, and none may lead another to a file that
            only the other may write.
    """
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(line + "\n")


def write_durably(path: Path, text: str) -> None:
    """Write a text file whole or not at all, as `write_text`; it is on the disk when this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def delete_durably(path: Path) -> None:
    """Delete a file; it is gone from the disk when this returns. One that does not exist is no error."""
    path.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def fresh_folder(path: Path) -> Iterator[Path]:
    """Make a temporary sibling that replaces `path` when the block ends, and is deleted when it fails."""
    temporary = path.with_name(path.name + ".tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        yield temporary
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    shutil.rmtree(path, ignore_errors=True)
    temporary.rename(path)


def read_report(path: Path, kind: type[Report], stage: str) -> Report:
    """Read the JSON report of a stage.

    Raises:
        DataError: it is missing or not what that stage writes.
    """
    remedy = f"run the stage {stage} first"
    try:
        return kind.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise DataError(f"the report {path.name}", "no such file", remedy) from error
    except ValidationError as error:
        raise DataError(
            f"a report of the stage {stage} in {path.name}", f"{error.error_count()} errors", remedy
        ) from error


def private_folder(path: Path) -> None:
    """Make a folder that only its owner enters, and missing ones above it; one that is there stays as it is."""
    if not path.is_dir():
        private_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)


def close_to_others(folder: Path) -> None:
    """Take the rights of other users off a folder, which is made if it is missing, and off what lies directly in it.

    What belongs to somebody else, such as the root of a mounted volume, or lies on one that cannot be written, stays as
    it is.
    """
    private_folder(folder)
    for path in (folder, *folder.iterdir()):
        if not path.is_symlink() or path == folder:
            with suppress(PermissionError, FileNotFoundError), _go_on_where_read_only():
                path.chmod(path.stat().st_mode & ~_OTHERS)


@contextmanager
def _go_on_where_read_only() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno != errno.EROFS:
            raise


def private_file(path: Path) -> None:
    """Make an empty file that only its owner reads, unless there is a file; one that is there is closed to others."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    with suppress(PermissionError):
        path.chmod(path.stat().st_mode & ~_OTHERS)


def write_secret(path: Path, secret: bytes) -> None:
    """Write a file that only its owner reads, from its first byte on (mode 0600)."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secret)


def secret_once(path: Path, length: int = 32) -> bytes:
    """Read the secret in `path`; on first use random bytes are written there, by one process only."""
    private_folder(path.parent)
    with FileLock(path.with_name(path.name + ".lock")):
        if not path.is_file():
            write_secret(path, secrets.token_bytes(length))
        return path.read_bytes()
