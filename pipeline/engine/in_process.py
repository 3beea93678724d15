"""The engine of one worker: this process."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from pipeline.engine.interface import Item, Result, Shard


@dataclass(frozen=True)
class InProcess:
    """Does shard after shard in this process: nothing is pickled, and nothing else has to start."""

    shard_rows: int

    def map_shards(self, function: Callable[[Shard[Item]], Result], shards: Iterable[Shard[Item]]) -> Iterator[Result]:
        """Yield the results as they are asked for."""
        return map(function, shards)


HERE = InProcess(shard_rows=64)
"""For callers that have no section `engine`, such as studies of a few portraits."""
