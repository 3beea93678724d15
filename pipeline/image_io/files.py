"""Read a file's bytes: regular files only, links only where a user names them, no more bytes than allowed."""

import errno
import os
import stat
from pathlib import Path

from pipeline.image_io.decode import read_bytes
from pipeline.image_io.outcome import Accepted, Code, Limits, Refusal, Rejected

# O_NONBLOCK keeps a named pipe without a writer from hanging the batch.
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


def read_file(path: Path, limits: Limits, *, follow_links: bool = False) -> Accepted | Rejected:
    """Read one untrusted file. Never raises for anything that the file is or holds.

    Args:
        path: the file.
        limits: what is read at all.
        follow_links: for files that a user names; in folders from elsewhere a link is refused.
    """
    try:
        data = _bytes_of(path, limits, 0 if follow_links else os.O_NOFOLLOW)
    except Refusal as refusal:
        return Rejected(refusal.code, refusal.detail)
    return read_bytes(data, limits)


def _bytes_of(path: Path, limits: Limits, no_links: int) -> bytes:
    try:
        descriptor = os.open(path, _FLAGS | no_links)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise Refusal(Code.NOT_A_REGULAR_FILE, _refused(error)) from error
    try:
        return _read(descriptor, limits)
    except OSError as error:
        raise Refusal(Code.CORRUPT, f"cannot be read: {error.strerror}") from error
    finally:
        os.close(descriptor)


def _refused(error: OSError | ValueError) -> str:
    if isinstance(error, OSError) and error.errno == errno.ELOOP:
        return "a symbolic link, or a circle of them"
    return f"cannot be opened: {error.strerror if isinstance(error, OSError) else error}"


def _read(descriptor: int, limits: Limits) -> bytes:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise Refusal(Code.NOT_A_REGULAR_FILE, _kind(status.st_mode))
    if status.st_size > limits.max_bytes:
        raise Refusal(Code.TOO_MANY_BYTES, f"{status.st_size} bytes, at most {limits.max_bytes}")
    with os.fdopen(descriptor, "rb", closefd=False) as stream:
        return stream.read(limits.max_bytes + 1)  # one more than allowed: read_bytes sees a file that grew meanwhile


def _kind(mode: int) -> str:
    return "a folder" if stat.S_ISDIR(mode) else "a device, pipe or socket"
