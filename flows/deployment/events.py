"""Emit events that Prefect's automations react to."""

import logging
import os
from collections.abc import Mapping
from typing import Any

from models.errors import ServiceUnavailable

log = logging.getLogger(__name__)

DRIFT = "likeness.drift.detected"
RECOGNITION = "likeness.recognition.low"
VERDICT = "likeness.ab.verdict"
FINISHED = "likeness.cycle.finished"


def emit(event: str, resource: str, payload: Mapping[str, Any]) -> bool:
    """Tell the server; returns whether there is one.

    The server's answer is waited for, so that a caller knows that the event has arrived: Prefect's own `emit_event`
    hands it to a thread that dies with the process.

    Args:
        event: name, as `likeness.drift.detected`.
        resource: what it is about, as `likeness.model.portrait-restorer`.
        payload: JSON values that automations may use as parameters.

    Raises:
        ServiceUnavailable: a server is configured (PREFECT_API_URL) and does not take the event.
    """
    address = os.environ.get("PREFECT_API_URL")
    if not address:
        log.info("no Prefect server: the event %s stays here", event)
        return False
    from httpx import HTTPError
    from prefect.client.orchestration import get_client
    from prefect.events import Event, Resource
    from prefect.settings import PREFECT_API_URL, temporary_settings

    told = Event(event=event, resource=Resource({"prefect.resource.id": resource}), payload=dict(payload))
    try:
        with temporary_settings({PREFECT_API_URL: address}), get_client(sync_client=True) as client:
            client.request("POST", "/events", json=[told.model_dump(mode="json")]).raise_for_status()
    except HTTPError as error:
        raise ServiceUnavailable(
            f"Prefect at {address} to take the event {event}",
            str(error)[:160] or type(error).__name__,
            "start the server (`likeness up`), or unset PREFECT_API_URL",
        ) from error
    return True


def announce(event: str, resource: str, payload: Mapping[str, Any]) -> bool:
    """As `emit`, for what is done already: a server that does not answer is only worth a line."""
    try:
        return emit(event, resource, payload)
    except ServiceUnavailable as error:
        log.warning("%s", error)
        return False
