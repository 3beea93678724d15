"""Restore simulated requests in several processes, each on its share of the cores; the rows stay in their order."""

import atexit
import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from monitoring.log.rows import LogRow
from monitoring.simulation.traffic import Request
from monitoring.simulation.two_arms import Serving
from pipeline.project.child_processes import end_children_at_exit

if TYPE_CHECKING:
    from monitoring.simulation.replay import Production
    from monitoring.simulation.two_arms import TwoArms

    Loaded = tuple[Production | TwoArms, "Observed"]

Observed = list[tuple[str, npt.NDArray[np.float32]]]
"""Name of an encoder and the embedding (1, dim) of one restored face, see `restoration.types.Tools.observe`."""
_AT_ONCE = 8
_AHEAD = 2
"""Batches that wait for each worker, so that none is idle while another one is drawn."""


def serve_in_processes(
    serving: Serving,
    drawn: Iterator[Request],
    *,
    clock: Callable[[], datetime],
    run: str,
    observe: Callable[[str, Tensor], None] | None,
    workers: int,
) -> Iterator[list[LogRow]]:
    """Restore requests as `Production.handle` does, some at once in each process; yields their rows in order.

    Args:
        serving: the models.
        drawn: the requests.
        clock: read once per request, when it is handed over.
        run: prefix of the request ids.
        observe: see `restoration.types.Tools`; called in this process.
        workers: processes, which stay for the next call.

    Raises:
        LikenessError: whatever a worker met.
    """
    pool, waiting = _pool(workers), deque[Future[tuple[list[LogRow], Observed]]]()
    try:
        while True:
            while len(waiting) < _AHEAD * workers and (batch := list(islice(drawn, _AT_ONCE))):
                waiting.append(pool.submit(_restore, serving, batch, [clock() for _ in batch], run))
            if not waiting:
                return
            rows, observed = waiting.popleft().result()
            if observe is not None:
                for name, embedding in observed:
                    observe(name, torch.from_numpy(embedding))
            yield rows
    finally:
        for future in waiting:
            future.cancel()


@cache
def _pool(workers: int) -> ProcessPoolExecutor:
    end_children_at_exit()  # workers of a pool wait for work for ever
    context = multiprocessing.get_context("spawn")  # a copy of a process with threads may hang
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(workers,))
    atexit.register(pool.shutdown, wait=False, cancel_futures=True)
    return pool


def _begin(workers: int) -> None:
    from pipeline.project.process import quieten

    quieten()
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // workers))


def _restore(
    serving: Serving, requests: Sequence[Request], times: Sequence[datetime], run: str
) -> tuple[list[LogRow], Observed]:
    production, observed = _load_once(serving)
    observed.clear()
    rows = production.handle(requests, times, run)
    return rows, list(observed)


def _load_once(serving: Serving) -> "Loaded":
    """Load the models, and the list that takes up what `observe` is called with; keep them for the next batch."""
    from monitoring.simulation.two_arms import load_production
    from restoration.types import load_tools

    kept, key = _kept(), repr(serving)
    if key not in kept:
        kept.clear()
        observed: Observed = []
        tools = load_tools(serving.restore.min_detector_score, serving.identity)
        listening = replace(tools, observe=lambda name, face: observed.append((name, face.float().cpu().numpy())))
        kept[key] = load_production(serving, listening), observed
    return kept[key]


@cache
def _kept() -> "dict[str, Loaded]":
    return {}
