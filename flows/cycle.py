"""The cycle: data in, a judged model out, the champion replaced if the gate says so. At most one at a time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from prefect import flow

from flows.artifacts import publish
from flows.reports import CycleReport
from flows.stage_tasks import prepare, promote_challenger, read_gate, register_challenger, run_stage
from models.errors import Busy
from monitoring.windows import claim_window
from pipeline.layout import Paths
from pipeline.stages import ORDER
from pipeline.tracking import finish_run


@flow(name="cycle", flow_run_name="cycle: {reason}", persist_result=False, validate_parameters=False)
def cycle(
    root: Path, reason: str = "by hand", overrides: dict[str, Any] | None = None, window_id: str = ""
) -> CycleReport | None:
    """Run every stage, register the challenger, promote it if it passed the gate.

    Args:
        root: checkout to work in; `champion.version` and `overrides` are written to its params.yaml.
        reason: why this cycle runs, for people.
        overrides: dotted keys of params.yaml and their values.
        window_id: of the watch's window that asks for this cycle; a window starts one cycle and no more.

    Returns:
        The report, or None where the window had its cycle already.

    Raises:
        Busy: a cycle is under way in this checkout.
        LikenessError: what a stage had to say.
    """
    started = time.monotonic()
    root = Path(root)  # a deployment's parameters are JSON
    with one_at_a_time(root):
        if window_id and not claim_window(Paths(root), window_id, datetime.now(UTC)):
            return None
        opened = prepare(root, overrides or {}, reason)
        with closing_run(root):
            stages = [run_stage(stage, root) for stage in ORDER]
            gate = read_gate(root)
            registered = register_challenger(root)
            promoted = [promote_challenger(root, registered.value.version)] if gate.passed else []
            took = [done.seconds for done in stages] + [done.seconds for done in promoted]
            work = sum(took) + opened.seconds + registered.seconds
            report = CycleReport(
                reason=reason,
                run_id=opened.value,
                seconds={done.stage: round(done.seconds, 1) for done in stages if done.ran},
                cached=tuple(done.stage for done in stages if not done.ran),
                orchestration_seconds=round(time.monotonic() - started - work, 1),
                gate=gate,
                version=registered.value.version,
                promoted=gate.passed,
            )
            publish(root, report)
    return report


@contextmanager
def one_at_a_time(root: Path) -> Iterator[None]:
    """Hold the cycle's lock.

    Raises:
        Busy: another process holds it.
    """
    folder = Paths(root).locks
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "cycle.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise Busy("no other cycle", f"one under way in {root}", "wait for it, or stop it") from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def closing_run(root: Path) -> Iterator[None]:
    """Close the MLflow run: FINISHED, or FAILED when an error leaves."""
    try:
        yield
    except BaseException:
        finish_run(Paths(root), "FAILED")
        raise
    finish_run(Paths(root))
