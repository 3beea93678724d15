"""The gate: may this challenger be promoted? A table of criteria over reports/evaluate.json."""

import json
from collections.abc import Mapping

from models.errors import DataError
from models.metrics.names import WORST_SLICE
from pipeline.config.evaluation import Criterion, GateParams
from pipeline.evaluation.gate_report import GateReport, GateRow, Verdict, format_gate
from pipeline.evaluation.headline import headline_figures
from pipeline.evaluation.results import Buckets, EvaluateReport, Figure
from pipeline.project.files import read_report, write_text
from pipeline.project.paths import Paths
from pipeline.registry import tracking


def gate(*, gate: GateParams, paths: Paths) -> GateReport:
    """Judge the challenger by `gate.criteria`; writes gate.json, gate.md and the headline figures, metrics.json.

    A failed criterion is an outcome, not an error: the caller reads `passed`.

    Raises:
        DataError: no readable evaluation report.
        ServiceUnavailable: MLflow does not answer.
    """
    evaluation = read_report(paths.evaluation_report, EvaluateReport, stage="evaluate")
    report = judge(gate, evaluation)
    tracking.connect(paths)  # before anything is written: it may not answer
    write_gate(report, paths)
    write_text(paths.metrics, json.dumps(headline_figures(evaluation, report), indent=2) + "\n")
    tracking.log_metrics(paths, {"gate.passed": float(report.passed)})
    for file in (paths.gate_report, paths.gate_table, paths.metrics):
        tracking.log_artifact(paths, file, "gate")
    tracking.end_run_by_hand(paths)
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
    """Find bucket and figure that a criterion is about: the challenger's value, or its ratio to another method.

    `worst slice` is the slice, or everything, that meets the bound least; the bucket's name then says which it is.
    """
    buckets = _buckets(criterion, evaluation.methods, evaluation.ratios)
    if criterion.bucket != WORST_SLICE:
        return criterion.bucket, buckets.get(criterion.bucket)
    slices = _buckets(criterion, evaluation.slices.methods, evaluation.slices.ratios)
    candidates = slices | {name: figure for name, figure in buckets.items() if name == "all"}
    values = {
        name: value for name, figure in candidates.items() if (value := _deciding_value(criterion, figure)) is not None
    }
    if not values:
        return WORST_SLICE, None
    worst = (min if criterion.at_most is None else max)(values, key=lambda name: values[name])
    return f"{WORST_SLICE}: {worst}", candidates[worst]


def verdict_of(criterion: Criterion, figure: Figure | None) -> Verdict:
    """Compare the judged end of the interval with the bound, which itself still passes; no figure never passes."""
    values = _deciding_value(criterion, figure)
    if values is None:
        return "no figure"
    if criterion.at_most is not None:
        return "pass" if values <= criterion.at_most else "fail"
    if criterion.at_least is not None:
        return "pass" if values >= criterion.at_least else "fail"
    raise DataError(f"a bound for {criterion.name}", "none", "give at_most or at_least in params.yaml")


def _buckets(
    criterion: Criterion, methods: Mapping[str, Buckets], ratios: Mapping[str, Mapping[str, Figure]]
) -> dict[str, Figure]:
    """Find the criterion's metric by bucket."""
    if criterion.versus:
        return dict(ratios.get(f"{criterion.metric}_vs_{criterion.versus}", {}))
    challenger = methods.get("challenger", {})
    return {name: metrics[criterion.metric] for name, metrics in challenger.items() if criterion.metric in metrics}


def _deciding_value(criterion: Criterion, figure: Figure | None) -> float | None:
    if figure is None:
        return None
    return {"value": figure.value, "lower": figure.low, "upper": figure.high}[criterion.judge]


def _row(criterion: Criterion, bucket: str, figure: Figure | None) -> GateRow:
    measured = figure or Figure(value=None, low=None, high=None, n=0)
    bound = f"<= {criterion.at_most:g}" if criterion.at_most is not None else f">= {criterion.at_least:g}"
    return GateRow(
        **criterion.model_dump(include={"name", "metric", "versus", "judge"}),
        bucket=bucket,
        bound=bound,
        value=measured.value,
        low=measured.low,
        high=measured.high,
        verdict=verdict_of(criterion, figure),
    )
