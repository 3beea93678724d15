"""Send the demo's traffic, and run its A/B test to the end."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

from flows.steps.reports import AbReport
from monitoring.simulation.simulate import SimulationReport, simulate
from pipeline.config.load import load_params
from pipeline.config.simulate import Shift
from pipeline.project.paths import Paths


def send_traffic(
    root: Path, shift: Shift, turn: int, *, requests: int | None = None, known: float | None = None, run: str = ""
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


def run_trial(
    root: Path, shift: Shift, batch: int, first_turn: int, judge: Callable[[Path], AbReport]
) -> Iterator[AbReport]:
    """Send traffic to both arms and `judge` after every batch; yields each look until the test ends.

    The originals of all these requests become known, or the test would take twice as many; and the request ids are the
    same each time, so that the demo always ends the same.
    """
    for turn in count(first_turn):
        send_traffic(root, shift, turn, requests=batch, known=1.0, run=f"trial-{turn}")
        report = judge(root)
        yield report
        if report.verdict.state != "running":
            return
