"""End and stop the service under load: a request that it took is answered, and in the log."""

import shutil
import signal
import time
from pathlib import Path

import numpy as np

from models.assets import ASSETS
from monitoring.log.production_log import open_log
from pipeline.project.paths import Paths
from scripts.benchmarks.service.served_workspace import serving
from scripts.faults.drill import Drill
from scripts.faults.load import Answers, load
from scripts.finding import Finding, counted

_STOPPED_SECONDS = 5.0


def try_faults(drill: Drill) -> list[Finding]:
    """End the service a fifth as often as the drill says, and stop it as often."""
    rng, often = drill.rng("service"), max(1, drill.trials // 5)
    return [
        _ended(drill, often, rng),
        _stopped(drill, often, rng),
    ]


def _ended(drill: Drill, often: int, rng: np.random.Generator) -> Finding:
    """SIGTERM at a random moment under load: what was taken is answered and in the log."""
    paths, misses, requests = empty_checkout(drill.work / "ended"), list[str](), 0
    for number in range(often):
        with serving(paths) as served, load(served.address, drill.seed + number) as answers:
            time.sleep(rng.uniform(1.0, 4.0))
            served.process.send_signal(signal.SIGTERM)
            served.process.wait(60)
        requests += answers.taken
        misses += _lost(paths, answers)
    return counted(f"SIGTERM under load, {often} times", "0 requests lost", misses, requests)


def _stopped(drill: Drill, often: int, rng: np.random.Generator) -> Finding:
    """SIGSTOP for some seconds: what was taken is answered afterwards."""
    paths = empty_checkout(drill.work / "stopped")
    with serving(paths) as served:
        with load(served.address, drill.seed) as answers:
            for _ in range(often):
                time.sleep(rng.uniform(1.0, 3.0))
                served.process.suspend()
                time.sleep(_STOPPED_SECONDS)
                served.process.resume()
        requests = answers.taken
        misses = _lost(paths, answers)
    claim = f"SIGSTOP for {_STOPPED_SECONDS:g} s under load, {often} times"
    return counted(claim, "0 requests lost", misses, requests)


def empty_checkout(root: Path) -> Paths:
    """Make an empty checkout to serve."""
    root.mkdir(parents=True)
    shutil.copy(ASSETS.parent / "params.yaml", root)
    return Paths(root)


def _lost(paths: Paths, answers: Answers) -> list[str]:
    """Tell which requests were lost, which answers the log does not have, and whether it is whole."""
    with open_log(paths) as log:
        missing = [f"answered, not in the log: {one}" for one in answers.ids if log.row(one) is None]
        verification = log.verify()
    return [*answers.lost, *missing, *([] if verification.whole else [str(verification)])]
