"""Compute the SVG coordinates of the charts on the demo's page, which the template draws."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 300
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 18, 46
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
_TICKS = 6
"""At most so many on the vertical axis."""
BAR_WIDTH, BAR_ROW, BAR_LEFT, BAR_RIGHT, BAR_TOP = 640, 42, 190, 56, 30


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
    """One property: its height on the page, and the lengths of its two bars; `words`: figures beside them."""

    name: str
    y: float
    usual: float
    drifted: float
    words: tuple[str, str]
    alarmed: bool


@dataclass(frozen=True)
class Bars:
    """The drift chart: bars from `BAR_LEFT` on; `limit` is the place of 1."""

    bars: tuple[Bar, ...]
    limit: float
    height: float


def drift_bars(moved: Sequence[Moved]) -> Bars:
    """Chart how far properties moved, in the order given."""
    most = max([1.25, *(value for one in moved for value in (one.usual, one.drifted) if value is not None)])
    room = BAR_WIDTH - BAR_LEFT - BAR_RIGHT
    bars = tuple(
        Bar(
            one.name,
            BAR_TOP + n * BAR_ROW,
            (one.usual or 0.0) / most * room,
            (one.drifted or 0.0) / most * room,
            (_times(one.usual), _times(one.drifted)),
            one.alarmed,
        )
        for n, one in enumerate(moved)
    )
    return Bars(bars, BAR_LEFT + room / most, BAR_TOP + len(bars) * BAR_ROW + 4)


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
