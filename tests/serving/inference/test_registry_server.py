"""The registry is a server of its own: models come over HTTP, and it may hang, die and come back."""

import shutil
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import torch

from models.diffusion.restorer import save_denoiser
from models.diffusion.settings import Sampling
from models.errors import ServiceUnavailable
from models.weight_files import weights_sha256
from monitoring.log.production_log import open_log
from pipeline.project.environment import environment
from pipeline.project.paths import Paths
from pipeline.registry.client import connect
from pipeline.registry.register import register
from serving.assemble import assemble
from serving.http.auth import Guard, new_token, revoke_token
from serving.inference import model_store
from serving.inference.desired_versions import Registry
from serving.service import Service
from tests.conftest import ROOT
from tests.models.diffusion.parts import small
from tests.pipeline.registry.site import NAME, lay_reports
from tests.serving.arms import aliases, anew, polling, store_of, until, value, versions
from tests.serving.mlflow_server import MlflowServer
from tests.serving.site import PARAMS, Shared, form, running

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning", "ignore::FutureWarning"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    made = MlflowServer(tmp_path_factory.mktemp("mlflow"))
    made.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIKENESS_MLFLOW_URI", made.url)
        yield made
    made.kill()


@pytest.fixture(scope="module")
def registered(server: MlflowServer, surroundings: Path, tmp_path_factory: pytest.TempPathFactory) -> Paths:
    """A checkout that registered two versions over HTTP and holds nothing of them itself."""
    paths = Paths(tmp_path_factory.mktemp("remote"))
    shutil.copy(ROOT / "params.yaml", paths.root)
    for seed in (1, 2):  # small denoisers: no graph need be exported
        denoiser = small()
        torch.nn.init.normal_(next(denoiser.parameters()), std=0.1, generator=torch.Generator().manual_seed(seed))
        paths.training.mkdir(parents=True, exist_ok=True)
        save_denoiser(denoiser, paths.trained_weights, 128, Sampling(levels=2, steps=1, samples=0))
        lay_reports(paths)
        register(paths=paths, params=PARAMS)
    shutil.rmtree(paths.training)
    assert not paths.mlflow_database.exists()
    return paths


@pytest.fixture
def paths(registered: Paths) -> Paths:
    return anew(registered)


def test_models_follow_a_server_that_hangs_dies_and_comes_back(
    server: MlflowServer, paths: Paths, service: Service
) -> None:
    store, metrics = store_of(paths, polling(0.05))
    digests = {number: connect(paths).get_model_version(NAME, number).tags["weights_sha256"] for number in ("1", "2")}
    assert (versions(store.arms), store.arms.champion.sha256) == ([("champion", "1")], digests["1"])
    assert weights_sha256(environment().cache / "weights" / f"{digests['1']}.safetensors") == digests["1"]
    store.start()
    aliases(paths, champion="2")
    until(lambda: store.arms.champion.version == "2")
    assert store.arms.champion.sha256 == digests["2"]

    with running(Shared.of(service, models=store, guard=Guard(None))) as url, httpx.Client(base_url=url) as client:
        server.signal(signal.SIGSTOP)
        time.sleep(0.3)  # the polling thread has asked by now, and waits
        begun = time.monotonic()
        answer = client.post("/v1/restorations", files=form(), data={"picture": "none"}, timeout=25)
        assert (answer.status_code, answer.json()["model_version"]) == (200, "2")
        assert client.get("/readyz").json()["registry_up"]  # MLflow's own client is still waiting for its 30 s
        assert time.monotonic() - begun < 25
        server.kill()
        until(lambda: not store.registry_up)
        assert value(metrics, "likeness_registry_up") == 0
        assert client.post("/v1/restorations", files=form(), data={"picture": "none"}, timeout=25).status_code == 200

    begun = time.monotonic()
    restarted, _ = store_of(paths)  # the machine was restarted meanwhile
    assert (versions(restarted.arms), restarted.registry_up) == ([("champion", "2")], False)
    assert restarted.arms.champion.sha256 == digests["2"]
    assert time.monotonic() - begun < 15

    server.start()
    until(lambda: store.registry_up)
    aliases(paths, champion="1")
    until(lambda: store.arms.champion.version == "1")
    assert value(metrics, "likeness_registry_up") == 1
    until(lambda: value(metrics, "likeness_reloads_total", outcome="swapped") == 2)  # counted just after the swap
    assert value(metrics, "likeness_reloads_total", outcome="failed") is None
    store.close()


def test_the_end_does_not_wait_for_a_server_that_hangs(
    server: MlflowServer, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_store, "_CLOSE_SECONDS", 0.2)
    store, _ = store_of(paths, polling(0.01))
    server.signal(signal.SIGSTOP)
    try:
        store.start()
        time.sleep(0.2)
        begun = time.monotonic()
        store.close()
        assert time.monotonic() - begun < 10
        assert store._thread.is_alive()  # still waiting; the process may end without it
    finally:
        server.signal(signal.SIGCONT)
    until(lambda: not store._thread.is_alive())


def test_a_server_over_another_database_brings_back_nothing_old(paths: Paths) -> None:
    store, metrics = store_of(paths)
    client = connect(paths)
    for alias in ("champion", "previous", "challenger"):
        client.delete_registered_model_alias(NAME, alias)
    for _ in range(2):
        store.poll()
        assert (versions(store.arms), store.registry_up) == ([("champion", "1")], False)
    assert value(metrics, "likeness_reloads_total", outcome="swapped") is None
    restarted, _ = store_of(paths)
    assert versions(restarted.arms) == [("champion", "1")]
    aliases(paths, previous="1")  # a rollback to the model that ships
    restarted.poll()
    assert versions(restarted.arms) == [("champion", "shipped")]


def test_whatever_befalls_the_polling_thread_it_lives(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    store, metrics = store_of(paths, polling(0.01))
    asked = threading.Event()

    def desired_versions(_: object) -> None:
        asked.set()
        raise RuntimeError("an answer that nobody expected")

    with monkeypatch.context() as patch:
        patch.setattr(Registry, "desired_versions", desired_versions)
        store.start()
        assert asked.wait(120)
    aliases(paths, champion="2")
    until(lambda: store.arms.champion.version == "2")
    failed = value(metrics, "likeness_reloads_total", outcome="failed")
    assert failed is not None
    assert failed >= 1
    store.close()


def test_a_full_disk_swaps_nothing_and_is_tried_again(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    store, metrics = store_of(paths)
    aliases(paths, champion="2")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(model_store, "write_served", full)
        for _ in range(3):
            store.poll()
    assert versions(store.arms) == [("champion", "1")]
    assert value(metrics, "likeness_reloads_total", outcome="failed") == 1
    for _ in range(12):
        store.poll()
    assert versions(store.arms) == [("champion", "2")]


def test_the_server_goes_between_two_questions(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    store, metrics = store_of(paths)
    aliases(paths, champion="2")

    def gone(*_: object) -> None:
        raise ServiceUnavailable("MLflow", "no answer", "start the server")

    with monkeypatch.context() as patch:
        patch.setattr(model_store, "resolve_weights", gone)
        store.poll()
    assert (versions(store.arms), store.registry_up) == ([("champion", "1")], False)
    store.poll()  # not only after a minute
    assert (versions(store.arms), store.registry_up) == ([("champion", "2")], True)
    assert value(metrics, "likeness_reloads_total", outcome="failed") is None


def test_two_services_share_one_state_folder(paths: Paths) -> None:
    """One log, one set of tokens, one memory of people, and both follow an alias."""
    pair = [assemble(paths, polling(0.05)) for _ in range(2)]
    token = new_token(paths, "admin", "ops", datetime.now(UTC))
    keeping = {"subject": "ann", "keep_basis": "consent", "picture": "none"}
    with ExitStack() as running_both:
        urls = [running_both.enter_context(running(Shared.of(service))) for service in pair]
        clients = [httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60) for url in urls]
        one, other = (running_both.enter_context(client) for client in clients)
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda c: c.post("/v1/restorations", files=form(), data=keeping), clients * 2))
        assert [(answer.status_code, answer.json()["kept"]) for answer in answers] == [(200, True)] * 4
        aliases(paths, champion="2")
        until(lambda: all(service.models.arms.champion.version == "2" for service in pair))
        assert one.get(f"/v1/restorations/{answers[1].json()['request_id']}").status_code == 200  # the other's
        assert other.delete("/v1/subjects/ann").json() == {"deleted": 4}
        assert not list(paths.kept.rglob("*.png"))
        last = one.post("/v1/restorations", files=form(), data=keeping | {"keep_basis": ""}).json()
        revoke_token(paths, token.split("_")[1], datetime.now(UTC))
        assert [client.get("/v1/restorations/" + last["request_id"]).status_code for client in clients] == [401, 401]
    for service in pair:
        service.close()
    with open_log(paths) as log:
        rows = log.after(0)
        assert log.verify().whole
    assert list(rows["model_version"]) == ["1"] * 4 + ["2"]
    assert rows["subject"].nunique() == 2  # who comes again after the deletion is somebody new
