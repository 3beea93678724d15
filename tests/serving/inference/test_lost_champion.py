"""The champion's version is deleted in MLflow: what is loaded goes on serving, and people are told."""

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from models.errors import PromotionError
from monitoring.status.collect import collect_status
from pipeline.project.environment import environment
from pipeline.project.paths import Paths
from pipeline.registry.client import connect
from pipeline.registry.promotion import promote, rollback
from serving.assemble import assemble
from serving.http.auth import Guard
from tests.pipeline.registry.site import NAME
from tests.serving.arms import aliases, polling, store_of, two_versions, until, value, versions
from tests.serving.site import PARAMS, Shared, form, running

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning", "ignore::FutureWarning"),
]


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory, surroundings: Path) -> Paths:
    """Versions 1 and 2 were registered; MLflow's database after 1 was promoted, and after 2 was promoted as well."""
    paths = two_versions(tmp_path_factory.mktemp("registered"))
    for number in ("1", "2"):
        promote(paths, NAME, number)
        copy_database(paths.mlflow_database, paths.state / f"promoted-{number}.db")
    return paths


@pytest.fixture
def paths(registered: Paths) -> Paths:
    """Version 2 is champion and 1 was before it; nothing was served and nobody told yet."""
    return as_promoted(registered, "2")


def as_promoted(paths: Paths, number: str) -> Paths:
    """As it was when this version had been promoted last."""
    copy_database(paths.state / f"promoted-{number}.db", paths.mlflow_database)
    for file in (paths.served, paths.alerts, paths.state / "alerts-open.json"):
        file.unlink(missing_ok=True)
    return paths


def copy_database(source: Path, target: Path) -> None:
    """In place: MLflow keeps its connections open."""
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)


def alerts(paths: Paths) -> list[str]:
    if not paths.alerts.is_file():
        return []
    return [json.loads(line)["code"] for line in paths.alerts.read_text().splitlines()]


@pytest.fixture
def hidden_database(paths: Paths) -> Iterator[Callable[[], None]]:
    """Takes the database away until the test ends."""
    hidden = paths.state / "elsewhere"

    def hide() -> None:
        paths.mlflow_database.rename(hidden)

    yield hide
    if hidden.exists():
        hidden.rename(paths.mlflow_database)


@pytest.mark.parametrize("loss", ["version", "alias", "all versions", "model", "database"])
def test_no_loss_brings_back_another_model(paths: Paths, hidden_database: Callable[[], None], loss: str) -> None:
    store, _ = store_of(paths)
    before, client = store.arms, connect(paths)
    if loss == "alias":
        aliases(paths, champion=None)
    elif loss == "model":
        client.delete_registered_model(NAME)
    elif loss == "database":
        hidden_database()
    else:
        for number in ("2",) if loss == "version" else ("1", "2"):
            client.delete_model_version(NAME, number)
    for _ in range(3):
        store.poll()
    assert (store.arms, store.registry_up) == (before, False)
    restarted, _ = store_of(paths)  # from its copy
    assert (versions(restarted.arms), restarted.registry_up) == ([("champion", "2")], False)
    assert restarted.arms.champion.sha256 == before.champion.sha256
    assert alerts(paths) == ([] if loss == "database" else ["champion-lost"])
    status = collect_status(PARAMS, paths, now=datetime.now(UTC))
    assert (status.light, status.champion.version, status.champion.lost) == ("attention", "2", True)


def test_without_a_copy_a_start_says_what_is_lost(paths: Paths) -> None:
    store_of(paths)
    connect(paths).delete_model_version(NAME, "2")
    shutil.rmtree(environment().cache / "weights")
    with pytest.raises(PromotionError, match="'2', which does not exist"):
        store_of(paths)


def test_a_return_to_the_shipped_model_is_followed_because_it_is_recorded(registered: Paths) -> None:
    paths = as_promoted(registered, "1")
    aliases(paths, challenger=None)
    store, _ = store_of(paths)
    assert rollback(paths, NAME).champion == "shipped"
    store.poll()
    assert (versions(store.arms), store.registry_up) == ([("champion", "shipped")], True)
    connect(paths).delete_model_version(NAME, "1")
    store.poll()
    assert (versions(store.arms), store.registry_up) == ([("champion", "shipped")], True)
    assert alerts(paths) == []


def test_a_deleted_challenger_ends_its_test_and_nothing_else(registered: Paths) -> None:
    paths = as_promoted(registered, "1")
    store, _ = store_of(paths)
    assert versions(store.arms) == [("champion", "1"), ("challenger", "2")]
    connect(paths).delete_model_version(NAME, "2")
    store.poll()
    assert (versions(store.arms), store.registry_up) == ([("champion", "1")], True)
    assert alerts(paths) == []


def test_what_is_loaded_goes_on_and_people_are_told(paths: Paths) -> None:
    """Through a running service and its pages, until somebody chooses another champion."""
    service = assemble(paths, polling(0.05), open_to_all=True)
    try:
        with running(Shared.of(service, guard=Guard(None))) as url, httpx.Client(base_url=url, timeout=60) as client:
            connect(paths).delete_model_version(NAME, "2")
            until(lambda: alerts(paths) != [])
            answer = client.post("/v1/restorations", files=form(), data={"picture": "none"})
            assert (answer.status_code, answer.json()["model_version"]) == (200, "2")
            assert client.get("/readyz").json() | {"challenger": None} == {
                "ready": True, "champion": "2", "challenger": None, "registry_up": False, "storage_full": False,
            }  # fmt: skip
            status = client.get("/v1/status").json()
            champion = status["champion"]
            assert (status["light"], champion["version"], champion["lost"]) == ("attention", "2", True)
            assert "was deleted from the registry" in status["headline"][0]
            page = client.get("/status").text
            assert "likeness promote VERSION" in page
            assert "came with Likeness" not in page
            until(lambda: value(service.metrics, "likeness_registry_up") == 0)
            assert rollback(paths, NAME).champion == "1"
            until(lambda: service.models.arms.champion.version == "1")
            assert service.models.registry_up
    finally:
        service.close()
    assert alerts(paths) == ["champion-lost"]  # once, however often the registry is asked
