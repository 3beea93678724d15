"""Compute the SVG coordinates of the status page's charts, which the template draws."""

from collections.abc import Sequence
from dataclasses import dataclass

from monitoring.status.model import Onset, Window

WIDTH, HEIGHT = 360, 124
LEFT, RIGHT, TOP, BOTTOM = 38, 8, 12, 18
_PLACES = 12
"""At least this many windows share the width, so that two windows do not look like a long history."""


@dataclass(frozen=True)
class Mark:
    """One value: its place, the ends of its interval (of a bar: its foot), and the text of its tooltip."""

    x: float
    y: float
    low: float
    high: float
    words: str
    special: bool


@dataclass(frozen=True)
class Chart:
    """A small chart over windows or versions."""

    marks: tuple[Mark, ...]
    ticks: tuple[tuple[float, str], ...]
    guide: float | None
    changes: tuple[tuple[float, str], ...]
    """Where another model began to serve, and its version."""
    step: float
    """Width of one place."""
    summary: str

    @property
    def path(self) -> str:
        """The marks joined, as points of a polyline."""
        return " ".join(f"{mark.x:.1f},{mark.y:.1f}" for mark in self.marks)


def accuracy_chart(windows: Sequence[Window], bound: float) -> Chart:
    """Chart the recognition accuracy after each window, with its interval and the bound; unknown ones are gaps."""
    lows = [window.accuracy.low for window in windows if window.accuracy.low is not None]
    floor = 0.0 if min(lows, default=1.0) < 0.5 else 0.5
    marks = tuple(
        Mark(
            x=_x(number, len(windows)),
            y=_y(part.value, floor),
            low=_y(part.low, floor),
            high=_y(part.high, floor),
            words=f"{window.at:%d %B %H:%M}: {part.recognised} of {part.judged} recognised, version {window.champion}",
            special=part.value < bound,
        )
        for number, window in enumerate(windows)
        if (part := window.accuracy).value is not None and part.low is not None and part.high is not None
    )
    ticks = tuple((_y(value, floor), f"{value:.0%}") for value in (floor, (1 + floor) / 2, 1.0))
    below = sum(mark.special for mark in marks)
    summary = f"{len(marks)} windows with a figure, {below} of them below {bound:.0%}"
    return Chart(marks, ticks, _y(bound, floor), _changes(windows), _step(len(windows)), summary)


def drift_chart(windows: Sequence[Window]) -> Chart:
    """Chart how many of the watched properties changed, by window; windows that requested a new model are special."""
    columns = max((window.columns for window in windows), default=0) or 1
    marks = tuple(
        Mark(
            x=_x(number, len(windows)),
            y=_y(len(window.drifted) / columns, 0.0),
            low=_y(0.0, 0.0),
            high=_y(len(window.drifted) / columns, 0.0),
            words=f"{window.at:%d %B %H:%M}: {len(window.drifted)} of {window.columns} properties changed",
            special=window.triggered,
        )
        for number, window in enumerate(windows)
    )
    ticks = tuple((_y(count / columns, 0.0), str(count)) for count in sorted({0, columns // 2, columns}))
    requested = sum(mark.special for mark in marks)
    summary = f"{len(marks)} windows, {requested} of them requested a new model"
    return Chart(marks, ticks, None, _changes(windows), _step(len(windows)), summary)


def onset_chart(onsets: Sequence[Onset], last: int = 8) -> Chart:
    """Chart the onset of hallucination of the last measured versions, a share of the features; higher is better."""
    measured = [(onset, onset.value) for onset in onsets if onset.value is not None][-last:]
    top = max([0.4, *(onset.high or value for onset, value in measured)])
    marks = tuple(
        Mark(
            x=_x(number, len(measured)),
            y=_y(value / top, 0.0),
            low=_y((value if onset.low is None else onset.low) / top, 0.0),
            high=_y((value if onset.high is None else onset.high) / top, 0.0),
            words=f"version {onset.version}: {value:.0%} of the features",
            special=False,
        )
        for number, (onset, value) in enumerate(measured)
    )
    names = tuple((mark.x, onset.version) for mark, (onset, _) in zip(marks, measured, strict=True))
    ticks = tuple((_y(share, 0.0), f"{share * top:.0%}") for share in (0.0, 0.5, 1.0))
    summary = "; ".join(mark.words for mark in marks) or "no version was measured"
    return Chart(marks, ticks, None, names, _step(len(measured)), summary)


def _changes(windows: Sequence[Window]) -> tuple[tuple[float, str], ...]:
    before = [None, *(window.champion for window in windows)][: len(windows)]
    pairs = enumerate(zip(before, windows, strict=True))
    half = _step(len(windows)) / 2
    return tuple((_x(n, len(windows)) - half, w.champion) for n, (old, w) in pairs if old != w.champion)


def _step(count: int) -> float:
    return (WIDTH - LEFT - RIGHT) / max(count, _PLACES)


def _x(number: int, count: int) -> float:
    return LEFT + (number + 0.5) * _step(count)


def _y(value: float, floor: float) -> float:
    return HEIGHT - BOTTOM - (value - floor) / (1 - floor) * (HEIGHT - TOP - BOTTOM)
