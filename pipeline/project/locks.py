"""Locks between processes on one machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from models.errors import Busy


@contextmanager
def hold_lock(file: Path, *, seconds: float, busy: tuple[str, str, str]) -> Iterator[None]:
    """Hold the lock `file`, whose folder is made; wait at most `seconds` for it.

    The system frees the lock when its holder ends, however it ends.

    Args:
        file: of the lock.
        seconds: to wait, at most.
        busy: what the error says if another process keeps it: expected, got, remedy.

    Raises:
        Busy: another process holds the lock.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(file, timeout=seconds)
    try:
        lock.acquire()
    except Timeout as error:
        raise Busy(*busy) from error
    try:
        yield
    finally:
        lock.release()
