"""Track runs in MLflow: one run per cycle, shared by stages that are separate processes.

The run's id is in `state/run.json`. The flow opens it with `start_run` and closes it with `finish_run`; a stage that
is run by hand, or by `dvc repro`, opens one by itself. A DVC experiment has a run of its own, which bears its name:
several may run at once. Stages write their files first and log afterwards: nothing that is computed depends on what
stands here.
"""

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pipeline.project.paths import Paths
from pipeline.registry.client import EXPERIMENT, connect, translate_outages
from pipeline.values.dotted import dotted_values

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from models.images import Image

__all__ = [
    "connect",
    "current_run",
    "end_run_by_hand",
    "finish_run",
    "log_artifact",
    "log_image",
    "log_metrics",
    "log_params",
    "name_run",
    "run",
    "set_tags",
    "start_run",
    "system_metrics",
]

BY_HAND = "by-hand"
"""Name of the run that a stage opens when no cycle is under way."""
EXPERIMENT_TAG = "dvc_experiment"
"""Tag of a run of `dvc exp run`: the experiment's name."""

Status = Literal["FINISHED", "FAILED", "KILLED"]


def start_run(paths: Paths, name: str, tags: Mapping[str, str]) -> str:
    """Open the run of a cycle, for all stages until `finish_run`; a run left open by a crash is marked KILLED.

    Returns the run's id.
    """
    client = connect(paths)
    finish_run(paths, "KILLED")
    with translate_outages(client.tracking_uri):
        experiment = client.get_experiment_by_name(EXPERIMENT)
        run = client.create_run(experiment.experiment_id, run_name=name, tags=dict(tags))
    run_id: str = run.info.run_id
    _write(paths, {"run_id": run_id, "cycle": name})
    return run_id


def finish_run(paths: Paths, status: Status = "FINISHED") -> None:
    """Close the run that is under way, if there is one."""
    with _under_way(paths) as (client, state):
        if client is not None and client.get_run(state["run_id"]).info.status == "RUNNING":
            client.set_terminated(state["run_id"], status)
    _state_file(paths).unlink(missing_ok=True)


def name_run(paths: Paths, outcome: str) -> None:
    """Add the outcome to the name of the run that is under way, if there is one: `cycle 2026-11-30: OUTCOME`."""
    with _under_way(paths) as (client, state):
        if client is not None:
            client.update_run(state["run_id"], name=f"{state['cycle']}: {outcome}")


def current_run(paths: Paths, *, fresh: bool = False) -> str:
    """Find the run under way; opens one, named `by-hand` or like the DVC experiment, where no cycle has.

    Args:
        paths: the checkout.
        fresh: a run opened by hand is closed and a new one begins (training from step 0 asks for this); the run of a
            cycle stays.
    """
    if name := _experiment():
        return _run_of_experiment(paths, name, fresh=fresh)
    state = _read(paths)
    if state is not None and not (fresh and state["cycle"] == BY_HAND) and _exists(connect(paths), state["run_id"]):
        return state["run_id"]
    finish_run(paths)
    return start_run(paths, BY_HAND, {"cycle": BY_HAND})


def end_run_by_hand(paths: Paths, status: Status = "FINISHED") -> None:
    """Mark the run of `dvc repro` or of an experiment as ended; a stage that is run again still logs into it.

    Where there is none, none is opened; one that has ended does not fail afterwards. The flow ends the run of a cycle.
    """
    name, state = _experiment(), _read(paths)
    if not name and (state is None or state["cycle"] != BY_HAND):
        return
    client = connect(paths)
    run_id = _latest_of_experiment(client, name) if name else (state or {})["run_id"]
    if run_id and _exists(client, run_id):
        with translate_outages(client.tracking_uri):
            if status == "FINISHED" or client.get_run(run_id).info.status == "RUNNING":
                client.set_terminated(run_id, status)


@contextmanager
def run(paths: Paths, name: str, tags: Mapping[str, str]) -> Iterator[str]:
    """Open the run of one cycle for the block: FINISHED at its end, FAILED on an error. Yields the run's id."""
    run_id = start_run(paths, name, tags)
    try:
        yield run_id
    except BaseException:
        finish_run(paths, "FAILED")
        raise
    finish_run(paths)


@contextmanager
def system_metrics(paths: Paths, seconds: float = 10.0) -> Iterator[None]:
    """Log processor, memory, disk and GPU figures of this machine into the current run, every `seconds`."""
    run_id = current_run(paths)
    from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

    monitor = SystemMetricsMonitor(run_id, sampling_interval=seconds, resume_logging=True)
    monitor.start()
    try:
        yield
    finally:
        monitor.finish()


def log_params(paths: Paths, params: Mapping[str, Any]) -> None:
    """Log parameters, nested mappings as dotted names. MLflow never changes one: a second value is left out."""
    client, run_id = _open(paths)
    with translate_outages(client.tracking_uri):
        known = client.get_run(run_id).data.params
        for name, value in dotted_values(params):
            if name not in known:
                client.log_param(run_id, name, value)


def log_metrics(paths: Paths, metrics: Mapping[str, float], step: int | None = None) -> None:
    """Log numbers, all at one step."""
    client, run_id = _open(paths)
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    batch = [Metric(name, float(value), now, step or 0) for name, value in metrics.items()]
    with translate_outages(client.tracking_uri):
        client.log_batch(run_id, metrics=batch)


def set_tags(paths: Paths, tags: Mapping[str, str]) -> None:
    """Set or change tags of the current run."""
    client, run_id = _open(paths)
    with translate_outages(client.tracking_uri):
        for name, value in tags.items():
            client.set_tag(run_id, name, value)


def log_artifact(paths: Paths, file: Path, folder: str = "") -> None:
    """Copy a file into the run, below `folder`."""
    client, run_id = _open(paths)
    with translate_outages(client.tracking_uri):
        client.log_artifact(run_id, str(file), folder or None)


def log_image(paths: Paths, image: "Image", name: str, step: int | None = None) -> None:
    """Log an RGB picture (H, W, 3) uint8: with a step as part of a time line, without as one file `name`.png."""
    client, run_id = _open(paths)
    with translate_outages(client.tracking_uri):
        if step is None:
            client.log_image(run_id, image, artifact_file=f"images/{name}.png")
        else:
            client.log_image(run_id, image, key=name, step=step)


def _open(paths: Paths) -> "tuple[MlflowClient, str]":
    run_id = current_run(paths)
    return connect(paths), run_id


def _experiment() -> str:
    """Name the DVC experiment whose stage this process is; "" where it is none."""
    return os.environ.get("DVC_EXP_NAME", "")


def _run_of_experiment(paths: Paths, name: str, *, fresh: bool) -> str:
    client = connect(paths)
    found = "" if fresh else _latest_of_experiment(client, name)
    if found:
        return found
    with translate_outages(client.tracking_uri):
        place = client.get_experiment_by_name(EXPERIMENT).experiment_id
        run_id: str = client.create_run(place, run_name=name, tags={EXPERIMENT_TAG: name}).info.run_id
    return run_id


def _latest_of_experiment(client: "MlflowClient", name: str) -> str:
    """Find the latest run of a DVC experiment; "" if there is none."""
    quote = '"' if "'" in name else "'"
    with translate_outages(client.tracking_uri):
        place = client.get_experiment_by_name(EXPERIMENT).experiment_id
        found = client.search_runs([place], f"tags.{EXPERIMENT_TAG} = {quote}{name}{quote}", max_results=1)
    return str(found[0].info.run_id) if found else ""


@contextmanager
def _under_way(paths: Paths) -> "Iterator[tuple[MlflowClient | None, dict[str, str]]]":
    """Yield a client and what is known of the run that is under way; no client where there is none."""
    state = _read(paths)
    if state is None:
        yield None, {}
        return
    client = connect(paths)
    with translate_outages(client.tracking_uri):
        yield client if _exists(client, state["run_id"]) else None, state


def _exists(client: "MlflowClient", run_id: str) -> bool:
    from mlflow.exceptions import MlflowException

    try:
        with translate_outages(client.tracking_uri):
            client.get_run(run_id)
    except MlflowException:  # the store answers, and knows no such run: another database than the one of run.json
        return False
    return True


def _state_file(paths: Paths) -> Path:
    return paths.state / "run.json"


def _read(paths: Paths) -> dict[str, str] | None:
    try:
        state: dict[str, str] = json.loads(_state_file(paths).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return state


def _write(paths: Paths, state: Mapping[str, str]) -> None:
    file = _state_file(paths)
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_suffix(".tmp")
    temporary.write_text(json.dumps(state), encoding="utf-8")
    temporary.replace(file)
