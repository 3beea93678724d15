"""Know whether the service's disk is full: from what is free, and from writes that failed."""

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from pipeline.project.storage import FULL_BYTES, free_bytes

HOLD_SECONDS = 30.0
"""How long a failed write counts where there seems to be room, as under a quota; then the next request tries."""


class StorageWatch(Collector):
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

    def collect(self) -> Iterator[Metric]:
        """Collect the metrics at a scrape."""
        yield GaugeMetricFamily("likeness_storage_full", "Whether requests cannot be written down", float(self.full()))
        yield GaugeMetricFamily("likeness_storage_free_bytes", "On the fullest disk of state and pictures", self.free())

    def _none_free(self) -> bool:
        return self.free() < FULL_BYTES
