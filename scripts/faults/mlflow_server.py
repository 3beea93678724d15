"""A real MLflow server, as `likeness up` starts it: its process is started, killed and started again."""

import socket
import time
from contextlib import suppress

import psutil

from flows.local.processes import start
from flows.local.services import Part, child_environment, is_answering, parts
from pipeline.project.paths import Paths

_START_SECONDS = 240.0
_AFTER_PREFECT = 1
"""MLflow's port, counted from the first of the parts'."""


class MlflowServer:
    """Serves the registry of a checkout; not yet running."""

    def __init__(self, paths: Paths) -> None:
        self._first = free_port() - _AFTER_PREFECT
        self._paths, self._log = paths, paths.root / "mlflow.log"
        self._part: Part = next(part for part in parts(paths, self._first) if part.name == "mlflow")
        self._process: psutil.Process | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._first + _AFTER_PREFECT

    @property
    def address(self) -> str:
        """Where clients reach it."""
        return self._part.url

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            RuntimeError: it does not in time; its last words are in the message.
        """
        environment = child_environment(self._paths, self._first)
        self._process = start(self._part.name, self._part.command, f"faults-{self._first}", environment, self._log)
        deadline = time.monotonic() + _START_SECONDS
        while not is_answering(self._part):
            if time.monotonic() > deadline or not self._process.is_running():
                raise RuntimeError(f"MLflow's server did not answer: {self._log.read_text()[-800:]}")
            time.sleep(0.2)

    def kill(self) -> None:
        """Kill it and what it has started, as a machine that loses its power."""
        if self._process is None:
            return
        family = [self._process, *self._process.children(recursive=True)]
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(family)
        self._process = None


def free_port() -> int:
    """Find a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
