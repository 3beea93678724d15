"""Recognition accuracy, and when it is proven to be too low however often one looks."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import binomtest

from monitoring.retraining.recognition import evidence_below, measure_recognition, recognition_by_block, wilson_interval
from restoration.modes import UNFILLED, Mode

NOW = datetime(2026, 3, 30, tzinfo=UTC)


def outcomes(hits: int, misses: int, unknown: int = 0, days_ago: float = 1.0) -> pd.DataFrame:
    n = hits + misses + unknown
    return pd.DataFrame(
        {
            "mode": ["inpaint"] * n,
            "strength": [1.0] * n,
            "recognised": pd.array([True] * hits + [False] * misses + [None] * unknown, "boolean"),
            "feedback_recognised": pd.array([None] * n, "boolean"),
            "subject": [""] * n,
            "time": [pd.Timestamp(NOW - timedelta(days=days_ago))] * n,
        }
    )


def test_wilson_by_hand() -> None:
    # 8 of 10, z = 2: centre (0.8 + 0.2) / 1.4, half width 2 / 1.4 * sqrt(0.016 + 0.01)
    low, high = wilson_interval(8, 10, z=2.0)
    assert low == pytest.approx(1 / 1.4 - 2 / 1.4 * 0.026**0.5)
    assert high == pytest.approx(1 / 1.4 + 2 / 1.4 * 0.026**0.5)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_as_scipy(case: tuple[int, int]) -> None:
    expected = binomtest(*case).proportion_ci(0.95, method="wilson")
    assert wilson_interval(*case) == pytest.approx((expected.low, expected.high), abs=1e-9)


@pytest.mark.parametrize(("hits", "n"), [(0, 0), (0, 3), (40, 60), (48, 60), (60, 60), (150, 240)])
def test_evidence_as_the_integral(hits: int, n: int) -> None:
    def ratio(share: float) -> float:
        return float((share / 0.8) ** hits * ((1 - share) / 0.2) ** (n - hits)) / 0.8

    assert evidence_below(hits, n, 0.8) == pytest.approx(quad(ratio, 0, 0.8, limit=200)[0], rel=1e-6)


def test_looking_after_every_request_is_no_sin() -> None:
    """Share of 2,000 runs at exactly 0.80 that are ever called lower in 400 requests; a point estimate always is."""
    rng = np.random.default_rng(3)
    hits = (rng.random((2000, 400)) < 0.8).cumsum(1)
    table = np.array([[evidence_below(h, n, 0.8) if h <= n else 0.0 for h in range(401)] for n in range(1, 401)])
    ever = (table[np.arange(400), hits] >= 20).any(1).mean()
    assert 0.005 < ever <= 0.05
    naive = (hits[:, 29:] / np.arange(30, 401) < 0.8).any(1).mean()
    assert naive > 0.8


def test_below_needs_proof() -> None:
    few = measure_recognition(outcomes(23, 7, unknown=40), at_least=0.8, error=0.05)
    assert (few.recognised, few.judged, few.below) == (23, 30, False)
    assert few.accuracy == pytest.approx(23 / 30)
    assert measure_recognition(outcomes(180, 90), at_least=0.8, error=0.05).below
    assert measure_recognition(outcomes(1, 6), at_least=0.8, error=0.05).below  # a handful is enough where all fail
    assert not measure_recognition(outcomes(800, 199), at_least=0.8, error=0.05).below


def test_unknown_is_not_zero() -> None:
    found = measure_recognition(outcomes(0, 0, unknown=50), at_least=0.8, error=0.05)
    assert (found.accuracy, found.low, found.high, found.below) == (None, None, None, False)
    assert found.evidence == pytest.approx(1.0)


def test_feedback_wins_over_figures_and_adds_to_them() -> None:
    rows = outcomes(3, 0, unknown=2)
    rows["feedback_recognised"] = pd.array([False, None, None, True, None], "boolean")
    found = measure_recognition(rows, at_least=0.8, error=0.05)
    assert (found.recognised, found.judged) == (3, 4)


def test_nobody_starts_a_cycle_alone() -> None:
    rows = outcomes(20, 40).assign(subject=[""] * 20 + ["angry"] * 40)
    found = measure_recognition(rows, at_least=0.8, error=0.05)
    assert (found.recognised, found.judged, found.below) == (20, 21, False)


@pytest.mark.parametrize("mode", UNFILLED)
def test_who_is_recognised_in_a_photo_in_which_nothing_was_filled_says_nothing(mode: Mode) -> None:
    rows = outcomes(20, 10).assign(mode=[mode] * 12 + ["inpaint"] * 18)
    found = measure_recognition(rows, at_least=0.8, error=0.05)
    assert (found.recognised, found.judged) == (8, 18)


def test_who_is_recognised_in_a_mixed_face_says_nothing_of_the_model() -> None:
    rows = outcomes(20, 10).assign(strength=[0.4] * 12 + [1.0] * 18)
    found = measure_recognition(rows, at_least=0.8, error=0.05)
    assert (found.recognised, found.judged) == (8, 18)


def judged(rows: pd.DataFrame) -> tuple[int, bool]:
    found = recognition_by_block(rows, NOW, at_least=0.8, error=0.05, days=28)
    return found.judged, found.below


def test_a_good_past_does_not_hide_a_bad_today() -> None:
    # half-blocks of 14 days begin on 2026-03-16 and 2026-03-30 (Mondays, counted from 1970-01-05)
    past, today = outcomes(2000, 0, days_ago=10), outcomes(20, 30, days_ago=0.0)
    assert not measure_recognition(pd.concat([past, today]), at_least=0.8, error=0.05).below
    assert judged(pd.concat([past, today])) == (50, True)


def test_what_is_older_than_a_block_no_longer_counts() -> None:
    assert judged(pd.concat([outcomes(0, 50, days_ago=15), outcomes(40, 2)])) == (42, False)


def test_late_feedback_counts_in_the_block_of_its_request() -> None:
    rows = outcomes(30, 0, unknown=60, days_ago=9)
    assert judged(rows) == (30, False)
    rows["feedback_recognised"] = pd.array([None] * 30 + [False] * 60, "boolean")
    assert judged(rows) == (90, True)
