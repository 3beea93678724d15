"""Let the clock of a running service step back and forth, and to the year 9999 (libfaketime, if it is installed).

The clock that steps is the wall clock, as where somebody sets it: time that only runs on (CLOCK_MONOTONIC) does not.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from flows.local.services import installed_command
from monitoring.log.production_log import open_log
from pipeline.project.paths import Paths
from pipeline.workspaces.dvc import environment
from scripts.benchmarks.service.served_workspace import photos, serving
from scripts.faults.drill import Drill
from scripts.faults.service_faults import empty_checkout
from scripts.finding import Finding, counted, skipped

CLOCKS = {
    "right": "+0",
    "an hour back": "-3600",
    "a day forward": "+86400",
    "back again": "+0",
    "the last day of 9999": "@9999-12-31 12:00:00",
}
COMMANDS = (
    ("audit", "verify"), ("models",), ("watch", "--dry-run"), ("dashboards", "--status", "status.html"),
    ("log", "seal"), ("token", "list"), ("params",),
)  # fmt: skip
_EACH = 3
_SECONDS = 300
_CLAIM = "requests while the clock steps: " + ", ".join(CLOCKS)


def try_faults(drill: Drill) -> list[Finding]:
    """Step the clock under a service, then call commands at each time."""
    if shutil.which("faketime") is None:
        return [skipped(_CLAIM, "all answered and logged", "`faketime` is not installed")]
    paths = empty_checkout(drill.work / "clock")
    return [_service(paths, drill.seed), _commands(paths)]


def _service(paths: Paths, seed: int) -> Finding:
    """Send photos at each time; what was answered is in the log, which is whole."""
    clock, misses, ids = paths.root / "clock", list[str](), list[str]()
    clock.write_text("+0\n")
    with _stepping(clock), serving(paths) as served, _client(served.address) as client:
        for name, offset in CLOCKS.items():
            clock.write_text(f"{offset}\n")
            time.sleep(1.0)
            for photo in photos(_EACH, seed):
                answer = client.post("/v1/restorations", files=photo)
                if answer.is_success:
                    ids.append(answer.headers["x-request-id"])
                else:
                    misses.append(f"{name}: {answer.status_code} {answer.text[:200]}")
            status = client.get("/v1/status")
            misses += [] if status.is_success else [f"{name}: status {status.status_code} {status.text[:200]}"]
    with open_log(paths) as log:
        misses += [f"answered, not in the log: {one}" for one in ids if log.row(one) is None]
        verification = log.verify()
    misses += [] if verification.whole else [str(verification)]
    return counted(_CLAIM, "all answered and logged, the log verifies", misses, len(CLOCKS) * _EACH)


def _client(address: str) -> httpx.Client:
    return httpx.Client(base_url=address, timeout=_SECONDS, trust_env=False)


def _commands(paths: Paths) -> Finding:
    """Call commands at each time: none ends with a traceback."""
    misses, clock = list[str](), paths.root / "clock"
    for name, offset in CLOCKS.items():
        clock.write_text(f"{offset}\n")
        with _stepping(clock):
            for command in COMMANDS:
                done = subprocess.run(  # noqa: S603 - our own command
                    [installed_command("likeness"), *command, "--root", str(paths.root)],
                    capture_output=True, text=True, check=False, env=environment(), timeout=_SECONDS, cwd=paths.root,
                )  # fmt: skip
                if done.returncode and not done.stderr.strip().splitlines()[-1].startswith("likeness: expected"):
                    misses.append(f"{' '.join(command)}, {name}: {done.stderr.strip()[-250:]}")
    claim = f"{len(COMMANDS)} commands at each of these times"
    return counted(claim, "each works, or is refused in words", misses, len(CLOCKS) * len(COMMANDS))


@contextmanager
def _stepping(clock: Path) -> Iterator[None]:
    """Let processes that are started take the time from a file, whenever they look at it."""
    printed = ("faketime", "-f", "+0", "printenv", "LD_PRELOAD")
    library = subprocess.run(printed, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603 - constant
    names = {
        "LD_PRELOAD": library,
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    os.environ.update(names)
    try:
        yield
    finally:
        for name in names:
            os.environ.pop(name)
