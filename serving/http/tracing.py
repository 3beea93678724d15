"""Traces by OpenTelemetry, where the standard variables name a collector; without them none of it is loaded.

A trace says which route, how long each step took, and how it ended. It never holds what came with a request: no
path, query, header or name of a file, as they may name a person; only the id of the request.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers

from models.errors import ConfigError
from models.runtime.spans import listen
from serving.http.connection import own_path, request_id

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_HTTP = "http/protobuf"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT"})
_QUIET = ("/healthz", "/readyz", "/metrics", "/static/", "/settings.js")
"""What machines ask for all the time is not traced."""
NO_NATIVE_TRACES: Any = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
"""FastAPI's own telemetry would send paths, and with them the names of subjects."""


def is_wanted() -> bool:
    """Tell whether the environment names a collector for traces."""
    off = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or os.environ.get("OTEL_TRACES_EXPORTER") == "none"
    return not off and any(os.environ.get(name) for name in ENDPOINTS)


class Tracing:
    """Send spans to the collector that the environment names; at most one at a time in a process.

    Raises:
        ConfigError: a protocol or an exporter that is not available.
    """

    def __init__(self) -> None:
        _check()
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        named = os.environ.get("OTEL_SERVICE_NAME") or SERVICE_NAME in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
        resource = Resource.create({} if named else {SERVICE_NAME: "likeness"})
        # not the process's: libraries that look for one would send what they know
        self.provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self.provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self.tracer = self.provider.get_tracer("likeness.serving")
        listen(self.step)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Enclose a step of a request that is traced; other work is not."""
        from opentelemetry.trace import StatusCode, get_current_span

        if not get_current_span().get_span_context().is_valid:
            yield
            return
        # messages of exceptions may hold what a caller sent
        with self.tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False) as current:
            try:
                yield
            except BaseException as error:
                current.set_attribute("error.type", type(error).__qualname__)
                current.set_status(StatusCode.ERROR)
                raise

    def close(self) -> None:
        """Send what is left, as far as the collector answers."""
        listen(None)
        self.provider.shutdown()


class TraceRequests:
    """Middleware: a span for each request, as part of the caller's trace where `traceparent` names one."""

    def __init__(self, app: "ASGIApp", tracing: Tracing) -> None:
        self._app, self._tracing = app, tracing

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] != "http" or own_path(scope).startswith(_QUIET):
            await self._app(scope, receive, send)
            return
        from opentelemetry.trace import SpanKind, StatusCode
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        headers, method, status = Headers(scope=scope), scope["method"], 500
        caller = {name: headers[name] for name in ("traceparent", "tracestate") if name in headers}
        method = method if method in _METHODS else "_OTHER"

        async def send_and_see(message: "Message") -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with self._tracing.tracer.start_as_current_span(
            method,
            context=TraceContextTextMapPropagator().extract(caller),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": method, "likeness.request_id": request_id(scope)},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                await self._app(scope, receive, send_and_see)
            finally:
                if route := getattr(scope.get("route"), "path_format", ""):
                    span.update_name(f"{method} {route}")
                    span.set_attribute("http.route", route)
                span.set_attribute("http.response.status_code", status)
                if status >= 500:
                    span.set_status(StatusCode.ERROR)


def _check() -> None:
    exporter = os.environ.get("OTEL_TRACES_EXPORTER", "") or "otlp"
    if exporter != "otlp":
        raise ConfigError("otlp or none in OTEL_TRACES_EXPORTER", exporter, "change or unset it")
    for name in _PROTOCOLS:
        if (protocol := os.environ.get(name)) and protocol != _HTTP:
            remedy = "change or unset it; collectors usually take it at port 4318"
            raise ConfigError(f"{_HTTP} in {name}", protocol, remedy)
