"""Keep files that can be made again, each sealed with the installation's key: what is read back is what was written.

A derived file that is run, such as a network's graph, is code. A check of its results on a few inputs does not show
that it is the right one; the seal does, and a file without a fitting seal is made again.
"""

import hmac
import logging
from hashlib import sha256
from pathlib import Path

from pipeline.project.files import secret_once, write_bytes
from pipeline.project.paths import Paths

_log = logging.getLogger(__name__)


class DerivedFiles:
    """Files by name in one folder, which several installations may share: each has seals of its own.

    A file's seal is HMAC-SHA256(key, name and SHA-256 of the content), so that no file passes under another's name.

    Args:
        folder: of the files; made when the first is written.
        key: of the installation.
    """

    def __init__(self, folder: Path, key: bytes) -> None:
        self._folder, self._key = folder, key
        self._own = hmac.digest(key, b"derived files", sha256).hex()[:12]

    @classmethod
    def of(cls, paths: Paths, folder: Path) -> "DerivedFiles":
        """Open the folder with the key of the checkout at `paths`, which is made once."""
        return cls(folder, secret_once(paths.home.keys / "derived.key"))

    def read(self, name: str) -> bytes | None:
        """Read a file; None if there is none, or if its content is not what this installation wrote under that name."""
        try:
            content, seal = (self._folder / name).read_bytes(), self._seal_file(name).read_bytes()
        except OSError as error:
            if (self._folder / name).exists():
                _log.warning("%s is made again: %s", name, error.strerror)
            return None
        if not hmac.compare_digest(seal, self._seal(name, content)):
            _log.warning("%s is not the file that was written: it is made again", name)
            return None
        return content

    def write(self, name: str, content: bytes) -> None:
        """Write a file and its seal; where that is not possible the next reader makes the file again."""
        try:
            write_bytes(self._folder / name, content)
            write_bytes(self._seal_file(name), self._seal(name, content))
        except OSError as error:
            _log.warning("%s is not kept, and will be made again at the next start: %s", name, error.strerror)

    def _seal_file(self, name: str) -> Path:
        return self._folder / f"{name}.{self._own}.seal"

    def _seal(self, name: str, content: bytes) -> bytes:
        return hmac.digest(self._key, name.encode() + b"\0" + sha256(content).digest(), sha256).hex().encode()
