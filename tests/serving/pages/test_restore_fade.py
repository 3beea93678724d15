"""The box that has fading lifted."""

import base64
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from restoration.photo.colour.veil import find_veil
from tests.browser import PHONE, canvas_pixels, no_sideways_scroll
from tests.serving.pages.restoring import BOTH, RED, SMALL_PRINT, choose, payload, restore, restoring, sent_mask
from tests.serving.site import Site, file_of, pixels_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")

TORN = (SMALL_PRINT == RED).all(axis=-1)
FADED = np.where(TORN[..., None], SMALL_PRINT, np.rint([80, 70, 50] + SMALL_PRINT * 0.45)).astype(np.uint8)
"""The print, yellowed and with less than half of its range, around its red tears."""


@BOTH
def test_fading_alone_is_lifted_where_nothing_is_marked(
    browser: "Browser",
    site: Site,
    size: tuple[int, int],
) -> None:
    with restoring(browser, site, size) as page:
        choose(page, payload(FADED, "print.png"))
        page.click("#clear")
        assert page.is_disabled("#restore")
        box = page.get_by_role("checkbox", name="Lift fading")
        box.check()
        restore(page)
        sent = page.evaluate("window.sent.at(-1)")
        assert sent["fade"] == "true"
        assert not sent_mask(page).any()
        assert page.inner_text("#result-title") == "The fading is lifted"
        assert "nothing was drawn" in page.inner_text("#verdict")
        veil = find_veil(FADED, TORN & False)
        assert veil is not None
        assert np.array_equal(canvas_pixels(page, "#after")[..., :3], veil.lift(FADED))
        assert not page.is_visible("#strength-box")
        assert not page.is_visible("#feedback")  # nothing was made up that could be judged
        page.click("summary:has-text('Details')")
        assert "Model" not in page.inner_text("#details")
        assert f"Fading lifted\n{round(100 * veil.strength)} %" in page.inner_text("#details")
        with page.expect_download() as downloading:
            page.click("#save")
        saved = Path(downloading.value.path()).read_bytes()
        assert np.array_equal(pixels_of(saved), veil.lift(FADED))
        assert b"digitalsourcetype/algorithmicallyEnhanced" in saved
        assert no_sideways_scroll(page)
        page.click("#adjust")
        assert box.is_checked()
        if size == PHONE:
            bounds = page.locator("label:has(#fade)").bounding_box()
            assert bounds is not None
            assert bounds["height"] >= 43.9


def test_it_is_lifted_with_what_is_marked_and_at_every_strength(browser: "Browser", site: Site) -> None:
    with restoring(browser, site) as page:
        choose(page, payload(FADED, "print.webp", "WEBP"))
        assert "Intact parts stay exactly as they were." in page.inner_text("#png-help")
        page.check("#fade")
        assert "Intact" not in page.inner_text("#format-box")  # no part stays as it was
        page.check("[name=format][value=png]")
        restore(page)
        assert "The fading was lifted from the whole photo." in page.inner_text("#verdict")
        assert "exactly as it was" not in page.inner_text("#verdict")
        full, mask = canvas_pixels(page, "#after")[..., :3], sent_mask(page)
        files = {"image": file_of(FADED, "WEBP"), "mask": file_of(mask)}
        answer = site.client().post("/v1/restorations", files=files, data={"fade": "true"}).json()
        assert np.array_equal(full, pixels_of(base64.b64decode(answer["picture"])))
        page.fill("#strength", "0")
        page.wait_for_selector("#save:not([disabled])", timeout=60_000)
        assert page.evaluate("window.sent.at(-1).fade") == "true"
        none = canvas_pixels(page, "#after")[..., :3]
        assert np.array_equal(none[~mask], full[~mask])
        assert not np.array_equal(none, full)


def test_it_is_said_where_there_is_none(browser: "Browser", site: Site) -> None:
    with restoring(browser, site) as page:
        choose(page, payload(SMALL_PRINT, "a.png"), payload(SMALL_PRINT, "b.png"))
        page.check("#fade")
        restore(page)
        assert page.inner_text("#why") == "We found no fading to lift."
        page.click("#adjust")
        page.click("#clear")
        restore(page)
        assert page.inner_text("#result-title") == "Nothing had to be restored"
        assert "we found no fading to lift" in page.inner_text("#verdict")
        page.click("#next")
        assert not page.is_checked("#fade")  # each photo has its own
