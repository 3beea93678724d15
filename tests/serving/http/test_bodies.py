"""Every body is counted while it is read, whatever it is of; no token holds all places; JSON is a few kilobytes."""

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import httpx
import pytest

from serving.http.auth import Guard
from serving.inference.worker_pool import WorkerPool
from tests.serving.site import PARAMS, Shared, Site, form, running

ID = "0" * 32
JSON_BYTES, UPLOADS, PER_TOKEN, BODY_SECONDS = 1024, 4, 3, 2.0
TIGHT = PARAMS.serve.model_copy(
    update={
        "uploads": UPLOADS,
        "uploads_per_token": PER_TOKEN,
        "json_kibibytes": JSON_BYTES / 1024,
        "body_seconds": BODY_SECONDS,
    }
)
PICTURES, FEEDBACK, REVIEW = "/v1/restorations", f"/v1/restorations/{ID}/feedback", f"/v1/restorations/{ID}/review"
MASKS = "/v1/masks"
KINDS = {PICTURES: "multipart/form-data; boundary=x", MASKS: "multipart/form-data; boundary=x"}


@pytest.fixture
def pool(site: Site) -> Iterator[WorkerPool]:
    made = WorkerPool(TIGHT, site.service.metrics)
    yield made
    made.close()


@contextmanager
def served(site: Site, pool: WorkerPool, guard: Guard) -> Iterator[tuple[str, int]]:
    """A service with few places."""
    params = PARAMS.model_copy(update={"serve": TIGHT})
    with running(Shared.of(site.service, params=params, pool=pool, guard=guard)) as url:
        yield "127.0.0.1", urlsplit(url).port or 0


def begin(place: tuple[str, int], path: str, length: str, token: str = "", body: bytes = b"") -> socket.socket:
    """A request whose body stops after `body`."""
    connection = socket.create_connection(place, timeout=30)
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Type: {KINDS.get(path, 'application/json')}", length]
    lines += [f"Authorization: Bearer {token}"] if token else []
    connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
    return connection


def answer(connection: socket.socket) -> tuple[int, dict[str, str]]:
    received = b""
    try:
        while piece := connection.recv(65536):
            received += piece
            head, _, body = received.partition(b"\r\n\r\n")
            if body.endswith(b"}"):
                break
    except ConnectionResetError:
        pass
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


@pytest.mark.parametrize("path", [PICTURES, MASKS, FEEDBACK, REVIEW])
def test_sixty_stalled_bodies_hold_no_more_than_the_places(site: Site, pool: WorkerPool, path: str) -> None:
    with served(site, pool, Guard(None)) as place, ExitStack() as stack:
        sent = [begin(place, path, "Transfer-Encoding: chunked") for _ in range(60)]
        for connection in sent:
            stack.enter_context(connection)
        assert Counter(answer(connection)[0] for connection in sent) == {429: 60 - UPLOADS, 408: UPLOADS}
        with begin(place, path, "Content-Length: 2", body=b"{}") as later:  # the places are free again
            assert answer(later)[0] == 422


def test_a_token_holds_its_share_and_others_get_in(site: Site, pool: WorkerPool) -> None:
    one, other = site.tokens["review"], site.tokens["admin"]
    with served(site, pool, site.service.guard) as place, ExitStack() as stack:

        def stall(path: str, token: str) -> socket.socket:
            made = stack.enter_context(begin(place, path, "Transfer-Encoding: chunked", token))
            time.sleep(0.1)
            return made

        held = [stall(path, one) for path in (PICTURES, FEEDBACK, REVIEW)]
        for path in (PICTURES, MASKS, FEEDBACK, REVIEW):
            status, problem = answer(stall(path, one))
            assert (status, problem["code"], problem["got"]) == (429, "queue_full", "3 uploads with this token")
        held.append(stall(FEEDBACK, other))
        assert answer(stall(FEEDBACK, other))[1]["got"] == "4 uploads"
        assert [answer(connection)[0] for connection in held] == [408] * 4


@pytest.mark.parametrize("path", [FEEDBACK, REVIEW])
def test_json_of_forty_megabytes_is_refused_before_it_is_read(site: Site, pool: WorkerPool, path: str) -> None:
    with served(site, pool, Guard(None)) as place:
        sent = [begin(place, path, f"Content-Length: {40 * 2**20}") for _ in range(60)]
        for connection in sent:
            with connection:
                status, problem = answer(connection)
                assert (status, problem["code"]) == (413, "too_large")
                assert problem["expected"] == f"at most {JSON_BYTES} bytes of JSON"
        chunk = b"%x\r\n" % 600 + b" " * 600 + b"\r\n"
        with begin(place, path, "Transfer-Encoding: chunked", body=chunk + chunk) as connection:
            assert answer(connection)[0] == 413
        with begin(place, path, f"Content-Length: {JSON_BYTES}", body=b" " * (JSON_BYTES - 2) + b"{}") as connection:
            assert answer(connection)[0] == 422  # read whole, and found to be no feedback


def test_feedback_is_taken_while_the_queue_is_full(site: Site, pool: WorkerPool) -> None:
    gate = threading.Event()
    with served(site, pool, Guard(None)) as place, httpx.Client(base_url=f"http://127.0.0.1:{place[1]}") as client:
        waiting = [pool.submit(lambda _: gate.wait(120)) for _ in range(TIGHT.workers + TIGHT.queue)]
        try:
            assert client.post(PICTURES, files=form()).status_code == 429
            assert client.post(FEEDBACK, json={"recognised": True}).json()["code"] == "unknown_request"
        finally:
            gate.set()
        assert all(future.result(20) for future in waiting)
