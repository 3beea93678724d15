"""Daily housekeeping: expiry, checks, alerts that were not delivered. Plain functions."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

from monitoring.alerts.send import Alert, alert
from monitoring.log.audit import Verification
from monitoring.log.production_log import open_log
from monitoring.log.verified import verify_log
from monitoring.status.storage import storage_state
from monitoring.status.wording import FREE_SPACE
from pipeline.config.load import Params
from pipeline.project.paths import Paths
from pipeline.project.sqlite import vacuum
from pipeline.workspaces.cycle_checkouts import CycleRecord, cycle_in_use, cycle_records, record_cycle

_LOG_BYTES = 64 * 2**20
_MEBIBYTE = 2**20


def remove_checkouts(paths: Paths, keep: int) -> list[str]:
    """Delete all but the newest `keep` checkouts of cycles; returns their names.

    The one whose data production reads stays, whatever its age. Records stay too.
    """
    folders = sorted(folder for folder in paths.home.cycles.glob("[!.]*") if folder.is_dir())
    gone = [folder for folder in folders[:-keep] if folder.name != cycle_in_use(paths)]
    for folder in gone:
        shutil.rmtree(folder)
    return [folder.name for folder in gone]


def remove_reports(paths: Paths, keep: int) -> int:
    """Delete all but the newest `keep` drift reports; verdicts and claims stay. Returns how many were deleted."""
    pages = [*paths.drift.glob("*/report.html")]
    snapshots = {folder: [*folder.glob("*.json")] for folder in paths.evidently_workspace.glob("*/snapshots")}
    old = [file for files in (pages, *snapshots.values()) for file in _newest_first(files)[keep:]]
    for file in old:
        file.unlink(missing_ok=True)
    return len(old)


def shorten_logs(paths: Paths) -> list[str]:
    """Halve the logs of `likeness up` that have grown past 64 MiB; their writers append and go on."""
    large = [file for file in paths.logs.glob("*.log") if file.stat().st_size > _LOG_BYTES]
    for file in large:
        with file.open("rb+") as stream:
            stream.seek(-_LOG_BYTES // 2, os.SEEK_END)
            tail = stream.read()
            stream.truncate(0)
            stream.seek(0)
            stream.write(tail)
    return [file.name for file in large]


def verify_audit(params: Params, paths: Paths, now: datetime) -> Verification:
    """Check the production log's chain, leave the outcome in state/audit.json, and alert when it is broken.

    Raises:
        DataError: the file is not a log.
        ServiceUnavailable: PostgreSQL does not answer.
    """
    verification = verify_log(paths, now=now)
    if not verification.whole:
        message = Alert(
            code="audit-broken",
            title="The production log was tampered with",
            what_happened=verification.message,
            what_to_do="keep a copy of the log, find out who could write to it, and `likeness audit verify` it",
            facts={"first bad entry": verification.sequence, "good entries": verification.entries},
        )
        alert(params, paths, message, now)
    return verification


def seal_log(params: Params, paths: Paths) -> int | None:
    """Move old entries of the log to sealed segments; gives how many were moved, None where the role may not.

    Raises:
        Busy: another process does it.
        StorageError: an entry does not fit the chain.
        StorageFull: there is no room.
    """
    operate = params.operate
    with open_log(paths) as log:
        if not log.may_seal():
            return None
        made = log.seal(rows=operate.log_segment_rows, live=operate.log_live_rows)
    return sum(segment.rows for segment in made)


def vacuum_databases(paths: Paths) -> int:
    """Give the space that deleted runs left in Prefect's and MLflow's SQLite files back; returns the bytes freed."""
    return sum(vacuum(file) for file in _databases(paths).values())


def database_sizes(params: Params, paths: Paths, now: datetime) -> dict[str, float]:
    """Measure Prefect's, MLflow's and the log's SQLite files in MiB; send an alert for each above its limit."""
    files = {**_databases(paths), "log": paths.production_log}
    sizes = {name: round(_size(file) / _MEBIBYTE, 1) for name, file in files.items()}
    limit = params.operate.database_mebibytes
    for name, size in sizes.items():
        if size > limit:
            message = Alert(
                code=f"database-{name}",
                title=f"The database of {name} is large",
                what_happened=f"{files[name]} has {size:.0f} MiB, the limit is {limit:.0f} MiB",
                what_to_do="move it to PostgreSQL (docs/operations.md), or raise operate.database_mebibytes",
                facts={"mebibytes": size},
            )
            alert(params, paths, message, now)
    return sizes


def free_space(params: Params, paths: Paths, now: datetime) -> float:
    """Measure what is free on the disk of the state or of kept pictures, in MiB; send an alert when it is little."""
    storage = storage_state(params, paths)
    if storage.low or storage.full:
        message = Alert(
            code="disk-full",
            title="The disk is full" if storage.full else "The disk is nearly full",
            what_happened=f"{storage.free_mebibytes:.0f} MiB are free, operate.min_free_mebibytes is "
            f"{params.operate.min_free_mebibytes:.0f}; on a full disk the service answers no request",
            what_to_do=FREE_SPACE,
            facts={"mebibytes": storage.free_mebibytes},
        )
        alert(params, paths, message, now)
    return storage.free_mebibytes


def alert_unfinished_cycles(params: Params, paths: Paths, now: datetime) -> list[str]:
    """Alert about cycles that ended without a record: killed, or stopped with the machine. Hold the cycle's lock."""
    known = {done.cycle for done in cycle_records(paths)}
    folders = [folder for folder in sorted(paths.home.cycles.glob("[!.]*")) if folder.is_dir()]
    dead = [folder for folder in folders if folder.name not in known]
    if dead:
        message = Alert(
            code="cycle-failed",
            title="A cycle ended before it was done",
            what_happened=f"nothing runs in {', '.join(folder.name for folder in dead)}, and no model came of it",
            what_to_do="look at the run in Prefect's pages and at state/logs/runs.log; the champion stays, the next "
            "trigger starts a new cycle, which takes finished stages from the cache",
        )
        alert(params, paths, message, now)
    for folder in dead:
        record_cycle(paths, _nothing(folder))
    return [folder.name for folder in dead]


def _nothing(folder: Path) -> CycleRecord:
    revision = (folder / ".revision").read_text(encoding="utf-8")
    return CycleRecord(
        cycle=folder.name, revision=revision, reason="", overrides={}, version="", finished=datetime.now(UTC),
        adopted=False,
    )  # fmt: skip


def _databases(paths: Paths) -> dict[str, Path]:
    return {"prefect": paths.prefect_home / "prefect.db", "mlflow": paths.mlflow_database}


def _newest_first(files: list[Path]) -> list[Path]:
    return sorted(files, key=lambda file: file.stat().st_mtime, reverse=True)


def _size(file: Path) -> int:
    """Add up the size of a database and its write-ahead files."""
    parts = [file, *(file.with_name(file.name + ending) for ending in ("-wal", "-shm"))]
    return sum(part.stat().st_size for part in parts if part.is_file())
