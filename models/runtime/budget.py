"""What a caller grants a piece of work: how long it may take, and how many faces; checked by the work between steps."""

import threading
import time

from models.errors import Stopped


class Budget:
    """Granted to one piece of work, which checks it between its steps; any thread may end it.

    Args:
        seconds: of the clock, from now; None: no limit.
        max_faces: damaged faces in one photo; None: no limit.

    Attributes:
        max_faces: as given.
    """

    def __init__(self, seconds: float | None = None, max_faces: int | None = None) -> None:
        self._ends = None if seconds is None else time.monotonic() + seconds
        self._lock, self._stopped = threading.Lock(), ""
        self.max_faces = max_faces

    def stop(self, why: str) -> None:
        """End the work at its next step; the first reason, a noun phrase, counts."""
        with self._lock:
            self._stopped = self._stopped or why

    def check(self) -> None:
        """Go on, or end here.

        Raises:
            Stopped: the time is up, or `stop` was called.
        """
        if not self._stopped and self._ends is not None and time.monotonic() > self._ends:
            self.stop("no more time")
        if self._stopped:
            raise Stopped("time to finish", self._stopped, "try again later, or with a smaller picture or mask")


UNLIMITED = Budget()
"""For whoever waits as long as it takes; nobody may stop it."""
