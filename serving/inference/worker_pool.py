"""A bounded queue before a few worker threads. What does not fit is refused at once, with when to come again."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from math import ceil
from typing import Any, TypeVar

from starlette.requests import Request

from pipeline.config.serving import ServeParams
from serving.http.errors import Refused
from serving.metrics.service import Metrics

Result = TypeVar("Result")

_FIRST_GUESS = 1.0
"""Seconds of service before any was seen."""
_RECENT = 20
_LONGEST = 600


def retry_after(ahead: int, workers: int, mean_seconds: float) -> int:
    """Whole seconds, from 1 to 600, until `ahead` photos are done by `workers` at `mean_seconds` each."""
    return max(1, ceil(min(_LONGEST, ahead * mean_seconds / workers)))


class Engine:
    """Runs work in threads: at most `serve.workers` at once, at most `serve.queue` waiting."""

    def __init__(self, serve: ServeParams, metrics: Metrics) -> None:
        self._serve, self._metrics = serve, metrics
        self._pool = ThreadPoolExecutor(serve.workers, thread_name_prefix="photo")
        self._lock = threading.Lock()
        self._waiting = self._running = 0
        self._recent: deque[float] = deque([_FIRST_GUESS], maxlen=_RECENT)

    @property
    def at_work(self) -> int:
        """Pieces of work that have begun and not ended."""
        return self._running

    @property
    def waiting(self) -> int:
        """Pieces of work that have not begun."""
        return self._waiting

    def check_room(self) -> None:
        """Refuse before a body is read for which there would be no room.

        Raises:
            Refused: the queue is full (429).
        """
        with self._lock:
            self._refuse_if_full()

    def submit(self, work: Callable[[float], Result]) -> "Future[Result]":
        """Queue a piece of work; it is told how many seconds it waited. Cancel the future to drop it unbegun.

        Raises:
            Refused: the queue is full (429).
        """
        with self._lock:
            self._refuse_if_full()
            self._waiting += 1
            self._metrics.queue.set(self._waiting)
        begun = time.perf_counter()
        future = self._pool.submit(self._run, work, begun)
        future.add_done_callback(self._dropped)
        return future

    def close(self) -> None:
        """Finish what has begun, drop the rest."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, work: Callable[[float], Result], submitted: float) -> Result:
        begun = time.perf_counter()
        self._count(waiting=-1, running=1)
        try:
            return work(begun - submitted)
        finally:
            self._count(running=-1)
            self._recent.append(time.perf_counter() - begun)

    def _dropped(self, future: "Future[Result]") -> None:
        if future.cancelled():
            self._count(waiting=-1)

    def _count(self, waiting: int = 0, running: int = 0) -> None:
        with self._lock:
            self._waiting += waiting
            self._running += running
            self._metrics.queue.set(self._waiting)

    def _refuse_if_full(self) -> None:
        ahead = self._waiting + self._running
        if ahead >= self._serve.workers + self._serve.queue:
            seconds = retry_after(ahead, self._serve.workers, sum(self._recent) / len(self._recent))
            raise full(f"{ahead} photos before this one", seconds)


def full(got: str, seconds: int) -> Refused:
    """There is no room; in so many seconds there may be."""
    remedy, headers = f"come again in {seconds} s", {"Retry-After": str(seconds)}
    return Refused(429, "queue_full", "room for one more photo", got, remedy, headers)


async def outcome(request: Request, future: "Future[Result]", seconds: float) -> Result:
    """The result of work, unless it comes too late or the caller has gone; then work that has not begun is dropped.

    Raises:
        Refused: no result within `seconds` (503), or nobody to give it to (499, which nobody sees).
    """
    result: asyncio.Future[Result] = asyncio.wrap_future(future)
    gone: asyncio.Future[None] = asyncio.ensure_future(_gone(request))
    both: set[asyncio.Future[Any]] = {result, gone}
    try:
        await asyncio.wait(both, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if result.done():
            return result.result()
        if gone.done():
            raise Refused(499, "gone", "a caller to answer", "a closed connection", "send it again")
        raise Refused(
            503, "too_late", f"an outcome within {seconds:g} s", "none yet", "come again", {"Retry-After": "5"}
        )
    finally:
        gone.cancel()
        result.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
