"""What helps to mark a torn print: zoom, pieces, mask files."""

import base64
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.browser import DESKTOP, PHONE, canvas_pixels, no_sideways_scroll
from tests.serving.pages.restoring import (
    BOTH,
    PRINT,
    RED,
    capsule,
    choose,
    difference,
    fingers,
    middle,
    payload,
    pixel_of,
    press,
    restoring,
    send,
)
from tests.serving.site import Site, file_of, pixels_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def test_a_stroke_on_an_enlarged_photo_marks_what_lies_under_it(browser: "Browser", site: Site) -> None:
    with restoring(browser, site) as page:
        choose(page, payload(PRINT, "print.png"))
        page.click("#clear")
        x, y = middle(page)
        page.mouse.move(x - 150, y - 150)
        for _ in range(3):
            page.mouse.wheel(0, -200)
        page.wait_for_function("() => parseFloat(document.getElementById('zoom-note').textContent) > 4")
        start, end = (x - 60, y), (x + 60, y + 40)
        expected = capsule(page, start, end)
        page.mouse.move(*start)
        page.mouse.down()
        page.mouse.move(*end, steps=6)
        page.mouse.up()
        assert 500 < expected.sum() < 4000  # a small place: the brush has its size on the screen
        assert difference(send(page), expected) < 0.05


def test_two_fingers_enlarge_and_one_marks(browser: "Browser", site: Site) -> None:
    with restoring(browser, site, PHONE) as page:
        choose(page, payload(PRINT, "print.png"))
        page.click("#clear")
        page.locator("#stage").scroll_into_view_if_needed()
        x, y = middle(page)
        hand = page.context.new_cdp_session(page)
        fingers(hand, "touchStart", (x - 30, y))
        fingers(hand, "touchStart", (x - 30, y), (x + 30, y))
        for apart in (60, 90, 120):
            fingers(hand, "touchMove", (x - apart, y), (x + apart, y))
        fingers(hand, "touchEnd")
        assert 3 < float(page.inner_text("#zoom-note").removesuffix("×")) < 5
        assert page.is_disabled("#restore")  # the first finger marked nothing
        start, end = (x - 50, y), (x + 50, y + 30)
        expected = capsule(page, start, end)
        fingers(hand, "touchStart", start)
        fingers(hand, "touchMove", end)
        fingers(hand, "touchEnd")
        assert difference(send(page), expected) < 0.05
        page.check("[name=brush][value=select]", force=True)
        before = pixel_of(page, x, y)
        fingers(hand, "touchStart", (x, y))
        for step in (10, 20, 40):
            fingers(hand, "touchMove", (x + step, y))
        fingers(hand, "touchEnd")
        after = pixel_of(page, x, y)
        assert after[0] - before[0] == pytest.approx(-40 * before[2], abs=1)


def test_zoom_by_buttons_and_keys(browser: "Browser", site: Site) -> None:
    with restoring(browser, site) as page:
        choose(page, payload(PRINT, "print.png"))
        assert page.is_disabled("#smaller")
        page.click("#larger")
        page.click("#larger")
        assert page.inner_text("#zoom-note") == "2.3×"
        before = pixel_of(page, *middle(page))
        page.click("[aria-label='Look further right']")
        after = pixel_of(page, *middle(page))
        assert after[0] > before[0] + 100
        assert after[1] == pytest.approx(before[1])
        page.click("#whole")
        assert page.inner_text("#zoom-note") == "1.0×"
        assert not page.is_visible("#look")
        page.click("#clear")
        page.focus("#mask")
        for key in ("+", "+", "+", "]", "["):
            page.keyboard.press(key)
        assert page.inner_text("#zoom-note") == "3.4×"
        for _ in range(40):
            page.keyboard.press("Shift+ArrowRight")  # the brush goes to the border, and the photo with it
        page.keyboard.press("Space")
        mask = send(page)
        rows, columns = np.nonzero(mask)
        assert columns.max() == PRINT.shape[1] - 1
        assert rows.mean() == pytest.approx(PRINT.shape[0] / 2, abs=3)
        page.focus("#mask")
        page.keyboard.press("0")
        assert page.inner_text("#zoom-note") == "1.0×"


@BOTH
def test_found_pieces_are_switched_one_by_one(browser: "Browser", site: Site, size: tuple[int, int]) -> None:
    found = site.client().post("/v1/masks", files={"image": file_of(PRINT)}).json()
    labels = pixels_of(base64.b64decode(found["labels"]))[..., 0]
    tear, hole, stain = [number + 1 for number, piece in sorted(enumerate(found["pieces"]), key=by_place)]
    with restoring(browser, site, size) as page:
        choose(page, payload(PRINT, "print.png"))
        if size == PHONE:
            page.click("#pieces-box summary")
        rows = page.locator("#pieces li")
        assert page.inner_text("#pieces-title") == "3 pieces, 2 marked"
        assert "% sure" in rows.nth(tear - 1).inner_text()
        assert "not sure enough" in rows.nth(stain - 1).inner_text()
        assert np.array_equal(send(page), (labels == tear) | (labels == hole))
        page.focus("#pieces input[tabindex='0']")
        for _ in range(tear - 1):
            page.keyboard.press("ArrowDown")
        glow = canvas_pixels(page, "#glow")[..., 3] > 0
        assert np.array_equal(glow, labels == tear)
        assert page.is_visible("#spot")
        page.keyboard.press("Space")
        assert page.inner_text("#pieces-title") == "3 pieces, 1 marked"
        assert "found, but not marked" in page.inner_text("#lighter")
        assert np.array_equal(send(page), labels == hole)
        page.check("[name=brush][value=select]", force=True)
        press(page, 110 / 900, 140 / 1000, touch=size == PHONE)
        assert rows.nth(stain - 1).locator("input").is_checked()
        press(page, 450 / 900, 500 / 1000, touch=size == PHONE)
        assert np.array_equal(send(page), labels == stain)
        page.click("#undo")
        assert np.array_equal(send(page), (labels == stain) | (labels == hole))
        if size == DESKTOP:
            rows.nth(hole - 1).hover()
            assert np.array_equal(canvas_pixels(page, "#glow")[..., 3] > 0, labels == hole)
        page.click("#pieces-none")
        assert page.is_disabled("#restore")
        assert no_sideways_scroll(page)


def by_place(numbered: tuple[int, dict[str, Any]]) -> list[int]:
    """The tear is the widest, the stain stands highest."""
    box = numbered[1]["box"]
    return [-box[2], -box[1]]


def test_a_mask_file_joins_strokes_and_pieces(browser: "Browser", site: Site) -> None:
    image = np.full((1400, 2400, 3), 90, np.uint8)  # larger than the marks on the page
    image[1000:1010, 200:2200] = RED
    mask = np.zeros(image.shape[:2], np.bool_)
    mask[300:303, 400:1900] = True
    with restoring(browser, site) as page:
        choose(page, payload(image, "print.png"))
        found = send(page)
        assert found.any()
        page.set_input_files("#mask-file", payload(mask[::2, ::2] * np.uint8(255), "half.png"))
        page.wait_for_selector("#work-problem:not([hidden])")
        assert "2400 × 1400 pixels; this one has 1200 × 700" in page.inner_text("#work-problem")
        page.set_input_files("#mask-file", payload(np.zeros(mask.shape, np.uint8), "black.png"))
        page.wait_for_selector("#work-problem:has-text('Nothing in this mask is white')")
        page.set_input_files("#mask-file", payload(mask * np.uint8(255), "mine.png"))
        page.wait_for_selector("#pieces li:has-text('Your mask file mine.png')")
        assert not page.is_visible("#work-problem")
        assert np.array_equal(send(page), found | mask)  # to the pixel
        page.uncheck("#pieces li:has-text('Your mask file') input")
        assert np.array_equal(send(page), found)
        page.click("#undo")
        page.uncheck("#pieces li:first-child input")
        assert np.array_equal(send(page), mask)
        page.click("#larger")
        press(page, 0.5, 0.5, touch=False)
        assert send(page).sum() > mask.sum()


def test_the_picture_of_both_says_whether_a_model_made_a_part(browser: "Browser", site: Site) -> None:
    made = [("inpaint", True), ("inpaint", False), ("fade", False), ("fade", True)]
    with restoring(browser, site) as page:
        texts = [
            page.evaluate(
                "async (made) => (await import('/static/restore/texts.js')).marking(made)",
                {"mode": mode, "generated": generated, "model_version": "7"},
            )
            for mode, generated in made
        ]
    by_model, from_photo = "Restored with AI (Likeness, model 7)", "Filled from the photo itself (Likeness)"
    assert texts == [by_model, from_photo, "Fading lifted (Likeness)", by_model]
