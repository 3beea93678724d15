"""Clients that send photos without a pause, each request on a connection of its own, and note what came of it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from scripts.benchmarks.service.served_workspace import photos

_CLIENTS = 3
_SECONDS = 120.0
_PAUSE = 0.05
"""Seconds until a client tries again that was refused."""


@dataclass
class Answers:
    """What came of the requests.

    Attributes:
        ids: of requests that were answered with a picture.
        refused: how many were not taken: nobody listened, or 429 or 503 in words.
        lost: what came of each of the others.
    """

    ids: list[str] = field(default_factory=list)
    refused: int = 0
    lost: list[str] = field(default_factory=list)

    @property
    def taken(self) -> int:
        """How many the service took, or somebody began to send."""
        return len(self.ids) + len(self.lost)


@contextmanager
def load(address: str, seed: int) -> Iterator[Answers]:
    """Send photos from several clients all the while; the answers are complete after the block."""
    answers, stop, sent = Answers(), threading.Event(), photos(_CLIENTS, seed)
    threads = [threading.Thread(target=_send, args=(address, photo, answers, stop)) for photo in sent]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _send(address: str, photo: dict[str, tuple[str, bytes]], answers: Answers, stop: threading.Event) -> None:
    headers = {"Connection": "close"}
    with httpx.Client(base_url=address, headers=headers, timeout=_SECONDS, trust_env=False) as client:
        while not stop.is_set():
            try:
                _note(client.post("/v1/restorations", files=photo), answers)
            except httpx.ConnectError:
                answers.refused += 1
                stop.wait(_PAUSE)
            except httpx.HTTPError as error:
                answers.lost.append(repr(error))


def _note(answer: httpx.Response, answers: Answers) -> None:
    if answer.is_success:
        answers.ids.append(answer.headers["x-request-id"])
    elif answer.status_code in {httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.TOO_MANY_REQUESTS}:
        answers.refused += 1
    else:
        answers.lost.append(f"{answer.status_code}: {answer.text[:200]}")
