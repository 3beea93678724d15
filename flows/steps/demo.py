"""Steps of the demo: send traffic, run an A/B test to its end, measure times."""

import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import TypeVar

from flows.steps.reports import AbReport, CycleReport
from monitoring.simulation.simulate import SimulationReport, simulate
from pipeline.config.load import load_params
from pipeline.project.paths import Paths

Result = TypeVar("Result")

_BATCH = 40  # requests between two looks at the A/B test


def send_traffic(
    root: Path, shift: str, turn: int, *, requests: int | None = None, known: float | None = None, run: str = ""
) -> SimulationReport:
    """Send simulated requests.

    Args:
        root: the workspace.
        shift: how the traffic differs from the baseline; "none" = not at all.
        turn: makes other requests than the turns before.
        requests: how many; None = as in params.yaml.
        known: share of requests whose original becomes known; None = as in params.yaml.
        run: name in the request ids; "" = a new one.
    """
    paths = Paths(root)
    changes = {"simulate.shift": shift} | ({} if known is None else {"simulate.known_originals": known})
    params = load_params(paths.params, changes)
    return simulate(params, paths, seed=params.simulate.seed + turn, requests=requests, run=run)


def run_ab_test(
    root: Path, shift: str, made: CycleReport | None, judge: Callable[[Path], AbReport]
) -> tuple[AbReport | None, int]:
    """Send traffic to both arms and `judge` after every batch until the test ends; also gives the number of requests.

    The originals of all these requests become known, or the test would take twice as many; and the request ids are the
    same each time, so that the demo always ends the same.
    """
    if made is None or not made.awaiting:
        return None, 0
    for turn in count(2):
        send_traffic(root, shift, turn, requests=_BATCH, known=1.0, run=f"trial-{turn}")
        report = judge(root)
        if report.verdict.state != "running":
            return report, _BATCH * (turn - 1)
    raise AssertionError  # count never ends


class Stopwatch:
    """Measures the seconds of named parts."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def time(self, name: str, part: Callable[[], Result]) -> Result:
        """Run a part and measure it."""
        started = time.monotonic()
        result = part()
        self.seconds[name] = round(time.monotonic() - started, 1)
        return result
