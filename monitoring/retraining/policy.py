"""Decide whether a cycle may start: every rule in one place, as pure functions."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from pipeline.config.watch import AlarmGroup

Answer = Literal["start", "no reason", "champion gone", "already started", "test under way"]
_CAUSED_BY_DETECTOR: tuple[AlarmGroup, ...] = ("outputs", "identity")


@dataclass(frozen=True)
class CycleRequest:
    """A requested cycle.

    Attributes:
        window_id: of the watch's window that requests it; "" by hand or by schedule.
        reasons: alarms of that window that a cycle may resolve; None where the window has no verdict on record.
        champion: version that the window was judged under; None where the window has no verdict on record.
    """

    window_id: str = ""
    reasons: tuple[str, ...] | None = None
    champion: str | None = None


@dataclass(frozen=True)
class ProductionState:
    """The state of production at the moment.

    Attributes:
        champion: version that serves.
        claimed: the window has started its cycle.
        testing: an A/B test is on.
    """

    champion: str
    claimed: bool = False
    testing: bool = False


def may_start(request: CycleRequest, state: ProductionState) -> Answer:
    """Decide whether a cycle may start, and if not, why not.

    A cycle by hand or by schedule always may. One for a window of the watch may not if

    - retraining would resolve nothing in the window,
    - it was judged under a former champion: its drift was measured on a model that no longer serves,
    - it has started its cycle: one window, one cycle,
    - an A/B test is on: its challenger was trained for the drift that the champion still suffers from, so every window
      would request another, and each new challenger would end the test of the last. The window stays unclaimed: it
      starts its cycle if the champion stays.
    """
    if not request.window_id:
        return "start"
    if request.reasons is not None and not request.reasons:
        return "no reason"
    if request.champion is not None and request.champion != state.champion:
        return "champion gone"
    if state.claimed:
        return "already started"
    return "test under way" if state.testing else "start"


def retraining_may_help(group: AlarmGroup, alarmed: Collection[AlarmGroup], permitted: Collection[AlarmGroup]) -> bool:
    """Decide whether an alarm of `group` is a reason for a cycle.

    What is restored, and whose face is seen, follows from what the detector finds: while the detector is among the
    `alarmed` groups, retraining would not help.

    Args:
        group: of the alarm.
        alarmed: all groups with an alarm.
        permitted: groups that may start a cycle (`watch.starts_cycle`).
    """
    return group in permitted and not ("detector" in alarmed and group in _CAUSED_BY_DETECTOR)
