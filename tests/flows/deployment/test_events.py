"""Events arrive or the caller hears of it."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from flows.deployment.events import DRIFT, announce, emit
from models.errors import ServiceUnavailable

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::UserWarning")


@pytest.fixture
def got(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What a server is sent that takes events."""
    taken: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(204)
            self.end_headers()

        def do_GET(self) -> None:  # the client asks for a token against forged requests, which this server has not
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    _use(monkeypatch, f"http://127.0.0.1:{server.server_port}/api")
    yield taken
    server.shutdown()
    server.server_close()


def _use(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("PREFECT_API_URL", address)


def test_without_a_server_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    assert not emit(DRIFT, "likeness.window.w", {})


def test_a_server_gets_event_resource_and_payload(got: list[Any]) -> None:
    assert emit(DRIFT, "likeness.window.w", {"window_id": "w", "overrides": {"a.b": [1, 2]}})
    ((path, (event,)),) = got
    assert path == "/api/events"
    assert event["event"] == "likeness.drift.detected"
    assert event["resource"] == {"prefect.resource.id": "likeness.window.w"}
    assert event["payload"] == {"window_id": "w", "overrides": {"a.b": [1, 2]}}


def test_a_silent_server_is_an_error_for_what_must_arrive_and_a_line_for_what_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _use(monkeypatch, "http://127.0.0.1:1/api")
    with pytest.raises(ServiceUnavailable, match=r"Prefect at http://127\.0\.0\.1:1/api to accept the event"):
        emit(DRIFT, "likeness.window.w", {})
    assert not announce(DRIFT, "likeness.window.w", {})
