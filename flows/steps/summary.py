"""Format reports as lines for a terminal."""

import json
from collections.abc import Sequence
from math import exp
from pathlib import Path
from typing import Any

from flows.steps.promotion_policy import STUDY
from flows.steps.reports import AbReport, CycleReport, WatchReport
from monitoring.ab.decision import Effect
from pipeline.evaluation.gate_report import format_gate
from pipeline.project.paths import Paths
from pipeline.registry.versions import ModelRow


def cycle_lines(root: Path, report: CycleReport) -> list[str]:
    """Format a cycle: input and output of each stage, the gate's table, the version and its state."""
    stages = [f"  {name:<9} {_format_seconds(report, name)}  {line}" for name, line in stage_lines(Paths(root)).items()]
    return [
        f"Cycle ({report.reason})",
        *stages,
        f"  orchestration beyond this work {report.orchestration_seconds} s",
        "",
        *(f"  {line}" for line in format_gate(report.gate).splitlines()),
        "",
        f"  version {report.version} {outcome(report)}",
    ]


def outcome(report: CycleReport) -> str:
    """Describe the state of a cycle's version, as the end of a sentence."""
    if report.awaiting == STUDY:
        return "is challenger: a user study decides (likeness study new), then likeness promote"
    if report.awaiting:
        return f"is challenger: the A/B test {report.awaiting} decides on live traffic"
    return "is now champion" if report.promoted else "stays challenger: it did not pass the gate"


def run_outcome(report: CycleReport) -> str:
    """Describe what came of a cycle, for the name of its MLflow run."""
    if report.promoted:
        return "promoted to champion"
    if report.awaiting:
        return f"passed the gate, {'a user study' if report.awaiting == STUDY else 'an A/B test'} decides"
    return f"gate failed: {', '.join(row.name for row in report.gate.rows if row.verdict != 'pass')}"


def stage_lines(paths: Paths) -> dict[str, str]:
    """Format input and output of each stage, read from its report; stages that have not run are left out."""
    reports = {
        "ingest": (paths.ingest_report, _ingest),
        "validate": (paths.validation_report, _validate),
        "masks": (paths.mask_report, _masks),
        "train": (paths.training_report, _train),
        "evaluate": (paths.evaluation_report, _evaluate),
    }
    return {name: line(json.loads(file.read_bytes())) for name, (file, line) in reports.items() if file.is_file()}


def watch_lines(root: Path, report: WatchReport) -> list[str]:
    """Format a verdict of the watch, its reasons, and the cycle it started."""
    verdict = report.verdict
    head = "A cycle is needed" if verdict.triggered else "No cycle is needed"
    lines = [f"{head} (window {verdict.window_id}, {verdict.requests} requests, champion {verdict.champion})"]
    lines += [f"  - {reason}" for reason in verdict.reasons or (verdict.note,)]
    if verdict.report_html is not None:
        lines.append(f"  drift report: {verdict.report_html}")
    return lines + (["", *cycle_lines(root, report.cycle)] if report.cycle else [])


def ab_lines(report: AbReport, next_step: str) -> list[str]:
    """Format the state of the A/B test, its figures, the action, and the next step."""
    verdict = report.verdict
    lines = [f"A/B test {verdict.experiment}: {verdict.state}", f"  {verdict.reason}"]
    if not verdict.experiment:
        lines = [verdict.reason]
    else:
        lines += [f"  {arm:<10} {verdict.requests[arm]} requests, {n} subjects" for arm, n in verdict.subjects.items()]
    lines += [line for effect in verdict.effects if (line := effect_line(effect))]
    if verdict.explained is not None:
        lines.append(f"  the damage predicts {verdict.explained:.0%} of the identity outcome's variance, subtracted")
    if verdict.sample_ratio_p is not None:
        lines.append(f"  test of equal split of the subjects: p = {verdict.sample_ratio_p:.3g}")
    done = f"version {verdict.challenger} was {report.action}" if report.action else next_step
    return [*lines, f"  {'done' if report.action else 'next'}: {done}"]


def effect_line(effect: Effect) -> str:
    """Format one outcome: means by arm and the difference with its interval; "" if nothing was measured."""
    if effect.effect is None:
        return ""
    n = f"{effect.n_champion} + {effect.n_challenger}"
    if effect.name == "latency":  # measured as a logarithm, shown in milliseconds
        ends = (exp(value) for value in (effect.effect or 0.0, effect.low or 0.0, effect.high or 0.0))
        ratio, low, high = (f"{value:.2f}" for value in ends)
        before, after = exp(effect.mean_champion or 0.0), exp(effect.mean_challenger or 0.0)
        return f"  latency    {before:.0f} -> {after:.0f} ms  ratio {ratio} [{low}, {high}], lower is better, n {n}"
    means = f"{effect.mean_champion:.4f} -> {effect.mean_challenger:.4f}"
    interval = f"{effect.effect:+.4f} [{effect.low:+.4f}, {effect.high:+.4f}]"
    return f"  {effect.name:<10} {means}  difference {interval} {effect.unit}, {effect.better} is better, n {n}"


def models_lines(rows: Sequence[ModelRow]) -> list[str]:
    """Format a table of versions."""
    if not rows:
        return ["no version registered yet: `likeness restore` uses the shipped weights"]
    figures = f"{'recognised':<10} {'LPIPS/Telea':<11} {'id. dist/Telea':<14}"
    head = f"{'version':<8} {'alias':<22} {'gate':<7} {figures} created"
    return [head, *(_model_line(row) for row in rows)]


def _model_line(row: ModelRow) -> str:
    figures = (row.recognition_accuracy, row.lpips_vs_telea, row.identity_distance_vs_telea)
    shown = ["-" if figure is None else f"{figure:.3f}" for figure in figures]
    aliases = ", ".join(row.aliases) or "-"
    created = f"{row.created:%Y-%m-%d %H:%M}"
    return f"{row.version:<8} {aliases:<22} {row.gate:<7} {shown[0]:<10} {shown[1]:<11} {shown[2]:<14} {created}"


def _format_seconds(report: CycleReport, stage: str) -> str:
    return f"{report.seconds[stage]:6.1f} s" if stage in report.seconds else "  cached"


def _ingest(r: dict[str, Any]) -> str:
    refused = sum(r["quarantined"].values())
    return f"{r['files_in']} pictures -> {r['accepted']} portraits of {r['identities']} people, {refused} quarantined"


def _validate(r: dict[str, Any]) -> str:
    return f"{r['portraits']} rows -> {'passed' if r['passed'] else 'failed'}, {r['warnings']} warnings"


def _masks(r: dict[str, Any]) -> str:
    return f"{r['portraits']} test portraits -> {r['masks']} frozen masks of {len(r['kinds'])} kinds"


def _train(r: dict[str, Any]) -> str:
    speed = f"{r['steps']} steps, {r['images_per_second']} images/s"
    return f"{r['portraits']} portraits -> {speed}, held-out LPIPS {r['losses']['validation/lpips']:.3f}"


def _evaluate(r: dict[str, Any]) -> str:
    return f"{r['masks']} masks x {len(r['methods'])} methods: {', '.join(r['methods'])}"
