"""End, stop and kill the service under load.

Asked for: a request that the service took is answered, and in the log; a service that was killed is ready again within
ten seconds, started by the supervisor of `likeness up`.
"""

import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import httpx
import numpy as np
import psutil

from flows.local.services import parts
from flows.local.supervisor import Running, Supervisor
from models.assets import ASSETS
from monitoring.log.production_log import open_log
from pipeline.project.paths import Paths
from scripts.benchmarks.service.served_workspace import serving
from scripts.faults.drill import Drill
from scripts.faults.load import CLIENTS, Answers, load
from scripts.finding import Finding, bounded, counted

_READY_SECONDS = 10.0
_START_SECONDS = 120.0
_BROKEN = ("ReadError", "RemoteProtocolError", "WriteError")
_STOPPED_SECONDS = 5.0
_AFTER_SERVICE = 3
"""The service's port, counted from the first of the parts'."""
_SETTLED_SECONDS = 60.0
"""The supervisor waits longer and longer before it restarts what has run for less."""

Found = TypeVar("Found")


def try_faults(drill: Drill) -> list[Finding]:
    """End the service a fifth as often as the drill says, stop it and kill it as often."""
    rng, often = drill.rng("service"), max(1, drill.trials // 5)
    return [
        _ended(drill, often, rng),
        _stopped(drill, often, rng),
        *_killed(drill, often, rng),
    ]


def _ended(drill: Drill, often: int, rng: np.random.Generator) -> Finding:
    """SIGTERM at a random moment under load: what was taken is answered and in the log."""
    paths, misses, requests = empty_checkout(drill.work / "ended"), list[str](), 0
    for number in range(often):
        with serving(paths) as served, load(served.address, drill.seed + number) as answers:
            time.sleep(rng.uniform(1.0, 4.0))
            served.process.send_signal(signal.SIGTERM)
            served.process.wait(60)
        requests += answers.taken
        misses += _lost(paths, answers)
    return counted(f"SIGTERM under load, {often} times", "0 requests lost", misses, requests)


def _stopped(drill: Drill, often: int, rng: np.random.Generator) -> Finding:
    """SIGSTOP for some seconds: what was taken is answered afterwards."""
    paths = empty_checkout(drill.work / "stopped")
    with serving(paths) as served:
        with load(served.address, drill.seed) as answers:
            for _ in range(often):
                time.sleep(rng.uniform(1.0, 3.0))
                served.process.suspend()
                time.sleep(_STOPPED_SECONDS)
                served.process.resume()
        requests = answers.taken
        misses = _lost(paths, answers)
    claim = f"SIGSTOP for {_STOPPED_SECONDS:g} s under load, {often} times"
    return counted(claim, "0 requests lost", misses, requests)


def _killed(drill: Drill, often: int, rng: np.random.Generator) -> list[Finding]:
    """SIGKILL under load: what was answered is in the log, which is whole, and the service is soon ready again."""
    paths, ready = empty_checkout(drill.work / "killed"), dict[str, float]()
    with _supervised(paths) as (supervisor, address):
        _until_ready(address)
        with load(address, drill.seed) as answers:
            for number in range(often):
                time.sleep(rng.uniform(1.0, 4.0))
                supervisor.watched["service"].began -= _SETTLED_SECONDS  # as if it had run that long
                _process(supervisor).kill()
                ready[f"kill {number + 1}"] = _until_ready(address)
        requests = answers.taken
    broken = [told for told in answers.lost if told.startswith(_BROKEN)]
    if len(broken) <= often * CLIENTS:  # those in work when it was killed: nobody can answer them
        answers.lost = [told for told in answers.lost if told not in broken]
    claim = f"SIGKILL under load, {often} times, of a service that has run for a minute; the supervisor starts it anew"
    return [
        counted(claim, "0 answers that are not in the log", _lost(paths, answers), requests),
        bounded(f"{claim}: until ready", "s", _READY_SECONDS, ready),
    ]


def empty_checkout(root: Path) -> Paths:
    """Make an empty checkout to serve."""
    root.mkdir(parents=True)
    shutil.copy(ASSETS.parent / "params.yaml", root)
    return Paths(root)


def _lost(paths: Paths, answers: Answers) -> list[str]:
    """Tell which requests were lost, which answers the log does not have, and whether it is whole."""
    with open_log(paths) as log:
        missing = [f"answered, not in the log: {one}" for one in answers.ids if log.row(one) is None]
        verification = log.verify()
    return [*answers.lost, *missing, *([] if verification.whole else [str(verification)])]


@contextmanager
def _supervised(paths: Paths) -> Iterator[tuple[Supervisor, str]]:
    """Let the supervisor of `likeness up` keep the service alone running."""
    first = _free_port() - _AFTER_SERVICE
    (part,) = (part for part in parts(paths, first) if part.name == "service")
    paths.logs.mkdir(parents=True, exist_ok=True)
    supervisor = Supervisor(paths, Running(mark=f"faults-{first}", port=first), (part,))
    thread = threading.Thread(target=supervisor.supervise)
    thread.start()
    try:
        yield supervisor, part.url
    finally:
        supervisor.stopped.set()
        thread.join()
        supervisor.stop()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _process(supervisor: Supervisor) -> psutil.Process:
    """Give the service's process, once it is there."""
    found = _wait(lambda: supervisor.watched["service"].process)
    if found is None:
        raise TimeoutError("the supervisor has started no service")
    return found


def _until_ready(address: str) -> float:
    """Wait until the service says that it is ready; seconds that this took, infinite if it never is."""
    began = time.monotonic()
    return time.monotonic() - began if _wait(lambda: _is_ready(address) or None) else float("inf")


def _is_ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/readyz", timeout=2.0, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def _wait(look: Callable[[], Found | None]) -> Found | None:
    """Look until something is found, or the time is over."""
    deadline = time.monotonic() + _START_SECONDS
    while (found := look()) is None and time.monotonic() < deadline:
        time.sleep(0.1)
    return found
