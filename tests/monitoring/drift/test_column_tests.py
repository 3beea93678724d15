"""One column's test: against scipy, by hand, and where Evidently's own test of categories is wrong."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon

from monitoring.drift.column_tests import holm, homogeneity, run_column_test, type_of

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def shares(counts: dict[str, int]) -> pd.Series:
    return pd.Series([name for name, n in counts.items() for _ in range(n)])


def test_numbers_as_scipy() -> None:
    rng = np.random.default_rng(1)
    reference, current = pd.Series(rng.normal(0, 1, 200)), pd.Series(rng.normal(0.2, 1.1, 150))
    found = run_column_test(reference, current, "num")
    assert found.p == pytest.approx(stats.ks_2samp(reference, current).pvalue)
    assert found.effect == pytest.approx(stats.wasserstein_distance(reference, current) / np.std(reference))


def test_categories_by_hand() -> None:
    reference, current = shares({"a": 30, "b": 70}), shares({"a": 60, "b": 40})
    # expected 45 and 55 in both rows: chi-square = 2 * 15^2 / 45 + 2 * 15^2 / 55, one degree of freedom
    statistic = 2 * 225 / 45 + 2 * 225 / 55
    found = run_column_test(reference, current, "cat")
    assert found.p == pytest.approx(stats.chi2.sf(statistic, 1))
    assert found.effect == pytest.approx(jensenshannon([0.3, 0.7], [0.6, 0.4]))


def test_rare_categories_are_taken_together() -> None:
    reference, current = shares({"a": 50, "b": 50, "c": 2, "d": 3}), shares({"a": 50, "b": 50, "c": 3, "e": 4})
    table = [[50, 50, 5], [50, 50, 7]]
    assert homogeneity(reference, current) == pytest.approx(stats.chi2_contingency(table).pvalue)


def test_two_rare_cells_go_to_fisher() -> None:
    reference, current = shares({"one": 199, "none": 1}), shares({"one": 50, "none": 4})
    assert homogeneity(reference, current) == pytest.approx(stats.fisher_exact([[1, 199], [4, 50]])[1])


def test_a_constant_column_says_nothing() -> None:
    assert homogeneity(shares({"one": 80}), shares({"one": 60})) == 1.0


def test_a_new_kind_alone_is_not_proof() -> None:
    """One row of a kind that the reference lacks: Evidently's chi-square divides by zero and calls it certain."""
    from evidently.legacy.calculations.stattests import chi_stat_test
    from evidently.legacy.core import ColumnType

    reference, current = shares({"a": 100, "b": 100}), shares({"a": 60, "b": 60, "fold": 1})
    with np.errstate(divide="ignore"):
        theirs = chi_stat_test(reference, current, ColumnType.Categorical, None).drift_score
    assert theirs == pytest.approx(0.0)
    assert homogeneity(reference, current) > 0.5


def test_false_alarms_where_nothing_changed() -> None:
    """Share of p <= 0.05 over 300 pairs from the same eight kinds, 100 reference rows, 300 new ones."""
    from evidently.legacy.calculations.stattests import chi_stat_test
    from evidently.legacy.core import ColumnType

    rng = np.random.default_rng(7)
    draw = [tuple(pd.Series(rng.choice(list("abcdefgh"), n)) for n in (100, 300)) for _ in range(300)]
    ours = np.mean([homogeneity(*pair) <= 0.05 for pair in draw])
    theirs = np.mean([chi_stat_test(*pair, ColumnType.Categorical, None).drift_score <= 0.05 for pair in draw])
    assert 0.01 < ours < 0.09
    assert theirs > 0.5


def test_ks_with_ties_is_calm_not_wild() -> None:
    rng = np.random.default_rng(3)
    pairs = [[pd.Series(rng.poisson(8, n).astype(float)) for n in (120, 150)] for _ in range(300)]
    assert np.mean([run_column_test(one, other, "num").p <= 0.05 for one, other in pairs]) < 0.05


def test_few_values_are_categories() -> None:
    few, many = pd.Series([0.0, 0.5, 1.0] * 20), pd.Series(np.linspace(0, 1, 60))
    assert type_of(few, few, 10) == "cat"
    assert type_of(few, many, 10) == "num"
    assert type_of(shares({"a": 2}), shares({"a": 2}), 10) == "cat"


def test_holm_as_its_definition() -> None:
    rng = np.random.default_rng(1)
    for size in (1, 2, 3, 5, 8, 25, 60):  # statsmodels collects garbage at every call: few and various
        p_values = np.round(10.0 ** rng.uniform(-9, 0, size), 3)  # with ties and zeros
        found = holm({str(number): p for number, p in enumerate(p_values)})
        highest, expected = 0.0, {}
        for rank, number in enumerate(np.argsort(p_values, kind="stable")):
            highest = max(highest, min(1.0, (size - rank) * p_values[number]))
            expected[str(number)] = highest
        assert found == pytest.approx(expected)
    assert holm({}) == {}


def test_holm_by_hand() -> None:
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx({"a": 0.03, "c": 0.06, "b": 0.06})
