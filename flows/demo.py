"""The demo: a cycle on built-in portraits, traffic that shifts, the cycle this starts, and its test on live traffic."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TypeVar

from flows.ab_verdict import ab_verdict
from flows.cycle import cycle
from flows.steps.reports import AbReport, CycleReport, WatchReport
from flows.watch import watch
from models.errors import LikenessError
from monitoring.simulation.simulate import SimulationReport, simulate
from pipeline.config.load import load_params
from pipeline.project.paths import Paths

Say = Callable[[str], None]
Result = TypeVar("Result")

_BATCH = 40  # requests between two looks at the A/B test
_SHIFT = "larger-masks"


@dataclass(frozen=True)
class Demo:
    """Everything that the demo did."""

    first: CycleReport
    quiet: SimulationReport
    first_watch: WatchReport
    shifted: SimulationReport
    second_watch: WatchReport
    trial: AbReport | None
    """None where the gate let no challenger through."""
    trial_requests: int
    drift_to_champion: float | None
    """Seconds from the first shifted request to the promotion; None where none came of it."""
    seconds: dict[str, float]


def demo(root: Path, say: Say) -> Demo:
    """Run it all in a workspace; `say` gets a headline before each part.

    Raises:
        LikenessError: a part failed, or the watch did not do what a shift of the traffic asks for.
    """
    clock = _Clock()
    say("1/6 first cycle: built-in portraits to a judged model")
    first = clock.time("first cycle", lambda: cycle(root, "demo: first cycle"))
    say("2/6 production traffic as expected")
    quiet = clock.time("quiet traffic", lambda: _send(root, "none", 0))
    say("3/6 the watch looks at it")
    first_watch = clock.time("first watch", lambda: watch(root))
    say("4/6 production traffic shifts: larger damage than the model was trained for")
    drifted = time.monotonic()
    shifted = clock.time("shifted traffic", lambda: _send(root, _SHIFT, 1))
    say("5/6 the watch looks again, and starts the next cycle by itself")
    second_watch = clock.time("second watch and cycle", lambda: watch(root))
    if first is None or second_watch.cycle is None:
        raise LikenessError("drift to start a cycle", second_watch.verdict.note or "none", "see the drift report")
    say("6/6 the new model meets the champion on live traffic: an A/B test decides")
    trial, sent = clock.time("A/B test", lambda: _try(root, second_watch.cycle))
    won = trial is not None and trial.action == "promoted"
    took = round(time.monotonic() - drifted, 1) if won else None
    return Demo(first, quiet, first_watch, shifted, second_watch, trial, sent, took, clock.seconds)


def _try(root: Path, made: CycleReport | None) -> tuple[AbReport | None, int]:
    """Traffic to both arms, a look after every batch, until the verdict; and how many requests that took.

    The originals of all these requests come to light, or the test would take twice as many; and the request ids are
    the same each time, so that the demo ends the same.
    """
    if made is None or not made.awaiting:
        return None, 0
    for turn in count(2):
        _send(root, _SHIFT, turn, requests=_BATCH, known=1.0, run=f"trial-{turn}")
        report = ab_verdict(root)
        if report.verdict.state != "running":
            return report, _BATCH * (turn - 1)
    raise AssertionError  # count never ends


def _send(
    root: Path, shift: str, turn: int, *, requests: int | None = None, known: float | None = None, run: str = ""
) -> SimulationReport:
    paths = Paths(root)
    changes = {"simulate.shift": shift} | ({} if known is None else {"simulate.known_originals": known})
    params = load_params(paths.params, changes)
    return simulate(params, paths, seed=params.simulate.seed + turn, requests=requests, run=run)


class _Clock:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def time(self, name: str, part: Callable[[], Result]) -> Result:
        started = time.monotonic()
        result = part()
        self.seconds[name] = round(time.monotonic() - started, 1)
        return result
