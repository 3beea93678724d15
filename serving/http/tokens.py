"""Access tokens with a role, of which only digests are stored.

A token is `lk_<id>_<secret>`. The secret is 256 random bits: there is no dictionary to try it against, so one SHA-256
without salt protects it at rest as well as a slow password hash would, at a microsecond per request.
"""

import hashlib
import hmac
import secrets
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Literal

from filelock import FileLock
from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter, ValidationError

from models.errors import DataError
from pipeline.project.paths import Paths

Role = Literal["restore", "review", "admin"]
ROLES: tuple[Role, ...] = ("restore", "review", "admin")
"""Each may do what those before it may."""

_PREFIX = "lk"


class StoredToken(BaseModel):
    """What is kept of a token; times are UTC."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    name: str
    role: Role
    sha256: str
    created: AwareDatetime
    revoked: AwareDatetime | None = None


_TOKENS = TypeAdapter(tuple[StoredToken, ...])
_NOBODY = hashlib.sha256(b"").hexdigest()


class Access:
    """The tokens of one installation; sees a change of the file at the next question. Thread-safe."""

    def __init__(self, paths: Paths) -> None:
        self._path, self._lock = paths.tokens, Lock()
        self._seen: tuple[int, int, int] | None = None
        self._tokens: dict[str, StoredToken] = {}

    def holder(self, token: str) -> StoredToken | None:
        """What is on record of a token; None for one that is malformed, unknown or revoked, all in about the same time.

        Raises:
            DataError: the file is damaged.
        """
        prefix, _, rest = token.partition("_")
        name, _, secret = rest.partition("_")
        found = self._current().get(name)
        alike = hmac.compare_digest(_digest(secret), _NOBODY if found is None else found.sha256)
        if found is None or prefix != _PREFIX or not alike or found.revoked is not None:
            return None
        return found

    def _current(self) -> dict[str, StoredToken]:
        stamp = _stamp(self._path)
        with self._lock:
            if stamp != self._seen:
                self._tokens, self._seen = {token.id: token for token in read_tokens(self._path)}, stamp
            return self._tokens


def new_token(paths: Paths, role: Role, name: str, now: datetime) -> str:
    """Make a token and store its digest; the token itself is returned here and never again."""
    identity, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    made = StoredToken(id=identity, name=name, role=role, sha256=_digest(secret), created=now)
    with _locked(paths):
        _write(paths.tokens, (*read_tokens(paths.tokens), made))
    return f"{_PREFIX}_{identity}_{secret}"


def revoke_token(paths: Paths, identity: str, now: datetime) -> StoredToken:
    """Take a token's rights away; it stays on record.

    Raises:
        DataError: there is no such token.
    """
    with _locked(paths):
        tokens = {token.id: token for token in read_tokens(paths.tokens)}
        if identity not in tokens:
            raise DataError("the id of a token", repr(identity), "`likeness token list` shows them")
        found = tokens[identity]
        tokens[identity] = found if found.revoked else found.model_copy(update={"revoked": now})
        _write(paths.tokens, tuple(tokens.values()))
    return tokens[identity]


def read_tokens(path: Path) -> tuple[StoredToken, ...]:
    """All tokens on record, oldest first; none where the file does not exist.

    Raises:
        DataError: the file is damaged.
    """
    if not path.is_file():
        return ()
    try:
        return _TOKENS.validate_json(path.read_bytes())
    except ValidationError as error:
        raise DataError(
            f"tokens at {path}", "a damaged file", "restore it, or delete it and make new tokens"
        ) from error


def _write(path: Path, tokens: tuple[StoredToken, ...]) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.touch(mode=0o600)
    temporary.write_bytes(_TOKENS.dump_json(tokens, indent=2))
    temporary.replace(path)


def _locked(paths: Paths) -> FileLock:
    paths.locks.mkdir(parents=True, exist_ok=True)
    paths.tokens.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(paths.locks / "tokens.lock")


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Changes whenever the file is written anew."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
