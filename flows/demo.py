"""The demo: one cycle on built-in portraits, traffic that shifts, the watch that notices, and the cycle it starts."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from flows.cycle import cycle
from flows.reports import CycleReport, WatchReport
from flows.watch import watch
from models.errors import LikenessError
from monitoring.simulate import SimulationReport, simulate
from pipeline.config import load_params
from pipeline.layout import Paths

Say = Callable[[str], None]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Demo:
    """Everything that the demo did."""

    first: CycleReport
    quiet: SimulationReport
    first_watch: WatchReport
    shifted: SimulationReport
    second_watch: WatchReport
    seconds: dict[str, float]


def demo(root: Path, say: Say) -> Demo:
    """Run it all in a workspace; `say` gets a headline before each part.

    Raises:
        LikenessError: a part failed, or the watch did not do what a shift of the traffic asks for.
    """
    clock = _Clock()
    say("1/5 first cycle: built-in portraits to a judged model")
    first = clock.time("first cycle", lambda: cycle(root, "demo: first cycle"))
    say("2/5 production traffic as expected")
    quiet = clock.time("quiet traffic", lambda: _send(root, "none", 0))
    say("3/5 the watch looks at it")
    first_watch = clock.time("first watch", lambda: watch(root))
    say("4/5 production traffic shifts: larger damage than the model was trained for")
    shifted = clock.time("shifted traffic", lambda: _send(root, "larger-masks", 1))
    say("5/5 the watch looks again, and starts the next cycle by itself")
    second_watch = clock.time("second watch and cycle", lambda: watch(root))
    if first is None or second_watch.cycle is None:
        raise LikenessError("drift to start a cycle", second_watch.verdict.note or "none", "see the drift report")
    return Demo(first, quiet, first_watch, shifted, second_watch, clock.seconds)


def _send(root: Path, shift: str, turn: int) -> SimulationReport:
    paths = Paths(root)
    params = load_params(paths.params, {"simulate.shift": shift})
    return simulate(params, paths, seed=params.simulate.seed + turn)


class _Clock:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def time(self, name: str, part: Callable[[], Result]) -> Result:
        started = time.monotonic()
        result = part()
        self.seconds[name] = round(time.monotonic() - started, 1)
        return result
