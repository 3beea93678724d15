"""The reviewer's page in a real browser, on the real service."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from monitoring.log.rows import Feedback
from tests.browser import DESKTOP, PHONE, canvas_pixels, clean_page, no_sideways_scroll
from tests.serving.reviewing import Kept
from tests.serving.site import Site, damaged, portrait

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
SAID_NO, WOULD_RATHER_NOT = Feedback(recognised=False), Feedback(preferred="original")
THERE = """id => document.querySelector('#details dd:last-child')?.textContent === id
    && !document.querySelector('[data-same]').disabled"""
NONE_LEFT = "Nothing to review."


def shown(page: "Page", request_id: str) -> None:
    """Wait until this one is on the page."""
    page.wait_for_function(THERE, arg=request_id)


def said(site: Site, request_id: str) -> list[dict[str, object]]:
    found = [entry.body for entry in site.service.context.log.entries("review") if entry.key == request_id]
    return [{name: value for name, value in body.items() if name != "by"} for body in found]


def test_one_after_the_other_until_none_is_left(browser: "Browser", site: Site, kept: Kept, tmp_path: Path) -> None:
    last, deleted, second = kept.add(identity_risk=0.2), kept.add(identity_risk=0.22), kept.add(WOULD_RATHER_NOT)
    first = kept.add(SAID_NO, references=2)
    with clean_page(browser, DESKTOP, expected=("410",)) as page:
        page.goto(f"{site.open_url}/review")
        shown(page, first)
        image, mask = damaged()
        assert np.array_equal(canvas_pixels(page, "#damaged")[..., :3], image)
        assert np.array_equal(canvas_pixels(page, "#restored")[..., :3], portrait())
        line = canvas_pixels(page, "#restored + .mark")[..., 3] > 0
        assert line.any()
        assert not (line & mask).any()  # around what was missing, not over it
        assert line[89:121, 79:113].sum() == line.sum()  # and nowhere else
        assert page.inner_text("#worries") == "Somebody said: this is not the person."
        assert page.locator("#references canvas").count() == 2
        assert page.inner_text("#left") == "3 after this one"
        page.uncheck("#outline")
        assert page.locator("#restored + .mark").evaluate("e => getComputedStyle(e).visibility") == "hidden"
        page.click("text=Nose")
        page.screenshot(path=tmp_path / "review.png", full_page=True)
        page.click("text=Somebody else")
        shown(page, second)
        assert not page.is_visible("#others")
        assert page.locator("#invented :checked").count() == 0
        site.service.context.pictures.forget(kept.subject(deleted))
        page.keyboard.press("3")
        shown(page, last)
        assert page.inner_text("#note") == "The pictures of one restoration were deleted meanwhile."
        page.keyboard.press("1")
        page.wait_for_selector("#done:not([hidden])")
        assert page.inner_text("#done-title") == NONE_LEFT
    assert said(site, first) == [{"same_person": False, "invented": ["nose"]}]
    assert said(site, second) == [{"same_person": None, "invented": []}]
    assert said(site, last) == [{"same_person": True, "invented": []}]
    assert said(site, deleted) == []


def test_a_token_with_the_role_is_asked_for_and_kept_in_the_tab(
    browser: "Browser",
    site: Site,
    kept: Kept,
) -> None:
    request_id = kept.add(SAID_NO)
    with clean_page(browser, DESKTOP, expected=("401", "403")) as page:
        page.goto(f"{site.url}/review")
        page.wait_for_selector("#token")
        assert not page.is_visible("#problem")
        page.fill("#token", site.tokens["restore"])
        page.keyboard.press("Enter")
        page.wait_for_selector("#problem:not([hidden])")
        assert page.inner_text("#problem") == "This access token does not allow that."
        page.fill("#token", site.tokens["review"])
        page.keyboard.press("Enter")
        shown(page, request_id)
        assert not page.is_visible("#problem")
        page.reload()
        shown(page, request_id)
        assert page.evaluate("localStorage.length + document.cookie.length") == 0


def test_on_a_phone_in_the_dark(browser: "Browser", site: Site, kept: Kept, tmp_path: Path) -> None:
    request_id = kept.add(SAID_NO, references=1, identity_risk=0.2)
    with clean_page(browser, PHONE, dark=True, touch=True) as page:
        page.goto(f"{site.open_url}/review")
        shown(page, request_id)
        page.click("summary")
        assert no_sideways_scroll(page)
        boxes = [page.locator(f"#{name}").bounding_box() for name in ("damaged", "restored")]
        assert boxes[0] is not None
        assert boxes[1] is not None
        assert boxes[0]["y"] == boxes[1]["y"]  # side by side
        for button in page.locator(".answers button").all():
            box = button.bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= PHONE[0]
        page.screenshot(path=tmp_path / "phone.png", full_page=True)
        page.tap("#restored")
        large = page.locator("#restored").bounding_box()
        assert large is not None
        assert large["width"] > 1.8 * boxes[1]["width"]
        assert no_sideways_scroll(page)


def test_the_page_itself_shows_nobody(site: Site) -> None:
    with site.client("") as client:
        page = client.get("/review")
        assert client.get("/v1/reviews").status_code == 401
    assert page.status_code == 200
    assert "<canvas" in page.text
    assert "data:" not in page.text
    assert "default-src 'self'" in page.headers["content-security-policy"]
