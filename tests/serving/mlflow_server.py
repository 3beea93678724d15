"""A real `mlflow server`: its own process, database and artifacts, stopped, killed and started again on its port."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from tests import leash
from tests.mlflow_database import lay_database

_LONGEST_START = 180.0


class MlflowServer:
    """Serves what lies in `folder`; not yet running."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._log = folder / "log"
        lay_database(folder / "mlflow.db")
        stores = (
            "--backend-store-uri",
            f"sqlite:///{folder}/mlflow.db",
            "--artifacts-destination",
            str(folder / "mlartifacts"),
        )
        place = ("--host", "127.0.0.1", "--port", str(port), "--workers", "1")
        self._command = (sys.executable, "-m", "mlflow", "server", *stores, *place)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Wait until it answers."""
        environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
        with self._log.open("ab") as log:
            self._process = leash.start(self._command, environment, log)
        deadline = time.monotonic() + _LONGEST_START
        while not self._answers():
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.1)

    def kill(self) -> None:
        """As a machine that loses its power."""
        if self._process is not None:
            leash.end(self._process, signal.SIGKILL)
        self._process = None

    def signal(self, number: signal.Signals) -> None:
        """SIGSTOP makes it hang: it accepts connections and does not answer; SIGCONT wakes it up."""
        if self._process is not None:
            os.killpg(self._process.pid, number)

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.url}/health", timeout=2).close()
        except OSError:
            return False
        return True
