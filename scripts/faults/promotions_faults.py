"""Kill and fail promotions and rollbacks at each of their writes, and make two hundred promotions at once.

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

import numpy as np

from models.assets import ASSETS
from models.errors import Busy, LikenessError
from models.weight_files import weights_sha256
from pipeline.project.paths import Paths
from pipeline.registry.alias_moves import journal_file, repair_aliases
from pipeline.registry.client import connect
from pipeline.registry.promotion import promote, promotion_lock, rollback
from pipeline.registry.versions import SHIPPED, Standing, find_version, standing_of
from scripts.faults.drill import Drill
from scripts.finding import Finding, counted

NAME = "portrait-restorer"
VERSIONS = ("1", "2", "3")
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
_PROCESSES, _OF_EACH_TRIAL = 8, 10
"""Processes that promote at once, and promotions for each trial of the drill."""
_SECONDS = 240


def try_faults(drill: Drill) -> list[Finding]:
    """Break each move at each write, then promote from eight processes at once."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["mlflow", __name__])
    whole = lay_registry(drill.work / "whole")
    moved = [_break_move(processes, whole, move) for move in MOVES]
    return [*moved, *_promote_at_once(processes, whole, drill)]


def lay_registry(root: Path) -> Paths:
    """Register three versions of the shipped weights by hand; the second is champion, the first was before it."""
    paths = Paths(root)
    client = connect(paths)
    client.create_registered_model(NAME)
    for number in VERSIONS:
        stored = paths.mlflow_artifacts / number / "artifacts" / "weights.safetensors"
        stored.parent.mkdir(parents=True)
        shutil.copy(ASSETS / "restorer.safetensors", stored)
        tags = {"gate": "passed", "weights_sha256": weights_sha256(stored)}
        client.create_model_version(NAME, f"mlflow-artifacts:/{number}", tags=tags)
    promote(paths, NAME, "1")
    promote(paths, NAME, "2")
    return paths


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


def _promote_at_once(processes: ForkServerContext, whole: Paths, drill: Drill) -> list[Finding]:
    """Promote from several processes at once; every one is made, or refused as busy."""
    paths, number = _copy(whole), drill.trials * _OF_EACH_TRIAL
    chosen = np.array_split(drill.rng("promotions").choice(VERSIONS, number), _PROCESSES)
    answers: Queue[Counter[str]] = processes.Queue()
    with _reading(processes, paths) as seen:
        started = [processes.Process(target=promote_each, args=(paths.root, part.tolist(), answers)) for part in chosen]
        for process in started:
            process.start()
        outcomes = sum((answers.get(timeout=_SECONDS) for _ in started), Counter[str]())
        for process in started:
            process.join(_SECONDS)
    known = {"promoted", Busy.__name__}
    misses = [f"{count} x {outcome}" for outcome, count in outcomes.items() if outcome not in known]
    misses += [f"read {one}" for one in seen if one not in VERSIONS]
    misses += _contradictions(paths, standing_of(connect(paths), NAME))
    claim = f"{number} promotions by {_PROCESSES} processes at once: {outcomes['promoted']} made, the others busy"
    return [counted(claim, f"one whole champion, also at every read ({sum(seen.values())})", misses, number)]


def promote_each(root: Path, versions: list[str], answers: "Queue[Counter[str]]") -> None:
    """Promote one version after the other, and tell what came of it."""
    outcomes = Counter[str]()
    for version in versions:
        try:
            promote(Paths(root), NAME, version)
            outcomes["promoted"] += 1
        except Busy:
            outcomes[Busy.__name__] += 1
        except Exception as error:  # noqa: BLE001 - what else a promotion may raise is what is measured
            outcomes[repr(error)[:200]] += 1
    answers.put(outcomes)


def _copy(whole: Paths) -> Paths:
    """Copy the registry, in place of an earlier copy."""
    root = whole.root.with_name("tried")
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(whole.root, root)
    return Paths(root)
