"""Spans of a request, as a collector gets them over OTLP: nothing of a person in them, none without a collector."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import pytest

from models.errors import ConfigError
from serving.http import tracing
from serving.http.auth import Guard
from serving.service import Service
from tests.conftest import ROOT
from tests.serving.site import Shared, form, running

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


@contextmanager
def collector() -> Iterator[tuple[str, list[Any]]]:
    """An OTLP receiver on loopback: its address, and the resource spans that came."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    got: list[Any] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.extend(ExportTraceServiceRequest.FromString(body).resource_spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in the base class
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def spans_of(got: list[Any]) -> dict[str, list[Any]]:
    """Spans by name."""
    found: dict[str, list[Any]] = {}
    for resource in got:
        for scope in resource.scope_spans:
            for span in scope.spans:
                found.setdefault(span.name, []).append(span)
    return found


def values(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


def test_a_collector_gets_the_steps_of_each_request_and_nothing_about_a_person(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = ("jane-doe", "holiday.png", "confidential")
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "X-Request-Id": "order-17"}
    with collector() as (address, got):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
        monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")  # FastAPI's own would send paths
        with running(Shared.of(service, guard=Guard(None))) as url:
            files = {name: (f"{name}-{secrets[1]}", data) for name, data in form().items()}
            data = {"subject": secrets[0]}
            answer = httpx.post(f"{url}/v1/restorations", files=files, data=data, headers=headers, timeout=120)
            httpx.delete(f"{url}/v1/subjects/{secrets[0]}?why={secrets[2]}", timeout=60)
            httpx.post(f"{url}/v1/masks", files={"image": (secrets[1], b"none")}, timeout=60)
            httpx.get(f"{url}/{secrets[2]}")
            httpx.get(f"{url}/healthz")
            httpx.get(f"{url}/healthz", headers={"X-Forwarded-Prefix": "/likeness"})  # through a proxy
    assert (answer.status_code, answer.json()["request_id"]) == (200, "order-17")
    assert {values(one.resource.attributes)["service.name"] for one in got} == {"likeness"}
    found = spans_of(got)
    (request,) = found["POST /v1/restorations"]
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE, PARENT)
    assert values(request.attributes) == {
        "http.request.method": "POST",
        "likeness.request_id": "order-17",
        "http.route": "/v1/restorations",
        "http.response.status_code": 200,
    }
    steps = {name: span for name, spans in found.items() for span in spans if span.trace_id.hex() == TRACE}
    stages = {"decode", "mask", "restore", "encode", "log"}
    assert set(steps) == {request.name, *stages, "detection", "evidence", "network", "paste"}
    assert {steps[name].parent_span_id for name in stages} == {request.span_id}
    inner = {steps[name].parent_span_id for name in ("detection", "evidence", "network", "paste")}
    assert inner == {steps["restore"].span_id}
    assert set(found) - set(steps) == {"DELETE /v1/subjects/{id}", "POST /v1/masks", "GET"}
    assert values(found["GET"][0].attributes)["http.response.status_code"] == 404
    everything = str(got)
    assert not [secret for secret in secrets if secret in everything]


def test_without_a_collector_nothing_of_it_is_loaded() -> None:
    code = (
        "import sys; from serving.http import tracing; assert not tracing.is_wanted(); "
        "print([name for name in sys.modules if name.startswith('opentelemetry.sdk')])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_it_is_off_until_the_environment_names_a_collector(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], wanted: bool
) -> None:
    for name in (*tracing.ENDPOINTS, "OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER"):
        monkeypatch.delenv(name, raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert tracing.is_wanted() is wanted


@pytest.mark.parametrize(
    ("name", "value"), [("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), ("OTEL_TRACES_EXPORTER", "zipkin")]
)
def test_what_is_not_available_is_said_at_the_start(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=f"{name}; got {value}"):
        tracing.Tracing()


def test_a_collector_that_does_not_answer_delays_neither_requests_nor_the_end(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "2")
    with running(Shared.of(service, guard=Guard(None))) as url:
        begun = time.monotonic()
        assert httpx.get(f"{url}/v1/restorations/{'0' * 32}").status_code == 404
        answered = time.monotonic()
    assert answered - begun < 5
    assert time.monotonic() - answered < 20
