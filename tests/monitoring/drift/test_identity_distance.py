"""Distance of two aggregates, and how often chance makes it as large."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.linalg import sqrtm

from monitoring.drift.identity_distance import draw_chance_distances, measure_identity_drift, squared_frechet_distance
from monitoring.drift.identity_space import IdentityAggregate, aggregate
from pipeline.config.load import load_params
from pipeline.config.watch import IdentitySpaceParams
from tests.conftest import ROOT
from tests.monitoring.traffic import faces

PARAMS = load_params(ROOT / "params.yaml").watch.identity


def gaussian(mean: list[float], covariance: list[list[float]], n: int = 100) -> IdentityAggregate:
    rows = tuple(tuple(row) for row in covariance)
    return IdentityAggregate(space="s", model_version="1", n=n, mean=tuple(mean), covariance=rows)


def test_by_hand() -> None:
    # apart by (3, 4): 25; standard deviations 1, 2 against 3, 5: (1 - 3)^2 + (2 - 5)^2 = 13
    a, b = gaussian([0, 0], [[1, 0], [0, 4]]), gaussian([3, 4], [[9, 0], [0, 25]])
    assert squared_frechet_distance(a, b) == pytest.approx(38.0)
    assert squared_frechet_distance(a, a) == pytest.approx(0.0, abs=1e-12)


@given(st.integers(0, 10_000))
@settings(max_examples=30)
def test_as_the_matrix_square_root(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = (aggregate(rng.normal(0, 1, (9, 4)) @ rng.normal(0, 1, (4, 4)), "s", "1") for _ in range(2))
    one, two = np.array(a.covariance), np.array(b.covariance)
    root = sqrtm(sqrtm(one) @ two @ sqrtm(one)).real
    expected = np.sum(np.subtract(a.mean, b.mean) ** 2) + np.trace(one + two - 2 * root)
    assert squared_frechet_distance(a, b) == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_chance_is_that_of_real_samples() -> None:
    """Drawn means and covariances against samples drawn face by face."""
    rng, spread = np.random.default_rng(5), np.array([0.3, 0.1, 0.05])

    def sample(n: int) -> IdentityAggregate:
        return aggregate(rng.normal(0, spread, (n, 3)), "s", "1")

    real = [squared_frechet_distance(sample(40), sample(60)) for _ in range(1500)]
    truth = [gaussian([0, 0, 0], np.diag(spread**2).tolist(), n) for n in (40, 60)]
    drawn = draw_chance_distances(truth[0], truth[1], 40, 1500, 1)
    assert stats.ks_2samp(real, drawn).pvalue > 0.01
    assert np.mean(drawn) == pytest.approx(np.mean(real), rel=0.05)


def small(**changes: int) -> IdentitySpaceParams:
    return PARAMS.model_copy(update={"resamples": 999, **changes})


def test_p_is_uniform_where_nothing_changed() -> None:
    p = [measure_identity_drift(faces(120, seed), faces(200, seed + 500), small()).p for seed in range(120)]
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert np.mean(np.array(p) <= 0.05) < 0.12


def test_another_population_is_found() -> None:
    found = measure_identity_drift(faces(120, 1, "other-people"), faces(200, 2), PARAMS)
    assert found.p == pytest.approx(1 / (PARAMS.resamples + 1))
    assert found.effect > 0.4
    assert found.faces == 120


def test_the_same_people_again_and_again_are_no_new_witnesses() -> None:
    moved, expected = faces(300, 3), faces(200, 8)
    p = [measure_identity_drift(moved, expected, small(), people=people).p for people in (1.0, 0.3, 0.05)]
    assert p == sorted(p)
    assert p[0] < p[-1]
