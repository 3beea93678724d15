"""Compute coordinates of small line charts with intervals, for inline SVG."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.evaluation.results import Buckets, Figure

WIDTH, HEIGHT = 360, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 8, 10, 30
_SHIFT = 5  # pixels between the bars of two methods in one bucket


@dataclass(frozen=True)
class Mark:
    """A measured value and the ends of its interval, in pixels."""

    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True)
class Line:
    """The values of one method over the buckets; `path` joins them, as points of a polyline."""

    method: str
    marks: tuple[Mark, ...]

    @property
    def path(self) -> str:
        return " ".join(f"{mark.x:.1f},{mark.y:.1f}" for mark in self.marks)


@dataclass(frozen=True)
class Chart:
    """One chart: labels on both axes with their places, and a line per method."""

    title: str
    x_label: str
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    lines: tuple[Line, ...]


def line_chart(title: str, x_label: str, tables: Mapping[str, Buckets], metric: str) -> Chart:
    """Chart a metric over buckets, by method. Buckets without a figure are left out of a line.

    Args:
        title: heading.
        x_label: what the buckets are.
        tables: figures by method, bucket and metric; bucket `all` is not drawn.
        metric: which one.
    """
    buckets = sorted({name for table in tables.values() for name in table if name != "all"})
    figures = {method: [table.get(b, {}).get(metric) for b in buckets] for method, table in tables.items()}
    top = _ceiling([f for row in figures.values() for f in row])
    x = [_LEFT + (i + 0.5) * (WIDTH - _LEFT - _RIGHT) / max(len(buckets), 1) for i in range(len(buckets))]
    shifts = {method: (i - (len(figures) - 1) / 2) * _SHIFT for i, method in enumerate(figures)}
    lines = [Line(m, _marks([p + shifts[m] for p in x], row, top)) for m, row in figures.items()]
    y_ticks = tuple((_height(top * i / 4, top), f"{top * i / 4:.3g}") for i in range(5))
    return Chart(title, x_label, tuple(zip(x, buckets, strict=True)), y_ticks, tuple(lines))


def _marks(x: Sequence[float], figures: Sequence[Figure | None], top: float) -> tuple[Mark, ...]:
    marks = []
    for place, figure in zip(x, figures, strict=True):
        if figure is None or figure.value is None:
            continue
        ends = [figure.value if end is None else end for end in (figure.low, figure.high)]
        marks.append(Mark(place, _height(figure.value, top), _height(ends[0], top), _height(ends[1], top)))
    return tuple(marks)


def _height(value: float, top: float) -> float:
    return HEIGHT - _BOTTOM - value / top * (HEIGHT - _TOP - _BOTTOM)


def _ceiling(figures: Sequence[Figure | None]) -> float:
    """Find the next 1, 2 or 5 times a power of ten above all values."""
    values = [v for f in figures if f is not None for v in (f.value, f.high) if v is not None]
    largest = max(values, default=0.0)
    if largest <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(largest))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= largest)
