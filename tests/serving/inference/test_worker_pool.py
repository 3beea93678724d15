"""The queue is bounded, its arithmetic holds, and what is late or unwanted does not run."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from math import inf

import httpx
import pytest
from fastapi import FastAPI, Request
from hypothesis import given
from hypothesis import strategies as st

from models.runtime.budget import Budget
from serving.http import errors
from serving.http.problem import HttpProblem
from serving.inference.worker_pool import WorkerPool, retry_after
from serving.metrics.service import Metrics
from tests.serving.site import PARAMS, Site, form

LIMITS = PARAMS.serve.model_copy(update={"workers": 2, "queue": 3})


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    made = WorkerPool(LIMITS, Metrics())
    yield made
    made.close()


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Opened at the end, so that no test can hang the pool."""
    opened = threading.Event()
    yield opened
    opened.set()


def waiting_for(gate: threading.Event) -> Callable[[float], float]:
    def work(queued: float) -> float:
        assert gate.wait(120)
        return queued

    return work


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@given(
    ahead=st.integers(0, 10_000),
    workers=st.integers(1, 64),
    mean=st.floats(0, 1e6, allow_nan=False),
)
def test_retry_after_is_when_the_queue_is_done(ahead: int, workers: int, mean: float) -> None:
    seconds = retry_after(ahead, workers, mean)
    assert 1 <= seconds <= 600
    assert seconds >= min(600, ahead * mean / workers)
    assert seconds < max(1.0, ahead * mean / workers) + 1
    assert seconds <= retry_after(ahead + 1, workers, mean)
    assert seconds >= retry_after(ahead, workers + 1, mean)


def test_by_hand() -> None:
    assert retry_after(18, 2, 0.5) == 5  # 18 photos, two at a time, half a second each: 4.5 s
    assert retry_after(0, 2, 0.5) == 1
    assert retry_after(1, 1, inf) == 600


def test_what_does_not_fit_is_refused_with_when_to_come_again(pool: WorkerPool, gate: threading.Event) -> None:
    futures = [pool.submit(waiting_for(gate)) for _ in range(5)]
    until(lambda: pool.running() == 2)
    assert pool.waiting() == 3
    with pytest.raises(HttpProblem, match="got 5 photos before this one; try again in 3 s") as caught:
        pool.submit(waiting_for(gate))
    assert (caught.value.status_code, caught.value.headers) == (429, {"Retry-After": "3"})  # 5 * 1 s / 2
    time.sleep(0.05)
    gate.set()
    queued = [future.result(10) for future in futures]
    assert max(queued[:2]) < min(queued[2:])
    until(lambda: pool.running() == pool.waiting() == 0)
    assert pool.submit(lambda seconds: seconds).result(10) < 1


def test_recent_times_of_service_count(pool: WorkerPool, gate: threading.Event) -> None:
    for _ in range(40):  # more than are remembered: the first guess of a second is forgotten
        pool.submit(lambda _: time.sleep(0.001)).result(10)
    futures = [pool.submit(waiting_for(gate)) for _ in range(5)]
    with pytest.raises(HttpProblem) as caught, pool.reading():
        pass
    assert caught.value.headers == {"Retry-After": "1"}
    assert all(not future.cancelled() for future in futures)


def test_what_was_cancelled_does_not_run_and_frees_its_place(pool: WorkerPool, gate: threading.Event) -> None:
    ran: list[int] = []
    busy = [pool.submit(waiting_for(gate)) for _ in range(2)]
    until(lambda: pool.running() == 2)
    late: Future[None] = pool.submit(lambda _: ran.append(1))
    assert late.cancel()
    assert pool.waiting() == 0
    assert not busy[0].cancel()  # it has begun
    gate.set()
    pool.submit(lambda _: ran.append(2)).result(10)
    assert ran == [2]


def test_errors_reach_the_caller_and_leave_the_engine_whole(pool: WorkerPool) -> None:
    with pytest.raises(ZeroDivisionError):
        pool.submit(lambda _: 1 / 0).result(10)
    until(lambda: pool.running() == pool.waiting() == 0)


def test_closing_finishes_what_has_begun_and_drops_the_rest(gate: threading.Event) -> None:
    pool = WorkerPool(LIMITS, Metrics())
    futures = [pool.submit(waiting_for(gate)) for _ in range(5)]
    until(lambda: pool.running() == 2)
    threading.Timer(0.05, gate.set).start()
    pool.close()
    assert [future.cancelled() for future in futures] == [False, False, True, True, True]
    assert all(future.result(0) >= 0 for future in futures[:2])


def app_over(pool: WorkerPool, work: Callable[[float, Budget], float], seconds: float) -> FastAPI:
    app = FastAPI()
    errors.install(app, lambda _: None)

    @app.get("/")
    async def answer(request: Request) -> float:
        return await pool.run(request, work, seconds)

    return app


@pytest.mark.anyio
async def test_an_outcome_that_comes_too_late(pool: WorkerPool, gate: threading.Event) -> None:
    ran: list[float] = []
    for _ in range(2):
        pool.submit(waiting_for(gate))

    def work(queued: float, _: Budget) -> float:
        ran.append(queued)
        return queued

    app = app_over(pool, work, 0.05)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
        answer = await client.get("/")
        assert (answer.status_code, answer.json()["code"]) == (503, "too_late")
        assert int(answer.headers["retry-after"]) > 0
        gate.set()
        until(lambda: pool.running() == pool.waiting() == 0)
        assert ran == []  # dropped, because it had not begun
        assert (await client.get("/")).status_code == 200
    assert len(ran) == 1


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def test_a_full_service_says_so_over_http(site: Site, gate: threading.Event) -> None:
    pool = site.service.pool
    room = PARAMS.serve.workers + PARAMS.serve.queue
    futures = [pool.submit(waiting_for(gate)) for _ in range(room)]
    with site.client() as client:
        answer = client.post("/v1/restorations", files=form())
        metrics = client.get("/metrics").text
        gate.set()
        assert [future.result(20) is not None for future in futures] == [True] * room
        assert client.post("/v1/restorations", files=form(), data={"picture": "none"}).status_code == 200
    assert (answer.status_code, answer.json()["code"]) == (429, "queue_full")
    assert 1 <= int(answer.headers["retry-after"]) <= 600
    assert 'likeness_rejected_total{reason="queue_full"}' in metrics
    assert f"likeness_queue_depth {PARAMS.serve.queue}.0" in metrics
