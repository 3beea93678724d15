"""Turn errors into answers: what was expected, what came and what to do; never a stack trace."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import Request

from models.errors import (
    Busy,
    DataError,
    LikenessError,
    MaskError,
    ServiceUnavailable,
    Stopped,
    StorageError,
    StorageFull,
    StoreRefused,
)
from pipeline.project.storage import is_full, storage_full
from serving.http.connection import headers_of, request_id
from serving.http.problem import HttpProblem
from serving.schemas.restorations import Problem

MEDIA_TYPE = "application/problem+json"
_STATUS: tuple[tuple[type[LikenessError], int, str], ...] = (
    (MaskError, 422, "bad_mask"),
    (DataError, 422, "bad_data"),
    (ServiceUnavailable, 503, "unavailable"),
    (Busy, 503, "busy"),
    (Stopped, 503, "too_late"),
)
"""The first match counts; any other error of the project is a fault of the service."""
_STORAGE: tuple[tuple[type[StorageError], HttpProblem], ...] = (
    (
        StorageFull,
        HttpProblem(
            507, "storage_full", "room on the disk of the service", "none left",
            "tell the operator of the service to free space, then send it again; nothing of this request is stored",
        ),
    ),
    (
        StoreRefused,
        HttpProblem(
            503, "store_refused", "a store of pictures that can be used", "a refusal",
            "tell the operator of the service the request id, or send it without `keep_basis`",
        ),
    ),
    (
        StorageError,
        HttpProblem(
            503, "storage", "storage of the service that can be used", "an error of it",
            "tell the operator of the service the request id, and try again later",
        ),
    ),
)  # fmt: skip
"""What a caller is told of the service's own files and databases: no path, and no advice that is the operator's."""
STORAGE_CODES = frozenset({"storage_full", "storage"})
"""Codes after which no request can be written down: the service is not ready."""

_log = logging.getLogger("likeness.serving")


def install(app: FastAPI, count: Callable[[str], None]) -> None:
    """Answer every error of the app with a problem; `count` is called with the code of each."""
    handlers: dict[type[Exception], Callable[[Request, Any], HttpProblem]] = {
        HTTPException: _of_http,
        LikenessError: _of_likeness,
        OSError: _of_system,
        RequestValidationError: _of_validation,
        Exception: _of_fault,
    }
    for kind, wording in handlers.items():
        app.add_exception_handler(kind, _handler(wording, count))


def _handler(
    wording: Callable[[Request, Any], HttpProblem], count: Callable[[str], None]
) -> Callable[[Request, Exception], JSONResponse]:
    def handle(request: Request, error: Exception) -> JSONResponse:
        return refuse(count, request, wording(request, error))

    return handle


def refuse(count: Callable[[str], None], request: Request, refused: HttpProblem) -> JSONResponse:
    """Answer with a problem and count it."""
    count(refused.code)
    return _answer(request, refused)


def problem_for(error: LikenessError) -> HttpProblem:
    """Make the answer to an error of the project; a fault of the service shows no details."""
    for own, problem in _STORAGE:
        if isinstance(error, own):
            return problem
    for kind, status, code in _STATUS:
        if isinstance(error, kind):
            return HttpProblem(status, code, error.expected, error.got, error.remedy)
    return _fault()


def _of_http(request: Request, error: HTTPException) -> HttpProblem:
    if isinstance(error, HttpProblem):
        return error
    known = {404: ("not_found", "an address of this service"), 405: ("method", "a method that this address knows")}
    code, expected = known.get(error.status_code, ("bad_request", "a request that can be read"))
    got = f"{request.method} {request.scope['path']}" if error.status_code in known else str(error.detail)
    return HttpProblem(error.status_code, code, expected, got[:200], "see /docs", error.headers)


def _of_likeness(request: Request, error: LikenessError) -> HttpProblem:
    refused = problem_for(error)
    if refused.status_code >= 500:
        _log.error("%s %s: %s", request_id(request.scope), type(error).__name__, error)
    return refused


def _of_system(request: Request, error: OSError) -> HttpProblem:
    """Answer an error of the operating system that says that there is no room; any other one is a fault."""
    if not is_full(error):
        raise error
    return _of_likeness(request, storage_full("what a request leaves behind", error))


def _of_validation(_: Request, error: RequestValidationError) -> HttpProblem:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return HttpProblem(422, "bad_request", f"a valid {place}", first["msg"], "see /docs")


def _of_fault(request: Request, _: Exception) -> HttpProblem:
    """Describe a fault. Starlette calls this outside all middleware, then raises the error again to log it."""
    return _fault(headers_of(request.scope))


def _fault(headers: Mapping[str, str] | None = None) -> HttpProblem:
    remedy = "tell the operator of the service the request id"
    return HttpProblem(500, "fault", "an outcome", "a fault of the service", remedy, headers)


def _answer(request: Request, refused: HttpProblem) -> JSONResponse:
    problem = Problem(
        status=refused.status_code,
        code=refused.code,
        expected=refused.expected,
        got=refused.got,
        remedy=refused.remedy,
        request_id=request_id(request.scope),
    )
    return JSONResponse(problem.model_dump(), refused.status_code, refused.headers, MEDIA_TYPE)
