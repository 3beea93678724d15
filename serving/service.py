"""The parts of the service, assembled once and closed once."""

import logging
from dataclasses import dataclass

from pipeline.config.load import Params
from pipeline.project.paths import Paths
from serving.http.auth import Guard
from serving.inference.context import ServingContext
from serving.inference.model_store import ModelStore
from serving.inference.worker_pool import WorkerPool
from serving.metrics.service import Metrics

LAST_SECONDS = 10.0
"""How long work that was told to stop may take until its next step."""
_log = logging.getLogger("likeness.serving")


@dataclass(frozen=True, eq=False)
class Service:
    """All parts, running."""

    params: Params
    paths: Paths
    guard: Guard
    metrics: Metrics
    models: ModelStore
    pool: WorkerPool
    context: ServingContext

    def end_within(self, seconds: float) -> None:
        """Let requests that have begun go on for so long; then they are stopped."""
        self.pool.end_within(seconds)

    def close(self) -> None:
        """Finish the requests that have begun, as far as they end soon, then close all parts."""
        if not self.pool.close(LAST_SECONDS):
            _log.warning("%d photos do not end; they are given up", self.pool.running())
        self.models.close()
        self.context.log.close()
