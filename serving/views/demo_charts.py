"""Compute the SVG coordinates of the charts on the demo's page, which the template draws."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 300
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 40, 56
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
_TICKS = 6
"""At most so many on the vertical axis."""
_ROOM = 82.0
"""Per cent of the width that the longest bar takes; its figure stands beside it."""


@dataclass(frozen=True)
class Look:
    """One look at the A/B test: subjects so far, and the difference with its confidence sequence."""

    subjects: int
    effect: float
    low: float
    high: float


@dataclass(frozen=True)
class Point:
    """A look in pixels, with the text of its tooltip."""

    x: float
    y: float
    low: float
    high: float
    words: str


@dataclass(frozen=True)
class Curve:
    """The A/B chart: points joined by a line within a band, ticks on both axes, and the heights of its two guides."""

    points: tuple[Point, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    zero: float
    margin: float
    summary: str

    @property
    def path(self) -> str:
        """The differences, as points of a polyline."""
        return " ".join(f"{point.x:.1f},{point.y:.1f}" for point in self.points)

    @property
    def band(self) -> str:
        """The confidence sequence, as points of a polygon."""
        there = [f"{point.x:.1f},{point.high:.1f}" for point in self.points]
        return " ".join(there + [f"{point.x:.1f},{point.low:.1f}" for point in reversed(self.points)])


def ab_curve(looks: Sequence[Look], margin: float) -> Curve | None:
    """Chart the difference over the subjects, with its confidence sequence; None without a look that has an interval.

    Args:
        looks: in their order.
        margin: by which the challenger may be worse, drawn as a line at -margin.
    """
    if not looks:
        return None
    bottom, top, step = _range([-margin, 0.0, *(end for look in looks for end in (look.low, look.high))])
    most = max(look.subjects for look in looks)
    points = tuple(
        Point(
            x=_across(look.subjects / most),
            y=_up(look.effect, bottom, top),
            low=_up(look.low, bottom, top),
            high=_up(look.high, bottom, top),
            words=f"{look.subjects} people: {look.effect:+.3f}, between {look.low:+.3f} and {look.high:+.3f}",
        )
        for look in looks
    )
    y_ticks = tuple(
        (_up(bottom + n * step, bottom, top), f"{bottom + n * step:+.2f}".replace("+0.00", "0"))
        for n in range(round((top - bottom) / step) + 1)
    )
    last = looks[-1]
    summary = (
        f"difference {last.effect:+.3f}, between {last.low:+.3f} and {last.high:+.3f}, after {last.subjects} people"
    )
    x_ticks = tuple((_across(look.subjects / most), str(look.subjects)) for look in looks)
    return Curve(
        points, ((_across(0.0), "0"), *x_ticks), y_ticks, _up(0.0, bottom, top), _up(-margin, bottom, top), summary
    )


@dataclass(frozen=True)
class Moved:
    """How far one property moved in two windows, as multiples of the limit from which it counts."""

    name: str
    usual: float | None
    drifted: float | None
    alarmed: bool


@dataclass(frozen=True)
class Bar:
    """One property: the lengths of its two bars in per cent of the width, and the figures beside them."""

    name: str
    usual: float
    drifted: float
    words: tuple[str, str]


@dataclass(frozen=True)
class Bars:
    """The drift chart; `limit` is the place of 1, in per cent of the width."""

    bars: tuple[Bar, ...]
    limit: float


def drift_bars(moved: Sequence[Moved]) -> Bars:
    """Chart how far properties moved, in the order given."""
    most = max([1.25, *(value for one in moved for value in (one.usual, one.drifted) if value is not None)])
    bars = tuple(
        Bar(
            one.name,
            (one.usual or 0.0) / most * _ROOM,
            (one.drifted or 0.0) / most * _ROOM,
            (_times(one.usual), _times(one.drifted)),
        )
        for one in moved
    )
    return Bars(bars, _ROOM / most)


def _times(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} x"


def _across(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _up(value: float, bottom: float, top: float) -> float:
    return HEIGHT - BOTTOM - (value - bottom) / (top - bottom) * (HEIGHT - TOP - BOTTOM)


def _range(values: Sequence[float]) -> tuple[float, float, float]:
    """Choose round ends of an axis that hold all values, and the distance of its ticks."""
    low, high = min(values), max(values)
    step = next((step for step in _STEPS if (high - low) / step <= _TICKS - 1), _STEPS[-1])
    return step * _floor(low / step), -step * _floor(-high / step), step


def _floor(value: float) -> int:
    """Round down, but not where only the last digits are missing."""
    nearest = round(value)
    return nearest if abs(value - nearest) < 1e-9 else int(value // 1)
