"""A service without tokens asks for one where kept pictures are concerned, as soon as there are any."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from pipeline.project.paths import Paths
from serving.assemble import assemble
from serving.http.auth import new_token
from tests.conftest import ROOT
from tests.serving.arms import polling
from tests.serving.site import form, running

KEEPING = {"subject": "ann", "keep_basis": "consent, form 7", "picture": "none"}


@pytest.fixture
def paths(tmp_path: Path, surroundings: Path) -> Paths:
    shutil.copy(ROOT / "params.yaml", tmp_path)
    return Paths(tmp_path)


@pytest.fixture
def client(paths: Paths) -> Iterator[httpx.Client]:
    """Without a token."""
    with (
        running(assemble(paths, polling(3600), open_to_all=True)) as url,
        httpx.Client(base_url=url, timeout=60) as made,
    ):
        yield made


def test_nobody_else_comes_in_through_a_proxy_on_this_machine(client: httpx.Client) -> None:
    """Such a proxy may call the service by a name of this machine, as nginx does unless told otherwise."""
    for caller, status in (("203.0.113.9", 403), ("2001:db8::1", 403), ("127.0.0.1", 200), ("::1", 200)):
        answer = client.get("/v1/reviews", headers={"X-Forwarded-For": caller})
        assert answer.status_code == status, caller


def test_kept_pictures_need_a_token(paths: Paths, client: httpx.Client) -> None:
    assert client.get("/v1/reviews").status_code == 200  # there is nothing to see
    assert client.delete("/v1/subjects/nobody").status_code == 200
    kept = client.post("/v1/restorations", files=form(), data=KEEPING).json()
    assert kept["kept"]
    pictures = f"/v1/restorations/{kept['request_id']}/pictures"
    review = f"/v1/restorations/{kept['request_id']}/review"
    for method, address in (
        ("GET", "/v1/reviews"), ("GET", pictures), ("POST", review), ("DELETE", "/v1/subjects/ann"),
    ):  # fmt: skip
        answer = client.request(method, address)
        assert (answer.status_code, answer.json()["code"]) == (401, "no_token"), address
    assert client.post("/v1/restorations", files=form(), data={"picture": "none"}).status_code == 200
    assert client.get(f"/v1/restorations/{kept['request_id']}").status_code == 200

    roles = {role: f"Bearer {new_token(paths, role, role, datetime.now(UTC))}" for role in ("restore", "admin")}
    assert client.get(pictures, headers={"Authorization": roles["restore"]}).status_code == 403
    admin = {"Authorization": roles["admin"]}
    assert client.get(pictures, headers=admin).status_code == 200
    assert client.get(pictures, headers=admin | {"Origin": "http://elsewhere"}).status_code == 403
    assert client.delete("/v1/subjects/ann", headers=admin).json() == {"deleted": 1}
    assert client.get("/v1/reviews").status_code == 200
