"""Automations on a Prefect server: start a cycle on drift, and mark runs without a heartbeat as crashed."""

import json
from collections.abc import Collection
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flows.deployment.events import DRIFT, RECOGNITION

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.client.orchestration import SyncPrefectClient
    from prefect.events import AutomationCore

WINDOW = "likeness.window"
DRIFT_STARTS = "likeness: drift starts a cycle"
_FOLDED = timedelta(minutes=1)  # events of one window within this time start one cycle; the claim stops later ones
HEARTBEAT = 30
"""Seconds between the heartbeats of deployed runs; Prefect admits no less."""
_SILENT = timedelta(seconds=3 * HEARTBEAT)


def automations(cycle_id: "UUID | None" = None) -> "tuple[AutomationCore, ...]":
    """Define the automations: drift starts a cycle, where that has a deployment; a silent run counts as crashed."""
    from prefect.client.schemas.objects import StateType
    from prefect.events import AutomationCore, DeploymentEventTrigger, EventTrigger
    from prefect.events.actions import ChangeFlowRunState
    from prefect.events.schemas.automations import Posture

    beat = "prefect.flow-run.heartbeat"
    ends = {f"prefect.flow-run.{state}" for state in ("Completed", "Failed", "Cancelled", "Crashed", "Suspended")}
    silence = EventTrigger(
        after={beat}, expect={beat, *ends}, match={"prefect.resource.id": "prefect.flow-run.*"},
        for_each={"prefect.resource.id"}, posture=Posture.Proactive, threshold=1, within=_SILENT,
    )  # fmt: skip
    crashed = ChangeFlowRunState(
        state=StateType.CRASHED, name="Crashed", message=f"no heartbeat for {_SILENT.seconds} seconds"
    )
    silent = AutomationCore(name="likeness: a silent run has crashed", trigger=silence, actions=[crashed])
    if cycle_id is None:
        return (silent,)
    drift = DeploymentEventTrigger.model_validate(drift_trigger())
    drift.set_deployment_id(cycle_id)
    # not the deployment's own: Prefect would delete it, and what was switched off, when that changes
    return _without_owner(drift.as_automation()), silent


def drift_trigger() -> dict[str, Any]:
    """Describe the trigger of cycles as prefect.yaml does."""
    return {
        "name": DRIFT_STARTS,
        "type": "event",
        "expect": sorted({DRIFT, RECOGNITION}),
        "match": {"prefect.resource.id": f"{WINDOW}.*"},
        "for_each": ["prefect.resource.id"],
        "posture": "Reactive",
        "threshold": 1,
        "within": int(_FOLDED.total_seconds()),
        "parameters": {
            "window_id": _from_event("window_id"),
            "reason": _from_event("reason"),
            "overrides": {"__prefect_kind": "json", "value": _from_event("overrides | tojson")},
        },
    }


def _from_event(field: str) -> dict[str, str]:
    return {"__prefect_kind": "jinja", "template": "{{ event.payload." + field + " }}"}


def _without_owner(automation: "AutomationCore") -> "AutomationCore":
    from prefect.events import AutomationCore

    return AutomationCore.model_validate(automation.model_dump(exclude={"owner_resource"}))


def switched_off(client: "SyncPrefectClient") -> set[str]:
    """Name the automations that were switched off in Prefect's pages."""
    return {found.name for found in client.read_automations() if not found.enabled}


def automate(client: "SyncPrefectClient", wanted: "AutomationCore", off: Collection[str] = ()) -> bool:
    """Create or change the automation of this name; tells whether anything changed. New ones named in `off` are off."""
    existing = client.read_automations_by_name(wanted.name)
    if not existing:
        client.create_automation(wanted.model_copy(update={"enabled": wanted.name not in off}))
        return True
    target = wanted.model_copy(update={"enabled": existing[0].enabled})
    if _comparable(existing[0]) == _comparable(target):
        return False
    client.update_automation(existing[0].id, target)
    return True


def remove_automations(client: "SyncPrefectClient", name: str) -> None:
    """Delete the automations of a name."""
    for found in client.read_automations_by_name(name):
        client.delete_automation(found.id)


def _comparable(automation: "AutomationCore") -> Any:  # noqa: ANN401 - JSON
    """Convert trigger and actions to JSON, without the ids that the server adds and with lists sorted."""
    dumped = automation.model_dump(mode="json", include={"trigger", "actions"}, exclude_none=True)
    dumped["trigger"].pop("id", None)
    return json.loads(json.dumps(dumped, sort_keys=True), object_hook=_unordered)


def _unordered(node: dict[str, Any]) -> dict[str, Any]:
    return {name: sorted(value, key=str) if isinstance(value, list) else value for name, value in node.items()}
