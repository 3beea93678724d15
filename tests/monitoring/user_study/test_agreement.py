"""Alpha against the worked example of its author, and at its fixed points."""

import pytest

from monitoring.user_study.intervals import alpha

# Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), section C: four observers, twelve units, gaps
TABLE = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]


def units() -> list[list[int]]:
    return [[row[u] for row in TABLE if row[u] is not None] for u in range(12)]


def test_the_published_example() -> None:
    assert alpha(units()) == pytest.approx(0.743, abs=0.0005)


def test_two_raters_by_hand() -> None:
    # 10 units, 6 agree on x, 2 on y, 2 disagree: n = 20, o_xy = 2, n_x = 14, n_y = 6; 1 - 19 * 2 / (14 * 6)
    given = [["x", "x"]] * 6 + [["y", "y"]] * 2 + [["x", "y"]] * 2
    assert alpha(given) == pytest.approx(1 - 19 * 2 / 84)


def test_full_agreement_and_none_to_speak_of() -> None:
    assert alpha([["x", "x", "x"], ["y", "y"]]) == 1.0
    assert alpha([["x", "x"], ["x", "x"]]) is None
    assert alpha([["x"], ["y"]]) is None
