"""The gate: may this challenger be promoted? A table of criteria over reports/evaluate.json."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from models.errors import DataError
from pipeline import tracking
from pipeline.config.judging import Criterion, GateParams
from pipeline.figures import Buckets, EvaluateReport, Figure
from pipeline.layout import Paths
from pipeline.metric_names import WORST_SLICE
from pipeline.outputs import read_report, write_text

Verdict = Literal["pass", "fail", "no figure"]

"""Bucket of a criterion that every slice has to meet."""

_HEADINGS = ("criterion", "bucket", "bound", "judged by", "value [95 % interval]", "verdict")


class GateRow(BaseModel):
    """One criterion and how it came out; `value`, `low` and `high` are None where nothing was measured."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    metric: str
    versus: str
    bucket: str
    bound: str
    judge: str
    value: float | None
    low: float | None
    high: float | None
    verdict: Verdict


class GateReport(BaseModel):
    """The outcome: passed only when every row passed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    passed: bool
    challenger: str
    """SHA-256 of the weights that were judged."""
    rows: tuple[GateRow, ...]


def gate(*, gate: GateParams, paths: Paths) -> GateReport:
    """Judge the challenger by `gate.criteria`; writes gate.json and gate.md.

    A failed criterion is an outcome, not an error: the caller reads `passed`.

    Raises:
        DataError: no readable evaluation report.
        ServiceUnavailable: MLflow does not answer.
    """
    report = judge(gate, read_report(paths.evaluation_report, EvaluateReport, stage="evaluate"))
    tracking.connect(paths)  # before anything is written: it may not answer
    write_gate(report, paths)
    tracking.log_metrics(paths, {"gate.passed": float(report.passed)})
    for file in (paths.gate_report, paths.gate_table):
        tracking.log_artifact(paths, file, "gate")
    return report


def write_gate(report: GateReport, paths: Paths) -> None:
    """Write the outcome as JSON and as a table for people."""
    write_text(paths.gate_table, format_gate(report))
    write_text(paths.gate_report, report.model_dump_json(indent=2) + "\n")


def judge(params: GateParams, evaluation: EvaluateReport) -> GateReport:
    """Apply every criterion to the figures of one evaluation."""
    rows = tuple(_row(criterion, *find_figure(criterion, evaluation)) for criterion in params.criteria)
    passed = all(row.verdict == "pass" for row in rows)
    return GateReport(passed=passed, challenger=evaluation.versions.get("challenger", ""), rows=rows)


def find_figure(criterion: Criterion, evaluation: EvaluateReport) -> tuple[str, Figure | None]:
    """Bucket and figure that a criterion speaks of: the challenger's value, or its ratio to another method.

    `worst slice` is the slice, or everything, that meets the bound least; the bucket's name then says which it is.
    """
    buckets = _buckets(criterion, evaluation.methods, evaluation.ratios)
    if criterion.bucket != WORST_SLICE:
        return criterion.bucket, buckets.get(criterion.bucket)
    slices = _buckets(criterion, evaluation.slices.methods, evaluation.slices.ratios)
    candidates = slices | {name: figure for name, figure in buckets.items() if name == "all"}
    judged = {name: value for name, figure in candidates.items() if (value := _judged(criterion, figure)) is not None}
    if not judged:
        return WORST_SLICE, None
    worst = (min if criterion.at_most is None else max)(judged, key=lambda name: judged[name])
    return f"{WORST_SLICE}: {worst}", candidates[worst]


def verdict_of(criterion: Criterion, figure: Figure | None) -> Verdict:
    """Compare the judged end of the interval with the bound, which itself still passes; no figure never passes."""
    judged = _judged(criterion, figure)
    if judged is None:
        return "no figure"
    if criterion.at_most is not None:
        return "pass" if judged <= criterion.at_most else "fail"
    if criterion.at_least is not None:
        return "pass" if judged >= criterion.at_least else "fail"
    raise DataError(f"a bound for {criterion.name}", "none", "give at_most or at_least in params.yaml")


def format_gate(report: GateReport) -> str:
    """The table for people: Markdown that also lines up in a terminal."""
    body = [_cells(row) for row in report.rows]
    widths = [max(len(line[i]) for line in [_HEADINGS, *body]) for i in range(len(_HEADINGS))]
    lines = [_line(_HEADINGS, widths), _line(["-" * width for width in widths], widths)]
    lines += [_line(cells, widths) for cells in body]
    failed = sum(row.verdict != "pass" for row in report.rows)
    outcome = "PASSED" if report.passed else f"NOT PASSED ({failed} of {len(body)} criteria)"
    return "\n".join([*lines, "", f"Gate: {outcome}", ""])


def _buckets(
    criterion: Criterion, methods: Mapping[str, Buckets], ratios: Mapping[str, Mapping[str, Figure]]
) -> dict[str, Figure]:
    """The criterion's metric by bucket."""
    if criterion.versus:
        return dict(ratios.get(f"{criterion.metric}_vs_{criterion.versus}", {}))
    challenger = methods.get("challenger", {})
    return {name: metrics[criterion.metric] for name, metrics in challenger.items() if criterion.metric in metrics}


def _judged(criterion: Criterion, figure: Figure | None) -> float | None:
    if figure is None:
        return None
    return {"value": figure.value, "lower": figure.low, "upper": figure.high}[criterion.judge]


def _row(criterion: Criterion, bucket: str, figure: Figure | None) -> GateRow:
    found = figure or Figure(value=None, low=None, high=None, n=0)
    bound = f"<= {criterion.at_most:g}" if criterion.at_most is not None else f">= {criterion.at_least:g}"
    return GateRow(
        **criterion.model_dump(include={"name", "metric", "versus", "judge"}),
        bucket=bucket,
        bound=bound,
        value=found.value,
        low=found.low,
        high=found.high,
        verdict=verdict_of(criterion, figure),
    )


def _cells(row: GateRow) -> tuple[str, ...]:
    return (row.name, row.bucket, row.bound, row.judge, _value(row), row.verdict.upper())


def _value(row: GateRow) -> str:
    if row.value is None:
        return "-"
    interval = "" if row.low is None or row.high is None else f" [{row.low:.3f}, {row.high:.3f}]"
    return f"{row.value:.3f}{interval}"


def _line(cells: tuple[str, ...] | list[str], widths: list[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
