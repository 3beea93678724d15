"""The engine of a Ray cluster, or of one that is started on this machine for the run."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from models.errors import ConfigError, ServiceUnavailable
from pipeline.config.engine import EngineParams
from pipeline.engine.interface import Item, Result, Shard
from pipeline.engine.lost import AHEAD, lost

if TYPE_CHECKING:
    from ray import ObjectRef

_STORE_BYTES = 128 * 2**20
"""Of Ray's shared memory on this machine: results are counts and rows, pictures never pass through it."""
_INHERITED = ("OMP_NUM_THREADS", "LIKENESS_DEVICE")
"""What results depend on to the bit. Ray would set the first to the CPUs of a task, which is 1."""


class OnRay:
    """Hands shards to Ray's workers. Ray does a shard anew whose worker died."""

    def __init__(self, shard_rows: int, retries: int, workers: int) -> None:
        self._shard_rows = shard_rows
        self._retries = retries
        self._workers = workers

    @property
    def shard_rows(self) -> int:
        """Items of a shard."""
        return self._shard_rows

    def map_shards(self, function: Callable[[Shard[Item]], Result], shards: Iterable[Shard[Item]]) -> Iterator[Result]:
        """Yield the results in the order of shards; at most `AHEAD` shards a worker are begun and not yet yielded."""
        import ray

        # max_retries counts deaths of workers; what the function raises is not tried again
        task: Any = ray.remote(max_retries=self._retries, num_cpus=1)(_work).options(name=type(function).__name__)
        source, stored = iter(shards), ray.put(function)
        waiting: deque[tuple[Shard[Item], ObjectRef[Result]]] = deque()
        try:
            while True:
                while len(waiting) < AHEAD * self._workers and (shard := next(source, None)) is not None:
                    waiting.append((shard, task.remote(stored, shard)))
                if not waiting:
                    return
                yield self._result(*waiting.popleft())
        finally:
            for _, reference in waiting:
                ray.cancel(reference, force=True)

    def _result(self, shard: Shard[Any], reference: "ObjectRef[Result]") -> Result:
        import ray

        try:
            return ray.get(reference)
        except (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError) as error:
            raise lost(shard, self._retries + 1) from error
        except ray.exceptions.RayTaskError as error:
            raise error.cause from None


def _work(function: Callable[[Shard[Item]], Result], shard: Shard[Item]) -> Result:
    """Work on a shard in one of Ray's processes."""
    from pipeline.project.process import quieten

    quieten()
    return function(shard)


@contextmanager
def connected(params: EngineParams) -> Iterator[OnRay]:
    """Connect to the cluster at `address`, or start one of `workers` processes on this machine, for the block.

    Raises:
        ConfigError: Ray is not installed.
        ServiceUnavailable: no cluster answers.
    """
    if find_spec("ray") is None:
        raise ConfigError("the package ray for engine.kind", "none", 'install it: pip install "likeness[ray]"')
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would report to its makers
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else Ray hides the GPU from these tasks
    os.environ.setdefault("RAY_worker_niceness", "0")  # Ray's own 15 would starve them beside anything else
    import ray

    threads = {"OMP_NUM_THREADS": str(os.cpu_count() or 1)}
    inherited = threads | {name: os.environ[name] for name in _INHERITED if name in os.environ}
    common: dict[str, Any] = {"runtime_env": {"env_vars": inherited}, "log_to_driver": False}
    try:
        if params.address:
            ray.init(params.address, **common)
        else:
            ray.init(
                num_cpus=params.workers, include_dashboard=False, object_store_memory=_STORE_BYTES,
                configure_logging=False, **common,
            )  # fmt: skip
    except (ConnectionError, RuntimeError, ray.exceptions.RayError) as error:
        raise ServiceUnavailable(
            f"a Ray cluster at {params.address or 'this machine'}", str(error).splitlines()[0], "check engine.address"
        ) from error
    try:
        resources: Any = ray.cluster_resources  # Ray has no type for it
        workers = int(resources().get("CPU", 1)) if params.address else params.workers
        yield OnRay(params.shard_rows, params.retries, workers)
    finally:
        ray.shutdown()
