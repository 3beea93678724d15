"""Read a JSON body of a few kilobytes; like all bodies it is counted while it is read."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from serving.http.problem import HttpProblem

Given = TypeVar("Given", bound=BaseModel)


async def read_json(
    request: Request, shape: type[Given], name: str, max_bytes: int, place: Callable[[], AbstractContextManager[None]]
) -> Given:
    """Read and parse a JSON body after the token was checked, which FastAPI's parameters would not guarantee.

    Args:
        request: whose body it is.
        shape: that it must have.
        name: what it is, for the error.
        max_bytes: of the body, declared or chunked.
        place: makes the place that is held while it is read.

    Raises:
        HttpProblem: it is too large (413), there is no place (429), or it does not have this shape (422).
    """
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > max_bytes:
        raise _too_large(max_bytes, f"{declared} bytes")
    body = bytearray()
    with place():
        async for piece in request.stream():
            body += piece
            if len(body) > max_bytes:
                raise _too_large(max_bytes, "more")
    try:
        return shape.model_validate_json(bytes(body))
    except ValidationError as error:
        got = error.errors(include_url=False, include_input=False)[0]["msg"]
        raise HttpProblem(422, "bad_request", f"{name} as JSON", got, "see /docs") from error


def _too_large(max_bytes: int, got: str) -> HttpProblem:
    closed = {"Connection": "close"}  # nothing more of the body is read
    return HttpProblem(413, "too_large", f"at most {max_bytes} bytes of JSON", got, "see /docs", closed)
