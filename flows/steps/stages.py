"""Prefect tasks: each reproduces one stage through DVC, or does one thing that is not a file."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from models.errors import ServiceUnavailable
from pipeline.config.load import load_params, write_params
from pipeline.evaluation.gate_report import GateReport
from pipeline.project.files import read_report
from pipeline.project.paths import Paths
from pipeline.registry.promotion import Promotion, promote
from pipeline.registry.register import Registered, register
from pipeline.registry.tracking import start_run
from pipeline.registry.versions import champion_version
from pipeline.workspaces.dvc import Reproduced, reproduce

Value = TypeVar("Value")


@dataclass(frozen=True)
class Timed(Generic[Value]):
    """What a task's own work gave, and how long that took: the rest of a cycle's time is orchestration."""

    value: Value
    seconds: float


def timed(work: Callable[[], Value]) -> Timed[Value]:
    """Do the work and time it."""
    started = time.monotonic()
    value = work()
    return Timed(value, time.monotonic() - started)


def _temporary(task_: Any, run: Any, state: Any) -> bool:  # noqa: ANN401, ARG001 - Prefect's signature
    """Retry where a service did not answer, never where a stage said no."""
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
    """Pin the champion and the asked-for changes in params.yaml, open the MLflow run; gives its id."""
    return timed(lambda: _prepare(root, overrides, reason))


def _prepare(root: Path, overrides: dict[str, Any], reason: str) -> str:
    paths = Paths(root)
    pinned = {"champion.version": champion_version(paths, load_params(paths.params).registry.model_name)}
    write_params(paths.params, paths.params, {**overrides, **pinned})
    return start_run(paths, f"cycle after {pinned['champion.version']}", {"reason": reason})


@task(**_io("stage"), task_run_name="{stage}")
def run_stage(stage: str, root: Path) -> Reproduced:
    """One stage through DVC. Sources other than the sampler may change behind DVC's back, so they are read anew."""
    data = load_params(Paths(root).params).data
    outside = data.source != "sampler" or bool(data.intake)
    done = reproduce(stage, root, force=outside and stage == "ingest")
    get_run_logger().info("%s %s in %.1f s", stage, "ran" if done.ran else "was up to date", done.seconds)
    return done


@task(**_io("read-gate"))
def read_gate(root: Path) -> GateReport:
    """The gate's table, as the stage wrote it."""
    return read_report(Paths(root).gate_report, GateReport, "gate")


@task(**_io("register"))
def register_challenger(root: Path) -> "Timed[Registered]":
    """A new version in the registry, alias `challenger`."""
    paths = Paths(root)
    return timed(lambda: register(paths=paths, params=load_params(paths.params)))


@task(**_io("promote"))
def promote_challenger(root: Path, version: str) -> "Timed[Promotion]":
    """The version becomes `champion`, the old one `previous`."""
    paths = Paths(root)
    return timed(lambda: promote(paths, load_params(paths.params).registry.model_name, version))
