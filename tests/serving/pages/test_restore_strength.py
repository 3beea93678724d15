"""The slider under the result: how much of what the face model drew is kept."""

import base64
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.browser import PHONE, canvas_pixels, no_sideways_scroll
from tests.serving.pages.restoring import BOTH, RED, SMALL_PRINT, choose, payload, restore, restoring, sent_mask
from tests.serving.site import Site, file_of, pixels_of, portrait

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")

FAR_FROM_THE_FACE = np.array(Pillow.fromarray(portrait()).resize((450, 500), Pillow.Resampling.BICUBIC))
FAR_FROM_THE_FACE[440:480, 10:60] = RED


def at_rest(page: "Page") -> None:
    """Wait until the result has the strength that the slider says."""
    page.wait_for_selector("#save:not([disabled])", timeout=60_000)


def requests(page: "Page") -> int:
    return int(page.evaluate("window.sent.length"))


@BOTH
def test_it_shows_what_the_service_makes_of_it(browser: "Browser", site: Site, size: tuple[int, int]) -> None:
    with restoring(browser, site, size) as page:
        choose(page, payload(SMALL_PRINT, "print.png"))
        restore(page)
        full, mask = canvas_pixels(page, "#after")[..., :3].astype(int), sent_mask(page)
        assert page.inner_text("#strength-value") == "Fully redrawn"
        page.fill("#split", "30")
        page.focus("#strength")
        page.keyboard.press("Home")
        assert page.is_disabled("#save")  # what is seen is not what was asked for
        at_rest(page)
        assert page.evaluate("document.activeElement.id") == "strength"
        assert page.inner_text("#strength-value") == "Not redrawn"
        none = canvas_pixels(page, "#after")[..., :3].astype(int)
        files = {"image": file_of(SMALL_PRINT), "mask": file_of(mask)}
        answer = site.client().post("/v1/restorations", files=files, data={"strength": "0"}).json()
        assert np.array_equal(none, pixels_of(base64.b64decode(answer["picture"])))
        assert np.abs(full - none)[mask].mean() > 1
        asked = requests(page)
        for value in ("20", "70", "40"):  # only where it comes to rest
            page.eval_on_selector(
                "#strength",
                "(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input')); }",
                value,
            )
        at_rest(page)
        assert requests(page) == asked + 1
        some = canvas_pixels(page, "#after")[..., :3]
        assert np.abs(some - (0.4 * full + 0.6 * none)).max() <= 1
        assert page.get_attribute("#strength", "aria-valuetext") == page.inner_text("#strength-value") == "40 % redrawn"
        assert page.input_value("#split") == "30"
        with page.expect_download() as downloading:
            page.click("#save")
        saved = Path(downloading.value.path()).read_bytes()
        assert np.array_equal(pixels_of(saved), some)
        assert site.service.context.seal.read(saved, "image/png")[0] == "Trusted"
        page.focus("#strength")
        page.keyboard.press("End")
        at_rest(page)
        assert requests(page) == asked + 1  # it was there already
        assert np.array_equal(canvas_pixels(page, "#after")[..., :3], full)
        assert no_sideways_scroll(page)
        if size == PHONE:
            box = page.locator("#strength").bounding_box()
            assert box is not None
            assert box["height"] >= 43.9


def test_it_repeats_the_same_request(browser: "Browser", site: Site) -> None:
    with restoring(browser, site) as page:
        choose(page, payload(SMALL_PRINT, "print.jpg", "JPEG"))
        page.check("[name=mode][value=inpaint]")
        restore(page)
        page.click("summary:has-text('Details')")
        request_id = page.locator("#details dd").last.inner_text()
        page.click("#adjust")
        page.click("#clear")
        page.check("[name=mode][value=auto]")
        page.click("#to-result")
        page.fill("#strength", "60")
        at_rest(page)
        first, second = page.evaluate("window.sent.slice(-2)")
        assert second == first | {"strength": "0.6", "repeats": request_id}
        assert page.locator("#details dd").last.inner_text() != request_id
        assert "Face redrawn" in page.inner_text("#details")


def test_pictures_are_kept_once(browser: "Browser", site: Site) -> None:
    with restoring(browser, site) as page:
        choose(page, payload(SMALL_PRINT, "print.png"))
        page.click("summary:has-text('Let us learn')")
        page.check("#consent")
        page.fill("#subject", "bea")
        restore(page)
        page.fill("#strength", "50")
        at_rest(page)
        assert page.evaluate("window.sent.at(-1).subject") == "bea"  # the same arm of a test
        page.click("summary:has-text('Details')")
        assert "yes, as you asked" in page.inner_text("#details")
    assert site.client("admin").delete("/v1/subjects/bea").json() == {"deleted": 1}


def test_a_strength_that_fails_leaves_the_result(browser: "Browser", site: Site) -> None:
    with restoring(browser, site) as page:
        choose(page, payload(SMALL_PRINT, "print.png"))
        restore(page)
        full = canvas_pixels(page, "#after")
        page.route("**/v1/restorations", lambda route: route.abort())
        page.fill("#strength", "50")
        page.wait_for_selector("#strength-note:has-text('cannot be reached')")
        assert page.input_value("#strength") == "100"
        assert not page.is_disabled("#save")
        assert np.array_equal(canvas_pixels(page, "#after"), full)
        page.unroute("**/v1/restorations")
        page.fill("#strength", "50")
        at_rest(page)
        assert "cannot be reached" not in page.inner_text("#strength-note")
        assert not np.array_equal(canvas_pixels(page, "#after"), full)


def test_it_is_hidden_where_the_face_model_did_nothing(browser: "Browser", site: Site) -> None:
    with restoring(browser, site) as page:
        choose(page, payload(FAR_FROM_THE_FACE, "print.png"))
        restore(page)
        assert page.inner_text("#result-title") == "Restored"
        assert not page.is_visible("#strength")


def test_each_photo_has_its_own(browser: "Browser", site: Site) -> None:
    with restoring(browser, site) as page:
        choose(page, payload(SMALL_PRINT, "a.png"), payload(SMALL_PRINT[:, ::-1], "b.png"))
        page.click("#restore-all")
        page.wait_for_selector("#queue-note:has-text('All 2 photos are restored.')", timeout=120_000)
        page.fill("#strength", "0")
        page.click("#next")  # before the slider came to rest
        assert page.input_value("#strength") == "100"
        page.click("#previous")
        at_rest(page)
        assert page.inner_text("#strength-value") == "Not redrawn"
        assert page.evaluate("window.sent.at(-1).strength") == "0"
