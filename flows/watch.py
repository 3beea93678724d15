"""The watch: judge the production traffic since last time; where it has drifted, start one cycle."""

from datetime import UTC, datetime
from pathlib import Path

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows.artifacts import publish_verdict
from flows.cycle import cycle
from flows.reports import WatchReport
from monitoring.watch import Verdict
from monitoring.watch import watch as judge
from pipeline.config import load_params
from pipeline.layout import Paths


@task(name="judge-window", cache_policy=NO_CACHE, persist_result=False)
def judge_window(root: Path) -> Verdict:
    """Compare the open window of the production log with the reference."""
    paths = Paths(root)
    return judge(load_params(paths.params), paths, now=datetime.now(UTC))


@flow(name="watch", persist_result=False, validate_parameters=False)
def watch(root: Path) -> WatchReport:
    """One look at production. At most one cycle at a time, and one per window.

    Raises:
        Busy: a cycle is under way; the window keeps its claim and is judged again at the next look.
    """
    root = Path(root)  # a deployment's parameters are JSON
    verdict = judge_window(root)
    publish_verdict(verdict)
    if not verdict.triggered:
        return WatchReport(verdict=verdict, cycle=None)
    reason = "; ".join(verdict.reasons)
    return WatchReport(verdict=verdict, cycle=cycle(root, reason, verdict.overrides, verdict.window_id))
