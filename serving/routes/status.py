"""The status page over HTTP: `/status` for people, `/v1/status` for programs."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from monitoring.status.collect import status
from monitoring.status.model import Status
from pipeline.config.load import load_params
from pipeline.project.paths import Paths
from serving.views.status import render

FRESH_SECONDS = 5.0
PATIENCE = 2.0  # seconds
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}


class Latest:
    """The status, read anew at most every few seconds however many people look; one thread reads at a time.

    Who looks gets the one before while a reading takes long, as it does when the registry hangs.
    """

    def __init__(self, read: Callable[[], Status], seconds: float = FRESH_SECONDS, patience: float = PATIENCE) -> None:
        self._read, self._seconds, self._patience = read, seconds, patience
        self._lock = threading.Lock()
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="status")
        self._reading: Future[Status] | None = None
        self._known: Status | None = None
        self._until = 0.0

    def get(self) -> Status:
        """The status at most `seconds` old, or where reading takes longer than `patience` the last one known."""
        with self._lock:
            known = self._known
            if known is not None and time.monotonic() < self._until:
                return known
            reading = self._reading = self._reading or self._reader.submit(self._refresh)
        if known is None:
            return reading.result()
        try:
            return reading.result(self._patience)
        except TimeoutError:
            return known

    def _refresh(self) -> Status:
        try:
            found = self._read()
            with self._lock:
                self._known, self._until = found, time.monotonic() + self._seconds
            return found
        finally:
            with self._lock:
                self._reading = None


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
