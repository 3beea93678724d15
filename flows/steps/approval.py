"""Ask a person to approve a winner (`ab.approval`): in Prefect's pages, or by `likeness ab --approve`.

If a worker runs the flow, the run is suspended and its page shows a form until somebody answers; no process waits for
it, so it survives restarts. The answer goes into the production log, as one given on the command line does. The first
answer in the log counts.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput

from monitoring.ab.verdict import AbVerdict

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun


class Approval(RunInput):
    """The form of the approval."""

    approve: bool = False
    by: str = ""


AskPerson = Callable[[AbVerdict], Approval | None]
"""Asks a person for approval; None if nobody has answered yet."""


def is_deployed() -> bool:
    """Tell whether a deployment runs this flow: only then is there a page that can show a form."""
    from prefect.runtime import deployment

    return deployment.id is not None


def ask_in_prefect(verdict: AbVerdict) -> Approval | None:
    """Read the form of this run; a run without an answer is suspended here until somebody fills it in.

    None if another run shows the form for this test. Call it in a flow, outside of its tasks: a resumed run starts from
    the beginning, in a new process.
    """
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        if any(_test_of(form) == verdict.experiment for form in _open_forms(client)):
            return None
    form = Approval.with_initial_data(description=question(verdict), approve=False, by="")
    return suspend_flow_run(wait_for_input=form, key=verdict.experiment)


def withdraw_forms(waiting_for: str) -> int:
    """Cancel the runs whose form is about a test that is already decided; returns how many.

    Args:
        waiting_for: id of the test that still needs an answer; "" = none does.
    """
    from prefect.client.orchestration import get_client
    from prefect.states import Cancelled

    with get_client(sync_client=True) as client:
        stale = [form for form in _open_forms(client) if _test_of(form) != waiting_for]
        for form in stale:
            client.set_flow_run_state(form.id, Cancelled(message="decided without this form"), force=True)
    return len(stale)


def _open_forms(client: "SyncPrefectClient") -> "list[FlowRun]":
    """List the suspended runs of the deployment that runs this flow."""
    from prefect.client.schemas.filters import DeploymentFilter, FlowRunFilter
    from prefect.runtime import deployment

    suspended = FlowRunFilter.model_validate({"state": {"name": {"any_": ["Suspended"]}}})
    ours = DeploymentFilter.model_validate({"id": {"any_": [UUID(str(deployment.id))]}})
    return client.read_flow_runs(flow_run_filter=suspended, deployment_filter=ours)


def _test_of(form: "FlowRun") -> str:
    """Read the id of the A/B test that a suspended run is about."""
    return (form.state and form.state.state_details.pause_key) or ""


def question(verdict: AbVerdict) -> str:
    """Write the question to the person, in Markdown."""
    return (
        f"**Version {verdict.challenger} has won the A/B test against {verdict.champion}.** {verdict.reason}.\n\n"
        "Approve to make it champion; leave it off to keep the champion and retire the challenger."
    )
