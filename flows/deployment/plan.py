"""Plan the deployments: which flow runs when, in which root, and what starts a run."""

import hashlib
import json
import shlex
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from flows.deployment.automations import HEARTBEAT
from pipeline.config.load import load_params
from pipeline.project.paths import Paths
from pipeline.workspaces.cycle_checkouts import ensure_production, resolve_revision, revision_source

POOL = "likeness"
"""Work pool of the process worker."""
SLUG = "likeness"
"""Of the schedule that `deploy` sets; others are people's, and stay."""
NAME = "production"
ENTRYPOINT = "flows.deployment.worker_entrypoint"
RUN_ENVIRONMENT = {"PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT)}
"""Of every run, whatever its worker's: the automations count on it."""
WhenBusy = Literal["refuse", "queue"]
_STRATEGIES = {"queue": "ENQUEUE", "refuse": "CANCEL_NEW"}
_MONDAY = datetime(2026, 1, 5, tzinfo=UTC)  # cron cannot express three weeks


@dataclass(frozen=True)
class Planned:
    """A flow, its interval, its first time in a week, and what happens to a run that is due while another runs."""

    flow: str
    every: timedelta
    at: timedelta
    when_busy: WhenBusy
    parameters: dict[str, Any]

    @property
    def name(self) -> str:
        """Name of the flow's function."""
        return self.flow.partition(":")[2]

    @property
    def anchor(self) -> datetime:
        """A time at which a run is due."""
        return _MONDAY + self.at

    @property
    def collision_strategy(self) -> str:
        """Prefect's word for `when_busy`."""
        return _STRATEGIES[self.when_busy]

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
    def job_variables(self) -> dict[str, Any]:
        """What a run's worker is told, whether it starts processes or jobs of Kubernetes."""
        return {
            "working_dir": self.working_dir,
            "command": self.command,
            "env": RUN_ENVIRONMENT,
            "stream_output": False,
        }

    @property
    def digest(self) -> str:
        """Digest that changes exactly when the deployment has to change."""
        when = self.every.total_seconds(), self.at.total_seconds()
        text = json.dumps([self.flow, when, self.when_busy, self.parameters, self.command, RUN_ENVIRONMENT, SLUG])
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def plan(paths: Paths) -> tuple[Planned, ...]:
    """Plan the scheduled flows of the project at `paths`; cycles run at the revision that is checked out now.

    Raises:
        DataError: `operate.revision` of params.yaml is not in the project.
    """
    params = load_params(paths.params).operate
    root = str(ensure_production(paths).absolute())
    return plan_at(root, resolve_revision(revision_source(paths), params.revision), params.when_busy)


def plan_at(root: str, revision: str, when_busy: WhenBusy) -> tuple[Planned, ...]:
    """Plan the flows of a root; `when_busy` is that of cycles."""
    here = {"root": root}
    cycle = {**here, "revision": revision, "reason": "three weeks have passed"}
    return (  # never two in the same minute: they share the log and the machine
        Planned("flows.cycle:cycle", timedelta(weeks=3), timedelta(hours=2, minutes=20), when_busy, cycle),
        Planned("flows.watch:watch", timedelta(hours=1), timedelta(minutes=5), "refuse", {**here, "by_event": True}),
        # a run that a person has just approved must not be cancelled because another one is due
        Planned("flows.ab_verdict:ab_verdict", timedelta(hours=1), timedelta(minutes=35), "queue", here),
        Planned("flows.housekeeping:housekeeping", timedelta(days=1), timedelta(hours=1, minutes=50), "refuse", here),
    )
