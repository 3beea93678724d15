"""An S3 server whose answers go wrong by a plan: moto behind a proxy that refuses, delays, cuts and damages bodies."""

import http.client
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

FAULTS = ("error 500", "error 503", "slow", "cut", "damaged")
SLOW_SECONDS = 10.0
_FAULTY = ("GET", "PUT")
"""Methods that carry objects."""


@dataclass
class Plan:
    """Which fault the next requests meet, and how many of them; every other one is answered as the server does."""

    fault: str = ""
    left: int = 0
    met: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, fault: str, times: int) -> None:
        """Let the next `times` requests for objects meet a fault."""
        with self.lock:
            self.fault, self.left, self.met = fault, times, 0

    def next(self) -> str:
        """Give the fault of a request, "" for none."""
        with self.lock:
            if self.left == 0:
                return ""
            self.left -= 1
            self.met += 1
            return self.fault


class _Proxy(BaseHTTPRequestHandler):
    """Passes a request on, and its answer back, as the plan says."""

    protocol_version = "HTTP/1.1"
    plan: ClassVar[Plan]
    behind: ClassVar[tuple[str, int]]

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.plan.next() if self.command in _FAULTY and "?" not in self.path else ""
        if fault.startswith("error"):
            self._answer(int(fault.split()[1]), {}, b"", 0)
            return
        if fault == "slow":
            time.sleep(SLOW_SECONDS)
        status, headers, content = self._asked(body)
        length = len(content)
        if self.command == "GET" and fault == "cut":
            content = content[: length // 2]
        if self.command == "GET" and fault == "damaged" and content:
            content = bytes([content[0] ^ 1]) + content[1:]
        self._answer(status, headers, content, length)

    def _asked(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        behind = http.client.HTTPConnection(*self.behind, timeout=60)
        behind.request(self.command, self.path, body=body, headers=dict(self.headers))
        answer = behind.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()

    def _answer(self, status: int, headers: dict[str, str], content: bytes, length: int) -> None:
        """Answer; a body that is shorter than its `length` says ends with the connection."""
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                self.send_header(name, value)
        declared = headers.get("Content-Length", "0") if self.command == "HEAD" else str(length)
        self.send_header("Content-Length", declared)
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = len(content) < length

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _pass_on  # noqa: N815 - names that http.server looks for

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def faulty_server() -> Iterator[tuple[str, Plan]]:
    """Serve S3 behind the proxy: its address, and the plan of faults, at first without any."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # moto has it tell of every request
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    plan = Plan()
    handler = type("Proxy", (_Proxy,), {"plan": plan, "behind": moto.get_host_and_port()})
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=proxy.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{proxy.server_port}", plan
    finally:
        proxy.shutdown()
        proxy.server_close()
        moto.stop()
