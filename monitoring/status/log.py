"""Read the status page's part of the production log: cost, and when its chain was last verified."""

import json

import pandas as pd
from pydantic import BaseModel, ConfigDict

from monitoring.status.model import Audit, Cost
from pipeline.config.load import Params
from pipeline.project.environment import environment
from pipeline.project.paths import Paths
from restoration.modes import UNFILLED

_PER_HOUR = 3600.0
_PER_MILLE = 1000


class Costs(BaseModel):
    """CPU seconds and money of a window; money in the currency of `alerts.price_per_cpu_hour`.

    A verification is the identity figures of one request. `restoration_seconds` is the mean of all other CPU time over
    the restored photos: what refused ones took is in it. Means are None where there was none.
    """

    model_config = ConfigDict(frozen=True)

    requests: int
    restored: int
    verified: int
    cpu_seconds: float
    verification_cpu_seconds: float
    restoration_seconds: float | None
    verification_seconds: float | None
    money: float
    per_1000_restorations: float | None
    per_1000_verifications: float | None


def compute_costs(rows: pd.DataFrame, price_per_cpu_hour: float) -> Costs:
    """Compute costs of rows of the log: `mode`, `cpu_seconds` and, contained in them, `verification_cpu_seconds`."""
    price = price_per_cpu_hour / _PER_HOUR
    restored = int((~rows["mode"].isin(["refuse", *UNFILLED])).sum())
    verified = int((rows["verification_cpu_seconds"] > 0).sum())
    total, verification = float(rows["cpu_seconds"].sum()), float(rows["verification_cpu_seconds"].sum())
    restoration_seconds = (total - verification) / restored if restored else None
    verification_seconds = verification / verified if verified else None
    return Costs(
        requests=len(rows),
        restored=restored,
        verified=verified,
        cpu_seconds=total,
        verification_cpu_seconds=verification,
        restoration_seconds=restoration_seconds,
        verification_seconds=verification_seconds,
        money=total * price,
        per_1000_restorations=_per_1000(restoration_seconds, price),
        per_1000_verifications=_per_1000(verification_seconds, price),
    )


def _per_1000(seconds: float | None, price: float) -> float | None:
    return None if seconds is None else seconds * price * _PER_MILLE


LAST_ENTRIES = 2000
"""Number of log entries from which the cost of a request is computed."""


def log_exists(paths: Paths) -> bool:
    """Check whether there is a log to read; opening would make one, and a page must change nothing."""
    return bool(environment().log_url) or paths.production_log.is_file()


def recent_cost(params: Params, paths: Paths) -> Cost | None:
    """Compute CPU and money per restoration and per verification over the last entries; None without requests."""
    from monitoring.log.production_log import open_log
    from monitoring.status.log import compute_costs

    if not log_exists(paths):
        return None
    with open_log(paths) as log:
        rows = log.after(max(0, log.head().sequence - LAST_ENTRIES))
    if rows.empty:
        return None
    total = compute_costs(rows, params.alerts.price_per_cpu_hour)
    wanted = total.model_dump(include=set(Cost.model_fields))
    return Cost(**wanted, currency=params.alerts.currency)


def last_verification(paths: Paths) -> Audit | None:
    """Read the last outcome of `likeness audit verify`; None before the first."""
    if not paths.audit.is_file():
        return None
    return Audit.model_validate(json.loads(paths.audit.read_text(encoding="utf-8")))
