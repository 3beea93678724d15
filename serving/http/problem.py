"""The exception that ends a request with a problem."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException


class HttpProblem(HTTPException):
    """End a request with a problem.

    Args:
        status: HTTP status.
        code: a word for programs.
        expected: what the service needed, as a noun phrase.
        got: what came instead.
        remedy: what the caller can do, as an imperative.
        headers: of the answer, in addition to the usual ones.
    """

    def __init__(
        self, status: int, code: str, expected: str, got: str, remedy: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, f"expected {expected}; got {got}; {remedy}", dict(headers or {}))
        self.code, self.expected, self.got, self.remedy = code, expected, got, remedy
