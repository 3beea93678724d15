"""The rule over thousands of played tests: few false wins, power, and harm that is found at once."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from pipeline.config.ab import AbParams
from pipeline.config.load import Params
from scripts.benchmarks.ab_simulation import World, simulate
from scripts.benchmarks.measure_ab import ALONE, binomial_interval, needed


@pytest.fixture
def win(params: Params) -> AbParams:
    return params.ab.model_copy(update={"promote_on": "win"})


@pytest.mark.slow
@pytest.mark.parametrize("per_subject", [1.0, 2.5])
def test_at_most_5_in_100_equal_challengers_win(
    win: AbParams, per_subject: float, record_property: Callable[[str, object], None]
) -> None:
    """1,000 A/A tests of 1,500 requests, looked at after every 50; every interval counts, also those not decided on."""
    done = simulate(win, World(requests=1500, per_subject=per_subject), runs=1000, seed=11)
    wins = done.state.count("win")
    low, high = binomial_interval(wins, 1000)
    record_property("false wins of 1000", f"{wins}, 95 % interval {low:.3f}..{high:.3f}")
    assert wins > 0  # it can win: a rule that never does would pass what follows
    assert high <= 0.05
    assert binomial_interval(int(done.missed.sum()), 1000)[0] <= 0.05
    assert done.share("guard-rail") <= 0.02


def test_a_real_effect_wins_and_a_larger_one_sooner(win: AbParams) -> None:
    """0.03 more similarity: 99 % of the tests are won, after 600 requests on average; 0.05 takes half of that."""
    some, more = (simulate(win, World(effect=effect), runs=200, seed=12) for effect in (0.03, 0.05))
    assert some.share("win") >= 0.97
    assert some.requests.mean() == pytest.approx(600, rel=0.25)
    assert more.requests.mean() < 0.65 * some.requests.mean()


def test_the_adjustment_saves_most_of_the_requests(win: AbParams) -> None:
    with_it, without = (simulate(win, World(effect=0.04, adjusted=a), runs=100, seed=13) for a in (True, False))
    assert with_it.requests.mean() < 0.5 * without.requests.mean()


def test_harm_is_stopped_at_once(params: Params) -> None:
    """0.2 less similarity, a look after every 5 requests: over after a tenth of what a verdict takes otherwise."""
    done = simulate(params.ab, World(effect=-0.2, requests=300, batch=5, per_subject=1.0), runs=200, seed=14)
    assert done.share("guard-rail") == 1.0
    assert np.quantile(done.requests, 0.95) <= 60


def test_a_hopeless_test_is_given_up(win: AbParams) -> None:
    wanted = win.model_copy(update={"min_effect": 0.03})
    done = simulate(wanted, World(effect=0.0), runs=100, seed=15)
    assert done.share("futility") >= 0.9
    assert done.requests.mean() < 1500


def test_not_worse_needs_more_for_a_smaller_margin(params: Params) -> None:
    """Nine tests of ten between equals are won after so many requests: they grow with 1 / margin squared."""
    wanted = [{"margin": 0.06, "tuned_for": 70}, {"margin": 0.04, "tuned_for": 160}]
    world = replace(ALONE, requests=1500, batch=20)
    loose, strict = (needed(params.ab.model_copy(update=some), world, runs=150) for some in wanted)
    assert loose is not None
    assert strict is not None
    assert strict / loose == pytest.approx((0.06 / 0.04) ** 2, rel=0.4)


def test_a_challenger_that_is_worse_by_the_margin_hardly_ever_wins(params: Params) -> None:
    done = simulate(params.ab, World(effect=-params.ab.margin), runs=200, seed=16)
    assert done.share("win") <= 0.05
