"""Slow and greedy clients, over real sockets against a real uvicorn."""

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest

from serving.http.auth import Guard
from serving.http.connection import TimeoutProtocol
from serving.inference.worker_pool import WorkerPool
from tests.serving.site import PARAMS, Shared, Site, form, running

HEADER_SECONDS, BODY_SECONDS, MAX_BYTES = 0.4, 0.6, 300_000
TIGHT = PARAMS.serve.model_copy(
    update={
        "header_seconds": HEADER_SECONDS,
        "body_seconds": BODY_SECONDS,
        "body_mebibytes": MAX_BYTES / 2**20,
        "uploads": 2,
    }
)
HEAD = b"POST /v1/restorations HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"


@pytest.fixture(scope="module")
def tight(site: Site) -> Iterator[tuple[str, int]]:
    """An open service with short time limits."""
    params, pool = PARAMS.model_copy(update={"serve": TIGHT}), WorkerPool(TIGHT, site.service.metrics)
    with running(Shared.of(site.service, params=params, pool=pool, guard=Guard(None))) as url:
        yield "127.0.0.1", urlsplit(url).port or 0
    pool.close()


def connect(place: tuple[str, int]) -> socket.socket:
    return socket.create_connection(place, timeout=10)


def rest(connection: socket.socket) -> bytes:
    """All until the other side closes."""
    received = b""
    try:
        while piece := connection.recv(65536):
            received += piece
    except ConnectionResetError:  # it closed with bytes of ours unread
        pass
    return received


def problem(answer: bytes) -> dict[str, object]:
    found: dict[str, object] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return found


@pytest.mark.parametrize("sent", [b"", b"G", b"POST /v1/restorations HTTP/1.1\r\nHost: lo"])
def test_headers_that_do_not_come(tight: tuple[str, int], sent: bytes) -> None:
    begun = time.perf_counter()
    with connect(tight) as connection:
        connection.sendall(sent)
        answer = rest(connection)
    assert answer.startswith(b"HTTP/1.1 408")
    assert HEADER_SECONDS * 0.9 <= time.perf_counter() - begun < HEADER_SECONDS + 3


def test_headers_that_drip(tight: tuple[str, int]) -> None:
    """Each byte in time, all of them not."""
    begun = time.perf_counter()
    with connect(tight) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\n")
        for _ in range(100):
            time.sleep(0.05)
            try:
                connection.sendall(b"X-A: b\r\n")
            except OSError:
                break
    assert time.perf_counter() - begun < 4


def test_the_second_request_of_a_connection_is_hurried_too(tight: tuple[str, int]) -> None:
    with connect(tight) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET /he")
        assert b"HTTP/1.1 408" in rest(connection)


def test_who_idles_between_requests_is_left_in_peace(tight: tuple[str, int]) -> None:
    with httpx.Client(base_url=f"http://{tight[0]}:{tight[1]}") as client:
        for _ in range(2):
            assert client.get("/healthz").status_code == 200
            time.sleep(HEADER_SECONDS * 1.5)


def test_a_body_that_does_not_come(tight: tuple[str, int]) -> None:
    begun = time.perf_counter()
    with connect(tight) as connection:
        connection.sendall(HEAD + b"Content-Length: 1000\r\n\r\n--x")
        answer = rest(connection)
    assert answer.startswith(b"HTTP/1.1 408")
    assert (problem(answer)["code"], problem(answer)["got"]) == ("slow_body", "3 bytes, then none")
    assert BODY_SECONDS * 0.9 <= time.perf_counter() - begun < BODY_SECONDS + 3


def test_a_body_that_is_declared_too_large(tight: tuple[str, int]) -> None:
    with connect(tight) as connection:
        connection.sendall(HEAD + f"Content-Length: {MAX_BYTES + 1}\r\n\r\n".encode())
        answer = rest(connection)
    assert answer.startswith(b"HTTP/1.1 413")
    assert problem(answer)["got"] == f"{MAX_BYTES + 1} bytes"


def test_a_chunked_body_that_grows_too_large(tight: tuple[str, int]) -> None:
    chunk = b"%x\r\n" % 50_000 + b"a" * 50_000 + b"\r\n"
    with connect(tight) as connection:
        head = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
        part = b"--x\r\nContent-Disposition: form-data; name=image; filename=a\r\n\r\n"
        connection.sendall(head + b"%x\r\n" % len(part) + part + b"\r\n")
        for _ in range(7):
            connection.sendall(chunk)
        answer = rest(connection)
    assert answer.startswith(b"HTTP/1.1 413")
    assert problem(answer)["code"] == "too_large"


def test_who_is_refused_early_cannot_go_on_sending(tight: tuple[str, int]) -> None:
    """The answer is there before the body; its sender is not read from for ever."""
    begun = time.perf_counter()
    with connect(tight) as connection:
        connection.sendall(HEAD.replace(b"localhost", b"elsewhere") + b"Content-Length: 100000\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 403")
        for _ in range(200):
            time.sleep(0.05)
            try:
                connection.sendall(b"a")
            except OSError:
                break
    assert time.perf_counter() - begun < 5


def test_uploads_are_counted(tight: tuple[str, int]) -> None:
    with connect(tight) as first, connect(tight) as second, connect(tight) as third:
        for connection in (first, second, third):
            connection.sendall(HEAD + b"Content-Length: 1000\r\n\r\n--x")
            time.sleep(0.05)
        assert third.recv(65536).startswith(b"HTTP/1.1 429")
        assert rest(first).startswith(b"HTTP/1.1 408")
        assert rest(second).startswith(b"HTTP/1.1 408")


def test_an_answer_that_nobody_reads_is_given_up(tight: tuple[str, int]) -> None:
    """Nothing of a client's going is left behind: the service still answers, and at once."""
    stalled = [connect(tight) for _ in range(3)]
    for connection in stalled:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
    time.sleep(HEADER_SECONDS * 3)
    assert httpx.get(f"http://{tight[0]}:{tight[1]}/healthz").status_code == 200
    for connection in stalled:
        connection.close()


def test_an_orderly_end_answers_what_has_begun(site: Site) -> None:
    """The server is told to stop while a photo is in work and another one waits."""
    pool = WorkerPool(PARAMS.serve, site.service.metrics)

    def post(url: str) -> int:
        return httpx.post(f"{url}/v1/restorations", files=form(), timeout=60).status_code

    with ThreadPoolExecutor(2) as clients:
        with running(Shared.of(site.service, pool=pool, guard=Guard(None))) as url:
            futures = [clients.submit(post, url) for _ in range(2)]
            while pool.running() + pool.waiting() < 2:
                time.sleep(0.002)
        statuses = [future.result(60) for future in futures]
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/healthz")
    assert statuses == [200, 200]
    pool.close()


class Buffer:
    """A transport of which only the fill of its write buffer matters."""

    def __init__(self) -> None:
        self.fill, self.aborted = 0, False

    def get_write_buffer_size(self) -> int:
        return self.fill

    def abort(self) -> None:
        self.aborted = True


@pytest.mark.parametrize("later_answer", [False, True])
def test_only_the_answer_that_is_not_taken_is_given_up(later_answer: bool) -> None:
    """A later answer on the same connection may fill the buffer again: that is no sign that nobody reads."""
    protocol, buffer, loop = object.__new__(TimeoutProtocol), Buffer(), asyncio.new_event_loop()
    protocol.__dict__ |= {"transport": buffer, "loop": loop, "header_seconds": 0.01, "cycle": object()}
    buffer.fill = 100
    protocol._watch_reading(protocol.cycle, 101)
    if later_answer:
        protocol.__dict__["cycle"] = object()
    loop.run_until_complete(asyncio.sleep(0.05))
    loop.close()
    assert buffer.aborted is not later_answer
