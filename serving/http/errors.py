"""Errors as callers see them: what was expected, what came, what to do; never a trace."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import Request

from models.errors import Busy, DataError, LikenessError, MaskError, ServiceUnavailable
from serving.http.request_id import headers_of, request_id
from serving.schemas.restorations import Problem

MEDIA_TYPE = "application/problem+json"
_STATUS: tuple[tuple[type[LikenessError], int, str], ...] = (
    (MaskError, 422, "bad_mask"),
    (DataError, 422, "bad_data"),
    (ServiceUnavailable, 503, "unavailable"),
    (Busy, 503, "busy"),
)
"""First match counts; any other error of ours is a fault of the service."""

_log = logging.getLogger("likeness.serving")


class Refused(HTTPException):
    """Ends a request with a problem.

    Args:
        status: HTTP status.
        code: a word for programs.
        expected: what the service needed, as a noun phrase.
        got: what came instead.
        remedy: what the caller can do, as an imperative.
        headers: of the answer, beside the usual ones.
    """

    def __init__(
        self, status: int, code: str, expected: str, got: str, remedy: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, f"expected {expected}; got {got}; {remedy}", dict(headers or {}))
        self.code, self.expected, self.got, self.remedy = code, expected, got, remedy


def install(app: FastAPI, count: Callable[[str], None]) -> None:
    """Make every error of the app a problem; `count` is told the code of each."""
    handlers: dict[type[Exception], Callable[[Request, Any], Refused]] = {
        HTTPException: _of_http,
        LikenessError: _of_likeness,
        RequestValidationError: _of_validation,
        Exception: _of_fault,
    }
    for kind, wording in handlers.items():
        app.add_exception_handler(kind, _handler(wording, count))


def _handler(
    wording: Callable[[Request, Any], Refused], count: Callable[[str], None]
) -> Callable[[Request, Exception], JSONResponse]:
    def handle(request: Request, error: Exception) -> JSONResponse:
        refused = wording(request, error)
        count(refused.code)
        return _answer(request, refused)

    return handle


def refused_by(error: LikenessError) -> Refused:
    """An error of ours as the caller sees it; of a fault of the service only that there was one."""
    for kind, status, code in _STATUS:
        if isinstance(error, kind):
            return Refused(status, code, error.expected, error.got, error.remedy)
    return _fault()


def _of_http(request: Request, error: HTTPException) -> Refused:
    if isinstance(error, Refused):
        return error
    known = {404: ("not_found", "an address of this service"), 405: ("method", "a method that this address knows")}
    code, expected = known.get(error.status_code, ("bad_request", "a request that can be read"))
    got = f"{request.method} {request.url.path}" if error.status_code in known else str(error.detail)
    return Refused(error.status_code, code, expected, got[:200], "see /docs", error.headers)


def _of_likeness(request: Request, error: LikenessError) -> Refused:
    refused = refused_by(error)
    if refused.status_code >= 500:
        _log.error("%s %s: %s", request_id(request.scope), type(error).__name__, error)
    return refused


def _of_validation(_: Request, error: RequestValidationError) -> Refused:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return Refused(422, "bad_request", f"a valid {place}", first["msg"], "see /docs")


def _of_fault(request: Request, _: Exception) -> Refused:
    """Starlette calls this outside all middleware, and raises again behind it: the trace is in the server's log."""
    return _fault(headers_of(request.scope))


def _fault(headers: Mapping[str, str] | None = None) -> Refused:
    remedy = "tell the operator of the service the request id"
    return Refused(500, "fault", "an outcome", "a fault of the service", remedy, headers)


def _answer(request: Request, refused: Refused) -> JSONResponse:
    problem = Problem(
        status=refused.status_code,
        code=refused.code,
        expected=refused.expected,
        got=refused.got,
        remedy=refused.remedy,
        request_id=request_id(request.scope),
    )
    return JSONResponse(problem.model_dump(), refused.status_code, refused.headers, MEDIA_TYPE)
