"""A proxy in front of an MLflow server that passes requests on, or does not, as it is told."""

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SLOW_SECONDS = 10.0
REFUSES, SILENT, SLOW, FAILED = "refuses", "is silent", "is slow", "answers 500"
"""Nobody listens; a request is never answered, also not after the fault; each waits first; each is refused."""
LOST = "carries out and answers 500"
"""What else may become of a write."""
_HOST = "127.0.0.1"
_SECONDS = 120
_OF_A_CONNECTION = {"content-length", "transfer-encoding", "connection"}


@dataclass
class Writes:
    """Break writes: those from the `first` on, counted from 1, as many as are `left`; by default none.

    A client's second try of a write that failed counts as a write of its own.
    """

    fault: str = FAILED
    first: int = 0
    left: int = 0
    made: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self) -> str:
        """Count a write, and give its fault, "" for none."""
        with self.lock:
            self.made += 1
            if self.left == 0 or self.made < self.first:
                return ""
            self.left -= 1
            return self.fault


class RegistryProxy:
    """Passes requests on to the server at a port; `fault` is one of these four or "", `writes` breaks writes alone."""

    def __init__(self, behind: int) -> None:
        self.behind, self.fault, self.writes = behind, "", Writes()
        self.closed = threading.Event()
        self._server = self._listening(0)
        self.port = self._server.server_port

    @property
    def address(self) -> str:
        """Where clients reach it."""
        return f"http://{_HOST}:{self.port}"

    @contextmanager
    def broken(self, fault: str) -> Iterator[None]:
        """Break every request in the block in one way."""
        self.fault = fault
        if fault == REFUSES:
            self._stop_listening()
        try:
            yield
        finally:
            self.fault = ""
            if fault == REFUSES:
                self._server = self._listening(self.port)

    def close(self) -> None:
        """End it, and requests that wait for an answer."""
        self.closed.set()
        self._stop_listening()

    def _listening(self, port: int) -> ThreadingHTTPServer:
        server = ThreadingHTTPServer((_HOST, port), type("Handler", (_Handler,), {"proxy": self}))
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        return server

    def _stop_listening(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """Answers one request after the other of a connection."""

    protocol_version = "HTTP/1.1"
    proxy: RegistryProxy

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.proxy.fault or (self.proxy.writes.next() if self.command != "GET" else "")
        if fault in {REFUSES, SILENT}:
            self._give_up(wait=fault == SILENT)
            return
        if fault == SLOW:
            time.sleep(SLOW_SECONDS)
        if fault != FAILED:
            status, headers, content = self._asked(body)
        if fault in {FAILED, LOST}:
            status, headers, content = 500, {"Content-Type": "text/plain"}, b"the registry broke down"
        with suppress(ConnectionError):  # whoever waited too long is gone
            self._answer(status, headers, content)

    def _give_up(self, *, wait: bool) -> None:
        """End a connection without an answer, at once or when all is over."""
        if wait:
            self.proxy.closed.wait()
        self.close_connection = True

    def _asked(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        behind = http.client.HTTPConnection(_HOST, self.proxy.behind, timeout=_SECONDS)
        behind.request(self.command, self.path, body=body, headers=dict(self.headers))
        answer = behind.getresponse()
        content = answer.read()
        behind.close()
        return answer.status, dict(answer.getheaders()), content

    def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in _OF_A_CONNECTION:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _pass_on  # noqa: N815 - names that http.server looks for

    def log_message(self, *_: object) -> None:
        """Say nothing."""
