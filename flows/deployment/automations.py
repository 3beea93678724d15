"""Automations on a Prefect server: start a cycle on drift, and mark runs without a heartbeat as crashed."""

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flows.deployment.events import DRIFT, RECOGNITION

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.client.orchestration import SyncPrefectClient
    from prefect.events import AutomationCore

WINDOW = "likeness.window"
_FOLDED = timedelta(minutes=1)  # events of one window within this time start one cycle; the claim stops later ones
HEARTBEAT = 30
"""Seconds between the heartbeats of deployed runs; Prefect admits no less."""
_SILENT = timedelta(seconds=3 * HEARTBEAT)


def automations(cycle_id: "UUID") -> "tuple[AutomationCore, ...]":
    """Define the automations: drift starts a cycle; a run without a heartbeat counts as crashed."""
    from prefect.client.schemas.objects import StateType
    from prefect.events import AutomationCore, EventTrigger
    from prefect.events.actions import ChangeFlowRunState, RunDeployment
    from prefect.events.schemas.automations import Posture

    beat = "prefect.flow-run.heartbeat"
    ends = {f"prefect.flow-run.{state}" for state in ("Completed", "Failed", "Cancelled", "Crashed", "Suspended")}
    drift = EventTrigger(
        expect={DRIFT, RECOGNITION}, match={"prefect.resource.id": f"{WINDOW}.*"},
        for_each={"prefect.resource.id"}, posture=Posture.Reactive, threshold=1, within=_FOLDED,
    )  # fmt: skip
    silence = EventTrigger(
        after={beat}, expect={beat, *ends}, match={"prefect.resource.id": "prefect.flow-run.*"},
        for_each={"prefect.resource.id"}, posture=Posture.Proactive, threshold=1, within=_SILENT,
    )  # fmt: skip
    parameters = {
        "window_id": _from_event("window_id"), "reason": _from_event("reason"),
        "overrides": {"__prefect_kind": "json", "value": _from_event("overrides | tojson")},
    }  # fmt: skip
    crashed = ChangeFlowRunState(
        state=StateType.CRASHED, name="Crashed", message=f"no heartbeat for {_SILENT.seconds} seconds"
    )
    return (
        AutomationCore(
            name="likeness: drift starts a cycle", trigger=drift,
            actions=[RunDeployment(deployment_id=cycle_id, parameters=parameters)],
        ),
        AutomationCore(name="likeness: a silent run has crashed", trigger=silence, actions=[crashed]),
    )  # fmt: skip


def _from_event(field: str) -> dict[str, str]:
    return {"__prefect_kind": "jinja", "template": "{{ event.payload." + field + " }}"}


def automate(client: "SyncPrefectClient", wanted: "AutomationCore") -> bool:
    """Create or change the automation of this name; tells whether anything changed."""
    existing = client.read_automations_by_name(wanted.name)
    if not existing:
        client.create_automation(wanted)
        return True
    target = wanted.model_copy(update={"enabled": existing[0].enabled})
    if _comparable(existing[0]) == _comparable(target):
        return False
    client.update_automation(existing[0].id, target)
    return True


def _comparable(automation: "AutomationCore") -> Any:  # noqa: ANN401 - JSON
    """Convert trigger and actions to JSON, without the ids that the server adds and with lists sorted."""
    dumped = automation.model_dump(mode="json", include={"trigger", "actions"}, exclude_none=True)
    dumped["trigger"].pop("id", None)
    return json.loads(json.dumps(dumped, sort_keys=True), object_hook=_unordered)


def _unordered(node: dict[str, Any]) -> dict[str, Any]:
    return {name: sorted(value, key=str) if isinstance(value, list) else value for name, value in node.items()}
