"""The A/B verdict, every hour: judge the test under way; when it has ended, promote or retire, and send alerts."""

from pathlib import Path

from prefect import flow

from flows.steps.ab_test import approve_winner, conclude_test, end_test
from flows.steps.approval import ask_in_prefect, is_deployed, withdraw_forms
from flows.steps.artifacts import publish_ab
from flows.steps.failure_alerts import VERDICT, alert_on_failure
from flows.steps.reports import AbReport


@flow(name="ab-verdict", persist_result=False, validate_parameters=False)
def ab_verdict(root: Path) -> AbReport:
    """Look at the A/B test once.

    If a winner needs a person's approval, a run of the deployment is suspended here until the form on its page is
    filled in, and then starts from the beginning; there is one such run for a test.

    Raises:
        Busy: another look is under way.
        ServiceUnavailable: the registry, the log or Prefect's server does not answer; the next look continues.
    """
    root = Path(root)  # a deployment's parameters are JSON
    with alert_on_failure(root, VERDICT):
        verdict = conclude_test(root)
        publish_ab(verdict)
        if is_deployed():
            withdraw_forms(verdict.experiment if verdict.final else "")
        if not verdict.final:
            return AbReport(verdict=verdict, action=None, waiting=False)
        approved = approve_winner(root, verdict, ask_in_prefect if is_deployed() else None)
        if approved is None:
            return AbReport(verdict=verdict, action=None, waiting=True)
        action = end_test(root, verdict, approved=approved)
        return AbReport(verdict=verdict, action=action, waiting=False)
