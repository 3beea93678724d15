"""Break each write of a promotion on its way to MLflow's server, while the champion is read every 5 ms.

A write is refused with 500, or carried out and answered with 500 all the same; once, so that the client's repetition
gets through; twice, so that the promotion fails and can put back what it wrote; or from then on, so that it cannot.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from mlflow import MlflowClient

from models.errors import LikenessError
from pipeline.registry.alias_moves import journal_file
from pipeline.registry.promotion import promote
from pipeline.registry.versions import SHIPPED, find_version, standing_of
from scripts.faults.drill import Drill
from scripts.faults.registry_proxy import FAILED, LOST, Writes
from scripts.faults.registry_site import NAME, Site
from scripts.finding import Finding, counted

TIMES = {"once": 1, "twice": 2, "from then on": 1000}
"""How many writes meet a fault."""
_ALL_TRIALS = 20
"""The trials of a drill that breaks every write in every way; fewer break so much less."""
_READ_EVERY = 0.005
_OTHER = {"1": "2", "2": "1"}


def break_writes(site: Site, drill: Drill) -> Finding:
    """Break each write in each way, then promote without a fault."""
    site.proxy.writes = Writes()
    promote(site.paths, NAME, "2")
    writes = site.proxy.writes.made
    ways = [(at, fault, times) for at in range(1, writes + 1) for fault in (FAILED, LOST) for times in TIMES]
    few = max(1, len(ways) * min(drill.trials, _ALL_TRIALS) // _ALL_TRIALS)
    chosen = [ways[index] for index in sorted(drill.rng("writes").permutation(len(ways))[:few])]
    misses, reads, outcomes = list[str](), 0, Counter[str]()
    for at, fault, times in chosen:
        told = f"write {at} {fault}, {times}"
        with _reading(site) as seen:
            outcome, wrong = _break(site, Writes(fault, at, TIMES[times]))
        outcomes[outcome] += 1
        reads += sum(seen.values())
        misses += [f"{told}: {one}" for one in (*wrong, *(read for read in seen if read not in _OTHER))]
    claim = (
        f"promotions of {writes} writes over HTTP: one {FAILED} or {LOST}, once, twice, or from then on; "
        f"{outcomes['promoted']} made, {outcomes['refused']} refused"
    )
    return counted(claim, f"old or new champion, whole, at every read ({reads}), and the new one after", misses, few)


def _break(site: Site, writes: Writes) -> tuple[str, list[str]]:
    """Promote while writes break, and once more; what came of the first, and what is wrong."""
    client = MlflowClient(site.server.address)
    champion = standing_of(client, NAME).champion().version
    wanted, outcome, wrong = _OTHER[champion], "promoted", list[str]()
    tags = find_version(client, NAME, wanted).tags
    site.proxy.writes = writes
    try:
        promote(site.paths, NAME, wanted)
    except LikenessError:
        outcome = "refused"
    except Exception as error:  # noqa: BLE001 - what else a promotion may raise is what is measured
        outcome = "other"
        wrong.append(repr(error)[:200])
    site.proxy.writes = Writes()
    if outcome == "promoted":
        wrong += _differing(site, client, wanted)
    elif not journal_file(site.paths).exists():  # all was put back
        wrong += _differing(site, client, champion)
        wrong += [] if find_version(client, NAME, wanted).tags == tags else [f"tags of version {wanted} tell of it"]
    promote(site.paths, NAME, wanted)
    return outcome, wrong + _differing(site, client, wanted)


def _differing(site: Site, client: MlflowClient, wanted: str) -> list[str]:
    """Tell where aliases, record and journal are not those of a promotion that ended."""
    standing = standing_of(client, NAME)
    expected = {"champion": wanted, "previous": _OTHER[wanted]}
    found = [] if dict(standing.aliases) == expected == dict(standing.record) else [f"{standing}, not {expected}"]
    return [*found, *(["a journal is left"] if journal_file(site.paths).exists() else [])]


@contextmanager
def _reading(site: Site) -> Iterator[Counter[str]]:
    """Read the champion all the while, from the server itself; how often it was which is known after the block."""
    seen, stop = Counter[str](), threading.Event()
    thread = threading.Thread(target=_read, args=(MlflowClient(site.server.address), seen, stop))
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


def _read(client: MlflowClient, seen: Counter[str], stop: threading.Event) -> None:
    """Note the champion that has what serving it needs, or what is wrong."""
    while not stop.is_set():
        seen[champion_read(client)] += 1
        time.sleep(_READ_EVERY)


def champion_read(client: MlflowClient) -> str:
    """Read the champion as the service does: its number, if it is there and whole, or else what is wrong."""
    try:
        champion = standing_of(client, NAME).champion()
        if champion.lost or champion.version == SHIPPED:
            return str(champion)
        tags = find_version(client, NAME, champion.version).tags
    except LikenessError as error:
        return str(error)
    whole = {"weights_sha256", "promoted_at"} <= tags.keys()
    return champion.version if whole else f"version {champion.version} with tags {sorted(tags)}"
