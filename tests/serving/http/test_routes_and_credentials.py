"""Every route with every credential, as `make hostile` asks them, of the small service."""

from datetime import UTC, datetime
from pathlib import Path

import psutil

from scripts.benchmarks.service.served_workspace import Served
from scripts.hostile.credentials_attack import credentials, routes, try_routes
from scripts.hostile.victim import Victim
from serving.http.auth import new_token, revoke_token
from tests.serving.site import Site


def test_nobody_gets_further_than_their_role(site: Site, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    revoked = new_token(site.paths, "admin", "revoked", now)
    revoke_token(site.paths, revoked.split("_")[1], now)
    victim = Victim(
        Served(site.url, psutil.Process(), site.paths), site.tokens | {"revoked": revoked}, tmp_path / "log"
    )
    found = try_routes(victim, tmp_path)
    assert found.misses == ()
    with site.client("") as client:
        asked = routes(client.get("/openapi.json").json())
    assert {needed for _, path, needed in asked if path.startswith("/v1/")} == {"", "restore", "review", "admin"}
    assert found.observed == f"0 / {len(asked) * len(credentials(victim, site.paths))}"
