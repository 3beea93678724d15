"""Limit the bytes and seconds of a request's body before it is understood."""

import asyncio
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from serving.http.errors import Refused

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_CLOSE = {"Connection": "close"}
"""After these nothing more of the body is read."""


class BodyLimit:
    """Ends a request whose body is too large (413) or comes too slowly (408), declared or chunked.

    The application meets the end as an exception in `receive`, so that its own handlers word the answer.

    Args:
        app: the application.
        max_bytes: of the body.
        seconds: until all of it must be there, from the first byte that the application asks for.
    """

    def __init__(self, app: "ASGIApp", max_bytes: int, seconds: float) -> None:
        self._app, self._max_bytes, self._seconds = app, max_bytes, seconds

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await self._app(scope, _Body(self._max_bytes, self._seconds, Headers(scope=scope), receive).receive, send)


class _Body:
    """Counts one body."""

    def __init__(self, max_bytes: int, seconds: float, headers: Headers, receive: "Receive") -> None:
        self._max_bytes, self._seconds, self._receive = max_bytes, seconds, receive
        declared = headers.get("content-length", "")
        self._declared = int(declared) if declared.isdecimal() else 0
        self._seen, self._deadline, self._whole = 0, 0.0, False

    async def receive(self) -> "Message":
        if self._whole:  # what comes now is the client's going, for which there is no hurry
            return await self._receive()
        if self._declared > self._max_bytes:
            raise self._too_large(f"{self._declared} bytes")
        self._deadline = self._deadline or asyncio.get_running_loop().time() + self._seconds
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            got, remedy = f"{self._seen} bytes and silence", "send it faster, or a smaller picture"
            raise Refused(408, "slow_body", f"the body within {self._seconds:g} s", got, remedy, _CLOSE) from None
        self._seen += len(message.get("body", b""))
        if self._seen > self._max_bytes:
            raise self._too_large("more")
        self._whole = not message.get("more_body", False)
        return message

    def _too_large(self, got: str) -> Refused:
        return Refused(413, "too_large", f"at most {self._max_bytes} bytes", got, "send smaller pictures", _CLOSE)
