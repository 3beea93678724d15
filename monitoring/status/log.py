"""What the status page takes from the production log: cost, and when its chain was last verified."""

import json

from monitoring.status.model import Audit, Cost
from pipeline.config.load import Params
from pipeline.project.environment import environment
from pipeline.project.paths import Paths

LAST_ENTRIES = 2000
"""So many entries of the log tell what a request costs."""


def log_exists(paths: Paths) -> bool:
    """Whether there is a log to read: opening one would make it, and a page must change nothing."""
    return bool(environment().log_url) or paths.production_log.is_file()


def recent_cost(params: Params, paths: Paths) -> Cost | None:
    """CPU and money per restoration and per verification over the last entries of the log; None without requests."""
    from monitoring.log.production_log import open_log
    from monitoring.status.cost import costs

    if not log_exists(paths):
        return None
    with open_log(paths) as log:
        rows = log.after(max(0, log.head().sequence - LAST_ENTRIES))
    if rows.empty:
        return None
    found = costs(rows, params.alerts.price_per_cpu_hour)
    wanted = found.model_dump(include=set(Cost.model_fields))
    return Cost(**wanted, currency=params.alerts.currency)


def verified(paths: Paths) -> Audit | None:
    """The last outcome of `likeness audit verify`; None before the first."""
    if not paths.audit.is_file():
        return None
    return Audit.model_validate(json.loads(paths.audit.read_text(encoding="utf-8")))
