"""Define the processes of `likeness up`: commands, addresses and environment."""

import os
import socket
import sys
import urllib.request
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.error import URLError

from pipeline.config.load import load_params
from pipeline.consent.kept import any_kept
from pipeline.project.environment import environment
from pipeline.project.paths import Paths
from pipeline.workspaces.cycle_checkouts import ensure_production

HOST = "127.0.0.1"
_PROBE_SECONDS = 2.0


@dataclass(frozen=True)
class Part:
    """One process: its command, its address ("" = none), and the parts that must answer before it is started.

    A part that runs `once` ends by itself and is started again only if it fails.
    """

    name: str
    command: tuple[str, ...]
    url: str = ""
    ready: str = ""
    after: tuple[str, ...] = ()
    once: bool = False


def parts(paths: Paths, port: int) -> tuple[Part, ...]:
    """List the parts: Prefect at `port`, MLflow at + 1, Evidently at + 2, the service at + 3, on loopback only.

    Flows run on a worker and not in a serving process: deployments then exist on the server independently of who
    executes them, a restart creates no new ones, and a run outlives the worker that started it.
    """
    python = sys.executable
    url = [f"http://{HOST}:{port + offset}" for offset in range(4)]
    root = str(ensure_production(paths))
    store = environment().mlflow_uri or f"sqlite:///{paths.mlflow_database}"
    likeness = (installed_command("likeness"),)
    prefect = (python, "-m", "prefect")
    mlflow = ("mlflow", "server", "--backend-store-uri", store, "--host", HOST, "--workers", "1")
    evidently = (installed_command("evidently"), "ui", "--workspace", str(paths.evidently_workspace))
    admitted = () if needs_tokens(paths) else ("--open",)
    serve = (*likeness, "serve", *admitted, "--host", HOST, "--port", str(port + 3), "--root", root)
    worker = (*prefect, "worker", "start", "--pool", "likeness", "--type", "process", "--name", "likeness")
    return (
        Part("prefect", (*prefect, "server", "start", "--host", HOST, "--port", str(port)), url[0], "/api/health"),
        Part("mlflow", (python, "-m", *mlflow, "--port", str(port + 1)), url[1], "/health"),
        Part("drift", (*evidently, "--host", HOST, "--port", str(port + 2)), url[2], "/"),
        Part(
            "service", serve, url[3], "/healthz", after=("mlflow",)
        ),  # two processes must not create MLflow's tables at once
        Part(
            "deploy",
            (*likeness, "deploy", "--server", f"{url[0]}/api", "--root", str(paths.root)),
            after=("prefect",),
            once=True,
        ),
        Part("worker", worker, after=("prefect",)),
    )


def needs_tokens(paths: Paths) -> bool:
    """Tell whether the service asks for tokens: pictures of people are kept, or are as soon as somebody consents.

    Everybody on this machine reaches it, and without tokens everybody could look at kept pictures and delete them.
    """
    if not paths.params.is_file():
        return False
    keep = load_params(paths.params).keep
    return bool(keep.location) or any_kept(paths, keep)


def installed_command(name: str) -> str:
    """Give the path of a command that is installed with this Python, independently of PATH."""
    return str(Path(sys.executable).with_name(name))


def child_environment(paths: Paths, port: int) -> dict[str, str]:
    """Make the environment of the parts; a variable that is already set (PostgreSQL for Prefect) stays.

    Leases of running cycles are files: by default the server keeps them in memory, and a run that cannot renew its
    lease after the server's restart ends. The server deletes runs that ended long ago, with their states and logs.
    """
    days = load_params(paths.params).operate.keep_runs_days if paths.params.is_file() else 0.0
    retention = {
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(round(timedelta(days=days).total_seconds())),
    }
    defaults = {
        "PREFECT_HOME": str(paths.prefect_home),
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        "PREFECT_LOGGING_EXTRA_LOGGERS": "flows,monitoring,pipeline",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        **(retention if days else {}),
    }
    return {name: os.environ.get(name, value) for name, value in defaults.items()} | {
        "PREFECT_API_URL": f"http://{HOST}:{port}/api"
    }


def is_answering(part: Part) -> bool:
    """Tell whether a part answers."""
    try:
        with urllib.request.urlopen(part.url + part.ready, timeout=_PROBE_SECONDS):  # noqa: S310 - a loopback address
            return True
    except (URLError, OSError):
        return False


def is_port_taken(url: str) -> bool:
    """Tell whether the port of an address is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, int(url.rpartition(":")[2])))
        except OSError:
            return True
    return False
