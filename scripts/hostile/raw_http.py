"""HTTP as no client library would send it: bytes on a socket."""

import socket
from contextlib import suppress
from dataclasses import dataclass

_SECONDS = 60.0


@dataclass(frozen=True)
class Answer:
    """Status, 0 where the connection was closed without one, and all that came."""

    status: int
    content: bytes


def connect(place: tuple[str, int], receive_bytes: int | None = None) -> socket.socket:
    """Open a connection, with a buffer of so many bytes for answers that nobody reads; the system's own if None."""
    if receive_bytes is None:
        return socket.create_connection(place, timeout=_SECONDS)
    connection = socket.socket(socket.AF_INET6 if ":" in place[0] else socket.AF_INET)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)  # counts only before connecting
    connection.settimeout(_SECONDS)
    connection.connect(place)
    return connection


def head(method: str, target: str, token: str, *lines: str) -> bytes:
    """Write the head of a request with a token."""
    first = [f"{method} {target} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}", "Connection: close"]
    return "\r\n".join([*first, *lines, "", ""]).encode("latin-1")


def ask(place: tuple[str, int], sent: bytes) -> Answer:
    """Send bytes and read until the other side closes."""
    with connect(place) as connection:
        with suppress(OSError):  # it may answer and close before all is sent
            connection.sendall(sent)
        return read_answer(connection)


def read_answer(connection: socket.socket) -> Answer:
    """Read until the other side closes, or resets since bytes of ours were unread."""
    received = bytearray()
    with suppress(ConnectionResetError, TimeoutError):
        while piece := connection.recv(65536):
            received += piece
    first = bytes(received).removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n").split(b"\r\n", 1)[0].split()
    return Answer(int(first[1]) if len(first) > 1 and first[1].isdigit() else 0, bytes(received))
