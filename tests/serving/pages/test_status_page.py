"""The status page: its words and charts, over HTTP, and in a real browser in three states and two sizes."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient

from monitoring.status.model import Status
from pipeline.project.paths import Paths
from serving.routes import status
from serving.routes.pages import page_router
from serving.routes.status import Latest, status_router
from serving.views.status import LIGHTS, render
from serving.views.status_charts import HEIGHT, LEFT, WIDTH, accuracy_chart, drift_chart, onset_chart
from tests.browser import PHONE, clean_page, no_sideways_scroll
from tests.conftest import ROOT
from tests.serving.site import PARAMS
from tests.serving.status_examples import COST, SENT, alarming, empty, made, normal, silent, version, window

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:starlette")
STATES = {"empty": empty, "normal": normal, "alarm": alarming, "silent": silent}


class _Balanced(HTMLParser):
    """Fails where an element is closed that is not open."""

    VOID = frozenset({"meta", "link", "img", "line", "rect", "circle", "path", "polyline", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value for name, value in attrs if name == "id" and value]
        assert not [name for name, _ in attrs if name == "style" or name.startswith("on")]  # the CSP would refuse it
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("state", STATES)
def test_the_page_is_whole_html_that_the_policy_admits(state: str) -> None:
    parser = _Balanced()
    parser.feed(render(STATES[state]()))
    assert parser.open == []
    assert len(parser.ids) == len(set(parser.ids))


def test_what_the_data_say_is_escaped() -> None:
    evil = SENT.model_copy(update={"title": "<script>alert(1)</script>", "what_to_do": "<b>"})
    page = render(made(alerts=(evil,)))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_what_a_silent_registry_would_say_is_not_made_up() -> None:
    page = render(silent())
    assert "Version 2 served when the watch last ran." in page
    assert page.lower().count("not known: the model registry does not answer") == 4
    for untrue in ("no version was trained yet", "none ran yet", "No A/B test is on", "is serving", "not measured for"):
        assert untrue not in page


def test_commands_in_advice_are_set_as_code_and_nothing_else_is() -> None:
    told = SENT.model_copy(update={"what_to_do": "try `likeness watch`, not <b>`"})
    assert "try <code>likeness watch</code>, not &lt;b&gt;`" in render(made(alerts=(told,)))


def test_the_light_is_a_word_too() -> None:
    for light, words in LIGHTS.items():
        page = render(normal().model_copy(update={"light": light}))
        assert f"<h1>{words}</h1>" in page
    drawn = {
        render(normal().model_copy(update={"light": light})).split("</svg>")[0].split("<svg")[1] for light in LIGHTS
    }
    assert len(drawn) == len(LIGHTS)  # and a shape of its own


def test_the_static_file_needs_nothing_else() -> None:
    page = render(normal(), alone=True)
    for reference in ('src="', 'href="', "url(", "@import", "<script"):
        assert reference not in page


def test_accuracy_is_drawn_where_it_belongs() -> None:
    chart = accuracy_chart((window(1, "1", 60), window(2, "1", 45)), 0.8)
    perfect, poor = chart.marks
    assert (perfect.special, poor.special) == (False, True)
    assert chart.guide is not None
    top, middle = chart.ticks[-1][0], chart.ticks[1][0]
    assert perfect.y == top
    assert poor.y == middle  # 45 of 60 is 75 %, the middle between 50 and 100 %
    assert middle > chart.guide > top
    assert poor.low > poor.y > poor.high


def test_drift_shows_counts_and_the_change_of_models() -> None:
    chart = drift_chart((window(1, "1", 60), window(2, "2", 60, ("area",) * 9, triggered=True), window(3, "2", 60)))
    heights = [round(mark.low - mark.y, 3) for mark in chart.marks]
    assert heights[0] == heights[2] == 0.0
    assert heights[1] == pytest.approx((chart.marks[1].low - chart.ticks[-1][0]) / 2)  # 9 of 18
    assert [name for _, name in chart.changes] == ["1", "2"]
    assert chart.changes[0][0] == LEFT
    assert all(LEFT < mark.x < WIDTH and 0 <= mark.y <= HEIGHT for mark in chart.marks)


def test_the_price_of_verifying_is_shown_only_where_somebody_was_verified() -> None:
    unverified = COST.model_copy(update={"verification_seconds": None, "per_1000_verifications": None})
    without, with_it = (" ".join(render(made(cost=cost)).split()) for cost in (unverified, COST))
    assert "Verifying who they show: none was verified." in without
    assert "Verifying who they show: 0.0014 USD per 1,000 (0.130 CPU s each)." in with_it


def test_only_measured_versions_have_an_onset() -> None:
    assert [name for _, name in onset_chart(normal().onsets).changes] == ["1", "2", "4"]
    assert onset_chart(()).marks == ()


def test_the_status_is_read_once_for_many() -> None:
    reads = []

    def read() -> Status:
        reads.append(1)
        time.sleep(0.05)
        return empty()

    latest = Latest(read, seconds=60.0)
    threads = [threading.Thread(target=latest.get) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reads) == 1
    stale = Latest(read, seconds=0.0)
    stale.get()
    stale.get()
    assert len(reads) == 3


def test_while_a_reading_hangs_the_last_status_is_shown_and_the_next_look_has_the_new_one() -> None:
    hangs, reads = threading.Event(), []

    def read() -> Status:
        reads.append(1)
        if len(reads) == 1:
            return empty()
        assert hangs.wait(30)
        return normal()

    latest = Latest(read, seconds=0.0, patience=0.05)
    assert latest.get() == empty()
    assert [latest.get() for _ in range(3)] == [empty()] * 3
    assert len(reads) == 2  # one reading hangs, however many look meanwhile
    hangs.set()
    deadline = time.monotonic() + 30
    while latest.get() != normal():
        assert time.monotonic() < deadline


def test_a_reading_that_fails_is_told_and_tried_again() -> None:
    told: list[Exception | Status] = [OSError("gone"), empty()]

    def read() -> Status:
        found = told.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    latest = Latest(read)
    with pytest.raises(OSError, match="gone"):
        latest.get()
    assert latest.get() == empty()


def test_over_http_from_a_fresh_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LIKENESS_MLFLOW_URI", "LIKENESS_LOG_URL"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    app = FastAPI()
    app.include_router(status_router(Paths(tmp_path), lambda: False))
    with TestClient(app) as client:
        page = client.get("/status")
        figures = client.get("/v1/status")
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert Status.model_validate(figures.json()).champion.version == "shipped"
    assert [file.name for file in tmp_path.iterdir()] == ["params.yaml"]


@contextmanager
def served(states: list[Status], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """The page on a real server; each look takes the next state, the last one stays."""
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    monkeypatch.setattr(status, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(status, "collect_status", lambda *_, **__: states.pop(0) if len(states) > 1 else states[0])
    app = FastAPI()
    app.include_router(page_router(PARAMS))
    app.include_router(status_router(Paths(tmp_path), lambda: False))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # the browser is not refused while uvicorn starts
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_in_a_browser(
    browser: Any,
    state: str,
    phone: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    size = PHONE if phone else (1280, 900)
    with served([STATES[state]()], monkeypatch, tmp_path) as address, clean_page(browser, size, dark=phone) as page:
        page.goto(f"{address}/status", wait_until="networkidle")
        assert page.locator("h1").inner_text() == LIGHTS[STATES[state]().light]
        for summary in page.locator("summary").all():
            if summary.locator("xpath=..").get_attribute("open") is None:
                summary.click()
        assert page.locator("details:not([open])").count() == 0
        assert no_sideways_scroll(page)
        assert len(page.screenshot(full_page=True)) > 10_000
        lead = page.locator(".lead").bounding_box()
        assert lead is not None
        assert lead["y"] + lead["height"] < size[1]  # the sentence is seen without scrolling


def test_it_refreshes_itself_and_keeps_what_is_open(
    browser: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("serving.views.status.REFRESH_SECONDS", 0.2)
    with served([normal(), alarming()], monkeypatch, tmp_path) as address, clean_page(browser) as page:
        page.goto(f"{address}/status")
        page.locator("#versions summary").click()
        page.get_by_role("heading", name=LIGHTS["alarm"]).wait_for()
        assert page.locator("#versions[open]").count() == 1
        assert page.title().startswith(LIGHTS["alarm"])


def test_a_service_that_went_away_is_said(
    browser: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("serving.views.status.REFRESH_SECONDS", 0.2)
    with clean_page(
        browser, expected=("ERR_CONNECTION_REFUSED", "ERR_EMPTY", "ERR_CONNECTION_RESET", "aborted", "ABORTED")
    ) as page:
        with served([normal()], monkeypatch, tmp_path) as address:
            page.goto(f"{address}/status")
        page.get_by_text("does not answer").wait_for()


def test_a_champion_without_age_or_figures_is_shown() -> None:
    page = render(made(versions=(version(1, 3, "failed"),)))
    assert "Shipped model" in page
    assert "0 of 1 passed the gate" in page
