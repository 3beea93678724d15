"""What helps with the photos: a queue, 100 %, the format of the file."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.browser import DESKTOP, PHONE, canvas_pixels, no_sideways_scroll
from tests.serving.pages.restoring import (
    BOTH,
    PRINT,
    SMALL_PRINT,
    choose,
    middle,
    payload,
    press,
    restore,
    restoring,
    send,
)
from tests.serving.site import Site, pixels_of, portrait

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FilePayload, Page

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@BOTH
def test_photos_in_a_queue_keep_their_marks(browser: "Browser", site: Site, size: tuple[int, int]) -> None:
    with restoring(browser, site, size) as page:
        choose(page, payload(PRINT, "first.png"), payload(PRINT[:, ::-1], "second.png"))
        assert page.inner_text("#place") == "Photo 1 of 2"
        page.click("#clear")
        press(page, 0.25, 0.25, touch=size == PHONE)
        page.check("[name=mode][value=inpaint]")
        first = send(page)
        page.click("#next")
        page.wait_for_selector("#found:not(:empty)")
        assert page.inner_text("#place") == "Photo 2 of 2"
        assert page.is_checked("[name=mode][value=auto]")
        second = send(page)
        assert second.sum() > first.sum() > 0
        assert page.evaluate("window.sent.at(-1).mode") == "auto"
        page.click("#previous")
        assert np.array_equal(send(page), first)
        assert page.evaluate("window.sent.at(-1).mode") == "inpaint"
        page.click("#undo")  # its own last step
        page.click("#undo")
        assert page.evaluate("document.getElementById('pieces-title').textContent") == "3 pieces, 2 marked"
        page.click("#photos li:last-child button")
        assert np.array_equal(send(page), second)
        assert no_sideways_scroll(page)
        page.click("#work .remove")
        assert not page.is_visible("#queue")
        page.click("#work .remove")
        assert page.is_visible("#start")


def test_requests_are_made_one_at_a_time(browser: "Browser", site: Site) -> None:
    with restoring(browser, site) as page:
        page.evaluate("""() => {
          window.open_now = window.most = 0;
          const ask = window.fetch;
          window.fetch = async (...all) => {
            window.most = Math.max(window.most, ++window.open_now);
            try { return await ask(...all); } finally { window.open_now--; }
          };
        }""")
        small = portrait()
        names = ["a", "b", "c"]
        choose(page, *[payload(np.roll(small, shift, axis=1), f"{name}.png") for shift, name in enumerate(names)])
        for number in range(3):
            page.wait_for_selector(f"#photos li >> nth={number} >> text=Ready to mark")
        assert page.evaluate("[window.sent.length, window.most]") == [3, 1]


def test_a_search_that_failed_is_made_again(browser: "Browser", site: Site) -> None:
    with restoring(browser, site) as page:
        page.route("**/v1/masks", lambda route: route.fulfill(status=429, headers={"Retry-After": "3"}, json={}))
        page.set_input_files("#photo", payload(portrait(), "a.png"))
        page.wait_for_selector("#work-problem:has-text('Please try again in 3 seconds')")
        press(page, 0.5, 0.5, touch=False)
        assert send(page).any()  # marks by hand need no search
        page.unroute("**/v1/masks")
        page.click("#again")
        page.wait_for_selector("#found:not(:empty)")
        assert not page.is_visible("#work-problem")
        assert not page.is_visible("#again")


def test_files_that_are_no_pictures_do_not_hold_up_the_others(browser: "Browser", site: Site) -> None:
    bad: FilePayload = {"name": "letter.png", "mimeType": "image/png", "buffer": b"no picture"}
    with restoring(browser, site) as page:
        choose(page, bad, payload(portrait(), "a.png"))
        assert "letter.png" in page.inner_text("#queue-problem")
        assert page.is_visible("#work")


@BOTH
def test_one_hundred_per_cent_shows_true_pixels(browser: "Browser", site: Site, size: tuple[int, int]) -> None:
    with restoring(browser, site, size) as page:
        choose(page, payload(PRINT, "print.png"))
        restore(page)
        after = canvas_pixels(page, "#after")[..., :3]
        page.click("#at-full")
        before_pane, after_pane = page.locator(".pane").all()
        before_pane.evaluate("pane => pane.scrollTo(150, 120)")
        page.wait_for_function("() => document.querySelectorAll('.pane')[1].scrollLeft === 150")
        for pane, picture in ((before_pane, PRINT), (after_pane, after)):
            box, image = pane.bounding_box(), pane.locator("img").bounding_box()
            assert box is not None
            assert image is not None
            shown = pixels_of(page.screenshot())
            left, top = round(box["x"]) + 9, round(box["y"]) + 9  # within the round corners
            right, bottom = left + 320, top + 300
            moved_x, moved_y = round(image["x"]), round(image["y"])
            expected = picture[top - moved_y : bottom - moved_y, left - moved_x : right - moved_x]
            assert np.array_equal(shown[top:bottom, left:right], expected)
        after_pane.focus()
        page.keyboard.press("ArrowDown")
        page.wait_for_function("() => document.querySelectorAll('.pane')[0].scrollTop > 120")
        if size == DESKTOP:
            x, y = middle(page, ".pane >> nth=0")
            page.mouse.move(x, y)
            page.mouse.down()
            page.mouse.move(x - 70, y, steps=4)
            page.mouse.up()
            page.wait_for_function("() => document.querySelectorAll('.pane')[1].scrollLeft === 220")
        assert no_sideways_scroll(page)
        page.keyboard.press("Escape")
        assert not page.is_visible("#full")


@pytest.mark.parametrize(("kind", "ending"), [("JPEG", "jpg"), ("WEBP", "webp"), ("PNG", "png")])
def test_the_file_comes_back_in_its_own_format(browser: "Browser", site: Site, kind: str, ending: str) -> None:
    with restoring(browser, site) as page:
        choose(page, payload(SMALL_PRINT, f"print.{ending}", kind))
        assert page.is_visible("#format-box") == (kind != "PNG")
        saved = save(page)
        assert saved[0] == f"print-restored.{ending}"
        with Pillow.open(io.BytesIO(saved[1])) as picture:
            assert (picture.format, picture.size) == (kind, (300, 334))
        state, _ = site.service.context.seal.read(saved[1], f"image/{kind.lower()}")
        assert state == "Trusted"
        if kind != "JPEG":
            return
        assert "intact parts may differ by a trace" in page.inner_text("#format-note")
        page.click("#adjust")
        page.check("[name=format][value=png]")
        assert save(page)[0] == "print-restored.png"
        assert page.inner_text("#format-note") == ""
        page.click("#adjust")
        page.click("#to-result")
        assert page.is_visible("#save")


def save(page: "Page") -> tuple[str, bytes]:
    """Restore and download: name and content of the file."""
    restore(page)
    with page.expect_download() as downloading:
        page.click("#save")
    return downloading.value.suggested_filename, Path(downloading.value.path()).read_bytes()


@BOTH
def test_every_button_is_large_enough_for_a_finger(browser: "Browser", site: Site, size: tuple[int, int]) -> None:
    with restoring(browser, site, (360, 740) if size == PHONE else size) as page:
        choose(page, payload(PRINT, "first.png"), payload(PRINT[:, ::-1], "second.png"))
        page.click("#larger")
        page.evaluate("document.getElementById('pieces-box').open = true")
        assert no_sideways_scroll(page)
        small = page.evaluate("""() =>
            [...document.querySelectorAll('button, .file, .choice span, .pieces label, .row')]
            .filter(element => element.offsetParent)
            .map(element => [element.textContent.trim(), element.getBoundingClientRect()])
            .filter(([, box]) => box.height < 43.9 || box.width < 43.9).map(([words]) => words)""")
        assert small == []
