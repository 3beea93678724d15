"""Housekeeping, every day: delete what has expired, verify the log, and send undelivered alerts again."""

from datetime import UTC, datetime
from pathlib import Path

from prefect import flow

from flows.steps import housekeeping as steps
from flows.steps.artifacts import publish_housekeeping
from flows.steps.failure_alerts import HOUSEKEEPING, alert_on_failure
from flows.steps.reports import HouseReport


@flow(name="housekeeping", persist_result=False, validate_parameters=False)
def housekeeping(root: Path) -> HouseReport:
    """Run all steps once.

    Raises:
        LikenessError: a step failed; the steps before it are done.
    """
    root, now = Path(root), datetime.now(UTC)  # a deployment's parameters are JSON
    with alert_on_failure(root, HOUSEKEEPING):
        free_mebibytes = steps.free_space(root, now)  # first: on a full disk other steps fail
        expired = steps.expire_pictures(root, now)
        withdrawn = steps.delete_portraits(root, now)
        checkouts = steps.remove_checkouts(root)
        cache_bytes = steps.empty_cache(root)
        reports = steps.remove_reports(root)
        runs = steps.delete_runs(root, now)
        database_bytes = steps.vacuum_databases(root)
        shortened = steps.shorten_logs(root)
        log_whole, log_entries = steps.verify_audit(root, now)
        log_sealed = steps.seal_log(root) if log_whole else None
        mebibytes = steps.database_sizes(root, now)
        alerts_waiting = steps.retry_alerts(root)
    report = HouseReport(
        expired=expired,
        withdrawn=withdrawn,
        checkouts=tuple(checkouts),
        cache_bytes=cache_bytes,
        reports=reports,
        runs=runs,
        database_bytes=database_bytes,
        shortened=tuple(shortened),
        log_whole=log_whole,
        log_entries=log_entries,
        log_sealed=log_sealed,
        mebibytes=mebibytes,
        free_mebibytes=free_mebibytes,
        alerts_waiting=alerts_waiting,
    )
    publish_housekeeping(report)
    return report
