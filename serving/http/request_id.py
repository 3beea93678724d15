"""An id for each request, which is ours and not the caller's, and the same headers on every answer."""

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from starlette.datastructures import MutableHeaders

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SECURITY = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def request_id(scope: Mapping[str, Any]) -> str:
    """The id of the request that an ASGI scope stands for; empty before `Envelope` saw it."""
    return str(scope.get("state", {}).get("request_id", ""))


def headers_of(scope: Mapping[str, Any]) -> dict[str, str]:
    """What every answer carries; answers of the API, which are about one person's photo, are not for caches."""
    private = {"Cache-Control": "no-store"} if scope["path"].startswith("/v1/") else {}
    return {"X-Request-Id": request_id(scope), **_SECURITY, **private}


class Envelope:
    """Gives each request an id, and each answer its headers."""

    def __init__(self, app: "ASGIApp") -> None:
        self._app = app

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})["request_id"] = uuid.uuid4().hex

        async def send_with_headers(message: "Message") -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in headers_of(scope).items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)
