"""Authenticate each request by its token; or, on this machine only, admit everybody."""

from collections.abc import Callable
from urllib.parse import urlsplit

from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from serving.http.errors import Refused
from serving.http.tokens import ROLES, Access, Role

OPEN = "open"
"""Stands for the id of a token where none is asked for."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_bearer = HTTPBearer(auto_error=False, description="A token of `likeness token new`")


class Guard:
    """Who may do what. `access` None: the service is open, and reachable from this machine only."""

    def __init__(self, access: Access | None) -> None:
        self._access = access

    def needs(self, role: Role) -> Callable[..., str]:
        """A dependency that lets through who has `role` or more; its value is the token's id, `open` without tokens.

        The dependency raises Refused: no valid token (401), one with a lesser role (403), or, in an open service, a
        page of another site that tries to use the visitor's browser (403).
        """

        def check(
            request: Request,
            given: HTTPAuthorizationCredentials | None = Security(_bearer),  # noqa: B008 - FastAPI's way
        ) -> str:
            if self._access is None:
                _check_same_site(request)
                return OPEN
            found = None if given is None else self._access.holder(given.credentials)
            if found is None:
                remedy = "send Authorization: Bearer with a token of `likeness token new`"
                got = "none" if given is None else "one that is unknown or revoked"
                raise Refused(401, "no_token", "a token", got, remedy, {"WWW-Authenticate": "Bearer"})
            if ROLES.index(found.role) < ROLES.index(role):
                raise Refused(403, "role", f"a token with the role {role}", found.role, "ask the service's operator")
            return found.id

        return check


def _check_same_site(request: Request) -> None:
    """Browsers tell where a page comes from; names that merely resolve to this machine are strangers too."""
    host, origin = urlsplit(f"//{request.headers.get('host', '')}").hostname, request.headers.get("origin")
    if host not in LOOPBACK or (origin is not None and urlsplit(origin).hostname not in LOOPBACK):
        expected = "a request of a page of this service"
        raise Refused(403, "site", expected, f"host {host}, origin {origin}", "open the service by its own address")
