"""The status page over HTTP: `/status` for people, `/v1/status` for programs."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from monitoring.status.collect import collect_status
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
    """Cache the status, which one thread reads at most every few seconds.

    While reading takes long, as it does when the registry hangs, callers get the previous status.
    """

    def __init__(self, read: Callable[[], Status], seconds: float = FRESH_SECONDS, patience: float = PATIENCE) -> None:
        self._read, self._seconds, self._patience = read, seconds, patience
        self._lock = threading.Lock()
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="status")
        self._reading: Future[Status] | None = None
        self._known: Status | None = None
        self._until = 0.0

    def get(self) -> Status:
        """Give the status, at most `seconds` old; if reading takes longer than `patience`, the previous one."""
        with self._lock:
            status = self._known
            if status is not None and time.monotonic() < self._until:
                return status
            reading = self._reading = self._reading or self._reader.submit(self._refresh)
        if status is None:
            return reading.result()
        try:
            return reading.result(self._patience)
        except TimeoutError:
            return status

    def _refresh(self) -> Status:
        try:
            status = self._read()
            with self._lock:
                self._known, self._until = status, time.monotonic() + self._seconds
            return status
        finally:
            with self._lock:
                self._reading = None


def status_router(paths: Paths, storage_full: Callable[[], bool]) -> APIRouter:
    """Make the routes of the status page.

    Args:
        paths: the checkout; its params.yaml is read each time.
        storage_full: whether the service cannot write requests down.
    """

    def read() -> Status:
        return collect_status(load_params(paths.params), paths, now=datetime.now(UTC), storage_full=storage_full())

    latest = Latest(read)
    router = APIRouter(tags=["status"])

    @router.get("/status", response_class=HTMLResponse, summary="The status page")
    def page() -> HTMLResponse:
        return HTMLResponse(render(latest.get()), headers=_HEADERS)

    @router.get("/v1/status", summary="What the status page shows, as JSON")
    def figures() -> Status:
        return latest.get()

    return router
