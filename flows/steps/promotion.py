"""Steps after registration: promote a version that passed the gate, or leave the decision to an A/B test or a study."""

from pathlib import Path

from flows.deployment.events import FINISHED, announce
from flows.steps.ab_test import supersede
from flows.steps.promotion_policy import next_decision
from flows.steps.reports import CycleReport, Decision
from flows.steps.stages import promote_challenger
from monitoring.ab.verdict import AbVerdict
from pipeline.evaluation.gate_report import GateReport


def promote_or_test(root: Path, checkout: Path, gate: GateReport, version: str, under_way: AbVerdict) -> Decision:
    """Promote a version that passed the gate if nothing else decides about it; it ends the A/B test under way."""
    if not gate.passed:
        return Decision()
    supersede(root, under_way, by=version)
    awaiting = next_decision(root, version)
    if awaiting:
        return Decision(awaiting=awaiting)
    return Decision(promoted=True, seconds=promote_challenger(checkout, version).seconds)


def announce_cycle(report: CycleReport, model_name: str) -> None:
    """Emit the event that a cycle has finished."""
    payload = {
        "version": report.version,
        "promoted": report.promoted,
        "awaiting": report.awaiting,
        "reason": report.reason,
    }
    announce(FINISHED, f"likeness.model.{model_name}", payload)
