"""Run work in a few threads behind a bounded queue. What does not fit is refused at once, with a time to try again."""

import asyncio
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import replace
from math import ceil
from typing import Any, TypeVar

from starlette.requests import Request

from models.errors import Stopped
from models.face.detector import Face
from models.face.detectors import load_detector
from models.images import Image
from models.runtime.budget import UNLIMITED, Budget
from pipeline.config.identity import IdentityParams
from pipeline.config.serving import ServeParams
from pipeline.image_io.decode import count_pixels
from restoration.types import Detector, Tools, load_tools
from serving.http.auth import OPEN
from serving.http.problem import HttpProblem
from serving.metrics.service import Metrics

Result = TypeVar("Result")

_FIRST_GUESS = 1.0
"""Seconds of service before any were measured."""
_RECENT = 20
_LONGEST = 600
_PATIENCE = 0.2
"""Seconds after which work that waits for memory looks whether it still should."""
_LEAST_MEBIBYTES, _PIXEL_BYTES = 64.0, 18.0
"""Memory of a small request, MiB, and of work on each pixel of a photo, bytes, as measured by
`scripts.benchmarks.service.measure_heavy`, and some more."""
_KEPT_BYTES, _READING_BYTES = 3.0, 4.0
"""Of each pixel of a decoded picture, and besides while it is decoded."""
_CACHED_PICTURES = 2
"""A request detects faces in the same picture more than once: for the mask, and for the restoration."""


class WorkerPool:
    """Worker threads: `serve.workers` run, `serve.queue` may wait, `serve.uploads` bodies are read."""

    def __init__(self, serve: ServeParams, metrics: Metrics) -> None:
        self._serve, self._metrics = serve, metrics
        self._pool = ThreadPoolExecutor(serve.workers, thread_name_prefix="photo")
        self._lock = threading.Lock()
        self._ended = threading.Condition(self._lock)
        self._waiting = self._running = 0
        self._bodies: Counter[str] = Counter()
        self._begun: dict[Budget, Future[Any]] = {}
        self._ending = False
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

    async def run(self, request: Request, work: Callable[[float, Budget], Result], seconds: float) -> Result:
        """Queue work and wait for its result; when nobody waits any more, it is dropped, or ends at its next step.

        Args:
            request: whose caller waits.
            work: is called with the seconds that it waited in the queue, and with the budget that it has to check.
            seconds: how long to wait.

        Raises:
            HttpProblem: the queue is full (429), no result within `seconds` (503), the service is being stopped (503),
                or the caller has disconnected (499, which nobody receives).
        """
        budget = Budget(seconds, self._serve.max_faces)
        caller = copy_context()  # a step of this request's trace
        waits = self.submit(lambda queued: caller.run(work, queued, budget))
        self._begun[budget] = waits
        result: asyncio.Future[Result] = asyncio.wrap_future(waits)
        gone: asyncio.Future[None] = asyncio.ensure_future(_disconnected(request))
        both: set[asyncio.Future[Any]] = {result, gone}
        try:
            await asyncio.wait(both, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if result.done() and not result.cancelled():
                return result.result()
            if gone.done():
                raise HttpProblem(499, "gone", "a caller to answer", "a closed connection", "send it again")
            raise self._unfinished(seconds)
        except Stopped as error:
            raise self._unfinished(seconds) from error
        finally:
            gone.cancel()
            result.cancel()
            budget.stop("nobody who waits")
            del self._begun[budget]

    def end_within(self, seconds: float) -> None:
        """Let what has begun, or waits, go on for so long; then it ends at its next step, and its callers are told."""
        timer = threading.Timer(seconds, self._end)
        timer.daemon = True  # it must not keep a process that is done earlier
        timer.start()

    def _end(self) -> None:
        self._ending = True
        for budget, waits in self._begun.copy().items():
            waits.cancel()
            budget.stop("a service that is being stopped")

    def _unfinished(self, seconds: float) -> HttpProblem:
        retry = {"Retry-After": "5"}
        if self._ending:
            return HttpProblem(503, "stopping", "time to finish", "a service that is being stopped", "try again", retry)
        remedy = "try again later, or with a smaller picture or mask"
        return HttpProblem(503, "too_late", f"an outcome within {seconds:g} s", "none yet", remedy, retry)

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

    def close(self, seconds: float | None = None) -> bool:
        """Finish what has begun, drop the rest.

        Args:
            seconds: how long to wait for what has begun; None: until it is done.

        Returns:
            Whether all of it is done.
        """
        self._pool.shutdown(wait=False, cancel_futures=True)
        with self._ended:
            done = self._ended.wait_for(lambda: self._running == 0, seconds)
        if done:
            self._pool.shutdown(wait=True)
        return done

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
            self._ended.notify_all()
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


class MemoryLimit:
    """Memory of all photos in work together, as their sizes tell it beforehand; what does not fit now waits."""

    def __init__(self, serve: ServeParams) -> None:
        self._each, self._all = serve.request_mebibytes, serve.memory_mebibytes
        self._held, self._freed = 0.0, threading.Condition()

    @contextmanager
    def held(self, image: bytes, references: Sequence[bytes], budget: Budget) -> Iterator[None]:
        """Hold what work on a photo with its references takes for the block, once there is room for it.

        Raises:
            HttpProblem: it takes more than a request may (413).
            Stopped: the budget was spent first.
        """
        mebibytes = needed_mebibytes(image, references)
        if mebibytes > self._each:
            expected, got = f"pictures that take at most {self._each:g} MiB of memory", f"about {mebibytes:.0f} MiB"
            raise HttpProblem(413, "too_much_memory", expected, got, "send a smaller photo, or fewer references")
        with self._freed:
            while self._held and self._held + mebibytes > self._all:
                budget.check()
                self._freed.wait(_PATIENCE)
            self._held += mebibytes
        try:
            yield
        finally:
            with self._freed:
                self._held -= mebibytes
                self._freed.notify_all()


def needed_mebibytes(image: bytes, references: Sequence[bytes]) -> float:
    """Tell by the headers of a photo and of its references how much memory work on them takes at most."""
    photo, others = count_pixels(image), [count_pixels(reference) for reference in references]
    kept = _KEPT_BYTES * sum(others)
    most = max(_PIXEL_BYTES * photo, _KEPT_BYTES * photo + _READING_BYTES * max(others, default=0))
    return _LEAST_MEBIBYTES + (kept + most) / 2**20


class ThreadTools:
    """Give each worker thread its own detector; landmarks and encoders, which have no state, are shared."""

    def __init__(self, min_detector_score: float, identity: IdentityParams) -> None:
        self._score, self._identity, self._own = min_detector_score, identity, threading.local()
        self._shared = load_tools(min_detector_score, identity)

    def for_request(self, budget: Budget = UNLIMITED) -> Tools:
        """Make the calling thread's tools for one request, which has a budget."""
        if not hasattr(self._own, "detector"):
            self._own.detector = load_detector(self._identity.detector, self._score)
        return replace(self._shared, detector=_CachingDetector(self._own.detector), budget=budget)


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
