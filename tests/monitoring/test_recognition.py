"""Recognition accuracy and its interval."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from monitoring.recognition import recognition, wilson


def outcomes(hits: int, misses: int, unknown: int = 0) -> pd.DataFrame:
    return pd.DataFrame({"recognised": pd.array([True] * hits + [False] * misses + [None] * unknown, "boolean")})


def test_wilson_by_hand() -> None:
    # 8 of 10, z = 2: centre (0.8 + 0.2) / 1.4, half width 2 / 1.4 * sqrt(0.016 + 0.01)
    low, high = wilson(8, 10, z=2.0)
    assert low == pytest.approx(1 / 1.4 - 2 / 1.4 * 0.026**0.5)
    assert high == pytest.approx(1 / 1.4 + 2 / 1.4 * 0.026**0.5)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_as_scipy(case: tuple[int, int]) -> None:
    expected = binomtest(*case).proportion_ci(0.95, method="wilson")
    assert wilson(*case) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_below_the_bound() -> None:
    found = recognition(outcomes(47, 13, unknown=40), at_least=0.8, min_judged=30)
    assert (found.recognised, found.judged) == (47, 60)
    assert found.accuracy == pytest.approx(47 / 60)
    assert found.below


def test_the_bound_itself_is_enough() -> None:
    assert not recognition(outcomes(48, 12), at_least=0.8, min_judged=30).below


def test_a_handful_does_not_cry_wolf() -> None:
    found = recognition(outcomes(10, 19), at_least=0.8, min_judged=30)
    assert found.accuracy == pytest.approx(10 / 29)
    assert not found.below


def test_unknown_is_not_zero() -> None:
    found = recognition(outcomes(0, 0, unknown=50), at_least=0.8, min_judged=1)
    assert (found.accuracy, found.low, found.high, found.below) == (None, None, None, False)
