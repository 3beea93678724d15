"""What runs when; the deployments themselves are tried on a server in test_triggers.py and test_deployed.py."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

from flows.deployment.plan import plan
from tests.flows.prefect_site import project


def test_no_two_runs_are_due_at_the_same_minute(tmp_path: Path) -> None:
    planned = plan(project(tmp_path / "project"))
    weeks, due = timedelta(weeks=3), Counter[timedelta]()
    for entry in planned:
        due.update(entry.at + number * entry.every for number in range(weeks // entry.every))
    assert (len(planned), due.total(), max(due.values())) == (4, 2 * 21 * 24 + 21 + 1, 1)
