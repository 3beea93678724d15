"""The status page over HTTP: `/status` for people, `/v1/status` for programs."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from monitoring.status import status
from monitoring.status_parts import Status
from pipeline.config import load_params
from pipeline.layout import Paths
from serving.status_view import render

FRESH_SECONDS = 5.0
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}


class Latest:
    """The status, read anew at most every few seconds however many people look; one thread reads at a time."""

    def __init__(self, read: Callable[[], Status], seconds: float = FRESH_SECONDS) -> None:
        self._read, self._seconds = read, seconds
        self._lock = threading.Lock()
        self._found: Status | None = None
        self._until = 0.0

    def get(self) -> Status:
        """The status, at most `seconds` old."""
        with self._lock:
            if self._found is None or time.monotonic() >= self._until:
                self._found = self._read()
                self._until = time.monotonic() + self._seconds
            return self._found


def status_router(paths: Paths) -> APIRouter:
    """The routes of the status page for the checkout at `paths`; params.yaml is read at every look, as a cycle does."""
    latest = Latest(lambda: status(load_params(paths.params), paths, now=datetime.now(UTC)))
    router = APIRouter(tags=["status"])

    @router.get("/status", response_class=HTMLResponse, summary="The status page")
    def page() -> HTMLResponse:
        return HTMLResponse(render(latest.get()), headers=_HEADERS)

    @router.get("/v1/status", summary="What the status page shows, as JSON")
    def figures() -> Status:
        return latest.get()

    return router
