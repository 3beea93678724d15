"""Test whether one column has changed: a p-value and an effect size, through Evidently's registry of tests."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from evidently.legacy.calculations.stattests.registry import StatTest
    from evidently.legacy.core import ColumnType

HOMOGENEITY = "homogeneity"
_LEAST_EXPECTED = 5.0  # Cochran's rule: below it the chi-square distribution does not fit a cell

Type = Literal["num", "cat"]


class ColumnTestResult(NamedTuple):
    """p-value of one column, how far it moved, and by which methods of Evidently."""

    p: float
    effect: float
    test: str
    effect_method: str


METHODS: Mapping[Type, tuple[str, str]] = {"num": ("ks", "wasserstein"), "cat": (HOMOGENEITY, "jensenshannon")}
"""Test and effect size by type of column.

Kolmogorov-Smirnov for numbers; with ties its p-values are too high, never too low. Categories: see `homogeneity`.
Effects: Wasserstein distance in standard deviations of the baseline; Jensen-Shannon distance, 0..0.83.
"""


def run_column_test(reference: pd.Series, current: pd.Series, type_: Type) -> ColumnTestResult:
    """Test one column; both series without missing values and not empty."""
    test, effect = METHODS[type_]
    return ColumnTestResult(
        _score(test, reference, current, type_), _score(effect, reference, current, type_), test, effect
    )


def type_of(reference: pd.Series, current: pd.Series, few_values: int) -> Type:
    """Choose the type of a column; numbers with few distinct values are categories, because ties weaken the test."""
    if not pd.api.types.is_numeric_dtype(reference):
        return "cat"
    return "cat" if pd.concat([reference, current]).nunique() <= few_values else "num"


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Adjust p-values: those at most alpha are significant, with any error among all of them at most alpha.

    Source: S. Holm, A simple sequentially rejective multiple test procedure, Scand. J. Statist. 6 (1979).
    """
    from statsmodels.stats.multitest import multipletests

    adjusted = multipletests(list(p_values.values()), method="holm")[1]
    return dict(zip(p_values, map(float, adjusted), strict=True))


def homogeneity(reference: pd.Series, current: pd.Series) -> float:
    """Compute the p-value of two samples of categories having the same shares.

    Evidently's own `chisquare` and `g_test` take the baseline's shares as exact: with 200 baseline rows and 500 new
    ones their statistic is 3.5 times too large, and a category that the baseline lacks gives p = 0. This is the test
    on the contingency table of both. Categories that are expected less than five times are taken together; where that
    leaves two rare cells, Fisher's exact test decides.
    """
    from scipy.stats import chi2_contingency, fisher_exact

    table = _merged(_counts(reference, current))
    if table.shape[1] < 2:
        return 1.0
    expected = table.sum(1, keepdims=True) * table.sum(0) / table.sum()
    if table.shape[1] == 2 and expected.min() < _LEAST_EXPECTED:
        return float(fisher_exact(table)[1])
    return float(chi2_contingency(table, correction=False)[1])


def _counts(reference: pd.Series, current: pd.Series) -> "np.ndarray[Any, np.dtype[np.int64]]":
    counts = [series.value_counts() for series in (reference, current)]
    return pd.concat(counts, axis=1).fillna(0).to_numpy(np.int64).T


def _merged(table: "np.ndarray[Any, np.dtype[np.int64]]") -> "np.ndarray[Any, np.dtype[np.int64]]":
    """Merge columns that are rare on the smaller side, in order of their totals, until none is rare."""
    table = table[:, np.argsort(table.sum(0), kind="stable")]
    smaller = table.sum(1).min() / table.sum()
    while table.shape[1] > 2 and table[:, 0].sum() * smaller < _LEAST_EXPECTED:
        merged = np.c_[table[:, :1] + table[:, 1:2], table[:, 2:]]
        table = merged[:, np.argsort(merged.sum(0), kind="stable")]
    return table


def _score(method: str, reference: pd.Series, current: pd.Series, type_: Type) -> float:
    from evidently.legacy.core import ColumnType

    column_type = ColumnType(type_)
    result = _stat_test(method, column_type)(
        reference_data=reference, current_data=current, feature_type=column_type, threshold=None
    )
    return float(result.drift_score)


@cache
def _stat_test(method: str, column_type: "ColumnType") -> "StatTest":
    from evidently.legacy.calculations.stattests.registry import get_registered_stattest

    register()
    return get_registered_stattest(method, column_type)


@cache
def register() -> None:
    """Make `homogeneity` known to Evidently, so that reports can use it by name."""
    from evidently.legacy.calculations.stattests.registry import StatTest, register_stattest
    from evidently.legacy.core import ColumnType

    kind = StatTest(
        name=HOMOGENEITY,
        display_name="chi-square p_value (two samples)",
        allowed_feature_types=[ColumnType.Categorical],
        default_threshold=0.05,
    )

    def decide(reference: pd.Series, current: pd.Series, _: ColumnType, threshold: float) -> tuple[float, bool]:
        p = homogeneity(reference, current)
        return p, p <= threshold

    register_stattest(kind, default_impl=decide)
