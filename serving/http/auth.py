"""Authenticate each request by its token; or, on this machine only, admit everybody to what concerns no kept picture.

A token is `lk_<id>_<secret>`. The secret is 256 random bits: there is no dictionary to try it against, so one SHA-256
without salt protects it at rest as well as a slow password hash would, at a microsecond per request. Only digests are
stored.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Literal

from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from filelock import FileLock
from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter, ValidationError

from models.errors import DataError, StorageError
from pipeline.project.paths import Paths
from serving.http.problem import HttpProblem
from serving.http.same_site import is_here, is_same_site

Role = Literal["restore", "review", "admin"]
ROLES: tuple[Role, ...] = ("restore", "review", "admin")
"""Each role includes the ones before it."""

OPEN = "open"
"""Replaces the id of a token in a service without tokens."""
_PREFIX = "lk"
_bearer = HTTPBearer(auto_error=False, description="A token of `likeness token new`")


class Guard:
    """Check the role of each caller.

    Args:
        tokens: the tokens that count; None: the service is open, and reachable from this machine only.
        keeps: of an open service with `tokens`: tells whether pictures of people are kept. From then on looking at
            them and deleting them needs a token, as everybody on this machine reaches the service.
    """

    def __init__(self, tokens: "TokenStore | None", keeps: Callable[[], bool] | None = None) -> None:
        self._tokens, self._keeps = tokens, keeps

    def require(self, role: Role) -> Callable[..., str]:
        """Make a dependency that admits callers with `role` or more; it gives the token's id, `open` without tokens.

        The dependency raises HttpProblem: no valid token (401), a token with a lesser role (403), or, in an open
        service, a page of another site that sends requests through the visitor's browser (403).
        """

        def check(
            request: Request,
            given: HTTPAuthorizationCredentials | None = Security(_bearer),  # noqa: B008 - FastAPI's way
        ) -> str:
            if self._tokens is None or self._keeps is not None:
                _check_same_site(request)
            if self._tokens is None or self._is_open(role):
                return OPEN
            token = None if given is None else self._tokens.find(given.credentials)
            if token is None:
                remedy = "send Authorization: Bearer with a token of `likeness token new`"
                got = "none" if given is None else "one that is unknown or revoked"
                raise HttpProblem(401, "no_token", "a token", got, remedy, {"WWW-Authenticate": "Bearer"})
            if ROLES.index(token.role) < ROLES.index(role):
                raise HttpProblem(
                    403, "role", f"a token with the role {role}", token.role, "ask the service's operator"
                )
            return token.id

        return check

    def _is_open(self, role: Role) -> bool:
        return self._keeps is not None and (role == "restore" or not self._keeps())


def _check_same_site(request: Request) -> None:
    """Refuse pages of other sites, which browsers name in `Origin`, and host names that merely resolve to here.

    A proxy may call the service by a name of this machine: the client that it names must be here, too.
    """
    host, origins = request.headers.get("host", ""), request.headers.getlist("origin")
    client = "" if request.client is None else request.client.host
    if not is_same_site(host, origins) or not is_here(client):
        expected = "a request of a page of this service, from this machine"
        got = f"host {host[:100]}, origin {', '.join(origins)[:100] or None}, from {client[:100] or None}"
        raise HttpProblem(403, "site", expected, got, "open the service by its own address")


class StoredToken(BaseModel):
    """The record of a token; times are UTC."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    name: str
    role: Role
    sha256: str
    created: AwareDatetime
    revoked: AwareDatetime | None = None


_TOKENS = TypeAdapter(tuple[StoredToken, ...])
_NOBODY = StoredToken(
    id="",
    name="",
    role="restore",
    sha256=hashlib.sha256(b"").hexdigest(),
    created=datetime.min.replace(tzinfo=UTC),
    revoked=datetime.min.replace(tzinfo=UTC),
)
"""Stands for the record of an unknown token."""


class TokenStore:
    """The tokens of one installation; a change of the file takes effect at the next request. Thread-safe."""

    def __init__(self, paths: Paths) -> None:
        self._path, self._lock = paths.tokens, Lock()
        self._stamp: tuple[int, int, int] | None = None
        self._tokens: dict[str, StoredToken] = {}

    def find(self, token: str) -> StoredToken | None:
        """Find a valid token's record; None for a malformed, unknown or revoked one, all in about the same time.

        Raises:
            StorageError: the file is damaged.
        """
        prefix, _, rest = token.partition("_")
        name, _, secret = rest.partition("_")
        record = self._current().get(name, _NOBODY)
        alike = hmac.compare_digest(_digest(secret), record.sha256)
        # all four are always asked: a token that is wrong takes as long whatever is wrong about it
        valid = alike & (prefix == _PREFIX) & (record.revoked is None) & (record is not _NOBODY)
        return record if valid else None

    def _current(self) -> dict[str, StoredToken]:
        stamp = _stamp(self._path)
        with self._lock:
            if stamp != self._stamp:
                self._tokens, self._stamp = {token.id: token for token in read_tokens(self._path)}, stamp
            return self._tokens


def new_token(paths: Paths, role: Role, name: str, now: datetime) -> str:
    """Make a token and store its digest; the token itself is returned here and never again."""
    identity, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    made = StoredToken(id=identity, name=name, role=role, sha256=_digest(secret), created=now)
    with _locked(paths):
        _write(paths.tokens, (*read_tokens(paths.tokens), made))
    return f"{_PREFIX}_{identity}_{secret}"


def revoke_token(paths: Paths, identity: str, now: datetime) -> StoredToken:
    """Revoke a token; its record stays.

    Raises:
        DataError: there is no such token.
    """
    with _locked(paths):
        tokens = {token.id: token for token in read_tokens(paths.tokens)}
        if identity not in tokens:
            raise DataError("the id of a token", repr(identity), "`likeness token list` shows them")
        record = tokens[identity]
        tokens[identity] = record if record.revoked else record.model_copy(update={"revoked": now})
        _write(paths.tokens, tuple(tokens.values()))
    return tokens[identity]


def read_tokens(path: Path) -> tuple[StoredToken, ...]:
    """Read all records, oldest first; none where the file does not exist.

    Raises:
        StorageError: the file is damaged.
    """
    if not path.is_file():
        return ()
    try:
        return _TOKENS.validate_json(path.read_bytes())
    except ValidationError as error:
        raise StorageError(
            f"tokens at {path}", "a damaged file", "restore it, or delete it and make new tokens"
        ) from error


def _write(path: Path, tokens: tuple[StoredToken, ...]) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.touch(mode=0o600)
    temporary.write_bytes(_TOKENS.dump_json(tokens, indent=2))
    temporary.replace(path)


def _locked(paths: Paths) -> FileLock:
    paths.service_locks.mkdir(parents=True, exist_ok=True)
    return FileLock(paths.service_locks / "tokens.lock")


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Identify the version of the file: it changes whenever the file is written."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
