"""May a cycle start? Every rule, and which of them comes first."""

import pytest

from monitoring.retraining.policy import Answer, Ask, Standing, can_be_mended, may_start
from pipeline.config.watch import AlarmGroup

WINDOW = Ask("00000001-00000120", reasons=("masks drifted",), champion="3")


@pytest.mark.parametrize(
    ("ask", "standing", "answer"),
    [
        (Ask(), Standing("3"), "start"),  # by hand
        (Ask(), Standing("3", claimed=True, testing=True), "start"),  # by schedule, during a test
        (WINDOW, Standing("3"), "start"),
        (WINDOW, Standing("4"), "champion gone"),
        (WINDOW, Standing("3", claimed=True), "already started"),
        (WINDOW, Standing("3", testing=True), "test under way"),
        (WINDOW, Standing("3", claimed=True, testing=True), "already started"),
        (WINDOW, Standing("4", claimed=True, testing=True), "champion gone"),
        (Ask("w1", reasons=(), champion="3"), Standing("3"), "no reason"),
        (Ask("w1", reasons=(), champion="2"), Standing("3", claimed=True), "no reason"),
        (Ask("w1"), Standing("3"), "start"),  # without a verdict nothing speaks against it
        (Ask("w1"), Standing("3", claimed=True), "already started"),
        (Ask("w1"), Standing("3", testing=True), "test under way"),
    ],
)
def test_may_start(ask: Ask, standing: Standing, answer: Answer) -> None:
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
    assert can_be_mended(group, alarmed, permitted) is mended
