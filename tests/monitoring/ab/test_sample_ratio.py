"""The split's test against numbers by hand, an integral, and brute force."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import beta

from monitoring.ab.sample_ratio import log_bayes_factor, sequential_p
from pipeline.config.load import Params
from scripts.benchmarks.measure_ab import sample_ratio_alarms


def test_factors_by_hand() -> None:
    # prior Beta(1, 1), share 1/2: three of three in one arm have probability 1/4 under it and 1/8 under the split
    factor = log_bayes_factor(np.array([3, 1]), np.array([0, 0]), share=0.5, concentration=2.0)
    assert np.exp(factor) == pytest.approx([2.0, 1.0])


def test_the_closed_form_is_the_integral_over_the_prior() -> None:
    k, n, share, strength = 30, 80, 0.25, 40.0
    prior = beta(strength * share, strength * (1 - share))
    marginal = quad(lambda p: prior.pdf(p) * p**k * (1 - p) ** (n - k), 0, 1, epsabs=0)[0]
    expected = math.log(marginal) - k * math.log(share) - (n - k) * math.log(1 - share)
    got = log_bayes_factor(np.array([k]), np.array([n - k]), share=share, concentration=strength)
    assert got[0] == pytest.approx(expected, rel=1e-6)


def test_the_p_value_remembers_the_worst_moment() -> None:
    broken = np.ones(60, bool)
    mended = np.concatenate([broken, np.zeros(60, bool)])
    p = sequential_p(broken, share=0.5, concentration=100.0)
    assert p < 1e-3
    assert sequential_p(mended, share=0.5, concentration=100.0) == p
    assert sequential_p(np.zeros(0, bool), share=0.5, concentration=100.0) == 1.0
    assert sequential_p(np.array([True]), share=0.5, concentration=100.0) == pytest.approx(1.0)


def test_a_right_split_is_hardly_ever_called_wrong_and_a_wrong_one_is(params: Params) -> None:
    loose = params.ab.model_copy(update={"sample_ratio_alpha": 0.05})
    rate, _ = sample_ratio_alarms(loose, actual=0.5, subjects=3000, runs=1000, seed=3)
    assert 0 < rate <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / 1000)
    rate, median = sample_ratio_alarms(params.ab, actual=0.6, subjects=3000, runs=200, seed=4)
    assert rate == 1.0
    assert median < 1000
