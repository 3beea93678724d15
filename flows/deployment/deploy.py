"""Create the deployments on a Prefect server: which flow runs when, and where."""

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from flows.deployment.automations import automate, automations, switched_off
from flows.deployment.plan import NAME, POOL, SLUG, Planned, plan
from models.errors import ConfigError, ServiceUnavailable
from pipeline.project.paths import Paths

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import DeploymentSchedule
    from prefect.client.schemas.responses import DeploymentResponse
    from prefect.client.schemas.schedules import IntervalSchedule

_WAITING = ("SCHEDULED", "PENDING", "PAUSED")
_PAGE = 200


@dataclass(frozen=True)
class Deployed:
    """Names of the deployments and automations that were changed, and of those that were up to date."""

    changed: tuple[str, ...]
    kept: tuple[str, ...]
    revision: str


def deploy(paths: Paths, server: str = "", pool: str = "", cycle_pool: str = "") -> Deployed:
    """Create or change a server's deployments and automations as planned; repeating it changes nothing.

    Runs that wait since the workspace was elsewhere will work in this one.

    A schedule, deployment or automation that was switched off in Prefect's pages stays off, and schedules that people
    added stay, as does a deployment's work pool. A change of plan, of the interpreter or of what runs are started with
    changes the deployment.

    Args:
        paths: of the project.
        server: address of Prefect's API; "" = PREFECT_API_URL.
        pool: work pool of the deployments; "" = where each is, at first `POOL`, which is made.
        cycle_pool: that of cycles; "" = `pool`.

    Raises:
        ConfigError: there is no such work pool.
        ServiceUnavailable: no server answers there.
    """
    from prefect.client.orchestration import get_client

    planned = plan(paths)
    with _server(server), get_client(sync_client=True) as client:
        _make_pool(client)
        chosen = {entry.name: (entry.name == "cycle" and cycle_pool) or pool for entry in planned}
        for wanted in sorted({*chosen.values()} - {""}):
            _check_pool(client, wanted)
        off = switched_off(client)
        done = {entry.name: _deploy(client, entry, chosen[entry.name]) for entry in planned}
        ids = {name: deployment_id for name, (deployment_id, _) in done.items()}
        changed = {name: is_new for name, (_, is_new) in done.items()}
        for entry in planned:
            _lead_here(client, ids[entry.name], entry)
        changed |= {entry.name: automate(client, entry, off) for entry in automations(ids["cycle"])}
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


def _check_pool(client: "SyncPrefectClient", name: str) -> None:
    from prefect.exceptions import ObjectNotFound

    try:
        client.read_work_pool(name)
    except ObjectNotFound as error:
        command = f"prefect work-pool create {name} --type kubernetes --base-job-template FILE"
        raise ConfigError("a work pool of the server", repr(name), f"make it (`{command}`)") from error


def _deploy(client: "SyncPrefectClient", planned: Planned, pool: str) -> "tuple[UUID, bool]":
    """Create or change a deployment; gives its id, and whether it changed. `pool`: "" = the one that it has."""
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
    from prefect.types.entrypoint import EntrypointType

    module, _, name = planned.flow.partition(":")
    flow: Any = getattr(importlib.import_module(module), name)
    before = _existing(client, f"{flow.name}/{NAME}")
    pool = pool or (before and before.work_pool_name) or POOL
    if before is not None and (before.version, before.work_pool_name) == (planned.digest, pool):
        return before.id, False
    strategy = ConcurrencyLimitStrategy(planned.collision_strategy)
    wanted = flow.to_deployment(
        NAME,
        schedules=_schedules(planned, before),
        paused=before is not None and before.paused,
        parameters=planned.parameters,
        concurrency_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=strategy),
        version=planned.digest,
        work_pool_name=pool,
        job_variables=planned.job_variables,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    return cast("UUID", wanted.apply()), True


def _lead_here(client: "SyncPrefectClient", deployment: "UUID", planned: Planned) -> None:
    """Let runs that wait work in this root, where they were made before the workspace was copied or moved."""
    from prefect.client.schemas.filters import FlowRunFilter
    from prefect.client.schemas.sorting import FlowRunSort

    wanted = {"deployment_id": {"any_": [deployment]}, "state": {"type": {"any_": _WAITING}}}
    runs, root = FlowRunFilter.model_validate(wanted), planned.parameters["root"]
    offset = 0
    while page := client.read_flow_runs(flow_run_filter=runs, sort=FlowRunSort.ID_DESC, limit=_PAGE, offset=offset):
        for run in page:
            if run.parameters.get("root", root) != root:
                client.update_flow_run(run.id, parameters={**run.parameters, "root": root})
        offset += len(page)


def _schedules(planned: Planned, before: "DeploymentResponse | None") -> list[Any]:  # Prefect has two classes for it
    """Give the planned schedule, paused if it was, and those that people added."""
    from prefect.client.schemas.actions import DeploymentScheduleCreate
    from prefect.client.schemas.schedules import IntervalSchedule

    every = IntervalSchedule(interval=planned.every, anchor_date=planned.anchor, timezone="UTC")
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
