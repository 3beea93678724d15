"""Scores against hand-computed odds, an independent fit, simulated truth, and tables that have no maximum."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from models.errors import DataError
from monitoring.user_study.bradley_terry import Answers, contrast_error, fit_scores, logistic
from monitoring.user_study.intervals import Clusters

NAMES = ("a", "b", "c", "d")


def test_two_methods_are_the_log_odds() -> None:
    found = fit_scores(np.array([[0, 30], [10, 0]]), NAMES[:2])
    assert found == pytest.approx([np.log(3) / 2, -np.log(3) / 2], abs=1e-7)
    assert logistic(found[0] - found[1]) == pytest.approx(0.75)


def test_the_prior_adds_wins_to_both_sides() -> None:
    found = fit_scores(np.array([[0, 9], [0, 0]]), NAMES[:2], prior=0.5)
    assert logistic(found[0] - found[1]) == pytest.approx(9.5 / 10)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(1, 40), min_size=12, max_size=12))
def test_an_independent_fit_finds_the_same(counts: list[int]) -> None:
    wins = np.zeros((4, 4))
    wins[~np.eye(4, dtype=bool)] = counts

    def loss(free: np.ndarray) -> float:
        s = np.append(free, -free.sum())
        return float((wins * np.log1p(np.exp(s[None, :] - s[:, None]))).sum())

    reference = minimize(loss, np.zeros(3), method="BFGS", options={"gtol": 1e-7}).x
    assert fit_scores(wins, NAMES) == pytest.approx(np.append(reference, -reference.sum()), abs=1e-4)


def test_simulated_choices_give_the_truth_back() -> None:
    truth = np.array([1.0, 0.4, -0.2, -1.2])
    rng, wins = np.random.default_rng(3), np.zeros((4, 4))
    for i in range(4):
        for j in range(i):
            wins[i, j] = rng.binomial(4000, logistic(truth[i] - truth[j]))
            wins[j, i] = 4000 - wins[i, j]
    assert fit_scores(wins, NAMES) == pytest.approx(truth, abs=0.08)


def test_without_clusters_the_error_is_that_of_the_information() -> None:
    # 30 of 40: the log odds have variance 1 / 30 + 1 / 10; everyone answers once, about somebody else each time
    answers = Answers(
        won=np.array([0] * 30 + [1] * 10),
        lost=np.array([1] * 30 + [0] * 10),
        clusters=Clusters.of([str(i) for i in range(40)], list(range(40))),
    )
    wins = answers.wins(2)
    assert wins.tolist() == [[0, 30], [10, 0]]
    error = contrast_error(fit_scores(wins, NAMES[:2]), wins, 0.0, answers, np.array([1.0, -1.0]))
    assert error == pytest.approx(np.sqrt((1 / 30 + 1 / 10) * 40 / 39))


def test_separation_is_an_error_that_names_who_never_lost() -> None:
    wins = np.array([[0, 5, 4], [0, 0, 3], [0, 2, 0]])
    with pytest.raises(DataError, match="a never lost to the others"):
        fit_scores(wins, NAMES[:3])
    ordered = fit_scores(wins, NAMES[:3], prior=0.5)
    assert np.isfinite(ordered).all()
    assert ordered[0] > ordered[1] > ordered[2]


def test_a_method_nobody_compared_is_an_error_with_a_prior_too() -> None:
    wins = np.array([[0, 5, 0, 0], [4, 0, 0, 0], [0, 0, 0, 2], [0, 0, 3, 0]])
    for prior in (0.0, 0.5):
        with pytest.raises(DataError, match="none between a and b and the others"):
            fit_scores(wins, NAMES, prior)


def test_wins_are_numbers() -> None:
    with pytest.raises(DataError, match="finite, non-negative wins"):
        fit_scores(np.array([[0, np.nan], [1, 0]]), NAMES[:2])
