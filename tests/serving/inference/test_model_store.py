"""Models come and go with the aliases of a real registry; requests do not notice."""

import shutil
import threading
import time
from pathlib import Path

import httpx
import pytest

from models.errors import ServiceUnavailable
from monitoring.ab.assignment import arm_of
from monitoring.ab.experiment import experiment_id
from pipeline.project.environment import environment
from pipeline.project.paths import Paths
from pipeline.registry.client import connect
from pipeline.registry.promotion import promote
from serving.assemble import assemble
from serving.http.auth import Guard
from tests.pipeline.registry.site import NAME
from tests.serving.arms import aliases, anew, polling, store_of, two_versions, value, versions
from tests.serving.site import Shared, form, running

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning", "ignore::FutureWarning"),
]


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory, surroundings: Path) -> Paths:
    """A checkout whose real registry holds two versions that passed the gate."""
    return two_versions(tmp_path_factory.mktemp("registered"))


@pytest.fixture
def paths(registered: Paths) -> Paths:
    """The same with version 1 as champion and nothing served yet."""
    return anew(registered)


def test_arms_follow_the_aliases(paths: Paths) -> None:
    store, metrics = store_of(paths)
    assert versions(store.arms) == [("champion", "1")]
    aliases(paths, challenger="2")
    store.poll()
    both = store.arms
    assert versions(both) == [("champion", "1"), ("challenger", "2")]
    assert both.champion.sha256 == connect(paths).get_model_version(NAME, "1").tags["weights_sha256"]
    test = experiment_id("1", "2")
    for subject in map(str, range(40)):
        assert both.model_for(subject, 0.5).arm == arm_of(subject, test, 0.5)
    promote(paths, NAME, "challenger")
    store.poll()
    after = store.arms
    assert versions(after) == [("champion", "2")]
    assert both.challenger is not None
    assert after.champion.restorer is both.challenger.restorer  # it only changed places
    assert after.champion.promoted is not None
    assert after.model_for("anybody", 0.5) is after.champion
    assert value(metrics, "likeness_reloads_total", outcome="swapped") == 2
    assert value(metrics, "likeness_model_info", arm="champion", version="2") == 1
    assert value(metrics, "likeness_model_info", arm="champion", version="1") is None


@pytest.mark.parametrize(("tag", "content"), [("gate", "failed"), ("ab", "ended")])
def test_a_challenger_is_served_only_while_its_test_is_on(paths: Paths, tag: str, content: str) -> None:
    client = connect(paths)
    aliases(paths, challenger="2")
    before = client.get_model_version(NAME, "2").tags.get(tag, "")
    client.set_model_version_tag(NAME, "2", tag, content)
    store, _ = store_of(paths)
    assert versions(store.arms) == [("champion", "1")]
    client.set_model_version_tag(NAME, "2", tag, before)
    store.poll()
    assert versions(store.arms) == [("champion", "1"), ("challenger", "2")]


def test_a_registry_that_is_down_changes_nothing(paths: Paths, tmp_path: Path) -> None:
    store, metrics = store_of(paths)
    assert value(metrics, "likeness_registry_up") == 1
    store.poll()
    before = store.arms
    hidden = paths.mlflow_database.rename(tmp_path / "mlflow.db")
    store.poll()
    assert (store.arms, store.registry_up) == (before, False)
    assert value(metrics, "likeness_registry_up") == 0
    restarted, _ = store_of(paths)  # the machine was restarted meanwhile
    assert (versions(restarted.arms), restarted.registry_up) == ([("champion", "1")], False)
    assert restarted.arms.champion.sha256 == before.champion.sha256
    hidden.rename(paths.mlflow_database)
    restarted.poll()
    assert restarted.registry_up


def test_a_server_that_does_not_answer(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIKENESS_MLFLOW_URI", "http://127.0.0.1:1")
    with pytest.raises(ServiceUnavailable, match="start the server"):
        store_of(paths)  # nothing was served here before
    monkeypatch.delenv("LIKENESS_MLFLOW_URI")
    store_of(paths)
    monkeypatch.setenv("LIKENESS_MLFLOW_URI", "http://127.0.0.1:1")
    store, metrics = store_of(paths)
    assert versions(store.arms) == [("champion", "1")]
    assert value(metrics, "likeness_registry_up") == 0


def test_weights_that_are_not_those_on_record_never_serve(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    aliases(paths, challenger="2")
    store_of(paths)  # both are exported, if no other test did that
    aliases(paths, challenger=None)
    paths.served.unlink()
    shutil.copytree(environment().cache / "graphs", tmp_path / "graphs")  # without the weights themselves
    monkeypatch.setenv("LIKENESS_CACHE", str(tmp_path))
    store, metrics = store_of(paths)
    before = store.arms
    client = connect(paths)
    digest = client.get_model_version(NAME, "2").tags["weights_sha256"]
    client.set_model_version_tag(NAME, "2", "weights_sha256", "0" * 64)
    aliases(paths, champion="2")
    for _ in range(3):
        store.poll()
    assert store.arms is before
    assert value(metrics, "likeness_reloads_total", outcome="failed") == 1  # not at every poll
    client.set_model_version_tag(NAME, "2", "weights_sha256", digest)
    for _ in range(12):
        store.poll()
    assert versions(store.arms) == [("champion", "2")]


def test_reloading_drops_no_request(paths: Paths) -> None:
    """Clients hammer while the champion changes to and fro."""
    service = assemble(paths, polling(0.05), open_to_all=True)
    stop, seen, statuses = threading.Event(), set[str](), list[int]()
    files = form()

    def hammer(url: str) -> None:
        with httpx.Client(base_url=url, timeout=60) as client:
            while not stop.is_set():
                answer = client.post("/v1/restorations", files=files, data={"picture": "none"})
                statuses.append(answer.status_code)
                seen.add(answer.json()["model_version"])

    try:
        with running(Shared.of(service, guard=Guard(None))) as url:
            clients = [threading.Thread(target=hammer, args=(url,)) for _ in range(3)]
            for client in clients:
                client.start()
            for version in ("2", "1", "2"):
                before = len(statuses)
                aliases(paths, champion=version)
                deadline = time.monotonic() + 120
                while service.models.arms.champion.version != version or len(statuses) < before + 5:
                    assert time.monotonic() < deadline
                    time.sleep(0.02)
            stop.set()
            for client in clients:
                client.join()
    finally:
        stop.set()
        service.close()
    assert set(statuses) == {200}
    assert seen == {"1", "2"}
    assert service.metrics.registry.get_sample_value("likeness_reloads_total", {"outcome": "swapped"}) == 3
