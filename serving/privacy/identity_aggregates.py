"""Who is in the traffic, as aggregates by model version: in memory until enough faces are together to name nobody."""

import threading
from datetime import datetime

from monitoring.drift.identity_space import IdentityWindow
from monitoring.log.production_log import ProductionLog
from pipeline.config.watch import IdentitySpaceParams


class Identities:
    """One window per version that serves; `params` say how many faces make an aggregate. Thread-safe."""

    def __init__(self, params: IdentitySpaceParams) -> None:
        self._params = params
        self._lock, self._windows = threading.Lock(), dict[str, IdentityWindow]()

    def window(self, version: str) -> IdentityWindow:
        """That of a version; made at the first call."""
        with self._lock:
            return self._windows.setdefault(version, IdentityWindow(self._params, version))

    def flush(self, log: ProductionLog, now: datetime) -> None:
        """Log what is complete."""
        with self._lock:
            windows = list(self._windows.values())
        for window in windows:
            ready = window.flush_if_ready()
            if ready is not None:
                log.record("identity", ready.model_version, ready.model_dump(mode="json"), now)
