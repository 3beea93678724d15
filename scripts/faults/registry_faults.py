"""Break a real MLflow server under a service and in the middle of promotions, and promote from many sides at once.

Asked for: the service answers with the model that it had, and serves what was promoted once the registry is back; a
promotion is made wholly or refused in words, and whoever reads meanwhile finds the old champion or the new one.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
from mlflow import MlflowClient

from models.errors import LikenessError
from pipeline.registry.promotion import promote
from pipeline.registry.versions import standing_of
from scripts.benchmarks.service.served_workspace import photos, serving
from scripts.faults.drill import Drill
from scripts.faults.registry_crowd import promote_at_once
from scripts.faults.registry_proxy import FAILED, SILENT, SLOW
from scripts.faults.registry_site import NAME, STOPPED, Site, registry_site
from scripts.faults.registry_writes import break_writes
from scripts.finding import Finding, bounded, counted

FAULTS = (STOPPED, SILENT, SLOW, FAILED)
_LASTS = 25.0
"""Seconds of a fault: several times the service asks the registry."""
_SERVED_SECONDS = 60.0
_GIVEN_UP_SECONDS = 300.0
_ANSWER_SECONDS = 120.0
_PAUSE = 0.2
_OTHER = {"1": "2", "2": "1"}
"""Which version is promoted beside which champion."""


@dataclass
class Seen:
    """What a client saw: when it was answered, and by which version; or what else came of a request."""

    answers: list[tuple[float, str]] = field(default_factory=list)

    def since(self, moment: float) -> list[str]:
        """List the versions that have answered since."""
        return [version for at, version in self.answers if at > moment]


@dataclass
class Outages:
    """What faults did to restorations, to promotions, and to the time until the service serves what was promoted."""

    restorations: list[str] = field(default_factory=list)
    promotions: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    answered: int = 0


def try_faults(drill: Drill) -> list[Finding]:
    """Break each write of a promotion, then the server, once for every ten trials of the drill; promote at once."""
    with registry_site(drill.work / "one", versions=2, weights=2) as site:
        writes = break_writes(site, drill)
        outages = _try_outages(site, max(1, drill.trials // 10), drill.seed)
    return [*outages, writes, promote_at_once(drill)]


def _try_outages(site: Site, rounds: int, seed: int) -> list[Finding]:
    """Break the server in each way while a client asks for restorations."""
    found = Outages()
    with serving(site.paths, registry=site.proxy.address) as served, _asking(served.address, seed) as seen:
        for number in range(rounds):
            for fault in FAULTS:
                _break(site, fault, f"{fault}, round {number + 1}", seen, found)
    faults = f"MLflow {', '.join(FAULTS)}, {rounds} times {_LASTS:g} s each"
    served_claim = f"{faults}: from a promotion afterwards until the service serves it"
    return [
        counted(f"{faults}: restorations", "each by the model that was served", found.restorations, found.answered),
        counted(f"{faults}: promotions", "made wholly, or refused in words", found.promotions, len(found.seconds)),
        bounded(served_claim, "s", _SERVED_SECONDS, found.seconds),
    ]


def _break(site: Site, fault: str, told: str, seen: Seen, found: Outages) -> None:
    """Break the server, try to promote, and promote when it is back."""
    champion = _champion(site)
    wanted, began = _OTHER[champion], time.monotonic()
    with site.broken(fault):
        outcome = _promoted(site, wanted)
        time.sleep(max(0.0, began + _LASTS - time.monotonic()))
    possible = {champion, wanted} if outcome == "promoted" else {champion}
    answers = seen.since(began)
    found.answered += len(answers)
    found.restorations += [f"{told}: {answer}" for answer in answers if answer not in possible]
    now = _champion(site)
    if now != (wanted if outcome == "promoted" else champion) or outcome not in {"promoted", "refused"}:
        found.promotions.append(f"{told}: {outcome}, champion {now}")
    promote(site.paths, NAME, wanted)
    found.seconds[told] = _until_served(seen, wanted)


def _promoted(site: Site, version: str) -> str:
    """Promote: `promoted`, `refused` in words of the project, or what else came of it."""
    try:
        promote(site.paths, NAME, version)
    except LikenessError:
        return "refused"
    except Exception as error:  # noqa: BLE001 - what else a promotion may raise is what is measured
        return repr(error)[:200]
    return "promoted"


def _champion(site: Site) -> str:
    """Ask the server itself who is champion."""
    return standing_of(MlflowClient(site.server.address), NAME).champion().version


def _until_served(seen: Seen, version: str) -> float:
    """Wait until a version answers; the seconds that it took."""
    began = time.monotonic()
    while version not in seen.since(began) and time.monotonic() < began + _GIVEN_UP_SECONDS:
        time.sleep(_PAUSE)
    return time.monotonic() - began


@contextmanager
def _asking(address: str, seed: int) -> Iterator[Seen]:
    """Ask for one restoration after the other all the while."""
    seen, stop = Seen(), threading.Event()
    thread = threading.Thread(target=_ask, args=(address, seed, seen, stop))
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


def _ask(address: str, seed: int, seen: Seen, stop: threading.Event) -> None:
    (photo,) = photos(1, seed)
    with httpx.Client(base_url=address, timeout=_ANSWER_SECONDS, trust_env=False) as client:
        while not stop.wait(_PAUSE):
            try:
                answer = client.post("/v1/restorations", files=photo, data={"picture": "none"})
                version = answer.json()["model_version"] if answer.is_success else f"{answer.status_code}"
            except httpx.HTTPError as error:
                version = repr(error)
            seen.answers.append((time.monotonic(), version))
