"""Where one request's time goes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from serving.schemas.restorations import Timings

NAMES = tuple(Timings.model_fields)


class Stages:
    """Seconds by stage, in the order of `Timings`; one request's, in one thread."""

    def __init__(self, queue_seconds: float) -> None:
        self._begun, self._thread_begun = time.perf_counter(), time.thread_time()
        self.seconds = dict.fromkeys(NAMES, 0.0) | {"queue": queue_seconds}

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Add the block's time to a stage."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - begun

    def move(self, seconds: float, source: str, target: str) -> None:
        """Of what was measured as `source`, so much was `target`."""
        self.seconds[source] = max(0.0, self.seconds[source] - seconds)
        self.seconds[target] += seconds

    @property
    def total(self) -> float:
        """Seconds so far, waiting included."""
        return self.seconds["queue"] + time.perf_counter() - self._begun

    @property
    def cpu(self) -> float:
        """CPU seconds of this thread so far."""
        return time.thread_time() - self._thread_begun

    def timings(self) -> Timings:
        """Milliseconds, for the answer."""
        return Timings(**{name: round(seconds * 1000, 2) for name, seconds in self.seconds.items()})
