"""Open-loop load: when photos are due, and that a slow server is not gone easy on."""

import asyncio
import socket
import threading
from collections.abc import Iterator

import numpy as np
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from scripts.benchmarks.service.measure_service import counts, quantiles, switched
from scripts.benchmarks.service.open_loop import Answer, Load, poisson, saturate, send

PHOTO = [{"image": ("a.png", b"x")}]
DELAY = 0.2


@pytest.fixture(scope="module")
def slow() -> Iterator[str]:
    """A server that answers one request at a time, each in 0.2 s; the arm is that of the subject's last digit."""
    one = asyncio.Lock()

    async def answer(request: Request) -> JSONResponse:
        async with request.form() as form:
            subject = str(form["subject"])
        async with one:
            await asyncio.sleep(DELAY)
        odd = int(subject[-1]) % 2
        return JSONResponse({"arm": "challenger" if odd else "champion", "model_version": "1"})

    app = Starlette(routes=[Route("/v1/restorations", answer, methods=["POST"])])
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # the first post, 10 ms after the start, is not refused while uvicorn starts
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def test_poisson_arrivals_have_the_rate_and_the_spread_of_their_name() -> None:
    rng = np.random.default_rng(5)
    numbers = np.array([len(poisson(2.0, 50.0, rng)) for _ in range(400)])
    assert numbers.mean() == pytest.approx(100.0, abs=2.0)  # four standard errors
    assert numbers.var() == pytest.approx(100.0, rel=0.3)  # of a Poisson number: its mean
    gaps = np.diff(poisson(2.0, 5000.0, rng))
    assert gaps.mean() == pytest.approx(0.5, rel=0.05)
    assert (gaps > 1.0).mean() == pytest.approx(np.exp(-2.0), abs=0.02)  # exponential


def test_clients_are_independent_and_repeatable() -> None:
    one, four = Load(1, 1.0, 200.0, 3), Load(4, 1.0, 200.0, 3)
    assert np.array_equal(one.arrivals(), Load(1, 1.0, 200.0, 3).arrivals())
    assert set(one.arrivals()) <= set(four.arrivals())
    assert 650 < len(four.arrivals()) < 950
    assert np.all(np.diff(four.arrivals()) >= 0)


def test_latency_counts_the_queue_that_the_load_itself_makes(slow: str) -> None:
    """Ten a second to a server that does five: the last one waits for all before it."""
    answers = send(slow, Load(1, 10.0, 2.0, 7), PHOTO)
    assert [answer for answer in answers if answer.status != 200] == []
    assert len(answers) > 10
    last = max(answer.due + answer.seconds for answer in answers)
    assert last >= len(answers) * DELAY
    assert max(answer.seconds for answer in answers) > 3 * DELAY  # a client that waits would have measured one


def test_saturation_keeps_so_many_in_flight(slow: str) -> None:
    answers = saturate(slow, PHOTO, 6, 3, seed=1)
    assert counts(answers) == (6, 0, 0)
    assert sorted(answer.subject for answer in answers) == [f"1-{n}" for n in range(6)]
    assert np.median([answer.seconds for answer in answers]) > 1.9 * DELAY  # each behind two others


def test_nobody_there_is_a_failure_not_an_error() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        answers = saturate(f"http://127.0.0.1:{closed.getsockname()[1]}", PHOTO, 2, 1, seed=1)
    assert counts(answers) == (0, 0, 2)


def test_figures_by_hand() -> None:
    answers = [Answer(0.0, float(n), 200, "champion", "1", str(n)) for n in range(1, 102)]
    full = [Answer(0.0, 0.1, 429, "", "", "x")] * 3
    assert counts([*answers, *full]) == (101, 3, 0)
    assert quantiles([*answers, *full]) == (51.0, 100.0)
    moved = [Answer(0.0, 1.0, 200, "challenger", "2", "5"), Answer(0.0, 1.0, 200, "challenger", "2", "new")]
    assert switched(answers, moved) == 1
