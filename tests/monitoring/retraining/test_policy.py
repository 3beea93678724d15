"""May a cycle start? Every rule, and which of them comes first."""

import pytest

from monitoring.retraining.policy import Answer, CycleRequest, ProductionState, may_start, retraining_may_help
from pipeline.config.watch import AlarmGroup

WINDOW = CycleRequest("00000001-00000120", reasons=("masks drifted",), champion="3")


@pytest.mark.parametrize(
    ("ask", "standing", "answer"),
    [
        (CycleRequest(), ProductionState("3"), "start"),  # by hand
        (CycleRequest(), ProductionState("3", claimed=True, testing=True), "start"),  # by schedule, during a test
        (WINDOW, ProductionState("3"), "start"),
        (WINDOW, ProductionState("4"), "champion gone"),
        (WINDOW, ProductionState("3", claimed=True), "already started"),
        (WINDOW, ProductionState("3", testing=True), "test under way"),
        (WINDOW, ProductionState("3", claimed=True, testing=True), "already started"),
        (WINDOW, ProductionState("4", claimed=True, testing=True), "champion gone"),
        (CycleRequest("w1", reasons=(), champion="3"), ProductionState("3"), "no reason"),
        (CycleRequest("w1", reasons=(), champion="2"), ProductionState("3", claimed=True), "no reason"),
        (CycleRequest("w1"), ProductionState("3"), "start"),  # without a verdict nothing speaks against it
        (CycleRequest("w1"), ProductionState("3", claimed=True), "already started"),
        (CycleRequest("w1"), ProductionState("3", testing=True), "test under way"),
    ],
)
def test_may_start(ask: CycleRequest, standing: ProductionState, answer: Answer) -> None:
    assert may_start(ask, standing) == answer


@pytest.mark.parametrize(
    ("group", "alarmed", "permitted", "mended"),
    [
        ("masks", {"masks"}, {"masks"}, True),
        ("masks", {"masks"}, {"inputs"}, False),
        ("outputs", {"outputs"}, {"outputs"}, True),
        ("outputs", {"outputs", "detector"}, {"outputs", "detector"}, False),
        ("identity", {"identity", "detector"}, {"identity"}, False),
        ("inputs", {"inputs", "detector"}, {"inputs"}, True),
        ("detector", {"detector"}, {"detector"}, True),
    ],
)
def test_can_be_mended(group: AlarmGroup, alarmed: set[AlarmGroup], permitted: set[AlarmGroup], mended: bool) -> None:
    assert retraining_may_help(group, alarmed, permitted) is mended
