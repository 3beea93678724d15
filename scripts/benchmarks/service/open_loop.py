"""Open-loop load: photos are sent when a Poisson process says so, whether or not earlier ones were answered.

A client that waits for its answer before it sends again goes easy on a slow server, and its own waiting is in no figure
(coordinated omission). Here latency is counted from the moment when a photo was due.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import numpy.typing as npt

Photos = Sequence[dict[str, Any]]
"""Form files of one request each, as httpx takes them."""

_TIMEOUT = 120.0


@dataclass(frozen=True)
class Answer:
    """One request: when it was due (seconds from the start), how long after that its answer was there, what it said."""

    due: float
    seconds: float
    status: int
    arm: str
    version: str
    subject: str


@dataclass(frozen=True)
class Load:
    """So many clients, each a Poisson process of `rate` photos per second, for `seconds`."""

    clients: int
    rate: float
    seconds: float
    seed: int

    def arrivals(self) -> npt.NDArray[np.float64]:
        """Due times of all clients together, sorted."""
        rngs = [np.random.default_rng([self.seed, client]) for client in range(self.clients)]
        return np.sort(np.concatenate([poisson(self.rate, self.seconds, rng) for rng in rngs]))


def poisson(rate: float, seconds: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Arrival times of a Poisson process: its number is Poisson, and given the number they are uniform."""
    return np.sort(rng.uniform(0.0, seconds, rng.poisson(rate * seconds)))


def send(address: str, load: Load, photos: Photos, *, meanwhile: Callable[[], None] | None = None) -> list[Answer]:
    """Send the whole load; `meanwhile` runs in a thread beside it. No answer within two minutes has status 0."""
    return asyncio.run(_send(address, load.arrivals(), photos, str(load.seed), meanwhile))


def saturate(address: str, photos: Photos, requests: int, in_flight: int, seed: int) -> list[Answer]:
    """Send `requests` photos as fast as they are answered, so many at once: what the service can do at most."""
    return asyncio.run(_saturate(address, photos, requests, in_flight, str(seed)))


async def _send(
    address: str, due: npt.NDArray[np.float64], photos: Photos, seed: str, meanwhile: Callable[[], None] | None
) -> list[Answer]:
    async with _client(address) as client, asyncio.TaskGroup() as group:
        beside = group.create_task(asyncio.to_thread(meanwhile)) if meanwhile else None
        began = time.perf_counter()
        tasks = []
        for number, moment in enumerate(due):
            await asyncio.sleep(max(0.0, began + moment - time.perf_counter()))
            photo = photos[number % len(photos)]
            tasks.append(group.create_task(_one(client, photo, f"{seed}-{number}", began, float(moment))))
        answers = [await task for task in tasks]
        if beside is not None:
            await beside
    return answers


async def _saturate(address: str, photos: Photos, requests: int, in_flight: int, seed: str) -> list[Answer]:
    numbers = iter(range(requests))
    began = time.perf_counter()

    async def work(client: httpx.AsyncClient) -> list[Answer]:
        now = time.perf_counter
        return [await _one(client, photos[n % len(photos)], f"{seed}-{n}", began, now() - began) for n in numbers]

    async with _client(address) as client:
        parts = await asyncio.gather(*(work(client) for _ in range(in_flight)))
    return [answer for part in parts for answer in part]


def _client(address: str) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
    return httpx.AsyncClient(base_url=address, timeout=_TIMEOUT, limits=limits, trust_env=False)


async def _one(client: httpx.AsyncClient, photo: dict[str, Any], subject: str, began: float, due: float) -> Answer:
    try:
        got = await client.post("/v1/restorations", files=photo, data={"subject": subject})
        status, body = got.status_code, got.json() if got.is_success else {}
    except httpx.HTTPError:
        status, body = 0, {}
    took = time.perf_counter() - began - due
    return Answer(due, took, status, body.get("arm", ""), body.get("model_version", ""), subject)
