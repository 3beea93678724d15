"""Define the processes of `likeness up`: commands, addresses and environment."""

import os
import socket
import sys
import urllib.request
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit

from pipeline.config.load import load_params
from pipeline.consent.kept import any_kept
from pipeline.project.artifact_locations import artifacts_folder
from pipeline.project.environment import environment
from pipeline.project.paths import Paths
from pipeline.workspaces.cycle_checkouts import ensure_production

HOST = "127.0.0.1"
_PROBE_SECONDS = 2.0
_SERVED = ("prefect", "mlflow", "drift", "service")
"""Parts with a port, in the order of their ports."""


@dataclass(frozen=True)
class Part:
    """One process: its command, its address ("" = none), and the parts that must answer before it is started.

    A part that runs `once` ends by itself and is started again only if it fails; who waits for it waits for its end.
    """

    name: str
    command: tuple[str, ...]
    url: str = ""
    ready: str = ""
    after: tuple[str, ...] = ()
    once: bool = False


def addresses(port: int) -> dict[str, str]:
    """Give the addresses of the parts that have one; `port` is the first."""
    return {name: f"http://{HOST}:{port + offset}" for offset, name in enumerate(_SERVED)}


def parts(paths: Paths, port: int) -> tuple[Part, ...]:
    """List the parts: Prefect at `port`, MLflow at + 1, Evidently at + 2, the service at + 3, on loopback only.

    Flows run on a worker and not in a serving process: deployments then exist on the server independently of who
    executes them, a restart creates no new ones, and a run outlives the worker that started it. It waits for `deploy`:
    in a workspace that was copied or moved, earlier deployments lead to where it was.
    """
    python = sys.executable
    url = addresses(port)
    root = str(ensure_production(paths))
    likeness = (installed_command("likeness"),)
    prefect = (python, "-m", "prefect")
    evidently = (installed_command("evidently"), "ui", "--workspace", str(paths.evidently_workspace))
    admitted = () if needs_tokens(paths) else ("--open",)
    serve = (*likeness, "serve", *admitted, "--host", HOST, "--port", str(port + 3), "--root", root)
    worker = (*prefect, "worker", "start", "--pool", "likeness", "--type", "process", "--name", "likeness")
    return (
        Part(
            "prefect",
            (*prefect, "server", "start", "--host", HOST, "--port", str(port)),
            url["prefect"],
            "/api/health",
        ),
        _mlflow(paths, url["mlflow"]),
        Part("drift", (*evidently, "--host", HOST, "--port", str(port + 2)), url["drift"], "/"),
        Part(
            "service", serve, url["service"], "/healthz", after=("mlflow",)
        ),  # two processes must not create MLflow's tables at once
        Part(
            "deploy",
            (*likeness, "deploy", "--server", f"{url['prefect']}/api", "--root", str(paths.root)),
            after=("prefect",),
            once=True,
        ),
        Part("worker", worker, after=("prefect", "deploy")),
    )


def _mlflow(paths: Paths, url: str) -> Part:
    """Define MLflow's server; it also takes requests for the address at which a proxy shows its pages."""
    settings = environment()
    store = settings.mlflow_uri or f"sqlite:///{paths.mlflow_database}"
    command = (sys.executable, "-m", "mlflow", "server", "--backend-store-uri", store, "--workers", "1")
    files = ("--artifacts-destination", str(artifacts_folder(store, paths)))
    place = ("--host", HOST, "--port", url.rpartition(":")[2])
    public = urlsplit(settings.mlflow_address)
    if not public.hostname:
        return Part("mlflow", (*command, *files, *place), url, "/health")
    hosts = [f"{host}{port}" for host in (public.hostname, "localhost", HOST) for port in ("", ":*")]
    origin = f"{public.scheme}://{public.netloc}"
    proxied = ("--allowed-hosts", ",".join(hosts), "--cors-allowed-origins", origin)
    return Part("mlflow", (*command, *files, *place, *proxied), url, "/health")


def needs_tokens(paths: Paths) -> bool:
    """Tell whether the service asks for tokens: it has public names, or pictures of people are or can be kept.

    Everybody on this machine reaches it, and without tokens everybody could look at kept pictures and delete them.
    """
    if not paths.params.is_file():
        return False
    params = load_params(paths.params)
    return bool(params.serve.proxy.hosts or params.keep.location) or any_kept(paths, params.keep)


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
    pages = addresses(port)
    defaults = {
        **{f"LIKENESS_{name.upper()}_ADDRESS": pages[name] for name in ("service", "mlflow", "drift")},
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
