"""Housekeeping, every day: what has expired goes, what must hold is checked, what was not delivered is sent again."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from pydantic import BaseModel, ConfigDict

from flows.cycle import one_at_a_time
from flows.steps.failures import HOUSEKEEPING, telling_failure
from models.errors import Busy
from monitoring import housekeeping as house
from monitoring.alerts.send import retry
from pipeline.config.load import load_params
from pipeline.consent.records import expire_kept
from pipeline.consent.withdrawn import delete_withdrawn
from pipeline.project.paths import Paths
from pipeline.workspaces.cache import collect_garbage

_ONCE: dict[str, Any] = {"cache_policy": NO_CACHE, "persist_result": False}


class HouseReport(BaseModel):
    """What a housekeeping found and did.

    While a cycle is under way `withdrawn` and `cache_bytes`, freed in the cycles' cache, are None: they wait a day.
    """

    model_config = ConfigDict(frozen=True)

    expired: int
    withdrawn: int | None
    checkouts: tuple[str, ...]
    cache_bytes: int | None
    reports: int
    shortened: tuple[str, ...]
    log_whole: bool
    log_entries: int
    mebibytes: dict[str, float]
    alerts_waiting: int


@task(name="expire-pictures", **_ONCE)
def expire_pictures(root: Path, now: datetime) -> int:
    """Kept pictures whose time is over."""
    return expire_kept(Paths(root), load_params(Paths(root).params).keep, now)


@task(name="delete-withdrawn", **_ONCE)
def delete_portraits(root: Path, now: datetime) -> int | None:
    """What cycles took in with a consent that does not hold any more."""
    try:
        with one_at_a_time(root):
            return delete_withdrawn(Paths(root), load_params(Paths(root).params), now)
    except Busy:
        return None


@task(name="remove-checkouts", **_ONCE)
def remove_checkouts(root: Path) -> list[str]:
    """Old cycles' files."""
    return house.remove_checkouts(Paths(root), load_params(Paths(root).params).operate.keep_checkouts)


@task(name="empty-cache", **_ONCE)
def empty_cache(root: Path) -> int | None:
    """What no checkout uses any more; a running cycle uses more than its checkout says yet, so it waits a day."""
    try:
        with one_at_a_time(root):
            return collect_garbage(Paths(root))
    except Busy:
        return None


@task(name="remove-reports", **_ONCE)
def remove_reports(root: Path) -> int:
    """Old drift pages."""
    return house.remove_reports(Paths(root), load_params(Paths(root).params).operate.keep_reports)


@task(name="shorten-logs", **_ONCE)
def shorten_logs(root: Path) -> list[str]:
    """Logs of the processes."""
    return house.shorten_logs(Paths(root))


@task(name="verify-audit", **_ONCE)
def verify_audit(root: Path, now: datetime) -> tuple[bool, int]:
    """The production log's chain: whether it is whole, and how many entries are good."""
    found = house.verify_audit(load_params(Paths(root).params), Paths(root), now)
    return found.whole, found.entries


@task(name="database-sizes", **_ONCE)
def database_sizes(root: Path, now: datetime) -> dict[str, float]:
    """Of Prefect, MLflow and the log."""
    return house.database_sizes(load_params(Paths(root).params), Paths(root), now)


@task(name="retry-alerts", **_ONCE)
def retry_alerts(root: Path) -> int:
    """Alerts that a webhook or a mail server did not take."""
    return retry(Paths(root))


@flow(name="housekeeping", persist_result=False, validate_parameters=False)
def housekeeping(root: Path) -> HouseReport:
    """One round through the house.

    Raises:
        LikenessError: a part could not do its work; the parts before it are done.
    """
    with telling_failure(Path(root), HOUSEKEEPING):
        report = _round(Path(root), datetime.now(UTC))
    lines = [f"| {name} | {value} |" for name, value in report.model_dump().items()]
    create_markdown_artifact(key="housekeeping", markdown="\n".join(["| what | |", "|---|---|", *lines]))
    return report


def _round(root: Path, now: datetime) -> HouseReport:
    expired, withdrawn = expire_pictures(root, now), delete_portraits(root, now)
    checkouts, freed = remove_checkouts(root), empty_cache(root)
    reports, shortened = remove_reports(root), shorten_logs(root)
    whole, entries = verify_audit(root, now)
    sizes = database_sizes(root, now)
    return HouseReport(
        expired=expired,
        withdrawn=withdrawn,
        checkouts=tuple(checkouts),
        cache_bytes=freed,
        reports=reports,
        shortened=tuple(shortened),
        log_whole=whole,
        log_entries=entries,
        mebibytes=sizes,
        alerts_waiting=retry_alerts(root),
    )
