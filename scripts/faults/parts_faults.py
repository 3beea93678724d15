"""Kill and stop what `likeness up` runs: each part is there again by itself, the service in ten seconds."""

import time
from collections.abc import Callable

import numpy as np
import psutil

from monitoring.log.production_log import open_log
from scripts.faults.drill import Drill
from scripts.faults.load import load
from scripts.faults.whole_site import READY, WholeSite, running_site, wait_until
from scripts.finding import Finding, bounded, counted

_SERVICE_SECONDS = 10.0
"""Until a service that was killed is ready again."""
_PART_SECONDS = 60.0
"""The same of the other parts."""
_HUNG_SECONDS = 150.0
"""Until a part that is stopped for good was found out, killed and is ready again."""
_SETTLED_SECONDS = 60.0
"""A part that ran for less is not started again at once."""
_GIVEN_UP = 600.0


def try_faults(drill: Drill) -> list[Finding]:
    """Kill the service a fifth as often as the drill says, each other part once; stop the service and the worker."""
    rng = drill.rng("parts")
    with running_site(drill.work / "site") as site:
        return [
            *_killed_under_load(site, drill.seed, max(1, drill.trials // 5), rng),
            _each_killed(site),
            _each_stopped(site),
        ]


def _killed_under_load(site: WholeSite, seed: int, often: int, rng: np.random.Generator) -> list[Finding]:
    """Kill the service at random moments under load."""
    seconds, ids = dict[str, float](), list[str]()
    for number in range(often):
        time.sleep(_SETTLED_SECONDS)
        with load(site.address("service"), seed + number) as answers:
            time.sleep(rng.uniform(1.0, 4.0))
            seconds[f"kill {number}"] = measure_return(site, "service", psutil.Process.kill)
        ids += answers.ids
    claim = f"service of `likeness up` killed by `kill -9` under load, {often} times"
    with open_log(site.paths) as log:
        misses = [f"answered, not in the log: {one}" for one in ids if log.row(one) is None]
        verification = log.verify()
    misses += [] if verification.whole else [str(verification)]
    return [
        bounded(f"{claim}: ready again", "s", _SERVICE_SECONDS, seconds),
        counted("the same: answered requests", "each in the log, which verifies", misses, len(ids)),
    ]


def _each_killed(site: WholeSite) -> Finding:
    others = [part for part in READY if part != "service"]
    seconds = {part: measure_return(site, part, psutil.Process.kill) for part in others}
    return bounded(f"{', '.join(others)} killed by `kill -9`: ready again", "s", _PART_SECONDS, seconds)


def _each_stopped(site: WholeSite) -> Finding:
    """Stop what restores and what runs the flows for good, one after the other."""
    seconds = {part: measure_return(site, part, psutil.Process.suspend) for part in ("service", "worker")}
    return bounded("service, worker stopped by SIGSTOP for good: another runs", "s", _HUNG_SECONDS, seconds)


def measure_return(site: WholeSite, part: str, break_it: Callable[[psutil.Process], None]) -> float:
    """Break the process of a part; gives the seconds until another one is ready, infinity where none is in time."""
    broken = site.process(part)
    break_it(broken)

    def is_back() -> bool:
        return not broken.is_running() and (site.is_ready(part) if part in READY else site.runs(part))

    seconds = wait_until(is_back, _GIVEN_UP)
    return float("inf") if seconds is None else seconds
