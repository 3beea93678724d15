"""Bodies whose size is too large or a lie, forms of a thousand parts, and hundreds of sockets that say nothing more."""

import time
from collections.abc import Callable
from contextlib import ExitStack

import httpx
import numpy as np

from scripts.finding import Finding, bounded, counted
from scripts.hostile.raw_http import ask, connect, head
from scripts.hostile.victim import Siege, Victim

PHOTOS, FEEDBACK = "/v1/restorations", f"/v1/restorations/{'0' * 32}/feedback"
FORM, JSON = "Content-Type: multipart/form-data; boundary=x", "Content-Type: application/json"
SOCKETS, GOOD = 500, 200
MEBIBYTES = 512.0
_MEBIBYTE = 2**20
_PART = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
_LOOK = 1e-3
"""Seconds by which two times may differ without meaning anything."""
_FEW = 4
_RECEIVE_BYTES = 4096
"""Buffer of a socket that stalls: an answer that nobody reads soon fills it."""
_STALLS = {
    "silent": b"",
    "half a head": b"POST /v1/restorations HTTP/1.1\r\nHost: local",
    "half a body": head("POST", PHOTOS, "{token}", FORM, "Content-Length: 100000") + _PART,
    "half a chunk": head("POST", FEEDBACK, "{token}", JSON, "Transfer-Encoding: chunked") + b"ff\r\n{",
    "no reader": head("GET", "/openapi.json", "{token}").replace(b"Connection: close\r\n", b"") * 20,
}


def attack(siege: Siege) -> list[Finding]:
    """Attack by sizes, then by connections."""
    return [*_sizes(siege), *_stalled(siege.victim)]


def _sizes(siege: Siege) -> list[Finding]:
    """Each body is refused in words, and takes little memory."""
    victim, misses, memory = siege.victim, [], dict[str, float]()
    limit = int(siege.params.serve.body_mebibytes * _MEBIBYTE)
    cases = size_cases(victim.tokens["restore"], limit, siege.params.serve.json_bytes)
    for name, (sent, statuses) in cases.items():
        answer, cost = victim.measured(lambda: ask(victim.place, sent()))  # noqa: B023 - called at once
        memory[name] = cost.mebibytes
        if answer.status not in statuses:
            misses.append(f"{name}: {answer.status} for {statuses}: {answer.content[-120:]!r}")
    asked = "0 answers but 400, 408, 413, 422"
    return [counted("sizes of bodies", asked, misses, len(cases)), bounded("sizes of bodies", "MiB", MEBIBYTES, memory)]


def size_cases(token: str, limit: int, json_limit: int) -> dict[str, tuple[Callable[[], bytes], set[int]]]:
    """Bodies, made when they are sent, and the statuses that they may get; 0 is a closed connection."""

    def form(*lines: str) -> bytes:
        return head("POST", PHOTOS, token, FORM, *lines)

    def feedback(*lines: str) -> bytes:
        return head("POST", FEEDBACK, token, JSON, *lines)

    chunk = b"%x\r\n" % 65536 + b"a" * 65536 + b"\r\n"
    texts = b'--x\r\nContent-Disposition: form-data; name="mode"\r\n\r\nauto\r\n'
    return {
        "declared too large": (lambda: form(f"Content-Length: {limit + 1}"), {413}),
        "declared beyond 64 bits": (lambda: form(f"Content-Length: {2**64}"), {400, 413}),
        "declared with 19 digits": (lambda: form(f"Content-Length: {10**18}"), {413}),
        "declared negative": (lambda: form("Content-Length: -1"), {400}),
        "declared twice": (lambda: form("Content-Length: 5", "Content-Length: 6") + b"--x--\r\n", {400}),
        "declared and chunked": (
            lambda: form("Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n", {400, 422},
        ),
        "more than declared": (lambda: form("Content-Length: 5") + _PART + b"a" * 500_000, {400, 422}),
        "less than declared": (lambda: form("Content-Length: 100000") + _PART, {408}),
        "chunks without an end": (
            lambda: form("Transfer-Encoding: chunked") + b"%x\r\n" % len(_PART) + _PART + b"\r\n"
            + chunk * (limit // 65536 + 2), {413},
        ),
        "a chunk that lies": (lambda: form("Transfer-Encoding: chunked") + b"ffffffff\r\n" + b"a" * 1000, {408, 422}),
        "a chunk of no number": (lambda: form("Transfer-Encoding: chunked") + b"zz\r\naa\r\n", {400, 422}),
        "1,000 files": (
            lambda: _closed(form, (_PART + b"a\r\n") * 1000), {422},
        ),
        "1,000 texts": (lambda: _closed(form, texts * 1000), {422}),
        "1,000 headers of a part": (
            lambda: _closed(form, b"--x\r\n" + b"X-A: b\r\n" * 1000 + b"\r\na\r\n"), {400, 422},
        ),
        "a text of 1 MiB": (lambda: _closed(form, texts.replace(b"auto", b"a" * _MEBIBYTE)), {422}),
        "no end of the form": (lambda: form(f"Content-Length: {len(_PART)}") + _PART, {422}),
        "JSON too large": (lambda: feedback(f"Content-Length: {json_limit + 1}") + b" " * (json_limit + 1), {413}),
        "JSON of deep brackets": (lambda: feedback(f"Content-Length: {json_limit}") + b"[" * json_limit, {422}),
    }  # fmt: skip


def _closed(form: Callable[..., bytes], body: bytes) -> bytes:
    whole = body + b"--x--\r\n"
    return form(f"Content-Length: {len(whole)}") + whole


def _stalled(victim: Victim) -> list[Finding]:
    """Good requests beside sockets that have stalled: each is answered, in less than twice the time taken alone."""
    found, idle = [], victim.served.process.num_fds()
    for name, sent in _STALLS.items():
        alone, refused = good_requests(victim, GOOD)
        with ExitStack() as stack:
            for _ in range(SOCKETS):
                stack.enter_context(connect(victim.place, _RECEIVE_BYTES)).sendall(
                    sent.replace(b"{token}", victim.tokens["restore"].encode())
                )
            until_still(victim)
            beside, more = good_requests(victim, GOOD)
        found.append(_times(f"{SOCKETS} sockets, {name}", alone, beside, refused + more))
        until_free(victim, idle)
    return found


def good_requests(victim: Victim, number: int) -> tuple[list[float], list[str]]:
    """Ask for what needs token, database and router; gives the seconds of each, and what came instead of an answer."""
    seconds, refused = list[float](), list[str]()
    with victim.client("restore") as client:
        for _ in range(number):
            began = time.perf_counter()
            try:
                status = client.get(f"/v1/restorations/{'0' * 32}").status_code
                refused += [] if status == httpx.codes.NOT_FOUND else [str(status)]
            except httpx.HTTPError as error:
                refused.append(repr(error))
            seconds.append(time.perf_counter() - began)
    return seconds, refused


def until_still(victim: Victim) -> None:
    """Wait until the service has done what the sockets asked for before they stalled."""
    deadline, before = time.monotonic() + 60, -1.0
    while (now := sum(victim.served.process.cpu_times()[:2])) > before + 0.02 and time.monotonic() < deadline:
        before = now
        time.sleep(0.5)


def until_free(victim: Victim, idle: int) -> None:
    """Wait until the service has seen that the sockets are closed: it has few more open files than when idle."""
    deadline = time.monotonic() + 60
    while victim.served.process.num_fds() > idle + _FEW and time.monotonic() < deadline:
        time.sleep(0.2)


def _times(name: str, alone: list[float], beside: list[float], refused: list[str]) -> Finding:
    before, after = (float(np.quantile(seconds, 0.99)) + _LOOK for seconds in (alone, beside))
    observed = (
        f"{len(refused)} / {len(alone) + len(beside)} refused; p99 {1000 * after:.0f} ms, alone {1000 * before:.0f} ms"
    )
    met = not refused and after < 2 * before
    return Finding(name, "0 good requests refused, p99 under twice that alone", observed, met, tuple(refused))
