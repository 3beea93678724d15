"""Runs and events of a Prefect server, as a person sees them in its pages; PREFECT_API_URL says where it is."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from flows.local.supervisor import Supervisor
from pipeline.project.paths import Paths
from tests.conftest import ROOT
from tests.flows.prefect_site import supervised, until

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient


QUICK = {"PREFECT_WORKER_QUERY_SECONDS": "1"}
"""The worker looks for runs that are due every second instead of every ten."""


@contextmanager
def asked() -> "Iterator[SyncPrefectClient]":
    """A client of the server; inside, Prefect's own functions ask that server too."""
    from prefect.settings import PREFECT_API_URL, temporary_settings

    address = os.environ["PREFECT_API_URL"]
    with temporary_settings({PREFECT_API_URL: address}), _client(address) as client:
        yield client


@cache
def _client(address: str) -> "SyncPrefectClient":
    """The one client of a server, which `deployed` keeps open: opening it costs as much as ten questions."""
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with temporary_settings({PREFECT_API_URL: address}):
        return get_client(sync_client=True)


@contextmanager
def deployed(paths: Paths, **environment: str) -> Iterator[Supervisor]:
    """A server, a worker and the deployments of a project, watched over; nothing runs that is not asked for.

    Args:
        paths: what `project` made.
        environment: of this process and all of those.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in (
            "LIKENESS_MLFLOW_URI",
            "LIKENESS_LOG_URL",
            "LIKENESS_WEBHOOK",
            "LIKENESS_SMTP",
            "LIKENESS_ALERT_URLS",
        ):
            patch.delenv(name, raising=False)
        wanted = {"PYTHONPATH": str(ROOT), "PREFECT_HOME": str(paths.prefect_home), **QUICK, **environment}
        for name, value in wanted.items():
            patch.setenv(name, value)
        with supervised(paths, "prefect", "deploy", "worker") as supervisor:
            patch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{supervisor.running.port}/api")
            until(lambda: supervisor.watched["deploy"].done, 240, "the deployments are there")
            _client.cache_clear()  # an earlier server may have had the same port
            with _client(os.environ["PREFECT_API_URL"]):
                nothing_runs_by_itself()
                yield supervisor


def started(deployment: str) -> Any:
    """A run that a person asks for in Prefect's pages."""
    with asked() as prefect:
        return prefect.create_flow_run_from_deployment(prefect.read_deployment_by_name(deployment).id)


def nothing_runs_by_itself() -> None:
    """Switch the schedules off: what they ask for would come between a test and its runs."""
    with asked() as prefect:
        for deployed in prefect.read_deployments():
            for kept in deployed.schedules:
                assert kept.active
                prefect.update_deployment_schedule(deployed.id, kept.id, active=False)


def runs(deployment: str) -> list[Any]:
    """Its runs that were asked for, oldest first; not those that wait for their date."""
    with asked() as prefect:
        ours = prefect.read_deployment_by_name(deployment).id
        found = [run for run in prefect.read_flow_runs(limit=200) if run.deployment_id == ours]
    return sorted((run for run in found if not run.auto_scheduled), key=lambda run: run.created)


def becomes(run: Any, name: str) -> None:
    """Wait until a run is in a state; not beyond its end."""
    with asked() as client:

        def state() -> Any:
            return client.read_flow_run(run.id).state

        def there() -> bool:
            now = state()
            assert now.name == name or not now.is_final(), f"the run was to become {name}, and ended: {now}"
            return bool(now.name == name)

        until(there, 240, f"the run becomes {name}", state, pause=1.0)


def beats(run: Any) -> int:
    """How many heartbeats of a run the server knows; the first comes as it begins."""
    resource = f"prefect.flow-run.{run.id}"
    return sum(event["resource"]["prefect.resource.id"] == resource for event in told("prefect.flow-run.heartbeat"))


def told(event: str) -> list[dict[str, Any]]:
    """Events of this name that the server knows."""
    span = {"since": "2020-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"}
    with asked() as prefect:
        wanted = {"filter": {"event": {"name": [event]}, "occurred": span}}
        found: list[dict[str, Any]] = prefect.request("POST", "/events/filter", json=wanted).json()["events"]
    return found
