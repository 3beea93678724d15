"""Create the deployments on a Prefect server: which flow runs when, and where."""

import hashlib
import importlib
import json
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from flows.deployment.automations import HEARTBEAT, automate, automations
from models.errors import ServiceUnavailable
from pipeline.config.load import load_params
from pipeline.project.paths import Paths
from pipeline.workspaces.cycle_checkouts import ensure_production, resolve_revision, revision_source

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import DeploymentSchedule
    from prefect.client.schemas.responses import DeploymentResponse
    from prefect.client.schemas.schedules import IntervalSchedule

POOL = "likeness"
SLUG = "likeness"
"""Of the schedule that `deploy` sets; others are people's, and stay."""
NAME = "production"
ENTRYPOINT = "flows.deployment.worker_entrypoint"
RUN_ENVIRONMENT = {"PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT)}
"""Of every run, whatever its worker's: the automations count on it."""
_MONDAY = datetime(2026, 1, 5, tzinfo=UTC)  # cron cannot express three weeks


@dataclass(frozen=True)
class Planned:
    """A flow, its interval, its first time in a week, and what happens to a run that is due while another runs."""

    flow: str
    every: timedelta
    at: timedelta
    when_busy: str
    parameters: dict[str, Any]

    @property
    def working_dir(self) -> str:
        """Working directory of its runs: their root."""
        return str(self.parameters["root"])

    @property
    def command(self) -> str:
        """Command that the worker starts for a run."""
        log = f"{self.working_dir}/state/logs/runs.log"
        return shlex.join([sys.executable, "-m", ENTRYPOINT, log])

    @property
    def digest(self) -> str:
        """Digest that changes exactly when the deployment has to change."""
        when = self.every.total_seconds(), self.at.total_seconds()
        text = json.dumps([self.flow, when, self.when_busy, self.parameters, self.command, RUN_ENVIRONMENT, SLUG])
        return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Deployed:
    """Names of the deployments and automations that were changed, and of those that were up to date."""

    changed: tuple[str, ...]
    kept: tuple[str, ...]
    revision: str


def plan(paths: Paths) -> tuple[Planned, ...]:
    """Plan the scheduled flows of the project at `paths`; cycles run at the revision that is checked out now.

    Raises:
        DataError: `operate.revision` of params.yaml is not in the project.
    """
    params = load_params(paths.params).operate
    root = str(ensure_production(paths).absolute())
    revision = resolve_revision(revision_source(paths), params.revision)
    here = {"root": root}
    cycle = {**here, "revision": revision, "reason": "three weeks have passed"}
    return (  # never two in the same minute: they share the log and the machine
        Planned("flows.cycle:cycle", timedelta(weeks=3), timedelta(hours=2, minutes=20), params.when_busy, cycle),
        Planned("flows.watch:watch", timedelta(hours=1), timedelta(minutes=5), "refuse", {**here, "by_event": True}),
        # a run that a person has just approved must not be cancelled because another one is due
        Planned("flows.ab_verdict:ab_verdict", timedelta(hours=1), timedelta(minutes=35), "queue", here),
        Planned("flows.housekeeping:housekeeping", timedelta(days=1), timedelta(hours=1, minutes=50), "refuse", here),
    )


def deploy(paths: Paths, server: str = "") -> Deployed:
    """Create or change a server's deployments and automations as planned; repeating it changes nothing.

    A schedule, deployment or automation that was switched off in Prefect's pages stays off, and schedules that people
    added stay. A change of plan, of the interpreter or of what runs are started with changes the deployment.

    Args:
        paths: of the project.
        server: address of Prefect's API; "" = PREFECT_API_URL.

    Raises:
        ServiceUnavailable: no server answers there.
    """
    from prefect.client.orchestration import get_client

    planned = plan(paths)
    with _server(server), get_client(sync_client=True) as client:
        _make_pool(client)
        done = {entry.flow.partition(":")[2]: _deploy(client, entry) for entry in planned}
        ids = {name: deployment_id for name, (deployment_id, _) in done.items()}
        changed = {name: is_new for name, (_, is_new) in done.items()}
        changed |= {entry.name: automate(client, entry) for entry in automations(ids["cycle"])}
    return Deployed(
        tuple(name for name, is_new in changed.items() if is_new),
        tuple(name for name, is_new in changed.items() if not is_new),
        str(planned[0].parameters["revision"]),
    )


@contextmanager
def _server(address: str) -> Iterator[None]:
    from httpx import HTTPError
    from prefect.exceptions import PrefectHTTPStatusError
    from prefect.settings import PREFECT_API_URL, temporary_settings

    address = address or os.environ.get("PREFECT_API_URL", "")
    remedy = "start it (`likeness up`) or pass --server http://HOST:PORT/api"
    if not address:
        raise ServiceUnavailable("a Prefect server", "no address", remedy)
    try:
        with temporary_settings({PREFECT_API_URL: address}):
            yield
    except PrefectHTTPStatusError:
        raise  # the server answers: the error is one of this program
    except HTTPError as error:
        reason = str(error)[:160] or type(error).__name__
        raise ServiceUnavailable(f"Prefect at {address}", reason, remedy) from error


def _make_pool(client: "SyncPrefectClient") -> None:
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectAlreadyExists
    from prefect.workers.process import ProcessWorker

    template = ProcessWorker.get_default_base_job_template()
    try:
        client.create_work_pool(WorkPoolCreate(name=POOL, type="process", base_job_template=template))
    except ObjectAlreadyExists:
        return


def _deploy(client: "SyncPrefectClient", planned: Planned) -> "tuple[UUID, bool]":
    """Create or change a deployment; gives its id, and whether it changed."""
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
    from prefect.types.entrypoint import EntrypointType

    module, _, name = planned.flow.partition(":")
    flow: Any = getattr(importlib.import_module(module), name)
    before = _existing(client, f"{flow.name}/{NAME}")
    if before is not None and before.version == planned.digest:
        return before.id, False
    queue = planned.when_busy == "queue"
    strategy = ConcurrencyLimitStrategy.ENQUEUE if queue else ConcurrencyLimitStrategy.CANCEL_NEW
    wanted = flow.to_deployment(
        NAME,
        schedules=_schedules(planned, before),
        paused=before is not None and before.paused,
        parameters=planned.parameters,
        concurrency_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=strategy),
        version=planned.digest,
        work_pool_name=POOL,
        job_variables={
            "working_dir": planned.working_dir,
            "command": planned.command,
            "env": RUN_ENVIRONMENT,
            "stream_output": False,
        },
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    return cast("UUID", wanted.apply()), True


def _schedules(planned: Planned, before: "DeploymentResponse | None") -> list[Any]:  # Prefect has two classes for it
    """Give the planned schedule, paused if it was, and those that people added."""
    from prefect.client.schemas.actions import DeploymentScheduleCreate
    from prefect.client.schemas.schedules import IntervalSchedule

    every = IntervalSchedule(interval=planned.every, anchor_date=_MONDAY + planned.at, timezone="UTC")
    kept = [] if before is None else before.schedules
    own = [found for found in kept if _is_planned(found, every)]
    paused = bool(own) and not any(found.active for found in own)
    planned_one = DeploymentScheduleCreate(schedule=every, active=not paused, slug=SLUG)
    fields = {"schedule", "active", "max_scheduled_runs", "parameters", "slug"}
    added = [DeploymentScheduleCreate(**found.model_dump(include=fields)) for found in kept if found not in own]
    return [planned_one, *added]


def _is_planned(found: "DeploymentSchedule", every: "IntervalSchedule") -> bool:
    """Tell the planned schedule by its slug; earlier versions deployed it without one."""
    return found.slug == SLUG or (found.slug is None and found.schedule == every)


def _existing(client: "SyncPrefectClient", name: str) -> "DeploymentResponse | None":
    from prefect.exceptions import ObjectNotFound

    try:
        return client.read_deployment_by_name(name)
    except ObjectNotFound:
        return None
