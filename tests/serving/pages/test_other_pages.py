"""The pages of MLflow, Evidently, Prefect and Great Expectations, each from a real server, in a real browser.

Those of MLflow and Evidently also behind nginx: a server that is up is asked in every shape that it knows.
"""

import os
import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest

from flows.local.services import Part, child_environment, parts
from pipeline.config.load import load_params
from pipeline.project.paths import Paths
from pipeline.validate import validate
from tests import leash
from tests.conftest import ROOT
from tests.nginx import PASSWORD, USER, nginx
from tests.pipeline.test_validate import good, lay_out

if TYPE_CHECKING:
    from playwright.sync_api import HttpCredentials

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:great_expectations"),
    pytest.mark.filterwarnings("ignore:module 'sre_constants':DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:great_expectations"),
]


MARKERS = {"mlflow": "Experiments", "drift": "Project", "prefect": "Dashboard"}
PUBLIC = {
    "MLFLOW_SERVER_ALLOWED_HOSTS": "mlflow.localhost:*,tools.localhost:*,127.0.0.1:*",
    "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS": "https://mlflow.localhost,https://tools.localhost",
}
"""What docs/proxy.md tells to set for both shapes."""


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    monkeypatch.delenv("LIKENESS_MLFLOW_URI", raising=False)
    return make_place(tmp_path)


def make_place(folder: Path) -> Paths:
    made = Paths(folder)
    for own in (made.evidently_workspace, made.prefect_home):
        own.mkdir(parents=True)
    (folder / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    return made


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Name and address of one of the servers, running."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("LIKENESS_MLFLOW_URI", raising=False)
        made, port = make_place(tmp_path_factory.mktemp("place")), four_free_ports()
        part = next(part for part in parts(made, port) if part.name == request.param)
        with running(part, made, port) as url:
            yield request.param, url


def four_free_ports() -> int:
    """A port that is free with the three after it, as `likeness up` needs them."""
    for _ in range(50):
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
        try:
            for offset in range(4):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port + offset))
        except OSError:
            continue
        return port
    pytest.fail("no four free ports in a row")


@contextmanager
def running(part: Part, paths: Paths, port: int) -> Iterator[str]:
    """The server as `likeness up` starts it, answering."""
    environment = os.environ | child_environment(paths, port) | {"DO_NOT_TRACK": "true"} | PUBLIC
    process = leash.start(part.command, environment)
    try:
        deadline = time.monotonic() + 300
        while not _there(part.url + part.ready):
            assert process.poll() is None, part.command
            assert time.monotonic() < deadline, part.command
            time.sleep(0.5)
        yield part.url
    finally:
        leash.end(process)


def _there(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=3).close()
    except OSError:
        return False
    return True


def own_troubles(browser: Any, url: str, marker: str) -> list[str]:
    """Open a page, wait for its words, and give what went wrong at its own origin: hosts elsewhere are out of reach."""
    own = urlsplit(url).netloc
    troubles: list[str] = []
    credentials: HttpCredentials = {"username": USER, "password": PASSWORD}
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, ignore_https_errors=True, http_credentials=credentials
    )
    page = context.new_page()
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("response", lambda r: troubles.append(f"{r.status} {r.url}") if own in r.url and r.status >= 500 else None)
    page.goto(url, wait_until="domcontentloaded", timeout=120_000)
    page.get_by_text(marker).first.wait_for(timeout=120_000)
    assert len(page.screenshot()) > 5_000
    context.close()
    return troubles


@pytest.mark.parametrize("server", ["mlflow", "drift", "prefect"], indirect=True)
def test_a_server_s_page_loads(browser: Any, server: tuple[str, str]) -> None:
    name, url = server
    assert own_troubles(browser, url, MARKERS[name]) == []


@pytest.mark.parametrize("server", ["mlflow", "drift"], indirect=True)
@pytest.mark.parametrize("shape", ["hosts", "paths"])
def test_a_server_s_page_loads_behind_nginx(browser: Any, server: tuple[str, str], shape: str, tmp_path: Path) -> None:
    name, url = server
    host = name if shape == "hosts" else "tools"
    root = "/mlflow/" if (name, shape) == ("mlflow", "paths") else "/"
    with nginx(shape, {name: url}, tmp_path) as front:
        assert own_troubles(browser, front.url(host, root), MARKERS[name]) == []
        with front.client(host) as client:
            assert client.get(root).status_code == 401
            create, operator = f"{root}api/2.0/mlflow/experiments/create", httpx.BasicAuth(USER, PASSWORD)
            for origin, status in ((f"https://{host}.localhost", 200), ("https://elsewhere.example", 403)):
                if name == "mlflow":
                    asked, said = {"name": f"{shape} {status}"}, {"Origin": origin}
                    assert client.post(create, json=asked, headers=said, auth=operator).status_code == status
            if shape == "paths":
                assert client.get("/drift/", auth=operator).headers["location"] == "/"


def test_data_docs_load(browser: Any, paths: Paths) -> None:
    """Its styles come from elsewhere; without them the page is plain, and says the same."""
    lay_out(paths, good())
    validate(validate=load_params(paths.params).validate_, paths=paths)
    page = browser.new_context().new_page()
    for name, words in (("index.html", "Data Docs"), (_first_validation(paths), "Overview")):
        page.goto((paths.validation_docs / name).as_uri(), wait_until="domcontentloaded")
        assert words in page.inner_text("body")
        assert len(page.screenshot()) > 5_000
    page.context.close()


def _first_validation(paths: Paths) -> str:
    return str(next(paths.validation_docs.glob("validations/**/*.html")).relative_to(paths.validation_docs))
