"""The log's key and its sealed head: two small files outside the database."""

import fcntl
import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from models.errors import ConfigError, StorageError
from monitoring.log.chain import Head, seal, unseal
from pipeline.project.files import private_folder

_SHORTEST = 32  # characters of a key that a person chose
_logger = logging.getLogger(__name__)


def load_key(given: str, path: Path) -> bytes:
    """Load the key: from the environment, else from the file, which is made once, readable by its owner only.

    Raises:
        ConfigError: the given key is short.
        StorageError: others can read the file, or it is empty.
    """
    if given:
        if len(given) < _SHORTEST:
            raise ConfigError(
                f"at least {_SHORTEST} characters in LIKENESS_LOG_KEY",
                str(len(given)),
                "make one with `openssl rand -hex 32`",
            )
        return given.encode()
    if not path.exists():
        _make(path)
    if path.stat().st_mode & 0o077:
        raise StorageError(
            f"a key that only its owner reads at {path}", "one that others can read", f"chmod 600 {path}"
        )
    secret = path.read_bytes().strip()
    if len(secret) < _SHORTEST:
        raise StorageError(f"a key at {path}", f"{len(secret)} characters", "restore the file from its backup")
    return secret


def _make(path: Path) -> None:
    """Create the file whole, under its name, once; the first process wins."""
    private_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        _write(temporary, secrets.token_hex(32) + "\n")
        path.hardlink_to(temporary)
    except FileExistsError:
        pass  # another process was first: its key counts
    finally:
        temporary.unlink(missing_ok=True)


def _write(path: Path, text: str) -> None:
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(handle)


@dataclass(frozen=True)
class HeadFile:
    """Where the log ended when an entry was last appended from this state folder, sealed with the key.

    It is written after the commit, so that it may lag behind the log (a crash between the two, or another machine's
    appends) but never lead; a log that is shorter than it says was truncated. It only ever moves forward.
    """

    path: Path
    secret: bytes

    def read(self) -> Head | None:
        """Read the head; None if there is no file yet.

        Raises:
            StorageError: the seal does not fit.
        """
        if not self.path.is_file():
            return None
        head = unseal(self.secret, self.path.read_text(encoding="ascii", errors="replace"))
        if head is None:
            raise StorageError(
                f"a head sealed by the log's key at {self.path}",
                "one that does not fit",
                "give the key that the log was made with; if it never changed, somebody forged this file",
            )
        return head

    def advance(self, head: Head) -> None:
        """Write `head` unless the file is already there or further."""
        private_folder(self.path.parent)
        with self._lock():
            stored = self.read()
            if stored is not None and stored.sequence >= head.sequence:
                return
            temporary = self.path.with_suffix(".tmp")
            temporary.unlink(missing_ok=True)  # of a process that was killed: the lock is ours
            _write(temporary, seal(self.secret, head) + "\n")
            temporary.replace(self.path)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        handle = os.open(self.path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)  # the system releases it when the process ends, also when it is killed
            yield
        finally:
            os.close(handle)
