"""What every engine can do, and the shards that it does it to."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Generic, Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Shard(Generic[Item]):
    """Consecutive items: names and numbers by which a worker finds what it works on, never the objects themselves.

    Attributes:
        work: what is done, for messages.
        number: 0, 1, ... in the order of the items.
        first: place of the first item in the order of all.
        items: at most `shard_rows` of them.
    """

    work: str
    number: int
    first: int
    items: tuple[Item, ...]

    def __str__(self) -> str:
        return f"shard {self.number} of {self.work} (items {self.first} to {self.first + len(self.items) - 1})"


def cut(work: str, items: Iterable[Item], size: int) -> Iterator[Shard[Item]]:
    """Cut items into shards of `size`, the last one perhaps smaller: the same ones whatever works on them."""
    source, number = iter(items), 0
    while some := tuple(islice(source, size)):
        yield Shard(work, number, number * size, some)
        number += 1


class Engine(Protocol):
    """Maps functions over shards.

    A function is pure but for files that it writes under names of its items, whole and the same each time: a shard
    whose worker dies is done anew. It draws what is random from seeds of its items, never of its worker. It is pickled
    together with each shard, so it holds names and parameters, and loads in the worker what is large.
    """

    @property
    def shard_rows(self) -> int:
        """Items of a shard."""
        ...

    def map_shards(self, function: Callable[[Shard[Item]], Result], shards: Iterable[Shard[Item]]) -> Iterator[Result]:
        """Yield the function's result of each shard in the order of shards, which are asked for as they are needed.

        Raises:
            WorkerLost: a shard's workers died as often as is allowed.
            LikenessError: whatever the function raised.
        """
        ...
