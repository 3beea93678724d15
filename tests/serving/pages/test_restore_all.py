"""What is done to all photos of the queue: restored one after the other, and taken away in one file."""

import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.browser import PHONE, canvas_pixels, no_sideways_scroll
from tests.serving.pages.restoring import BOTH, SMALL_PRINT, choose, payload, press, restoring, sent_mask
from tests.serving.site import Site, pixels_of, portrait

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")

NOTES = """() => {
  window.notes = [];
  const note = document.getElementById('queue-note');
  new MutationObserver(() => window.notes.push(note.textContent)).observe(note, {childList: true});
}"""


def states(page: "Page") -> list[str]:
    return page.locator("#photos small").all_inner_texts()


def ended(page: "Page", words: str) -> None:
    page.wait_for_selector(f"#queue-note:has-text('{words}')", timeout=120_000)


def all_of_them(page: "Page") -> dict[str, bytes]:
    """The files of the ZIP, by name."""
    with page.expect_download() as downloading:
        page.click("#download-all")
    assert downloading.value.suggested_filename == "restored-photos.zip"
    with zipfile.ZipFile(Path(downloading.value.path())) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


@BOTH
def test_all_are_restored_with_their_marks_and_taken_away(
    browser: "Browser",
    site: Site,
    size: tuple[int, int],
) -> None:
    photos = (
        payload(SMALL_PRINT, "first.jpg", "JPEG"),
        payload(portrait(), "intact.png"),
        payload(SMALL_PRINT[:, ::-1], "first.png"),
    )
    with restoring(browser, site, size) as page:
        page.evaluate(f"({NOTES})()")
        choose(page, *photos)
        press(page, 0.25, 0.25, touch=size == PHONE)
        page.focus("#restore-all")
        page.keyboard.press("Enter")
        ended(page, "2 of 3 photos restored.")
        assert states(page) == ["Restored", "Needs you", "Restored"]
        assert page.inner_text("#queue-problem").startswith(
            "“intact” is not restored. Nothing is marked on this photo."
        )
        assert page.inner_text("#queue-problem").count("is not restored") == 1
        assert page.evaluate("window.notes") == [
            "Restoring all: 0 of 3 photos done…",
            "Restoring all: 1 of 3 photos done…",
            "Restoring all: 2 of 3 photos done…",
            "Restoring all: 3 of 3 photos done…",
            "2 of 3 photos restored.",
        ]
        forms = [form for form in page.evaluate("window.sent") if form["path"] == "v1/restorations"]
        assert len(forms) == 2
        page.evaluate("forms => window.sent.push(forms[0])", forms)
        marked = sent_mask(page)
        assert marked[80:87, 72:78].all()  # the stroke
        assert marked[149:185, 129:172].all()  # and what was found
        files = all_of_them(page)
        assert list(files) == ["first-restored.jpg", "first-restored.png"]
        for (name, content), kind in zip(files.items(), ("JPEG", "PNG"), strict=True):
            with Pillow.open(io.BytesIO(content)) as picture:
                assert (picture.format, picture.size) == (kind, (300, 334)), name
            assert site.service.context.seal.read(content, f"image/{kind.lower()}")[0] == "Trusted"
        page.click("#photos li:last-child button")
        assert np.array_equal(pixels_of(files["first-restored.png"]), canvas_pixels(page, "#after")[..., :3])
        assert no_sideways_scroll(page)
        page.click("#photos li:nth-child(2) button")  # mend what was left, and go on with that alone
        press(page, 0.5, 0.5, touch=size == PHONE)
        page.click("#restore-all")
        ended(page, "The photo is restored.")
        assert not page.is_visible("#queue-problem")
        assert page.is_disabled("#restore-all")
        assert len(all_of_them(page)) == 3


def test_it_goes_on_after_one_fails(browser: "Browser", site: Site) -> None:
    late = {"status": 503, "code": "too_late", "expected": "", "got": "", "remedy": "", "request_id": ""}
    failed: list[str] = []

    def fail_once(route: "Route") -> None:
        if failed:
            return route.continue_()
        failed.append(route.request.url)
        return route.fulfill(status=503, json=late)

    with restoring(browser, site) as page:
        choose(
            page,
            payload(SMALL_PRINT, "same.png"),
            payload(SMALL_PRINT[:, ::-1], "same.png"),
            payload(SMALL_PRINT[::-1], "same.png"),
        )
        page.route("**/v1/restorations", fail_once)
        page.click("#restore-all")
        ended(page, "2 of 3 photos restored.")
        assert states(page)[0] == "Needs you"
        assert page.inner_text("#queue-problem") == page.inner_text("#work-problem").join(
            ("“same” is not restored. ", "")
        )
        assert "longer than we may let you wait" in page.inner_text("#work-problem")
        assert list(all_of_them(page)) == ["same-restored.png", "same-restored-2.png"]


def test_it_stops_after_the_photo_that_has_begun(browser: "Browser", site: Site) -> None:
    held: list[Route] = []
    with restoring(browser, site) as page:
        choose(page, payload(SMALL_PRINT, "a.png"), payload(SMALL_PRINT[:, ::-1], "b.png"))
        page.route("**/v1/restorations", lambda route: held.append(route))  # noqa: PLW0108 - no built-in
        page.click("#restore-all")
        page.wait_for_selector("#photos li >> nth=0 >> text=Being restored")
        page.wait_for_function("() => window.sent.some(form => form.path === 'v1/restorations')")
        assert states(page)[1] in ("Waiting", "Being searched")
        assert page.inner_text("#restore-all") == "Stop after this one"
        page.click("#restore-all")
        while not held:
            page.wait_for_timeout(50)
        held[0].continue_()
        ended(page, "1 of 2 photos restored.")
        assert "“b” is not restored. Not begun." in page.inner_text("#queue-problem")
        assert page.inner_text("#restore-all") == "Restore all"
        assert states(page) == ["Restored", "Ready to mark"]


def test_a_photo_alone_has_no_buttons_for_all(browser: "Browser", site: Site) -> None:
    with restoring(browser, site) as page:
        choose(page, payload(portrait(), "a.png"))
        assert not page.is_visible("#restore-all")
        assert page.inner_text("#restore") == "Restore"
