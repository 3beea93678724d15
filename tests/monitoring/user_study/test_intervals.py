"""Intervals by hand: two-way clusters, few of them, and unanimity."""

import numpy as np
import pytest
from scipy.stats import t

from monitoring.user_study.intervals import Clusters, estimate_around, estimate_mean, estimate_share, krippendorff_alpha

CROSSED = Clusters.of(["a", "a", "b", "b"], [1, 2, 1, 2])


def test_two_way_variance_by_hand() -> None:
    # parts 1/4 -3/4 1/4 1/4: raters sum to -+1/2, people to +-1/2, each 2/1 * 1/2; cells 4/3 * 3/4: 1 + 1 - 1
    assert CROSSED.variance(np.array([0.25, -0.75, 0.25, 0.25])) == pytest.approx(1.0)
    # 1 1 -1 -1: raters 2/1 * 8; people cancel; cells 4/3 * 4: 16 - 16/3 is less than raters alone
    assert CROSSED.variance(np.array([1.0, 1.0, -1.0, -1.0])) == pytest.approx(16.0)


def test_clusters_of_one_are_the_usual_variance() -> None:
    values = np.random.default_rng(1).normal(3, 2, 50)
    alone = Clusters.of([str(i) for i in range(50)], list(range(50)))
    found = estimate_mean(values, alone)
    assert found.low == pytest.approx(values.mean() - t.ppf(0.975, 49) * values.std(ddof=1) / np.sqrt(50))


def test_few_clusters_have_no_interval() -> None:
    assert (estimate_around(0.5, 0.1, 9, 4).low, estimate_around(0.5, 0.1, 9, 5).low is None) == (None, False)
    assert estimate_mean(np.array([]), Clusters.of([], [])).value is None


def test_unanimity_leaves_room_for_others() -> None:
    # 0 of 10 raters: the upper end p has (1 - p)^10 = 0.025
    twice = Clusters.of([str(i // 2) for i in range(20)], list(range(20)))
    nobody, everybody = estimate_share(np.zeros(20, np.bool_), twice), estimate_share(np.ones(20, np.bool_), twice)
    assert (nobody.value, nobody.low) == (0.0, 0.0)
    assert nobody.high is not None
    assert (1 - nobody.high) ** 10 == pytest.approx(0.025)
    assert everybody.low == pytest.approx(1 - nobody.high)
    assert str(everybody) == "1.00 [0.69, 1.00]"


def test_shares_stay_in_range() -> None:
    found = estimate_share(np.arange(10) > 0, Clusters.of([str(i) for i in range(10)], list(range(10))))
    assert (found.value, found.high) == (0.9, 1.0)


# Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), section C: four observers, twelve units, gaps
TABLE = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]


def units() -> list[list[int]]:
    return [[value for row in TABLE if (value := row[u]) is not None] for u in range(12)]


def test_the_published_example() -> None:
    assert krippendorff_alpha(units()) == pytest.approx(0.743, abs=0.0005)


def test_two_raters_by_hand() -> None:
    # 10 units, 6 agree on x, 2 on y, 2 disagree: n = 20, o_xy = 2, n_x = 14, n_y = 6; 1 - 19 * 2 / (14 * 6)
    given = [["x", "x"]] * 6 + [["y", "y"]] * 2 + [["x", "y"]] * 2
    assert krippendorff_alpha(given) == pytest.approx(1 - 19 * 2 / 84)


def test_full_agreement_and_none_to_speak_of() -> None:
    assert krippendorff_alpha([["x", "x", "x"], ["y", "y"]]) == 1.0
    assert krippendorff_alpha([["x", "x"], ["x", "x"]]) is None
    assert krippendorff_alpha([["x"], ["y"]]) is None
