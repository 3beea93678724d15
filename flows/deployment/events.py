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
    """Send an event to the Prefect server; returns whether a server is configured.

    It waits for the server's answer, so that the caller knows that the event has arrived: Prefect's own `emit_event`
    leaves it to a thread that ends with the process.

    Args:
        event: name, as `likeness.drift.detected`.
        resource: the subject, as `likeness.model.portrait-restorer`.
        payload: JSON values that automations may use as parameters.

    Raises:
        ServiceUnavailable: a server is configured (PREFECT_API_URL) and does not accept the event.
    """
    address = os.environ.get("PREFECT_API_URL")
    if not address:
        log.info("no Prefect server is configured: the event %s is not sent", event)
        return False
    from httpx import HTTPError
    from prefect.client.orchestration import get_client
    from prefect.events import Event, Resource
    from prefect.settings import PREFECT_API_URL, temporary_settings

    message = Event(event=event, resource=Resource({"prefect.resource.id": resource}), payload=dict(payload))
    try:
        with temporary_settings({PREFECT_API_URL: address}), get_client(sync_client=True) as client:
            client.request("POST", "/events", json=[message.model_dump(mode="json")]).raise_for_status()
    except HTTPError as error:
        raise ServiceUnavailable(
            f"Prefect at {address} to accept the event {event}",
            str(error)[:160] or type(error).__name__,
            "start the server (`likeness up`), or unset PREFECT_API_URL",
        ) from error
    return True


def announce(event: str, resource: str, payload: Mapping[str, Any]) -> bool:
    """Send an event as `emit` does, but only log a warning if the server does not answer."""
    try:
        return emit(event, resource, payload)
    except ServiceUnavailable as error:
        log.warning("%s", error)
        return False
