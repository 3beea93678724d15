"""uvicorn's HTTP/1.1 protocol with patience that ends: for headers that do not come and answers that nobody takes."""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

_LATE = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class PatientProtocol(H11Protocol):
    """Closes a connection whose request headers are not whole `header_seconds` after it, or its first byte, came.

    uvicorn itself closes connections that idle between two requests, but waits forever for the first one, for the rest
    of headers that have begun, for the rest of a body that was answered early, and for a client that stops reading. The
    last is cut off when nothing of its answer has moved for `header_seconds`.
    """

    header_seconds = 10.0

    _headers_due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # TCP only
        """A client is there."""
        super().connection_made(transport)
        self._expect_headers()

    def data_received(self, data: bytes) -> None:
        """Bytes of headers or body."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop_expecting()
        elif self._headers_due is None and not self.transport.is_closing():
            self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone."""
        self._stop_expecting()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """The answer is written, or at least in the socket's buffer."""
        super().on_response_complete()
        self._see_it_taken(self.cycle, self.transport.get_write_buffer_size() + 1)
        if self.conn.their_state is h11.SEND_BODY:  # answered early; it may finish sending, but not for ever
            self.loop.call_later(self.header_seconds, self._end_body, self.cycle)

    def _expect_headers(self) -> None:
        self._headers_due = self.loop.call_later(self.header_seconds, self._too_late)

    def _stop_expecting(self) -> None:
        if self._headers_due is not None:
            self._headers_due.cancel()
            self._headers_due = None

    def _too_late(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(_LATE)
            self.transport.close()

    def _end_body(self, cycle: RequestResponseCycle) -> None:
        if self.cycle is cycle and self.conn.their_state is h11.SEND_BODY:
            self.transport.close()

    def _see_it_taken(self, cycle: RequestResponseCycle, before: int) -> None:
        if self.cycle is not cycle:  # the buffer holds a later answer, which is watched itself
            return
        left = self.transport.get_write_buffer_size()
        if left >= before:
            self.transport.abort()
        elif left:
            self.loop.call_later(self.header_seconds, self._see_it_taken, cycle, left)


def patient(header_seconds: float) -> type[asyncio.Protocol]:
    """The protocol class for `uvicorn.Config(http=...)`."""
    return type("Patient", (PatientProtocol,), {"header_seconds": header_seconds})
