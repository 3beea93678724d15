"""A person's word before a winner becomes champion (`ab.approval`): in Prefect's pages, or by `likeness ab --approve`.

Where a server runs the flow, the run pauses and its page shows a form; the answer goes into the production log, where
one given on the command line goes too. The log decides: whichever answer came first is acted on.
"""

from collections.abc import Callable
from uuid import UUID

from prefect.exceptions import FlowPauseTimeout
from prefect.flow_runs import pause_flow_run
from prefect.input import RunInput

from monitoring.ab.verdict import AbVerdict

_MINUTE = 60
WAIT_SECONDS = 50 * _MINUTE
"""A run waits less than the hour until the next one asks again."""


class Approval(RunInput):
    """The form."""

    approve: bool = False
    by: str = ""


Ask = Callable[[AbVerdict], Approval | None]
"""Asks a person; None where nobody answered."""


def served() -> bool:
    """Whether a deployment runs this flow: only then is there a page with a form, and somebody to look at it."""
    from prefect.runtime import deployment

    return deployment.id is not None


def ask_in_prefect(verdict: AbVerdict, *, wait_seconds: int = WAIT_SECONDS) -> Approval | None:
    """Pause the run and show the form; None where nobody answered in time. Call it in a flow."""
    form = Approval.with_initial_data(description=question(verdict), approve=False, by="")
    try:
        return pause_flow_run(wait_for_input=form, timeout=wait_seconds, poll_interval=5)
    except FlowPauseTimeout:
        _go_on()
        return None


def _go_on() -> None:
    """Take the run out of its pause: one that ends while it is paused counts as failed."""
    from prefect.client.orchestration import get_client
    from prefect.runtime import flow_run
    from prefect.states import Running

    with get_client(sync_client=True) as client:
        client.set_flow_run_state(UUID(flow_run.id), Running(), force=True)


def question(verdict: AbVerdict) -> str:
    """What the person is asked, in Markdown."""
    return (
        f"**Version {verdict.challenger} has won the A/B test against {verdict.champion}.** {verdict.reason}.\n\n"
        "Approve to make it champion; leave it off to keep the champion and retire the challenger."
    )
