"""The bootstrap: hand-computed ratios, known coverage, identities instead of pictures."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.evaluation.bootstrap import Bootstrap, Interval


def column(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)[:, None]


def bootstrap(identities: list[str], resamples: int = 400, seed: int = 0) -> Bootstrap:
    return Bootstrap(identities, resamples, np.random.default_rng(seed))


def test_mean_and_ratio_by_hand() -> None:
    boot = bootstrap(["a", "b", "c", "d"])
    [mean] = boot.means(column(1, 2, 3, 6))
    [ratio] = boot.ratios(column(1, 2, 3, 6), column(2, 2, 2, 2))
    assert (mean.value, mean.n) == (3.0, 4)
    assert ratio.value == pytest.approx(1.5)  # mean 3 over mean 2, not the mean of the quotients
    assert (ratio.low, ratio.high) == pytest.approx((mean.low / 2, mean.high / 2))  # the same draws on both sides


def test_ratio_of_proportional_columns_has_no_width() -> None:
    ours = column(0.1, 0.5, 0.2, 0.9)
    [ratio] = bootstrap(["a", "b", "c", "d"]).ratios(ours, ours * 4)
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((0.25, 0.25, 0.25))


def test_ratio_of_means_is_not_mean_of_ratios() -> None:
    [ratio] = bootstrap(["a", "b"]).ratios(column(1, 9), column(1, 3))
    assert ratio.value == pytest.approx(10 / 4)


def test_two_values_give_the_binomial_quantiles() -> None:
    # Both identities are drawn twice: mean 0, 1/2 or 1 with probability 1/4, 1/2, 1/4.
    assert bootstrap(["a", "b"]).means(column(0, 1))[0] == Interval(0.5, 0.0, 1.0, 2)


def test_intervals_contain_the_true_mean_about_95_times_of_100() -> None:
    rng = np.random.default_rng(7)
    trials, people = 400, 60
    identities = [str(i) for i in range(people)]
    samples = rng.exponential(2.0, size=(people, trials))
    intervals = bootstrap(identities, 1000).means(samples)
    covered = np.mean([i.low <= 2.0 <= i.high for i in intervals])
    assert 0.90 <= covered <= 0.97  # a percentile interval of a skewed mean falls a little short of 0.95


def test_pictures_of_one_person_do_not_narrow_the_interval() -> None:
    values = np.random.default_rng(1).normal(size=20)
    people = [str(i) for i in range(20)]
    once = bootstrap(people).means(values[:, None])[0]
    thrice = bootstrap(people * 3).means(np.tile(values, 3)[:, None])[0]
    assert (once.low, once.high) == pytest.approx((thrice.low, thrice.high))
    assert thrice.n == 60


def test_one_identity_has_a_value_but_no_interval() -> None:
    [mean] = bootstrap(["a", "a"]).means(column(1, 3))
    assert mean.value == 2.0
    assert math.isnan(mean.low)
    assert math.isnan(mean.high)


def test_zero_below_the_line_is_no_ratio() -> None:
    [ratio] = bootstrap(["a", "b"]).ratios(column(1, 1), column(0, 0))
    assert math.isnan(ratio.value)
    assert math.isnan(ratio.high)


def test_nan_is_not_averaged_away() -> None:
    [mean] = bootstrap(["a", "b"]).means(column(1, math.nan))
    assert math.isnan(mean.value)


def test_same_seed_same_interval() -> None:
    people, values = list("abcdef"), column(1, 4, 2, 8, 5, 7)
    assert bootstrap(people, seed=3).means(values) == bootstrap(people, seed=3).means(values)
    assert bootstrap(people, seed=3).means(values) != bootstrap(people, seed=4).means(values)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=30))
def test_interval_lies_within_the_data(values: list[float]) -> None:
    [mean] = bootstrap([str(i) for i in range(len(values))], 50).means(column(*values))
    slack = 1e-6
    assert min(values) - slack <= mean.low <= mean.high <= max(values) + slack
