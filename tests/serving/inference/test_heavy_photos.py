"""Legal photos that take long: their work ends with whoever waited for it, and the service ends in a bounded time.

A real service with short limits, and a photo whose mask marks specks everywhere: seconds of work at any size.
"""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest

from models.errors import Stopped
from models.images import Image
from models.runtime.budget import UNLIMITED, Budget
from pipeline.config.serving import ServeParams
from serving.http.auth import Guard
from serving.http.problem import HttpProblem
from serving.inference.worker_pool import MemoryLimit, WorkerPool, needed_mebibytes
from serving.service import LAST_SECONDS
from tests.serving.inference.test_worker_pool import until
from tests.serving.site import PARAMS, Shared, Site, file_of, form, running

SIDE = 2500
SOON = 10.0
"""Seconds; one step on a busy machine."""


class Owned(Shared):
    """Shared parts, but a pool of its own, which ends as in the real service."""

    def end_within(self, seconds: float) -> None:
        self.pool.end_within(seconds)

    def close(self) -> None:
        self.pool.close(LAST_SECONDS)


@pytest.fixture(scope="module")
def heavy() -> dict[str, bytes]:
    """Form files: a photo in two colours, every tenth pixel of which is missing."""
    photo = np.full((SIDE, SIDE, 3), 150, np.uint8)
    photo[:, : SIDE // 2] = (90, 60, 30)
    mask = np.random.default_rng(1).random((SIDE, SIDE)) < 0.1
    return {"image": file_of(photo, "JPEG"), "mask": file_of(mask)}


def owned(site: Site, **limits: float) -> Owned:
    serve: ServeParams = PARAMS.serve.model_copy(update=limits)
    pool = WorkerPool(serve, site.service.metrics)
    return Owned(
        **vars(Shared.of(site.service, params=PARAMS.model_copy(update={"serve": serve}), pool=pool, guard=Guard(None)))
    )


@pytest.fixture
def pending() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as clients:
        yield clients


def post(url: str, files: dict[str, bytes]) -> httpx.Response:
    return httpx.post(f"{url}/v1/restorations", files=files, data={"picture": "none"}, timeout=120)


@pytest.mark.slow
def test_work_ends_soon_after_its_time_is_up(site: Site, heavy: dict[str, bytes]) -> None:
    service = owned(site, answer_seconds=1.5)
    with running(service) as url:
        begun = time.perf_counter()
        answer = post(url, heavy)
        assert (answer.status_code, answer.json()["code"]) == (503, "too_late")
        assert int(answer.headers["retry-after"]) > 0
        assert time.perf_counter() - begun < 1.5 + SOON
        until(lambda: service.pool.running() == 0)
        assert time.perf_counter() - begun < 1.5 + SOON
        assert service.context.log.row(answer.json()["request_id"]) is None
    assert post(site.open_url, form()).status_code == 200


@pytest.mark.slow
def test_work_ends_soon_after_its_caller_has_left(site: Site, heavy: dict[str, bytes]) -> None:
    service = owned(site)
    with running(service) as url:
        request = httpx.Request("POST", f"{url}/v1/restorations", files=heavy)
        body = request.read()
        head = f"POST /v1/restorations HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
        with socket.create_connection(("127.0.0.1", urlsplit(url).port or 0)) as connection:
            connection.sendall(f"{head}Content-Type: {request.headers['content-type']}\r\n\r\n".encode() + body)
            until(lambda: service.pool.running() == 1)
            time.sleep(1.0)  # into the work
            assert service.pool.running() == 1
        left = time.perf_counter()
        until(lambda: service.pool.running() == 0)
        assert time.perf_counter() - left < SOON


@pytest.mark.slow
def test_a_service_that_is_stopped_ends_although_photos_are_in_work(
    site: Site, heavy: dict[str, bytes], pending: ThreadPoolExecutor
) -> None:
    """Two are in work and one waits: all three callers are told."""
    service = owned(site, shutdown_seconds=1.0)
    with running(service) as url:
        asked = [pending.submit(post, url, heavy) for _ in range(3)]
        until(lambda: (service.pool.running(), service.pool.waiting()) == (2, 1))
        begun = time.perf_counter()
    assert time.perf_counter() - begun < 1.0 + SOON
    answers = [one.result(60) for one in asked]
    assert [(one.status_code, one.json()["code"]) for one in answers] == [(503, "stopping")] * 3
    assert service.pool.running() == 0


def test_more_damaged_faces_than_a_photo_may_have_are_refused(site: Site) -> None:
    service = owned(site, max_faces=1)
    files = form()
    with running(service) as url:
        assert post(url, files).status_code == 200
        answer = post(url, two_faces())
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_data")
    assert (answer.json()["expected"], answer.json()["got"]) == ("at most 1 damaged faces in one photo", "2")


def two_faces() -> dict[str, bytes]:
    """The astronaut twice, with a hole in each."""
    from tests.serving.site import damaged

    image, mask = damaged()
    return {"image": file_of(np.hstack([image, image])), "mask": file_of(np.hstack([mask, mask]))}


def flat(side: int) -> bytes:
    picture: Image = np.zeros((side, side, 3), np.uint8)
    return file_of(picture)


def test_memory_is_told_by_the_headers_alone() -> None:
    least = needed_mebibytes(b"no picture", ())
    assert needed_mebibytes(flat(1024), ()) == least + 18
    assert needed_mebibytes(flat(1024), (flat(1024), flat(512))) == least + 18 + 3 + 3 / 4
    assert needed_mebibytes(flat(512), (flat(2048),)) == least + 3 / 4 + (3 + 4) * 4  # while the reference is read
    assert needed_mebibytes(flat(1024)[:100], ()) == least + 18  # the pixels are not there


def test_a_photo_that_takes_too_much_memory_is_refused() -> None:
    limit = MemoryLimit(PARAMS.serve.model_copy(update={"request_mebibytes": 80.0}))
    with limit.held(flat(800), (), UNLIMITED):
        pass
    told = "at most 80 MiB of memory; got about 82 MiB"
    with pytest.raises(HttpProblem, match=told) as caught, limit.held(flat(1024), (), UNLIMITED):
        pass
    assert (caught.value.status_code, caught.value.code) == (413, "too_much_memory")


def test_what_does_not_fit_now_waits_until_it_does(pending: ThreadPoolExecutor) -> None:
    limit = MemoryLimit(PARAMS.serve.model_copy(update={"memory_mebibytes": 150.0}))
    order: list[str] = []

    def second() -> None:
        with limit.held(flat(1024), (), UNLIMITED):
            order.append("second begins")

    with limit.held(flat(1024), (), UNLIMITED):
        waits = pending.submit(second)
        with pytest.raises(Stopped), limit.held(flat(1024), (), Budget(seconds=0.1)):
            order.append("never")
        with limit.held(b"small", (), UNLIMITED):  # 82 and 64 fit
            order.append("small")
        order.append("first ends")
    waits.result(10)
    assert order == ["small", "first ends", "second begins"]
