"""The service as a whole: assembled once, closed once."""

from dataclasses import dataclass

from pipeline.config.load import Params
from pipeline.project.paths import Paths
from serving.http.auth import Guard
from serving.inference.context import Bench
from serving.inference.model_store import ModelStore
from serving.inference.worker_pool import Engine
from serving.metrics.service import Metrics


@dataclass(frozen=True, eq=False)
class Service:
    """All parts, running."""

    params: Params
    paths: Paths
    guard: Guard
    metrics: Metrics
    models: ModelStore
    engine: Engine
    bench: Bench

    def close(self) -> None:
        """Finish what has begun, then let go of everything."""
        self.engine.close()
        self.models.close()
        self.bench.log.close()
