"""Sticky, evenly spread, and independent between experiments."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, kstest, pearsonr

from monitoring.ab.assignment import arm_of, uniform_of
from monitoring.ab.experiment import experiment_id

PINNED = ["champion", "champion", "challenger", "challenger"]
SUBJECTS = [f"subject-{number}" for number in range(100_000)]


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_the_split_of_100_000_subjects_is_a_fair_draw(share: float) -> None:
    got = sum(arm_of(subject, "1-vs-2", share) == "challenger" for subject in SUBJECTS)
    low, high = binom.interval(0.99, len(SUBJECTS), share)
    assert low <= got <= high


def test_places_are_uniform_and_independent_between_experiments() -> None:
    one, other = (np.array([uniform_of(s, name) for s in SUBJECTS[:20_000]]) for name in ("1-vs-2", "2-vs-3"))
    assert kstest(one, "uniform").pvalue > 0.01
    assert kstest(other, "uniform").pvalue > 0.01
    assert pearsonr(one, other).pvalue > 0.01
    both = ((one < 0.5) & (other < 0.5)).mean()
    assert abs(both - 0.25) < 4 * np.sqrt(0.25 * 0.75 / len(one))


@given(st.text(max_size=40), st.text(max_size=40), st.floats(0, 1), st.floats(0, 1))
def test_assignment_is_sticky_and_a_larger_share_moves_nobody_back(s: str, e: str, a: float, b: float) -> None:
    assert arm_of(s, e, a) == arm_of(s, e, a)
    assert 0.0 <= uniform_of(s, e) < 1.0
    if arm_of(s, e, min(a, b)) == "challenger":
        assert arm_of(s, e, max(a, b)) == "challenger"


def test_the_hash_never_changes() -> None:
    """A change would move subjects between arms in the middle of a test."""
    assert [arm_of(name, experiment_id("1", "2"), 0.5) for name in ("anna", "bert", "carl", "dora")] == PINNED
    assert experiment_id("shipped", "2") == "shipped-vs-2"
