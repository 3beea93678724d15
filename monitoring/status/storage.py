"""What is free on the disks that requests are written to, and whether requests can be written down."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path

from monitoring.status.model import Storage
from pipeline.config.load import Params
from pipeline.consent.records import written_folders
from pipeline.project.paths import Paths
from pipeline.project.storage import FULL_BYTES, free_bytes

HOLD_SECONDS = 30.0
"""How long a failed write counts where there seems to be room, as under a quota; then the next request tries."""
_MEBIBYTE = 2**20


def storage_state(params: Params, paths: Paths, *, full: bool = False) -> Storage:
    """Measure what is free on the fullest disk; `full`: a write has failed, whatever seems to be free."""
    free = min(free_bytes(folder) for folder in (paths.home.state, *written_folders(paths, params.keep)))
    return Storage(
        free_mebibytes=round(free / _MEBIBYTE, 1),
        low=free < params.operate.min_free_mebibytes * _MEBIBYTE,
        full=full or free < FULL_BYTES,
    )


class StorageWatch:
    """Watch the folders that requests write to. Thread-safe.

    A write that fails marks the storage as full until a later request succeeds or, where nothing shows that the disk
    is full, for `hold` seconds: a service that gets no requests because it is not ready could not find out otherwise.

    Args:
        folders: on this machine.
        hold: seconds.
    """

    def __init__(self, folders: Sequence[Path], hold: float = HOLD_SECONDS) -> None:
        self._folders, self._hold = folders, hold
        self._lock, self._until = threading.Lock(), 0.0

    def note_failure(self) -> None:
        """Note that a request could not be written down."""
        with self._lock:
            # a disk that is seen to be full is seen to have room again, too
            self._until = 0.0 if self._none_free() else time.monotonic() + self._hold

    def note_success(self) -> None:
        """Note that a request was written down."""
        with self._lock:
            self._until = 0.0

    def full(self) -> bool:
        """Tell whether requests cannot be written down now."""
        with self._lock:
            return self._none_free() or time.monotonic() < self._until

    def free(self) -> int:
        """Measure the bytes that are free, on the fullest of the disks."""
        return min(free_bytes(folder) for folder in self._folders)

    def _none_free(self) -> bool:
        return self.free() < FULL_BYTES
