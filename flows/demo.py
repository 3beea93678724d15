"""The demo: a cycle on built-in portraits, traffic that shifts, the cycle this starts, and its A/B test."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flows.ab_verdict import ab_verdict
from flows.cycle import cycle
from flows.steps.demo import Stopwatch, run_ab_test, send_traffic
from flows.steps.reports import AbReport, CycleReport, WatchReport
from flows.watch import watch
from models.errors import LikenessError
from monitoring.simulation.simulate import SimulationReport

_SHIFT = "larger-masks"


@dataclass(frozen=True)
class Demo:
    """The results of all parts of the demo."""

    first: CycleReport
    quiet: SimulationReport
    first_watch: WatchReport
    shifted: SimulationReport
    second_watch: WatchReport
    trial: AbReport | None
    """None if no challenger passed the gate."""
    trial_requests: int
    drift_to_champion: float | None
    """Seconds from the first shifted request to the promotion; None without a promotion."""
    seconds: dict[str, float]


def demo(root: Path, say: Callable[[str], None]) -> Demo:
    """Run all parts in a workspace; `say` gets a headline before each.

    Raises:
        LikenessError: a part failed, or the shift of the traffic did not start a cycle.
    """
    clock = Stopwatch()
    say("1/6 first cycle: built-in portraits to an evaluated model")
    first = clock.time("first cycle", lambda: cycle(root, "demo: first cycle"))
    say("2/6 production traffic as expected")
    quiet = clock.time("quiet traffic", lambda: send_traffic(root, "none", 0))
    say("3/6 the watch looks at it")
    first_watch = clock.time("first watch", lambda: watch(root))
    say("4/6 production traffic shifts: larger damage than the model was trained for")
    drifted = time.monotonic()
    shifted = clock.time("shifted traffic", lambda: send_traffic(root, _SHIFT, 1))
    say("5/6 the watch looks again, and starts the next cycle")
    second_watch = clock.time("second watch and cycle", lambda: watch(root))
    if first is None or second_watch.cycle is None:
        raise LikenessError("drift to start a cycle", second_watch.verdict.note or "none", "see the drift report")
    say("6/6 an A/B test on live traffic decides between the new model and the champion")
    trial, sent = clock.time("A/B test", lambda: run_ab_test(root, _SHIFT, second_watch.cycle, ab_verdict))
    promoted = trial is not None and trial.action == "promoted"
    took = round(time.monotonic() - drifted, 1) if promoted else None
    return Demo(first, quiet, first_watch, shifted, second_watch, trial, sent, took, clock.seconds)
