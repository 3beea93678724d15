"""Secrets of this installation: files that only their owner reads, made once."""

import os
import secrets
from pathlib import Path

from filelock import FileLock


def write_secret(path: Path, secret: bytes) -> None:
    """A file that only its owner reads, from its first byte on (mode 0600)."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secret)


def secret_once(path: Path, length: int = 32) -> bytes:
    """The secret in `path`; on first use random bytes are written there, by one process only."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(path.with_name(path.name + ".lock")):
        if not path.is_file():
            write_secret(path, secrets.token_bytes(length))
        return path.read_bytes()
