"""Tell a full disk from other errors, whichever library reports it, and say it in words; measure what is free."""

import errno
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.errors import LikenessError, StorageError, StorageFull

FULL_BYTES = 2**20
"""With less free than this a disk counts as full: a transaction of the log, or a picture, does not fit any more."""

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {errno.EROFS, errno.EACCES, errno.EPERM}
_WORDS = ("no space left on device", "quota exceeded", "file too large", "database or disk is full", "os error 28")
"""Libraries in other languages raise errors of their own, in which only the system's words say what happened."""
_log = logging.getLogger(__name__)
_REMEDY = "free space there, then run it again; never delete or move the production log to make room"


def is_full(error: BaseException) -> bool:
    """Tell whether an error, or one that led to it, is a full disk, a used-up quota or a limit on the size of files."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        if isinstance(current, OSError) and current.errno in _FULL:
            return True
        if any(words in str(current).lower() for words in _WORDS):
            return True
        current = current.__cause__ or current.__context__
    return False


def storage_full(what: str, error: BaseException) -> StorageFull:
    """Make the error that says in words that there is no room; `what` was to be written."""
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error).strip().partition("\n")[0]
    return StorageFull(f"room on the disk for {what}", reason[:160].lower(), _REMEDY)


@contextmanager
def full_disk_in_words(what: str) -> Iterator[None]:
    """Turn any error that comes of a full disk into StorageFull; errors that are in words already stay as they are."""
    try:
        yield
    except LikenessError:
        raise
    except Exception as error:
        if is_full(error):
            raise storage_full(what, error) from error
        raise


@contextmanager
def refusals_in_words() -> Iterator[None]:
    """Turn what the system does not let this process do with a file into StorageError, which names the file."""
    try:
        yield
    except OSError as error:
        if error.errno not in _REFUSED or error.filename is None:
            raise
        remedy = "mount its disk for writing, or call this as its owner"
        raise StorageError(f"to be allowed to use {error.filename}", (error.strerror or "").lower(), remedy) from error


@contextmanager
def go_on_when_full(what: str) -> Iterator[None]:
    """Log that `what` could not be written because the disk is full, and go on; other errors are raised."""
    try:
        yield
    except OSError as error:
        if not is_full(error):
            raise
        _log.error("the disk is full: %s is not written", what)


def free_bytes(folder: Path) -> int:
    """Measure what an ordinary user may still write below a folder, which may not exist yet; 0 without free inodes."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    found = os.statvfs(folder)
    return 0 if found.f_files and not found.f_favail else found.f_bavail * found.f_frsize
