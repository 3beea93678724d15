"""Run work in a few threads behind a bounded queue. What does not fit is refused at once, with a time to try again."""

import asyncio
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from math import ceil
from typing import Any, TypeVar

from starlette.requests import Request

from models.face.detector import Face
from models.face.detectors import load_detector
from models.images import Image
from pipeline.config.identity import IdentityParams
from pipeline.config.serving import ServeParams
from restoration.types import Detector, Tools, load_tools
from serving.http.auth import OPEN
from serving.http.problem import HttpProblem
from serving.metrics.service import Metrics

Result = TypeVar("Result")

_FIRST_GUESS = 1.0
"""Seconds of service before any were measured."""
_RECENT = 20
_LONGEST = 600
_CACHED_PICTURES = 2
"""A request detects faces in the same picture more than once: for the mask, and for the restoration."""


class WorkerPool:
    """Worker threads: `serve.workers` run, `serve.queue` may wait, `serve.uploads` bodies are read."""

    def __init__(self, serve: ServeParams, metrics: Metrics) -> None:
        self._serve, self._metrics = serve, metrics
        self._pool = ThreadPoolExecutor(serve.workers, thread_name_prefix="photo")
        self._lock = threading.Lock()
        self._waiting = self._running = 0
        self._bodies: Counter[str] = Counter()
        self._recent: deque[float] = deque([_FIRST_GUESS], maxlen=_RECENT)

    def running(self) -> int:
        """Count the pieces of work that have begun and not ended."""
        return self._running

    def waiting(self) -> int:
        """Count the pieces of work that have not begun."""
        return self._waiting

    @contextmanager
    def reading(self, by: str = OPEN, *, photo: bool = True) -> Iterator[None]:
        """Hold a place for a body that is read in this block; bodies are in memory.

        Args:
            by: id of the caller's token, which may hold `serve.uploads_per_token` places; `open` may hold all.
            photo: the body brings work; None is read while the queue is full.

        Raises:
            HttpProblem: the queue is full, or too many bodies are being read (429).
        """
        with self._lock:
            if photo:
                self._refuse_if_full()
            if self._bodies.total() >= self._serve.uploads:
                raise _queue_full(f"{self._bodies.total()} uploads", 1)
            if by != OPEN and self._bodies[by] >= self._serve.uploads_per_token:
                raise _queue_full(f"{self._bodies[by]} uploads with this token", 1)
            self._bodies[by] += 1
        try:
            yield
        finally:
            with self._lock:
                self._bodies[by] -= 1
                self._bodies += Counter()  # drops tokens without uploads

    async def run(self, request: Request, work: Callable[[float], Result], seconds: float) -> Result:
        """Queue work and wait for its result; work that has not begun is dropped when nobody waits for it any more.

        Args:
            request: whose caller waits.
            work: is called with the seconds that it waited in the queue.
            seconds: how long to wait.

        Raises:
            HttpProblem: the queue is full (429), no result within `seconds` (503), or the caller has disconnected (499,
                which nobody receives).
        """
        result: asyncio.Future[Result] = asyncio.wrap_future(self.submit(work))
        gone: asyncio.Future[None] = asyncio.ensure_future(_disconnected(request))
        both: set[asyncio.Future[Any]] = {result, gone}
        try:
            await asyncio.wait(both, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if result.done():
                return result.result()
            if gone.done():
                raise HttpProblem(499, "gone", "a caller to answer", "a closed connection", "send it again")
            retry = {"Retry-After": "5"}
            raise HttpProblem(503, "too_late", f"an outcome within {seconds:g} s", "none yet", "try again later", retry)
        finally:
            gone.cancel()
            result.cancel()

    def submit(self, work: Callable[[float], Result]) -> "Future[Result]":
        """Queue work, which is called with the seconds that it waited. Cancel the future to drop it before it begins.

        Raises:
            HttpProblem: the queue is full (429).
        """
        with self._lock:
            self._refuse_if_full()
            self._waiting += 1
            self._metrics.queue.set(self._waiting)
        begun = time.perf_counter()
        future = self._pool.submit(self._run, work, begun)
        future.add_done_callback(self._count_cancelled)
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

    def _count_cancelled(self, future: "Future[Result]") -> None:
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
            raise _queue_full(f"{ahead} photos before this one", seconds)


def retry_after(ahead: int, workers: int, mean_seconds: float) -> int:
    """Compute whole seconds, 1 to 600, until `ahead` photos are done by `workers` at `mean_seconds` each."""
    return max(1, ceil(min(_LONGEST, ahead * mean_seconds / workers)))


def _queue_full(got: str, seconds: int) -> HttpProblem:
    remedy, headers = f"try again in {seconds} s", {"Retry-After": str(seconds)}
    return HttpProblem(429, "queue_full", "room for one more photo", got, remedy, headers)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


class ThreadTools:
    """Give each worker thread its own detector; landmarks and encoders, which have no state, are shared."""

    def __init__(self, min_detector_score: float, identity: IdentityParams) -> None:
        self._score, self._identity, self._own = min_detector_score, identity, threading.local()
        self._shared = load_tools(min_detector_score, identity)

    def for_request(self) -> Tools:
        """Make the calling thread's tools for one request."""
        if not hasattr(self._own, "detector"):
            self._own.detector = load_detector(self._identity.detector, self._score)
        return replace(self._shared, detector=_CachingDetector(self._own.detector))


class _CachingDetector:
    """A detector that remembers its results for the last pictures; they must not be changed meanwhile."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._results: list[tuple[Image, list[Face]]] = []

    def detect(self, image: Image) -> list[Face]:
        """See `models.face.detector.FaceDetector.detect`."""
        for picture, faces in self._results:
            if picture is image:
                return faces
        faces = self._detector.detect(image)
        self._results = [*self._results[1 - _CACHED_PICTURES :], (image, faces)]
        return faces
