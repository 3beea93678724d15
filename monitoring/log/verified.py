"""Verify a checkout's log and leave the outcome where the status page finds it."""

import json
import os
from datetime import datetime

from monitoring.log.audit import Verification
from monitoring.log.chain import Head
from monitoring.log.production_log import open_log
from pipeline.project.files import write_text
from pipeline.project.paths import Paths


def verify_log(paths: Paths, *heads: Head, now: datetime) -> Verification:
    """Check the whole chain (see `ProductionLog.verify`); writes state/audit.json: time, intact, entries.

    Args:
        paths: of the checkout.
        heads: ends of the log that were written down elsewhere.
        now: for the record.
    """
    with open_log(paths, sealed=False) as log:  # another key, or a forged head, is a finding and no error
        verification = log.verify(*heads, processes=len(os.sched_getaffinity(0)))
    outcome = {"time": now.isoformat(), "intact": verification.whole, "entries": verification.entries}
    write_text(paths.audit, json.dumps(outcome))
    return verification
