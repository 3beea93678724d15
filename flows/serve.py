"""Everything that runs beside the stages on one machine: Prefect's server and schedules, MLflow, the drift pages."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.error import URLError

from models.errors import ServiceUnavailable
from pipeline.layout import Paths

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment

_START_SECONDS = 120
_POLL_SECONDS = 0.5
_ANCHOR = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday; three weeks cannot be said in cron


@dataclass(frozen=True)
class Service:
    """A process with a page."""

    name: str
    command: tuple[str, ...]
    url: str
    ready: str


def services(root: Path, port: int) -> tuple[Service, ...]:
    """Prefect at `port`, MLflow at `port` + 1, Evidently at `port` + 2."""
    paths = Paths(root)
    python = sys.executable
    urls = [f"http://127.0.0.1:{port + offset}" for offset in range(3)]
    mlflow = ("mlflow", "server", "--backend-store-uri", f"sqlite:///{paths.mlflow_database}", "--workers", "1")
    evidently = (str(Path(python).with_name("evidently")), "ui", "--workspace", str(paths.evidently_workspace))
    return (
        Service("Prefect", (python, "-m", "prefect", "server", "start", "--port", str(port)), urls[0], "/api/health"),
        Service("MLflow", (python, "-m", *mlflow, "--port", str(port + 1)), urls[1], "/health"),
        Service("Drift", (*evidently, "--port", str(port + 2)), urls[2], "/"),
    )


@contextmanager
def running(root: Path, port: int) -> Iterator[tuple[Service, ...]]:
    """All services up, their logs in state/logs; they end with the block.

    Raises:
        ServiceUnavailable: one of them did not answer in time.
    """
    wanted = services(root, port)
    os.environ["PREFECT_API_URL"] = f"{wanted[0].url}/api"
    logs = Paths(root).state / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    Paths(root).evidently_workspace.mkdir(parents=True, exist_ok=True)
    started = [_start(service, logs / f"{service.name.lower()}.log") for service in wanted]
    try:
        for service, process in zip(wanted, started, strict=True):
            _wait(service, process, logs)
        yield wanted
    finally:
        for process in started:
            process.send_signal(signal.SIGTERM)
        for process in started:
            _end(process)


def serve_schedules(root: Path) -> None:
    """Cycle every three weeks, watch every hour, until stopped; a second run beside one under way is cancelled."""
    from prefect import serve
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
    from prefect.schedules import Interval

    from flows.cycle import cycle
    from flows.watch import watch

    one = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
    arguments = {"root": str(root)}
    every_three_weeks = Interval(timedelta(weeks=3), anchor_date=_ANCHOR, timezone="UTC")
    every_hour = Interval(timedelta(hours=1), anchor_date=_ANCHOR, timezone="UTC")
    deployments = (
        cycle.to_deployment(
            "every-three-weeks",
            schedule=every_three_weeks,
            parameters=arguments | {"reason": "three weeks have passed"},
            concurrency_limit=one,
        ),
        watch.to_deployment("every-hour", schedule=every_hour, parameters=arguments, concurrency_limit=one),
    )
    serve(*cast("tuple[RunnerDeployment, ...]", deployments), pause_on_shutdown=False)  # awaitable only in async code


def _start(service: Service, log: Path) -> "subprocess.Popen[bytes]":
    with log.open("ab") as stream:
        return subprocess.Popen(service.command, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True)  # noqa: S603 - our own command


def _wait(service: Service, process: "subprocess.Popen[bytes]", logs: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(service.url + service.ready, timeout=2):  # noqa: S310 - our own address
                return
        except (URLError, OSError):
            time.sleep(_POLL_SECONDS)
    state = "no answer" if process.poll() is None else f"exit status {process.returncode}"
    raise ServiceUnavailable(f"{service.name} at {service.url}", state, f"see the log in {logs}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
