"""Decide whether a cycle may start: every rule in one place, as pure functions."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from pipeline.config.watch import AlarmGroup

Answer = Literal["start", "no reason", "champion gone", "already started", "test under way"]
_CAUSED_BY_DETECTOR: tuple[AlarmGroup, ...] = ("outputs", "identity")


@dataclass(frozen=True)
class Ask:
    """A cycle that somebody asks for.

    Attributes:
        window_id: of the watch's window that asks; "" by hand or by schedule.
        reasons: alarms of that window that a cycle may mend; None where the window has no verdict on record.
        champion: version that the window was judged under; None where the window has no verdict on record.
    """

    window_id: str = ""
    reasons: tuple[str, ...] | None = None
    champion: str | None = None


@dataclass(frozen=True)
class Standing:
    """What holds in production at the moment.

    Attributes:
        champion: version that serves.
        claimed: the window has started its cycle.
        testing: an A/B test is on.
    """

    champion: str
    claimed: bool = False
    testing: bool = False


def may_start(ask: Ask, standing: Standing) -> Answer:
    """Decide whether a cycle may start, and if not, why not.

    A cycle by hand or by schedule always may. One for a window of the watch may not if

    - nothing in the window can be mended by retraining,
    - it was judged under a champion that has gone: its drift was measured on a model that serves no more,
    - it has started its cycle: one window, one cycle,
    - an A/B test is on: its challenger was trained for the drift that the champion still suffers from, so every window
      would ask again, and each new challenger would end the test of the last. The window stays unclaimed: it starts its
      cycle if the champion stays.
    """
    if not ask.window_id:
        return "start"
    if ask.reasons is not None and not ask.reasons:
        return "no reason"
    if ask.champion is not None and ask.champion != standing.champion:
        return "champion gone"
    if standing.claimed:
        return "already started"
    return "test under way" if standing.testing else "start"


def can_be_mended(group: AlarmGroup, alarmed: Collection[AlarmGroup], permitted: Collection[AlarmGroup]) -> bool:
    """Decide whether an alarm of `group` is a reason for a cycle.

    What is restored, and whose face is seen, follows from what the detector finds: while the detector is among the
    `alarmed` groups, retraining would not mend them.

    Args:
        group: of the alarm.
        alarmed: all groups with an alarm.
        permitted: groups that may start a cycle (`watch.starts_cycle`).
    """
    return group in permitted and not ("detector" in alarmed and group in _CAUSED_BY_DETECTOR)
