"""Tokens: what is stored, who may do what, and that a change is seen at once."""

import json
import re
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.operation.token import token_group
from models.errors import DataError
from pipeline.project.paths import Paths
from serving.http.auth import Role, TokenStore, new_token, read_tokens, revoke_token
from tests.serving.site import Site

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path)


def role_of(access: TokenStore, token: str) -> Role:
    holder = access.find(token)
    assert holder is not None
    assert holder.id == token.split("_")[1]
    return holder.role


def test_only_the_digest_is_stored(paths: Paths) -> None:
    token = new_token(paths, "review", "Ada", NOW)
    assert re.fullmatch(r"lk_[0-9a-f]{8}_[\w-]{43}", token)  # 43 characters of base64 are 256 bits
    stored = paths.tokens.read_text()
    assert token.split("_", 2)[2] not in stored
    assert stat.S_IMODE(paths.tokens.stat().st_mode) == 0o600
    (entry,) = json.loads(stored)
    assert (entry["name"], entry["role"], len(entry["sha256"])) == ("Ada", "review", 64)


def test_roles_of_tokens(paths: Paths) -> None:
    access = TokenStore(paths)
    roles: tuple[Role, ...] = ("restore", "review", "admin")
    tokens = {role: new_token(paths, role, role, NOW) for role in roles}
    assert {role: role_of(access, token) for role, token in tokens.items()} == {role: role for role in roles}
    other = tokens["admin"]
    for wrong in ("", "lk", "lk__", other[:-1], other + "x", other.replace("lk_", "xx_"), other.upper()):
        assert access.find(wrong) is None
    swapped = "_".join([*tokens["restore"].split("_", 2)[:2], other.split("_", 2)[2]])
    assert access.find(swapped) is None


def test_revoking_is_seen_at_once_and_stays_on_record(paths: Paths) -> None:
    access, token = TokenStore(paths), new_token(paths, "admin", "Bo", NOW)
    assert role_of(access, token) == "admin"
    identity = token.split("_")[1]
    assert revoke_token(paths, identity, NOW).revoked == NOW
    assert access.find(token) is None
    later = revoke_token(paths, identity, datetime(2027, 1, 1, tzinfo=UTC))
    assert later.revoked == NOW  # the first time counts
    assert [entry.id for entry in read_tokens(paths.tokens)] == [identity]


def test_unknown_ids_and_damaged_files_are_named(paths: Paths) -> None:
    with pytest.raises(DataError, match="'nobody'; `likeness token list`"):
        revoke_token(paths, "nobody", NOW)
    paths.tokens.write_text("[{}]")
    with pytest.raises(DataError, match=r"tokens at .*tokens\.json; got a damaged file"):
        TokenStore(paths).find("lk_a_b")


def test_the_command_prints_a_token_once(paths: Paths) -> None:
    def run(*arguments: str) -> str:
        result = CliRunner().invoke(token_group, [*arguments, "--root", str(paths.root)], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output.strip()

    token = run("new", "--role", "restore", "--name", "page")
    assert role_of(TokenStore(paths), token) == "restore"
    identity = token.split("_")[1]
    assert run("list").split() == [identity, "restore", f"{datetime.now(UTC):%Y-%m-%d}", "valid", "page"]
    assert "sha256" not in json.loads(run("list", "--json"))
    run("revoke", identity)
    assert "revoked" in run("list")
    assert TokenStore(paths).find(token) is None


@pytest.mark.parametrize(
    ("method", "path", "needed"),
    [
        ("GET", f"/v1/restorations/{'0' * 32}", "restore"),
        ("POST", "/v1/restorations", "restore"),
        ("POST", "/v1/masks", "restore"),
        ("POST", f"/v1/restorations/{'0' * 32}/feedback", "restore"),
        ("DELETE", "/v1/subjects/nobody", "admin"),
    ],
)
def test_each_address_asks_for_its_role(site: Site, method: str, path: str, needed: str) -> None:
    order = ["", "restore", "review", "admin"]
    for role in order:
        with site.client(role) as client:
            answer = client.request(method, path)
        if role == "":
            assert (answer.status_code, answer.json()["code"]) == (401, "no_token")
            assert answer.headers["www-authenticate"] == "Bearer"
        elif order.index(role) < order.index(needed):
            assert (answer.status_code, answer.json()["got"]) == (403, role)
        else:
            assert answer.status_code in {200, 404, 422}


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/"])
def test_what_machines_and_browsers_fetch_needs_no_token(site: Site, path: str) -> None:
    with site.client("") as client:
        assert client.get(path).status_code == 200


def test_a_revoked_token_is_refused_by_the_running_service(site: Site) -> None:
    token = new_token(site.paths, "restore", "short-lived", NOW)
    headers = {"Authorization": f"Bearer {token}"}
    with site.client("") as client:
        assert client.get(f"/v1/restorations/{'0' * 32}", headers=headers).status_code == 404
        revoke_token(site.paths, token.split("_")[1], NOW)
        assert client.get(f"/v1/restorations/{'0' * 32}", headers=headers).status_code == 401
