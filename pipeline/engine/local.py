"""The engine of several processes on this machine."""

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any

from pipeline.engine.interface import Item, Result, Shard
from pipeline.engine.lost import AHEAD, lost
from pipeline.project.child_processes import end_children_at_exit


class Processes:
    """Hands each idle process the next shard. A process that dies costs the shard it had, which is done anew.

    Every process has a pool to itself: when one of a pool dies, all that the pool had in hand is lost.
    """

    def __init__(self, workers: int, shard_rows: int, retries: int) -> None:
        self._retries = retries
        self._shard_rows = shard_rows
        end_children_at_exit()  # a process of a pool waits for work for ever
        self._pools = [_one_process() for _ in range(workers)]

    @property
    def shard_rows(self) -> int:
        """Items of a shard."""
        return self._shard_rows

    def map_shards(self, function: Callable[[Shard[Item]], Result], shards: Iterable[Shard[Item]]) -> Iterator[Result]:
        """Yield the results in the order of shards; at most `AHEAD` shards a process are begun and not yet yielded."""
        source, done, running = iter(shards), dict[int, Result](), dict[Future[Result], _Attempt]()
        idle, begun, yielded = list(range(len(self._pools))), 0, 0
        try:
            while True:
                while idle and begun - yielded < AHEAD * len(self._pools) and (shard := next(source, None)) is not None:
                    self._start(function, _Attempt(shard, begun, idle.pop(), 1), running)
                    begun += 1
                if yielded in done:
                    yield done.pop(yielded)
                    yielded += 1
                elif not running:
                    return
                else:
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        attempt = running.pop(future)
                        try:
                            done[attempt.place] = future.result()
                        except BrokenProcessPool as error:
                            self._replace(attempt.slot)
                            if attempt.number > self._retries:
                                raise lost(attempt.shard, attempt.number) from error
                            self._start(function, attempt.again(), running)
                        else:
                            idle.append(attempt.slot)
        finally:
            for future in running:
                future.cancel()

    def close(self) -> None:
        """End the processes, after the shards that they are at."""
        for pool in self._pools:
            pool.shutdown(cancel_futures=True)

    def _start(
        self,
        function: Callable[[Shard[Item]], Result],
        attempt: "_Attempt",
        running: "dict[Future[Result], _Attempt]",
    ) -> None:
        try:
            future = self._pools[attempt.slot].submit(function, attempt.shard)
        except BrokenProcessPool:  # the process died while it was idle
            self._replace(attempt.slot)
            future = self._pools[attempt.slot].submit(function, attempt.shard)
        running[future] = attempt

    def _replace(self, slot: int) -> None:
        self._pools[slot].shutdown(wait=False)
        self._pools[slot] = _one_process()


@dataclass(frozen=True)
class _Attempt:
    shard: Shard[Any]
    place: int
    slot: int
    number: int

    def again(self) -> "_Attempt":
        return _Attempt(self.shard, self.place, self.slot, self.number + 1)


def _one_process() -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")  # a copy of a process with threads may hang
    return ProcessPoolExecutor(1, mp_context=context, initializer=_begin)


def _begin() -> None:
    from pipeline.project.process import quieten

    quieten()
