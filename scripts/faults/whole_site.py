"""Everything that `likeness up` starts, in a workspace of its own: its parts are found, killed and stopped."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import psutil

from pipeline.project.paths import Paths
from scripts.benchmarks.service.served_workspace import ELSEWHERE

READY = {"prefect": "/api/health", "mlflow": "/health", "drift": "/", "service": "/readyz"}
"""Parts with an address, in the order of their ports."""
_LIKENESS = str(Path(sys.executable).with_name("likeness"))
_START_SECONDS = 400.0
_PROBE_SECONDS = 2.0


@dataclass(frozen=True)
class WholeSite:
    """What runs: its workspace and the first of its ports."""

    paths: Paths
    port: int

    def address(self, part: str) -> str:
        """Give the address of a part."""
        return f"http://127.0.0.1:{self.port + list(READY).index(part)}"

    def process(self, part: str) -> psutil.Process:
        """Find the process that was started as a part.

        Raises:
            RuntimeError: none runs.
        """
        found = self._find(part)
        if found is None:
            raise RuntimeError(f"expected a process of {part} in {self.paths.root}, got none")
        return found

    def runs(self, part: str) -> bool:
        """Tell whether a process of a part runs."""
        return self._find(part) is not None

    def is_ready(self, part: str) -> bool:
        """Tell whether a part answers that it is ready."""
        with suppress(httpx.HTTPError):
            return httpx.get(self.address(part) + READY[part], timeout=_PROBE_SECONDS, trust_env=False).is_success
        return False

    def _find(self, part: str) -> psutil.Process | None:
        return next((process for process in psutil.process_iter() if _is_part(process, part, self.paths.root)), None)


@contextmanager
def running_site(root: Path) -> Iterator[WholeSite]:
    """Make a workspace, run `likeness up` in it until all parts are ready, and end it with the block.

    Raises:
        RuntimeError: a part was not ready in time; the last words are in the message.
    """
    environment = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
    subprocess.run([_LIKENESS, "workspace", str(root)], check=True, env=environment, capture_output=True)  # noqa: S603 - our own command
    site, said = WholeSite(Paths(root), free_ports(len(READY))), root / "up.log"
    command = [_LIKENESS, "up", "--root", str(root), "--port", str(site.port)]
    with said.open("wb") as stream:
        supervisor = subprocess.Popen(command, env=environment, stdout=stream, stderr=subprocess.STDOUT)  # noqa: S603 - our own command
    try:
        for part in READY:
            if wait_until(partial(site.is_ready, part), _START_SECONDS) is None:
                raise RuntimeError(f"{part} did not become ready: {said.read_text()[-800:]}")
        yield site
    finally:
        supervisor.terminate()
        supervisor.wait(timeout=120)


def wait_until(true: Callable[[], bool], seconds: float) -> float | None:
    """Wait until something is true; gives the seconds it took, or None if it did not become true in time."""
    began = time.monotonic()
    while (passed := time.monotonic() - began) < seconds:
        if true():
            return time.monotonic() - began
        time.sleep(min(0.1, seconds - passed))
    return None


def free_ports(number: int) -> int:
    """Find so many ports in a row on which nobody listens; gives the first."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as free:
            first = int(free.getsockname()[1])
        with suppress(OSError, OverflowError):
            for port in range(first, first + number):
                socket.create_server(("127.0.0.1", port)).close()
            return first


def _is_part(process: psutil.Process, part: str, root: Path) -> bool:
    """Tell whether a process leads the session of a part of this workspace."""
    try:
        mine = process.environ().get("LIKENESS_UP_NAME") == part and Path(process.cwd()).is_relative_to(root.resolve())
        return mine and os.getsid(process.pid) == process.pid and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, OSError):  # it has ended meanwhile, or belongs to another user
        return False
