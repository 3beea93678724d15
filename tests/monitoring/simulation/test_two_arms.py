"""Simulated requests reach the arm that the service would send them to."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from monitoring.ab.assignment import arm_of
from monitoring.log.rows import Arm, LogRow
from monitoring.simulation.two_arms import TwoArms
from tests.monitoring.traffic import MORNING, row

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class Served:
    """One arm that restores nothing, and remembers how many requests it was given at once."""

    def __init__(self, arm: Arm) -> None:
        self._arm, self.given = arm, 0

    def handle(self, requests: Sequence[Any], times: Sequence[datetime], run: str) -> list[LogRow]:
        self.given += len(requests)
        rows = [(f"{run}-{request.number:06d}", time) for request, time in zip(requests, times, strict=True)]
        return [row(request_id=name, time=time, arm=self._arm) for name, time in rows]


@pytest.mark.parametrize("share", [0.0001, 0.3])
def test_rows_come_in_order_each_from_its_arm(share: float) -> None:
    arms: dict[Arm, Any] = {"champion": Served("champion"), "challenger": Served("challenger")}
    requests: list[Any] = [SimpleNamespace(number=number) for number in range(200)]
    times = [MORNING + timedelta(seconds=number) for number in range(200)]
    rows = TwoArms(arms, "1-vs-2", share).handle(requests, times, "run")
    assert [line.request_id for line in rows] == [f"run-{number:06d}" for number in range(200)]
    assert [line.time for line in rows] == times
    assert [line.arm for line in rows] == [arm_of(line.request_id, "1-vs-2", share) for line in rows]
    assert arms["champion"].given + arms["challenger"].given == 200
    assert arms["challenger"].given == pytest.approx(200 * share, abs=25)
