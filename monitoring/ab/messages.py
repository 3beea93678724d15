"""Messages about a test: alerts, and what happens next in a sentence."""

from monitoring.ab.decision import State
from monitoring.ab.record import Action
from monitoring.ab.verdict import AbVerdict
from monitoring.alerts.send import Alert

_TO_DO: dict[State, str] = {
    "win": "nothing; `likeness rollback` makes the previous champion champion again",
    "loss": "nothing; the champion stays. Check the challenger's figures in the gate: they did not show this",
    "futility": "nothing; the champion stays. Raise ab.max_requests or ab.margin if this happens again",
    "guard-rail": "look at the challenger's worst cases (evaluation report) before the next cycle",
    "sample-ratio": "find out why the arms did not get their shares (a failing challenger, a cache, a second service "
    "with other parameters) before you trust another test",
}


def ended_alert(verdict: AbVerdict, action: Action, champion: str) -> Alert:
    """Build the alert that is sent once for every test that ended."""
    return Alert(
        code=f"ab-{verdict.experiment}-{verdict.state}",
        title=f"A/B test {verdict.experiment}: {verdict.state}",
        what_happened=f"{verdict.reason}. Version {verdict.challenger} was {action}; champion is {champion}",
        what_to_do=_TO_DO.get(verdict.state, "nothing"),
        facts={"subjects": verdict.subjects, "requests": verdict.requests},
    )


def waiting_alert(verdict: AbVerdict) -> Alert:
    """Build the alert that is sent while a winner waits for a person's approval."""
    return Alert(
        code=f"ab-{verdict.experiment}-approval",
        title=f"Version {verdict.challenger} waits for approval",
        what_happened=f"it has won the A/B test {verdict.experiment}: {verdict.reason}",
        what_to_do="answer on the flow run's page in Prefect, or by `likeness ab --approve` or `--reject`",
    )


def next_step(verdict: AbVerdict, *, share: float, waiting: bool) -> str:
    """Describe what happens next, in a sentence."""
    if verdict.state == "none":
        return "the next version that passes the gate is tested against the champion"
    if verdict.state == "running":
        return f"{share:.0%} of the subjects go on to version {verdict.challenger}; the next run decides again"
    if waiting:
        return f"version {verdict.challenger} waits for a person: `likeness ab --approve` or `--reject`"
    if verdict.state == "win":
        return f"the next run makes version {verdict.challenger} champion"
    return f"the next run takes version {verdict.challenger} out of the test; the champion stays"
