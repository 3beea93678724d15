"""The parts of the service, assembled once and closed once."""

from dataclasses import dataclass

from pipeline.config.load import Params
from pipeline.project.paths import Paths
from serving.http.auth import Guard
from serving.inference.context import ServingContext
from serving.inference.model_store import ModelStore
from serving.inference.worker_pool import WorkerPool
from serving.metrics.service import Metrics


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

    def close(self) -> None:
        """Finish the requests that have begun, then close all parts."""
        self.pool.close()
        self.models.close()
        self.context.log.close()
