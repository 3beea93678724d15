"""Steps of housekeeping as Prefect tasks."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from flows.steps.locks import one_cycle_at_a_time
from models.errors import Busy, ServiceUnavailable
from monitoring import housekeeping as house
from monitoring.alerts.send import retry
from monitoring.old_runs import remove_runs
from pipeline.config.load import load_params
from pipeline.consent.records import expire_stored
from pipeline.consent.withdrawn import delete_withdrawn
from pipeline.project.paths import Paths
from pipeline.workspaces.cache import collect_garbage

_ONCE: dict[str, Any] = {"cache_policy": NO_CACHE, "persist_result": False}


@task(name="expire-pictures", **_ONCE)
def expire_pictures(root: Path, now: datetime) -> int:
    """Delete kept pictures that have expired."""
    return expire_stored(Paths(root), load_params(Paths(root).params).keep, now)


@task(name="delete-withdrawn", **_ONCE)
def delete_portraits(root: Path, now: datetime) -> int | None:
    """Delete portraits that cycles used under a consent that is no longer valid; None while a cycle is under way."""
    try:
        with one_cycle_at_a_time(root):
            return delete_withdrawn(Paths(root), load_params(Paths(root).params), now)
    except Busy:
        return None


@task(name="remove-checkouts", **_ONCE)
def remove_checkouts(root: Path) -> list[str]:
    """Remove old cycles' checkouts."""
    return house.remove_checkouts(Paths(root), load_params(Paths(root).params).operate.keep_checkouts)


@task(name="empty-cache", **_ONCE)
def empty_cache(root: Path) -> int | None:
    """Delete cached files that no checkout uses; None while a cycle is under way, whose files are not yet recorded."""
    try:
        with one_cycle_at_a_time(root):
            return collect_garbage(Paths(root))
    except Busy:
        return None


@task(name="remove-reports", **_ONCE)
def remove_reports(root: Path) -> int:
    """Remove old drift reports."""
    return house.remove_reports(Paths(root), load_params(Paths(root).params).operate.keep_reports)


@task(name="remove-runs", **_ONCE)
def delete_runs(root: Path, now: datetime) -> int | None:
    """Delete MLflow's old runs without a registered version; None while a cycle is under way, or its store is away."""
    days = load_params(Paths(root).params).operate.keep_runs_days
    try:
        with one_cycle_at_a_time(root):
            return remove_runs(Paths(root), now - timedelta(days=days))
    except (Busy, ServiceUnavailable):
        return None


@task(name="vacuum-databases", **_ONCE)
def vacuum_databases(root: Path) -> int:
    """Give the space of deleted runs back; returns the bytes freed."""
    return house.vacuum_databases(Paths(root))


@task(name="shorten-logs", **_ONCE)
def shorten_logs(root: Path) -> list[str]:
    """Shorten the logs of the processes."""
    return house.shorten_logs(Paths(root))


@task(name="verify-audit", **_ONCE)
def verify_audit(root: Path, now: datetime) -> tuple[bool, int]:
    """Verify the production log's chain: whether it is whole, and how many entries are valid."""
    result = house.verify_audit(load_params(Paths(root).params), Paths(root), now)
    return result.whole, result.entries


@task(name="seal-log", **_ONCE)
def seal_log(root: Path) -> int | None:
    """Move old entries of the log to sealed segments; returns how many, None where the database's role may not."""
    return house.seal_log(load_params(Paths(root).params), Paths(root))


@task(name="database-sizes", **_ONCE)
def database_sizes(root: Path, now: datetime) -> dict[str, float]:
    """Measure the databases of Prefect, MLflow and the log, in MiB."""
    return house.database_sizes(load_params(Paths(root).params), Paths(root), now)


@task(name="free-space", **_ONCE)
def free_space(root: Path, now: datetime) -> float:
    """Measure what is free on the disk, in MiB."""
    return house.free_space(load_params(Paths(root).params), Paths(root), now)


@task(name="retry-alerts", **_ONCE)
def retry_alerts(root: Path) -> int:
    """Send again the alerts that a channel did not accept; returns how many still wait."""
    return retry(Paths(root))
