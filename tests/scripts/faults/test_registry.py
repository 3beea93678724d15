"""The proxy breaks what it is told to and nothing else; a promotion that is lost shows as a gap."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise

import httpx
import pytest

from pipeline.registry.promotion import Promotion
from pipeline.registry.versions import Standing
from scripts.faults.registry_crowd import gaps
from scripts.faults.registry_proxy import FAILED, LOST, REFUSES, SILENT, RegistryProxy, Writes


@contextmanager
def behind() -> Iterator[tuple[RegistryProxy, list[str]]]:
    """A proxy, and what arrives at the server behind it."""
    arrived = list[str]()

    class Server(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            arrived.append(f"{self.command} {self.path}")
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        do_POST = do_GET  # noqa: N815 - as above

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    proxy = RegistryProxy(server.server_port)
    try:
        yield proxy, arrived
    finally:
        proxy.close()
        server.shutdown()
        server.server_close()


def ask(proxy: RegistryProxy, method: str = "GET") -> int:
    return httpx.request(method, f"{proxy.address}/api", timeout=2, trust_env=False).status_code


def test_the_proxy_breaks_every_request_in_the_block_alone() -> None:
    with behind() as (proxy, arrived):
        assert ask(proxy) == 200
        with proxy.broken(REFUSES), pytest.raises(httpx.ConnectError):
            ask(proxy)
        with proxy.broken(SILENT), pytest.raises(httpx.ReadTimeout):
            ask(proxy)
        with proxy.broken(FAILED):
            assert ask(proxy) == 500
        assert arrived == ["GET /api"]
        assert ask(proxy) == 200


@pytest.mark.parametrize(("fault", "carried_out"), [(FAILED, 1), (LOST, 2)])
def test_the_proxy_breaks_one_write_and_no_reading(fault: str, carried_out: int) -> None:
    with behind() as (proxy, arrived):
        proxy.writes = Writes(fault, first=2, left=1)
        assert [ask(proxy, "POST"), ask(proxy), ask(proxy, "POST")] == [200, 200, 500]
        assert arrived.count("POST /api") == carried_out
        assert (ask(proxy, "POST"), proxy.writes.made) == (200, 3)


def made(*versions: str) -> list[Promotion]:
    return [Promotion(previous=one, champion=two) for one, two in pairwise(versions)]


def standing(champion: str, previous: str) -> Standing:
    aliases = {"champion": champion, "previous": previous}
    return Standing(aliases, aliases)


def test_promotions_that_follow_one_another_have_no_gap() -> None:
    assert gaps(made("1", "4", "2", "3")[::-1], standing("3", "2")) == []
    assert gaps([], Standing({"champion": "1"}, {"champion": "1"})) == []


def test_a_promotion_that_is_lost_is_a_gap() -> None:
    both_after_one = [*made("1", "2"), *made("1", "3")]
    assert gaps(both_after_one, standing("3", "1"))[0] == "2 made, 1 of them follow one another"
    assert gaps(made("1", "2", "3"), standing("2", "1")) != []
    assert gaps(made("1", "2", "3")[1:], standing("3", "2")) != []
