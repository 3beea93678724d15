"""Open the engine that the section `engine` names."""

from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.config.engine import EngineParams
from pipeline.engine.in_process import InProcess
from pipeline.engine.interface import Engine


@contextmanager
def open_engine(params: EngineParams) -> Iterator[Engine]:
    """Open the engine for the block; processes start with the first shard.

    Raises:
        ConfigError: Ray is asked for and not installed.
        ServiceUnavailable: no cluster answers at `engine.address`.
    """
    if params.kind == "ray":
        from pipeline.engine.on_ray import connected  # an optional package, and seconds to import

        with connected(params) as cluster:
            yield cluster
    elif params.workers == 1:
        yield InProcess(params.shard_rows)
    else:
        from pipeline.engine.local import Processes

        processes = Processes(params.workers, params.shard_rows, params.retries)
        try:
            yield processes
        finally:
            processes.close()
