"""The raters' page: over HTTP nothing tells methods apart; in a real browser two raters click through a study."""

import json
import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import pytest
import uvicorn
from fastapi.testclient import TestClient

from monitoring.user_study.design import question_sheet
from monitoring.user_study.questions import MAX_MARK_RADIUS, MAX_MARKS
from monitoring.user_study.report import make_report
from monitoring.user_study.store import StudyStore
from serving.user_study_app import create_study_app
from serving.views.user_study_report import overlays, page
from tests.browser import PHONE, browser, clean_page, no_sideways_scroll
from tests.disks import fill, small_disk  # noqa: F401 - fixture
from tests.monitoring.user_study.site import METHODS, lay_out, study
from tests.serving.site import PARAMS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["browser"]
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:starlette.testclient")

SCREEN = """document.querySelector('main').innerText + [...document.images].map(image => image.src)
+ document.querySelectorAll('circle.over').length"""
IDLE = "!document.body.classList.contains('busy')"
"""Changes with every question."""
SMALL: dict[str, Any] = {
    "trials": 4,
    "checks": 2,
    "invented_share": 0.5,
    "break_every": 3,
    "min_median_seconds": 0.001,
    "raters": 2,
}


@pytest.fixture
def store(tmp_path: Path) -> StudyStore:
    return lay_out(study(people=6, **SMALL), tmp_path / "study")


def client(store: StudyStore, token: str = "") -> TestClient:
    return TestClient(create_study_app(store, token), follow_redirects=False)


def give(rater: TestClient, asked: dict[str, Any]) -> dict[str, Any]:
    """Any answer to a question."""
    said = {"choice": "left"} if asked["question"] == "same" else {"marks": [{"x": 0.5, "y": 0.7, "radius": 0.1}]}
    answer = rater.post("/api/answers", json={"item": asked["item"], "milliseconds": 2000, **said})
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def test_nothing_that_is_sent_tells_methods_or_people_apart(store: StudyStore) -> None:
    rater = client(store)
    assert rater.get("/api/state").json() == {"joined": False, "total": 6, "done": 0, "asked": None}
    state, sent, headers = rater.post("/api/join", json={}).json(), [], []
    while state["asked"]:
        for name in filter(None, state["asked"]["pictures"].values()):
            picture = rater.get(f"/pictures/{name}")
            assert picture.content.startswith(b"\x89PNG")
            headers += [sorted(picture.headers)]
        reply = give(rater, state["asked"])
        assert (reply["feedback"] is not None) == state["asked"]["practice"]
        state = reply["state"]
        sent.append(json.dumps(reply))
    assert len(sent) == len(question_sheet(store.study, 0))
    words = [*METHODS, "intact", "planted", "check", "purpose", "person", "bucket", store.study.digests["champion"]]
    files = ("", "user_study/study.js", "user_study/study.css", "shared/api.js", "settings.js")
    everything = "".join(sent) + "".join(rater.get(f"/{file}").text for file in files)
    assert not [word for word in words if re.search(rf"\b{word}\b", "".join(sent))]
    assert not [word for word in METHODS if word in everything]
    assert not {"last-modified", "etag"} & {name for names in headers for name in names}
    assert len({tuple(names) for names in headers}) == 1


def test_the_design_and_the_answers_are_not_served(store: StudyStore) -> None:
    rater = client(store)
    paths = ("study.json", "answers.jsonl", "pictures/../study.json", "pictures/..%2Fstudy.json", "api/raters", "docs")
    assert {rater.get(f"/{path}").status_code for path in paths} == {404}


def test_a_double_submit_counts_once_and_a_reload_resumes(store: StudyStore) -> None:
    rater = client(store)
    asked = rater.post("/api/join", json={}).json()["asked"]
    first = give(rater, asked)
    assert give(rater, asked)["state"] == first["state"]
    assert rater.post("/api/join", json={}).json() == first["state"] == rater.get("/api/state").json()
    assert len(store.answers()) == 1
    assert len(store.raters()) == 1


def test_a_full_disk_is_said_and_loses_no_answer(small_disk: Path) -> None:  # noqa: F811 - fixture
    store = lay_out(study(people=6, **SMALL), small_disk / "study")
    rater = client(store)
    asked = rater.post("/api/join", json={}).json()["asked"]
    said = {"choice": "left"} if asked["question"] == "same" else {"marks": [{"x": 0.5, "y": 0.7, "radius": 0.1}]}
    said |= {"item": asked["item"], "milliseconds": 2000}
    (known,) = store.raters()
    with (store.folder / "answers.jsonl").open("ab") as stream:  # up to the end of a block of the disk
        line = json.dumps({"rater": known, "number": 0, "padding": ""})
        room = -(stream.tell() + len(line) + 1) % 4096
        stream.write(line.replace('""', f'"{"x" * room}"').encode() + b"\n")
    fill(small_disk)
    answer = rater.post("/api/answers", json=said)
    assert answer.status_code == 507
    assert "could not be stored" in answer.json()["detail"]
    assert str(small_disk) not in answer.text
    (small_disk / "ballast").unlink()
    give(rater, asked)
    assert len(store.answers()) == 1


def test_raters_do_not_mix(store: StudyStore) -> None:
    one, two = client(store), client(store)
    give(one, one.post("/api/join", json={}).json()["asked"])
    assert two.post("/api/join", json={}).json()["asked"]["item"] == 0
    assert list(store.raters().values()) == [0, 1]
    assert len({a.rater for a in store.answers()}) == 1


def test_what_is_refused(store: StudyStore) -> None:
    rater = client(store)
    answer = {"item": 0, "choice": "left", "milliseconds": 5}
    assert rater.post("/api/answers", json=answer).status_code == 401
    rater.post("/api/join", json={})
    refused = [
        ({**answer, "item": 3}, 409),
        ({**answer, "item": 999}, 422),
        ({**answer, "choice": None}, 422),
        ({**answer, "marks": [{"x": 0.5, "y": 0.5, "radius": 0.1}]}, 422),
        ({**answer, "method": "champion"}, 422),
    ]
    assert [rater.post("/api/answers", json=body).status_code for body, _ in refused] == [code for _, code in refused]
    assert rater.post("/api/answers", content=b"x" * 100_000).status_code == 413
    assert store.answers() == []


def test_a_full_study_says_so(tmp_path: Path) -> None:
    store = lay_out(study(max_raters=1), tmp_path / "study")
    client(store).post("/api/join", json={})
    refused = client(store).post("/api/join", json={})
    assert (refused.status_code, refused.json()["detail"][:30]) == (409, "This study has all the people ")


def test_a_token_is_asked_for_everywhere_and_leaves_the_address(store: StudyStore) -> None:
    stranger = client(store, "open-sesame")
    name = store.study.people[0].pictures["telea"]
    for path in ("/", "/?token=wrong", "/user_study/study.js", "/settings.js", "/api/state", f"/pictures/{name}"):
        assert stranger.get(path).status_code == 403
    assert stranger.post("/api/join", json={}).status_code == 403
    guest = client(store, "open-sesame")
    link = guest.get("/?token=open-sesame")
    assert (link.status_code, link.headers["location"]) == (303, "/")
    assert "HttpOnly" in link.headers["set-cookie"]
    assert guest.get("/").status_code == 200
    assert guest.post("/api/join", json={}).json()["joined"]


def test_behind_a_proxy_cookies_need_tls_and_belong_to_the_page_s_path(store: StudyStore) -> None:
    app = create_study_app(store, "open-sesame", PARAMS.serve.proxy)
    said = {"X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/study"}
    guest = TestClient(app, "https://rated.example", headers=said, follow_redirects=False, client=("127.0.0.1", 1))
    link = guest.get("/?token=open-sesame")
    assert (link.status_code, link.headers["location"]) == (303, "/study/")
    guest.cookies.set("study_access", "open-sesame")
    cookies = [link.headers["set-cookie"], guest.post("/api/join", json={}).headers["set-cookie"]]
    for cookie in cookies:
        assert {"Secure", "Path=/study/", "HttpOnly"} <= set(cookie.split("; ")), cookie
    stranger = TestClient(app, "http://rated.example", headers=said, follow_redirects=False, client=("192.0.2.1", 1))
    link = stranger.get("/?token=open-sesame")
    assert link.headers["location"] == "/"
    assert {"Secure", "Path=/study/"}.isdisjoint(link.headers["set-cookie"].split("; "))


def test_every_answer_carries_the_policy(store: StudyStore) -> None:
    rater = client(store)
    for path in ("/", "/user_study/study.js", "/api/state", "/nowhere"):
        headers = rater.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'self';")
        assert headers["cache-control"] == "no-store"
    joined = rater.post("/api/join", json={}).headers["set-cookie"]
    assert "HttpOnly" in joined
    assert "samesite=strict" in joined.lower()


@contextmanager
def served(store: StudyStore) -> Iterator[str]:
    """The application on a free port."""
    server = uvicorn.Server(uvicorn.Config(create_study_app(store), port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 120
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(60)


def shot(page: "Page", name: str) -> None:
    """A screenshot where LIKENESS_SCREENSHOTS names a folder."""
    if folder := os.environ.get("LIKENESS_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"study-{name}.png")


def answer_question(page: "Page", *, keys: bool, name: str) -> str:
    """Answer what is on the screen, whatever it is; returns which section it was."""
    page.wait_for_selector("section:not([hidden])")
    section = page.evaluate("document.querySelector('section:not([hidden])').id")
    assert no_sideways_scroll(page)
    shot(page, f"{name}-{section}")
    if section == "same":
        page.keyboard.press("ArrowRight") if keys else page.click("#left")
    elif section == "invented":
        mark(page, keys=keys)
    else:
        page.click({"feedback": "#next", "rest": "#resume"}[section])
    return str(section)


def mark(page: "Page", *, keys: bool) -> None:
    """A drag, a tap that is taken back, and Done."""
    box = page.locator("#marks").bounding_box()
    assert box is not None
    x, y, side = box["x"], box["y"], box["width"]
    page.mouse.move(x + 0.5 * side, y + 0.5 * side)
    page.mouse.down()
    page.mouse.move(x + 0.7 * side, y + 0.5 * side, steps=3)
    page.mouse.up()
    (page.mouse.click if keys else page.touchscreen.tap)(x + 0.2 * side, y + 0.2 * side)
    assert page.locator("circle.over:visible").count() == 2
    page.keyboard.press("u") if keys else page.click("#undo")
    assert page.locator("circle.over:visible").count() == 1
    page.click("#done")


def click_through(page: "Page", url: str, *, keys: bool, name: str) -> list[str]:
    """From the first page to the thanks; the page is reloaded once on the way."""
    page.goto(url)
    page.wait_for_selector("#welcome:not([hidden])")
    shot(page, f"{name}-welcome")
    page.click("#start")
    page.wait_for_selector("#welcome[hidden]", state="attached")
    seen: list[str] = []
    while page.locator("#thanks:not([hidden])").count() == 0:
        before = page.evaluate(SCREEN)
        seen.append(answer_question(page, keys=keys, name=name))
        page.wait_for_function(f"before => {SCREEN} !== before && {IDLE}", arg=before)
        if len(seen) == 3:
            page.reload()
            page.wait_for_selector("section:not([hidden])")
            page.wait_for_function(IDLE)
    shot(page, f"{name}-thanks")
    return seen


def test_two_raters_click_through_a_study_and_the_report_is_theirs(store: StudyStore, browser: "Browser") -> None:
    with served(store) as url:
        with clean_page(browser) as page_:
            seen = click_through(page_, url, keys=True, name="desktop")
        with clean_page(browser, PHONE, touch=True) as page_:
            again = click_through(page_, url, keys=False, name="phone")
    for sections in (seen, again):
        assert [sections.count(name) for name in ("same", "invented", "feedback")] == [4, 4, 2]
        assert "rest" in sections
    trials = question_sheet(store.study, 0)
    assert len(store.answers()) == 2 * len(trials)
    by_number = {number: rater for rater, number in store.raters().items()}
    choices = {a.rater: {b.choice for b in store.answers() if b.rater == a.rater and b.choice} for a in store.answers()}
    assert (choices[by_number[0]], choices[by_number[1]]) == ({"right"}, {"left"})
    for answer in store.answers():
        if answer.choice is None:
            (circle,) = answer.marks
            assert (circle.x, circle.y, circle.radius) == pytest.approx((0.5, 0.5, 0.2), abs=0.02)
    made = make_report(store.study, store.raters(), store.answers())
    assert [rater.answered for rater in made.raters] == [6, 6]


def test_marks_end_at_the_limits_of_the_service(tmp_path: Path, browser: "Browser") -> None:
    store = lay_out(study(people=6, **(SMALL | {"invented_share": 1.0})), tmp_path / "study")
    marks = "#marks circle.over"
    with served(store) as url, clean_page(browser) as page_:
        page_.goto(url)
        page_.click("#start")
        page_.wait_for_selector("#invented:not([hidden])")
        box = page_.locator("#marks").bounding_box()
        assert box is not None
        page_.mouse.move(box["x"] + 1, box["y"] + 1)
        page_.mouse.down()
        page_.mouse.move(box["x"] + box["width"], box["y"] + box["height"])
        page_.mouse.up()
        assert page_.locator(marks).get_attribute("r") == str(MAX_MARK_RADIUS)
        for number in range(MAX_MARKS + 2):
            page_.mouse.click(box["x"] + 10 * (number + 1), box["y"] + box["height"] / 2)
        assert page_.locator(marks).count() == MAX_MARKS
        page_.click("#done")
        page_.wait_for_selector("#feedback:not([hidden])")
    (answer,) = [answer for answer in store.answers() if answer.marks]
    assert len(answer.marks) == MAX_MARKS
    assert max(mark.radius for mark in answer.marks) == MAX_MARK_RADIUS


def test_the_report_page_shows_maps_without_errors(store: StudyStore, tmp_path: Path, browser: "Browser") -> None:
    rater = client(store)
    state = rater.post("/api/join", json={}).json()
    while state["asked"]:
        state = give(rater, state["asked"])["state"]
    design = store.study.model_copy(update={"params": store.study.params.model_copy(update={"attention": 0.0})})
    store.study = design
    file = tmp_path / "report.html"
    file.write_text(page(store, make_report(design, store.raters(), store.answers())), encoding="utf-8")
    with clean_page(browser) as page_:
        page_.goto(file.as_uri())
        shot(page_, "report")
        assert page_.locator(".maps img").count() == len(METHODS) + 1
        assert page_.evaluate("[...document.images].every(image => image.naturalWidth === 256)")


def test_the_heat_map_is_bright_where_marks_are(store: StudyStore) -> None:
    rater = client(store)
    state = rater.post("/api/join", json={}).json()
    while state["asked"]:
        state = give(rater, state["asked"])["state"]
    store.study = store.study.model_copy(update={"params": store.study.params.model_copy(update={"attention": 0.0})})
    maps, _ = overlays(store)
    asked = [
        trial for trial in question_sheet(store.study, 0) if (trial.question, trial.purpose) == ("invented", "question")
    ]
    shown = asked[0].left
    saturation = cv2.cvtColor(maps[shown], cv2.COLOR_RGB2HSV)[..., 1]
    assert saturation[int(0.7 * 256), 128] > 60
    assert saturation[20, 20] < 5
