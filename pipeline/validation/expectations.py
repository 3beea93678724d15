"""Expectations that Great Expectations does not bring: over the batch as a whole, and over shares of bins."""

from typing import Any, ClassVar

import pandas as pd
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation, ColumnAggregateExpectation
from great_expectations.expectations.metrics import ColumnAggregateMetricProvider, column_aggregate_value
from great_expectations.expectations.metrics.metric_provider import metric_value
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider

from pipeline.validation.facts import (
    COLUMN_TYPES,
    bin_shares,
    columns_of_other_type,
    columns_with_gaps,
    identities_in_several_splits,
    largest_gap,
)

Outcome = dict[str, Any]
"""What `_validate` returns to Great Expectations."""


class ColumnLargestBinShare(ColumnAggregateMetricProvider):  # type: ignore[misc] # its base is untyped
    """Share of the fullest bin of a column."""

    metric_name = "column.largest_bin_share"
    value_keys = ("edges",)

    @column_aggregate_value(engine=PandasExecutionEngine)  # type: ignore[untyped-decorator] # Great Expectations leaves it so
    def _pandas(cls, column: "pd.Series[float]", edges: list[float], **_: object) -> float:  # noqa: N805 - Great Expectations passes the class
        return float(bin_shares(column, tuple(edges)).max())


class TableColumnsOfOtherType(TableMetricProvider):  # type: ignore[misc] # its base is untyped
    """Columns that are not of the type that ingest writes."""

    metric_name = "table.columns_of_other_type"

    @metric_value(engine=PandasExecutionEngine)  # type: ignore[untyped-decorator] # Great Expectations leaves it so
    def _pandas(cls, execution_engine: PandasExecutionEngine, metric_domain_kwargs: Outcome, **_: object) -> list[str]:  # noqa: N805 - Great Expectations passes the class
        return columns_of_other_type(_table(execution_engine, metric_domain_kwargs), COLUMN_TYPES)


class TableColumnsWithGaps(TableMetricProvider):  # type: ignore[misc] # its base is untyped
    """Columns with missing values."""

    metric_name = "table.columns_with_gaps"

    @metric_value(engine=PandasExecutionEngine)  # type: ignore[untyped-decorator] # Great Expectations leaves it so
    def _pandas(cls, execution_engine: PandasExecutionEngine, metric_domain_kwargs: Outcome, **_: object) -> list[str]:  # noqa: N805 - Great Expectations passes the class
        return columns_with_gaps(_table(execution_engine, metric_domain_kwargs))


class TableIdentitiesInSeveralSplits(TableMetricProvider):  # type: ignore[misc] # its base is untyped
    """Identities in more than one split."""

    metric_name = "table.identities_in_several_splits"

    @metric_value(engine=PandasExecutionEngine)  # type: ignore[untyped-decorator] # Great Expectations leaves it so
    def _pandas(cls, execution_engine: PandasExecutionEngine, metric_domain_kwargs: Outcome, **_: object) -> list[str]:  # noqa: N805 - Great Expectations passes the class
        return identities_in_several_splits(_table(execution_engine, metric_domain_kwargs))


class TableGapBetweenSplits(TableMetricProvider):  # type: ignore[misc] # its base is untyped
    """Largest gap between splits of a bin's share."""

    metric_name = "table.gap_between_splits"
    value_keys = ("column", "edges")

    @metric_value(engine=PandasExecutionEngine)  # type: ignore[untyped-decorator] # Great Expectations leaves it so
    def _pandas(
        cls,  # noqa: N805 - Great Expectations passes the class
        execution_engine: PandasExecutionEngine,
        metric_domain_kwargs: Outcome,
        metric_value_kwargs: Outcome,
        **_: object,
    ) -> float:
        table = _table(execution_engine, metric_domain_kwargs)
        return largest_gap(table, metric_value_kwargs["column"], tuple(metric_value_kwargs["edges"]))


class ExpectLargestBinShareToBeAtMost(ColumnAggregateExpectation):  # type: ignore[misc] # its base is untyped
    """No bin of the column holds more than `max_share` of the rows; `edges` are the inner edges of the bins."""

    edges: list[float]
    max_share: float
    metric_dependencies: ClassVar = ("column.largest_bin_share",)
    success_keys: ClassVar = ("edges", "max_share")

    def _validate(self, metrics: Outcome, *_: object, **__: object) -> Outcome:
        share = metrics["column.largest_bin_share"]
        return {"success": share <= self.max_share, "result": {"observed_value": round(share, 6)}}


class _ExpectNone(BatchExpectation):  # type: ignore[misc] # its base is untyped
    """The one metric that it depends on, a list, is empty."""

    def _validate(self, metrics: Outcome, *_: object, **__: object) -> Outcome:
        violations = metrics[self.metric_dependencies[0]]
        return {"success": not violations, "result": {"observed_value": ", ".join(violations[:10]) or "none"}}


class ExpectColumnTypesOfIngest(_ExpectNone):
    """Every column has the type that ingest writes."""

    metric_dependencies: ClassVar = ("table.columns_of_other_type",)


class ExpectNoGaps(_ExpectNone):
    """No value is missing."""

    metric_dependencies: ClassVar = ("table.columns_with_gaps",)


class ExpectIdentitiesInOneSplit(_ExpectNone):
    """No identity has portraits in two splits."""

    metric_dependencies: ClassVar = ("table.identities_in_several_splits",)


class ExpectGapBetweenSplitsToBeAtMost(BatchExpectation):  # type: ignore[misc] # its base is untyped
    """A bin's share of `column` differs between two splits by no more than `max_gap`."""

    column: str
    edges: list[float]
    max_gap: float
    metric_dependencies: ClassVar = ("table.gap_between_splits",)
    success_keys: ClassVar = ("column", "edges", "max_gap")

    def _validate(self, metrics: Outcome, *_: object, **__: object) -> Outcome:
        gap = metrics["table.gap_between_splits"]
        return {"success": gap <= self.max_gap, "result": {"observed_value": round(gap, 6)}}


class ExpectQuarantinedShareToBeAtMost(BatchExpectation):  # type: ignore[misc] # its base is untyped
    """Of all files that were read, no more than `max_share` lie in quarantine; `quarantined` is their number."""

    quarantined: int
    max_share: float
    metric_dependencies: ClassVar = ("table.row_count",)
    success_keys: ClassVar = ("quarantined", "max_share")

    def _validate(self, metrics: Outcome, *_: object, **__: object) -> Outcome:
        share = self.quarantined / max(self.quarantined + metrics["table.row_count"], 1)
        return {"success": share <= self.max_share, "result": {"observed_value": round(share, 6)}}


def _table(engine: PandasExecutionEngine, domain: Outcome) -> pd.DataFrame:
    table: pd.DataFrame = engine.get_compute_domain(domain_kwargs=domain, domain_type=MetricDomainTypes.TABLE)[0]
    return table
