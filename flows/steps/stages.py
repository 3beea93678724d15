"""Steps of the cycle as Prefect tasks: each reproduces one stage through DVC, or talks to the registry."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from models.errors import ServiceUnavailable
from pipeline.config.load import load_params
from pipeline.evaluation.gate_report import GateReport
from pipeline.project.files import read_report
from pipeline.project.paths import Paths
from pipeline.registry.promotion import Promotion, promote
from pipeline.registry.register import Registered, register
from pipeline.registry.tracking import finish_run, name_run, start_run
from pipeline.registry.versions import champion_version
from pipeline.stages import FIRST
from pipeline.workspaces.cycle_checkouts import take_values
from pipeline.workspaces.dvc import Reproduced, reproduce, stages_of

Value = TypeVar("Value")
_NAMED = 120
"""Characters of an error that the name of a run tells."""


@dataclass(frozen=True)
class Timed(Generic[Value]):
    """The result of a task's work, and its seconds: the rest of a cycle's time is orchestration."""

    value: Value
    seconds: float


def timed(work: Callable[[], Value]) -> Timed[Value]:
    """Do the work and measure its time."""
    started = time.monotonic()
    value = work()
    return Timed(value, time.monotonic() - started)


def _temporary(task_: Any, run: Any, state: Any) -> bool:  # noqa: ANN401, ARG001 - Prefect's signature
    """Retry if a service did not answer, but not if a stage failed."""
    return isinstance(state.result(raise_on_failure=False), ServiceUnavailable)


def _io(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "retries": 3,
        "retry_delay_seconds": [2, 10, 30],
        "retry_condition_fn": _temporary,
        "cache_policy": NO_CACHE,
        "persist_result": False,
    }


@task(**_io("prepare"))
def prepare(root: Path, overrides: dict[str, Any], reason: str) -> "Timed[str]":
    """Write down the champion and the overrides for the stages, and open the MLflow run; gives its id."""
    return timed(lambda: _prepare(root, overrides, reason))


def _prepare(root: Path, overrides: dict[str, Any], reason: str) -> str:
    paths = Paths(root)
    pinned = {"champion.version": champion_version(paths, load_params(paths.params).registry.model_name)}
    take_values(paths, {**overrides, **pinned})
    if FIRST in stages_of(root):
        reproduce(FIRST, root)
    name = f"cycle {datetime.now(UTC):%Y-%m-%d}"
    return start_run(paths, name, {"reason": reason, "started_from": pinned["champion.version"]})


@contextmanager
def close_run(root: Path) -> Iterator[None]:
    """Close the MLflow run after the block: FINISHED, or FAILED on an error, which its name then tells."""
    try:
        yield
    except BaseException as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        name_run(Paths(root), f"failed: {reason[:_NAMED]}")
        finish_run(Paths(root), "FAILED")
        raise
    finish_run(Paths(root))


def name_outcome(root: Path, outcome: str) -> None:
    """Name the MLflow run that is under way by what came of it."""
    name_run(Paths(root), outcome)


@task(**_io("stage"), task_run_name="{stage}")
def run_stage(stage: str, root: Path) -> Reproduced:
    """Reproduce one stage through DVC. Sources that DVC does not track may change, so they are always read again."""
    data = load_params(Paths(root).params).data
    outside = data.source != "sampler" or bool(data.intake)
    done = reproduce(stage, root, force=outside and stage == "ingest")
    get_run_logger().info("%s %s in %.1f s", stage, "ran" if done.ran else "was up to date", done.seconds)
    return done


@task(**_io("read-gate"))
def read_gate(root: Path) -> GateReport:
    """Read the gate's table."""
    return read_report(Paths(root).gate_report, GateReport, "gate")


@task(**_io("register"))
def register_challenger(root: Path) -> "Timed[Registered]":
    """Register a new version with the alias `challenger`."""
    paths = Paths(root)
    return timed(lambda: register(paths=paths, params=load_params(paths.params)))


@task(**_io("promote"))
def promote_challenger(root: Path, version: str) -> "Timed[Promotion]":
    """Make the version `champion` and the old one `previous`."""
    paths = Paths(root)
    return timed(lambda: promote(paths, load_params(paths.params).registry.model_name, version))
