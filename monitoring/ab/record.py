"""A test's entries in the log: its verdict, a person's answer, and that it was acted on.

The verdict is written before any alias moves, and the action after it. So a process that finds a verdict that was
not acted on knows that its writer died, and acts on it: the registry's steps can be repeated, the verdict is not
judged anew.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from monitoring.ab.verdict import AbVerdict
from monitoring.log.production_log import Entry, ProductionLog

Action = Literal["promoted", "retired", "rejected"]


def record_verdict(log: ProductionLog, verdict: AbVerdict) -> None:
    """Write how a test ended."""
    body = {"step": "verdict", "verdict": verdict.model_dump(mode="json")}
    log.record("verdict", verdict.experiment, body, verdict.judged)


def record_answer(log: ProductionLog, experiment: str, *, approved: bool, by: str, now: datetime) -> None:
    """Write what a person said about a winner."""
    log.record("verdict", experiment, {"step": "answer", "approved": approved, "by": by[:80]}, now)


def record_action(log: ProductionLog, experiment: str, action: Action, champion: str, now: datetime) -> None:
    """Write what was done about the verdict, and who is champion since."""
    log.record("verdict", experiment, {"step": "action", "action": action, "champion": champion}, now)
    if action == "promoted":
        log.record("promotion", champion, {"champion": champion, "by": f"A/B test {experiment}"}, now)


def unfinished_verdict(log: ProductionLog) -> AbVerdict | None:
    """Find the latest verdict if nothing was done about it yet."""
    entries = log.entries("verdict")
    last = next((entry for entry in reversed(entries) if entry.body.get("step") == "verdict"), None)
    if last is None or _later(entries, last, "action"):
        return None
    return AbVerdict.model_validate(last.body["verdict"])


def latest_answer(log: ProductionLog, experiment: str) -> bool | None:
    """Find the latest answer about the test's winner; None while there is none."""
    given = [e for e in log.entries("verdict") if e.key == experiment and e.body.get("step") == "answer"]
    return bool(given[-1].body["approved"]) if given else None


def ended_tests(log: ProductionLog) -> list[tuple[AbVerdict, Action | None]]:
    """List all tests that ended, oldest first, with what was done; None while that is outstanding."""
    entries = log.entries("verdict")
    verdicts = [entry for entry in entries if entry.body.get("step") == "verdict"]
    return [(AbVerdict.model_validate(entry.body["verdict"]), _action(entries, entry)) for entry in verdicts]


def _action(entries: Iterable[Entry], verdict: Entry) -> Action | None:
    done = _later(entries, verdict, "action")
    action: Action | None = done[0]["action"] if done else None
    return action


def _later(entries: Iterable[Entry], verdict: Entry, step: str) -> list[dict[str, Any]]:
    return [
        entry.body
        for entry in entries
        if entry.sequence > verdict.sequence and entry.key == verdict.key and entry.body.get("step") == step
    ]
