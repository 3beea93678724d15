"""Coordinates of the demo's charts, against values computed by hand."""

import pytest

from serving.views.demo_charts import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Look,
    Moved,
    ab_curve,
    drift_bars,
)


def test_looks_stand_at_their_subjects_and_differences() -> None:
    curve = ab_curve((Look(50, 0.0, -0.2, 0.2), Look(100, 0.1, -0.1, 0.3)), margin=0.1)
    assert curve is not None
    first, second = curve.points
    assert first.x == LEFT + (WIDTH - LEFT - RIGHT) / 2
    assert second.x == WIDTH - RIGHT
    assert [label for _, label in curve.y_ticks] == ["-0.20", "-0.10", "0", "+0.10", "+0.20", "+0.30"]
    assert curve.y_ticks[0][0] == first.low == HEIGHT - BOTTOM
    assert curve.y_ticks[-1][0] == pytest.approx(second.high) == pytest.approx(TOP)
    assert curve.zero == pytest.approx(first.y)
    assert curve.margin == pytest.approx(second.low)  # both are -0.1
    assert curve.summary == "difference +0.100, between -0.100 and +0.300, after 100 people"
    assert curve.band.count(",") == 4


def test_the_axis_holds_the_margin_and_zero_also_where_no_interval_reaches_them() -> None:
    curve = ab_curve((Look(10, 0.05, 0.04, 0.06),), margin=0.02)
    assert curve is not None
    assert TOP <= curve.zero < curve.margin <= HEIGHT - BOTTOM


def test_without_a_look_there_is_no_curve() -> None:
    assert ab_curve((), margin=0.1) is None


def test_bars_are_as_long_as_the_movement_and_the_limit_is_one() -> None:
    chart = drift_bars([Moved("area", 0.5, 4.0, True), Moved("kind", None, 1.0, False)])
    longest = chart.bars[0].drifted
    assert chart.bars[0].usual == pytest.approx(longest / 8)
    assert chart.bars[1].drifted == chart.limit == pytest.approx(longest / 4)
    assert (chart.bars[1].usual, chart.bars[1].words) == (0.0, ("–", "1.0 x"))
    assert longest < 100  # the figure stands beside it


def test_where_nothing_moved_the_limit_is_still_seen() -> None:
    chart = drift_bars([Moved("area", 0.1, 0.2, False)])
    assert 0 < chart.bars[0].drifted < chart.limit < 100
