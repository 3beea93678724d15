"""Kill and fail promotions and rollbacks at each of their writes to a registry in a file.

Meanwhile another process reads the champion every 5 ms, as the service does. Asked for: every read gives the old
champion or the new one, whole; afterwards aliases and record agree, and no journal of a move is left.
"""

import multiprocessing
import os
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.context import ForkServerContext
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from models.errors import LikenessError
from pipeline.project.paths import Paths
from pipeline.registry.alias_moves import journal_file, repair_aliases
from pipeline.registry.client import connect
from pipeline.registry.promotion import promote, promotion_lock, rollback
from pipeline.registry.versions import SHIPPED, Standing, find_version, standing_of
from scripts.faults.drill import Drill
from scripts.faults.registry_site import NAME, lay_registry
from scripts.finding import Finding, counted

MOVES: dict[str, Callable[[Paths], object]] = {
    "promotion": partial(promote, model_name=NAME, version="3"),
    "rollback": partial(rollback, model_name=NAME),
}
CHAMPIONS = {"promotion": {"2", "3"}, "rollback": {"2", "1"}}
"""Before and after each move."""
WRITES = (
    "set_model_version_tag",
    "set_registered_model_alias",
    "delete_registered_model_alias",
    "set_registered_model_tag",
)
FAULTS = ("killed", "fails once", "fails from then on")
_READ_EVERY = 0.005
_SECONDS = 240


def try_faults(drill: Drill) -> list[Finding]:
    """Break each move at each write; the second version is champion before it, the first was before that."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["mlflow", __name__])
    whole = lay_registry(Paths(drill.work / "whole"), versions=3, weights=1)
    promote(whole, NAME, "2")
    return [_break_move(processes, whole, move) for move in MOVES]


def _break_move(processes: ForkServerContext, whole: Paths, move: str) -> Finding:
    """Break a move at each of its writes, in each way."""
    writes = _run(processes, _copy(whole), move, at=0, fault="")
    misses, reads = list[str](), 0
    for at in range(1, writes + 1):
        for fault in FAULTS:
            paths = _copy(whole)
            with _reading(processes, paths) as seen:
                _run(processes, paths, move, at, fault)
            reads += sum(seen.values())
            told = f"{move}, write {at}, {fault}"
            misses += [f"{told}: read {one}" for one in seen if one not in CHAMPIONS[move]]
            misses += [f"{told}: {wrong}" for wrong in _settled(paths, CHAMPIONS[move])]
    claim = f"{move} that is killed, fails once, or fails from then on, at each of its {writes} writes"
    asked = f"old or new champion at every read ({reads}); whole afterwards"
    return counted(claim, asked, misses, writes * len(FAULTS))


def _run(processes: ForkServerContext, paths: Paths, move: str, at: int, fault: str) -> int:
    """Make a move in another process; the number of its writes where nothing breaks."""
    process = processes.Process(target=move_and_break, args=(paths.root, move, at, fault))
    process.start()
    process.join(_SECONDS)
    return process.exitcode or 0


def move_and_break(root: Path, move: str, at: int, fault: str) -> None:
    """Make a move of which one write is broken; exits with the number of writes."""
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    _use_own_registry()
    made = 0

    def breaking(write: Callable[..., Any]) -> Callable[..., Any]:
        def broken(*arguments: Any) -> Any:  # noqa: ANN401 - of any of MLflow's methods
            nonlocal made
            made += 1
            if made == at and fault == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            if (made == at and fault) or (made > at and fault == "fails from then on"):
                raise MlflowException("the store does not answer")
            return write(*arguments)

        return broken

    for name in WRITES:
        setattr(MlflowClient, name, breaking(getattr(MlflowClient, name)))
    try:
        MOVES[move](Paths(root))
    except LikenessError:
        os._exit(0)
    os._exit(made)


@contextmanager
def _reading(processes: ForkServerContext, paths: Paths) -> Iterator[Counter[str]]:
    """Read the champion in another process all the while; how often it was which is known after the block."""
    seen = Counter[str]()
    started, stop = processes.Event(), processes.Event()
    answers: Queue[Counter[str]] = processes.Queue()
    process = processes.Process(target=read_champion, args=(paths.root, started, stop, answers))
    process.start()
    if not started.wait(_SECONDS):
        raise TimeoutError("the reader did not start")
    try:
        yield seen
    finally:
        stop.set()
        seen.update(answers.get(timeout=_SECONDS))
        process.join(_SECONDS)


def read_champion(root: Path, started: Event, stop: Event, answers: "Queue[Counter[str]]") -> None:
    """Read who is champion every 5 ms, and what its version needs in order to be served."""
    _use_own_registry()
    client, seen = connect(Paths(root)), Counter[str]()
    while not stop.is_set():
        try:
            state = standing_of(client, NAME).champion()
            whole = state.version == SHIPPED or "weights_sha256" in find_version(client, NAME, state.version).tags
            seen[state.version if whole and not state.lost else f"{state}, whole: {whole}"] += 1
        except LikenessError as error:
            seen[str(error)] += 1
        started.set()
        time.sleep(_READ_EVERY)
    answers.put(seen)


def _use_own_registry() -> None:
    """Forget the address of a server: the process that this one is a copy of may be that of another fault."""
    os.environ.pop("LIKENESS_MLFLOW_URI", None)


def _settled(paths: Paths, champions: set[str]) -> list[str]:
    """Repair as the next move would, and tell what is not whole then."""
    client = connect(paths)
    with promotion_lock(paths):
        repair_aliases(client, paths)
    standing = standing_of(client, NAME)
    found = [] if standing.champion().version in champions else [f"champion {standing.champion()}"]
    return [*found, *_contradictions(paths, standing)]


def _contradictions(paths: Paths, standing: Standing) -> list[str]:
    """Tell where aliases and record differ, or a journal is left."""
    aliases = {alias: standing.aliases.get(alias, SHIPPED) for alias in standing.record}
    found = [] if aliases == dict(standing.record) else [f"aliases {standing.aliases}, record {standing.record}"]
    return [*found, *(["a journal is left"] if journal_file(paths).exists() else [])]


def _copy(whole: Paths) -> Paths:
    """Copy the registry, in place of an earlier copy."""
    root = whole.root.with_name("tried")
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(whole.root, root)
    return Paths(root)
