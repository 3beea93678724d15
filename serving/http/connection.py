"""Accept a request before its route: time limits for slow clients, request id and common headers, limits of the body.

`TimeoutProtocol` reads the connection; `ForwardedHeaders` (what a proxy says), `RequestId`, `AllowedHosts` (names of
the service) and `BodyLimit` wrap the application.
"""

import asyncio
import re
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import h11
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from pipeline.config.serving import ROOT_PATH, ProxyParams
from serving.http.problem import HttpProblem
from serving.http.same_site import is_loopback, is_named

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send
    from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable
    from uvicorn._types import Scope as UvicornScope

_HEADERS_TOO_LATE = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_CLOSE = {"Connection": "close"}
"""Nothing more of a body is read after an answer with this header."""
REQUEST_ID = "[0-9A-Za-z_-]{5,64}"
"""Pattern of an id that names a record, in addresses, logs and names of files; what is shorter names too much."""
_ECHOED = "[0-9A-Za-z_-]{1,64}"
_SECURITY = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked by machines that know an address and no name; nothing on them is about a person."""


class TimeoutProtocol(H11Protocol):
    """Close a connection whose request headers are incomplete `header_seconds` after it was opened or they began.

    uvicorn closes connections that are idle between two requests, but waits without limit for the first request, for
    the rest of headers that have begun, for the rest of a body that was answered early, and for a client that stops
    reading. Such a client is cut off when no byte of its answer has been sent for `header_seconds`.
    """

    header_seconds = 10.0

    _headers_due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # TCP only
        """Start the clock for the headers."""
        super().connection_made(transport)
        self._expect_headers()

    def data_received(self, data: bytes) -> None:
        """Read bytes of headers or body; stop the clock when the headers are complete."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop_expecting()
        elif self._headers_due is None and not self.transport.is_closing():
            self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock: the client has disconnected."""
        self._stop_expecting()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Watch that the client reads the answer, which is written at least to the socket's buffer."""
        super().on_response_complete()
        self._watch_reading(self.cycle, self.transport.get_write_buffer_size() + 1)
        if self.conn.their_state is h11.SEND_BODY:  # answered early; the client may finish sending, within limits
            self.loop.call_later(self.header_seconds, self._end_body, self.cycle)

    def _expect_headers(self) -> None:
        self._headers_due = self.loop.call_later(self.header_seconds, self._headers_too_late)

    def _stop_expecting(self) -> None:
        if self._headers_due is not None:
            self._headers_due.cancel()
            self._headers_due = None

    def _headers_too_late(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(_HEADERS_TOO_LATE)
            self.transport.close()

    def _end_body(self, cycle: RequestResponseCycle) -> None:
        if self.cycle is cycle and self.conn.their_state is h11.SEND_BODY:
            self.transport.close()

    def _watch_reading(self, cycle: RequestResponseCycle, before: int) -> None:
        if self.cycle is not cycle:  # the buffer holds a later answer, which is watched by its own timer
            return
        left = self.transport.get_write_buffer_size()
        if left >= before:
            self.transport.abort()
        elif left:
            self.loop.call_later(self.header_seconds, self._watch_reading, cycle, left)


def protocol_with_timeouts(header_seconds: float) -> type[asyncio.Protocol]:
    """Make the protocol class for `uvicorn.Config(http=...)`."""
    return type("Protocol", (TimeoutProtocol,), {"header_seconds": header_seconds})


def request_id(scope: Mapping[str, Any]) -> str:
    """Read the request id from an ASGI scope; "" before `RequestId` has handled it."""
    return str(scope.get("state", {}).get("request_id", ""))


def headers_of(scope: Mapping[str, Any]) -> dict[str, str]:
    """Make the headers of every answer; answers of the API concern one person's photo and must not be cached."""
    private = {"Cache-Control": "no-store"} if own_path(scope).startswith("/v1/") else {}
    return {"X-Request-Id": request_id(scope), **_SECURITY, **private}


def _chosen_id(headers: Headers) -> str:
    """Keep the caller's id, if it is one; else make one."""
    given = headers.getlist("x-request-id")
    return given[0] if len(given) == 1 and re.fullmatch(_ECHOED, given[0]) else uuid.uuid4().hex


class ForwardedHeaders(ProxyHeadersMiddleware):
    """Middleware: take scheme, client and path prefix of a request from headers of trusted proxies, and of nobody else.

    uvicorn reads X-Forwarded-Proto and X-Forwarded-For; this adds X-Forwarded-Prefix, the path below which the proxy
    shows the application, whether or not the proxy takes it off. Without the header it is `root_path`. As ASGI wants
    it, the path of the scope then begins with the prefix, so that redirects and the API's description name it.
    """

    def __init__(self, app: "ASGI3Application", proxy: ProxyParams) -> None:
        super().__init__(app, list(proxy.trusted))
        self._root_path = proxy.root_path

    async def __call__(self, scope: "UvicornScope", receive: "ASGIReceiveCallable", send: "ASGISendCallable") -> None:
        """Handle a request as the client made it."""
        if scope["type"] == "http":
            client = scope["client"]
            trusted = client is not None and client[0] in self.trusted_hosts
            prefix = (_forwarded_prefix(Headers(raw=list(scope["headers"]))) if trusted else "") or self._root_path
            if prefix:
                _put_below(scope, prefix)
        await super().__call__(scope, receive, send)


def _forwarded_prefix(headers: Headers) -> str:
    """Read the prefix; "" where there is none, several, or what is no plain path and might lead to another host."""
    given = [value.rstrip("/") for value in headers.getlist("x-forwarded-prefix")]
    return given[0] if len(given) == 1 and re.fullmatch(ROOT_PATH, given[0]) else ""


def _put_below(scope: Any, prefix: str) -> None:  # noqa: ANN401 - uvicorn's and Starlette's types of it differ
    scope["root_path"] = prefix
    if not f"{scope['path']}/".startswith(f"{prefix}/"):
        scope["path"] = prefix + scope["path"]
        scope["raw_path"] = prefix.encode() + (scope.get("raw_path") or b"")


def own_path(scope: Mapping[str, Any]) -> str:
    """Give the path of a request within the application, without the prefix of a proxy."""
    return str(scope["path"]).removeprefix(scope.get("root_path", ""))


class AllowedHosts:
    """Middleware: refuse requests for other names than `hosts` and this machine's; without `hosts` admit all.

    Args:
        app: the application.
        hosts: names, each with or without a port; one without stands for every port.
        refuse: makes the answer.
    """

    def __init__(
        self, app: "ASGIApp", hosts: tuple[str, ...], refuse: "Callable[[Request, HttpProblem], Response]"
    ) -> None:
        self._app, self._hosts, self._refuse = app, hosts, refuse

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] == "http" and self._hosts and own_path(scope) not in _PROBES:
            host = Headers(scope=scope).get("host", "")
            if not is_loopback(host) and not is_named(host, self._hosts):
                got, remedy = host[:100] or "none", "open the service by its own address"
                problem = HttpProblem(403, "site", "a request for a name of this service", got, remedy)
                await self._refuse(Request(scope), problem)(scope, receive, send)
                return
        await self._app(scope, receive, send)


class RequestId:
    """Middleware: give each request its caller's id or one of the service's own, and each answer the common headers."""

    def __init__(self, app: "ASGIApp") -> None:
        self._app = app

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})["request_id"] = _chosen_id(Headers(scope=scope))
        common = headers_of(scope)

        async def send_with_headers(message: "Message") -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in common.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class BodyLimit:
    """Middleware: end a request whose body is too large (413) or arrives too slowly (408), declared or chunked.

    The application meets the end as an exception in `receive`, so that its own handlers word the answer.

    Args:
        app: the application.
        max_bytes: of the body.
        seconds: until the body must be complete, from the first byte that the application reads.
    """

    def __init__(self, app: "ASGIApp", max_bytes: int, seconds: float) -> None:
        self._app, self._max_bytes, self._seconds = app, max_bytes, seconds

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await self._app(scope, _Body(self._max_bytes, self._seconds, Headers(scope=scope), receive).receive, send)


class _Body:
    """Count the bytes and seconds of one body."""

    def __init__(self, max_bytes: int, seconds: float, headers: Headers, receive: "Receive") -> None:
        self._max_bytes, self._seconds, self._receive = max_bytes, seconds, receive
        declared = headers.get("content-length", "")
        self._declared = int(declared) if declared.isdecimal() else 0
        self._received, self._deadline, self._complete = 0, 0.0, False

    async def receive(self) -> "Message":
        if self._complete:  # the next message is the client's disconnection, for which there is no deadline
            return await self._receive()
        if self._declared > self._max_bytes:
            raise self._too_large(f"{self._declared} bytes")
        self._deadline = self._deadline or asyncio.get_running_loop().time() + self._seconds
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            got, remedy = f"{self._received} bytes, then none", "send it faster, or a smaller picture"
            raise HttpProblem(408, "slow_body", f"the body within {self._seconds:g} s", got, remedy, _CLOSE) from None
        self._received += len(message.get("body", b""))
        if self._received > self._max_bytes:
            raise self._too_large("more")
        self._complete = not message.get("more_body", False)
        return message

    def _too_large(self, got: str) -> HttpProblem:
        return HttpProblem(413, "too_large", f"at most {self._max_bytes} bytes", got, "send smaller pictures", _CLOSE)
