"""The page in a real browser, on the real service with a small model."""

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from models.images import Image, Mask
from tests.browser import DESKTOP, PHONE, canvas_pixels, clean_page, no_sideways_scroll
from tests.serving.pages.restoring import restore
from tests.serving.site import Site, damaged, doubtful, file_of, pixels_of, portrait

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FilePayload, Page

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
MARKED = """() => { const c = document.getElementById('mask');
    const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
    let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 127; return n; }"""


def payload(content: bytes, name: str) -> "FilePayload":
    """What a person chooses in the file dialogue."""
    return {"name": name, "mimeType": "image/png", "buffer": content}


def upload(page: "Page", url: str, image: Image | None = None, name: str = "grandmother.png") -> None:
    """Open the page, choose a photo, wait until damage was looked for."""
    page.goto(url)
    content = file_of(damaged()[0] if image is None else image)
    page.set_input_files("#photo", payload(content, name))
    page.wait_for_selector("#found:not(:empty)")


def proposed_by(site: Site) -> int:
    """Marked pixels of the mask that the service proposes for the damaged portrait."""
    answer = site.client().post("/v1/masks", files={"image": file_of(damaged()[0])}).json()
    return int((pixels_of(base64.b64decode(answer["mask"]))[..., 0] > 127).sum())


def shown(page: "Page", canvas: str) -> Mask:
    """Pixels that a canvas covers, (H, W)."""
    return canvas_pixels(page, canvas)[..., 3] > 127


def paint(page: "Page", start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag over the photo; places are shares of its sides."""
    box = page.locator("#mask").bounding_box()
    assert box is not None
    for number, (x, y) in enumerate((start, end)):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=5)
        if number == 0:
            page.mouse.down()
    page.mouse.up()


def test_from_photo_to_download(browser: "Browser", site: Site, tmp_path: Path) -> None:
    with clean_page(browser) as page:
        upload(page, site.open_url)
        found = page.evaluate(MARKED)
        assert found == proposed_by(site)
        assert "This looks damaged" in page.inner_text("#found")
        page.screenshot(path=tmp_path / "work.png", full_page=True)
        restore(page)
        before, after = canvas_pixels(page, "#before")[..., :3], canvas_pixels(page, "#after")[..., :3]
        changed = (before != after).any(axis=-1)
        assert np.array_equal(before, damaged()[0])
        assert 0 < changed.sum() <= found  # nothing but what was marked
        assert page.inner_text("#result-title") == "Restored"
        assert page.locator(".trust dt").count() >= 1
        assert page.locator(".sure [role=meter]").count() == 2
        with page.expect_download() as downloading:
            page.click("#save")
        assert downloading.value.suggested_filename == "grandmother-restored.png"
        saved = Path(downloading.value.path()).read_bytes()
        state, manifest = site.service.context.seal.read(saved, "image/png")
        assert (state, manifest["title"].split()[0]) == ("Trusted", "restored")
        with page.expect_download() as downloading:
            page.click("#save-both")
        assert downloading.value.suggested_filename == "grandmother-beside.png"
        page.screenshot(path=tmp_path / "result.png", full_page=True)


def test_the_brush_adds_erases_and_undoes(browser: "Browser", site: Site) -> None:
    with clean_page(browser) as page:
        upload(page, site.open_url)
        proposed = page.evaluate(MARKED)
        paint(page, (0.1, 0.8), (0.4, 0.8))
        more = page.evaluate(MARKED)
        assert more > proposed
        page.click("#undo")
        assert page.evaluate(MARKED) == proposed
        page.click(".choice >> text=Erase")
        paint(page, (0.35, 0.45), (0.55, 0.45))
        assert page.evaluate(MARKED) < proposed
        page.click("#clear")
        assert page.evaluate(MARKED) == 0
        assert page.is_disabled("#restore")
        page.focus("#mask")
        page.keyboard.press("e")
        page.keyboard.press("Space")
        one = page.evaluate(MARKED)
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("Space")
        page.keyboard.press("+")
        assert page.evaluate(MARKED) > one > 0
        page.keyboard.press("Control+z")
        assert page.evaluate(MARKED) == one
        assert not page.is_disabled("#restore")


def test_what_may_be_damaged_is_lighter_until_it_is_marked(browser: "Browser", site: Site, tmp_path: Path) -> None:
    image, hole = damaged()
    image, stain = doubtful(image)
    with clean_page(browser) as page:
        upload(page, site.open_url, image)
        assert np.array_equal(shown(page, "#mask"), hole)
        assert np.array_equal(shown(page, "#light"), stain)
        assert (
            page.inner_text("#lighter")
            == "Lighter: may be damage, or part of the picture. Mark it only if it is damage."
        )
        marks, light = (canvas_pixels(page, name)[mask].mean(0) for name, mask in (("#mask", hole), ("#light", stain)))
        assert light[:3].mean() > marks[:3].mean() + 40
        page.screenshot(path=tmp_path / "lighter.png", full_page=True)
        paint(page, (0.0, 0.1), (0.3, 0.1))  # over its upper part: only what is left is still lighter
        left = shown(page, "#light")
        assert 0 < left.sum() < stain.sum()
        assert not (left & shown(page, "#mask")).any()
        page.click("#undo")
        assert np.array_equal(shown(page, "#light"), stain)
        page.focus("#mark-too")
        page.keyboard.press("Enter")
        assert np.array_equal(shown(page, "#mask"), hole | stain)
        assert not shown(page, "#light").any()
        assert not page.is_visible("#lighter")
        assert not page.is_visible("#mark-too")
        assert page.evaluate("document.activeElement.id") == "undo"  # the focus is not lost with the button
        page.keyboard.press("Enter")
        assert np.array_equal(shown(page, "#mask"), hole)
        assert np.array_equal(shown(page, "#light"), stain)


@pytest.mark.parametrize("too", [False, True])
def test_only_what_is_marked_is_restored(browser: "Browser", site: Site, too: bool) -> None:
    image, hole = damaged()
    image, stain = doubtful(image)
    with clean_page(browser) as page:
        upload(page, site.open_url, image)
        if too:
            page.click("#mark-too")
        restore(page)
        before, after = canvas_pixels(page, "#before")[..., :3], canvas_pixels(page, "#after")[..., :3]
    changed = (before != after).any(axis=-1)
    assert changed[hole].mean() > 0.9
    assert not changed[~(hole | stain)].any()
    assert changed[stain].any() == too


def test_a_fine_line_in_a_large_photo_is_shown(browser: "Browser", site: Site) -> None:
    image = np.full((400, 3200, 3), 90, np.uint8)
    image[48:50, 100:1700], image[68:70, 100:1700] = (255, 0, 0), (120, 0, 0)
    with clean_page(browser) as page:
        upload(page, site.open_url, image)
        marks, light = shown(page, "#mask"), shown(page, "#light")
    assert marks.shape == (200, 1600)
    assert marks[24, 50:850].all()
    assert light[34, 50:850].all()
    assert (marks.sum(), light.sum()) == (800, 800)


def test_a_photo_in_which_nothing_is_certain_says_so_and_takes_marks(browser: "Browser", site: Site) -> None:
    with clean_page(browser) as page:
        upload(page, site.open_url, portrait())
        assert page.inner_text("#found") == "We found no damage. Paint over what should be restored."
        assert not page.is_visible("#lighter")
        assert page.is_disabled("#restore")
        page.click("#work .restart")
        upload(page, site.open_url, doubtful(portrait())[0])
        assert page.inner_text("#found").startswith("Nothing here is damaged for certain.")
        assert page.is_visible("#mark-too")
        assert page.is_disabled("#restore")
        paint(page, (0.45, 0.5), (0.5, 0.5))
        restore(page)
        assert page.inner_text("#result-title") == "Restored"
        changed = (canvas_pixels(page, "#before") != canvas_pixels(page, "#after")).any(axis=-1)
        assert changed.any()
        assert not (changed & doubtful(portrait())[1]).any()


def test_an_unchanged_photo_is_not_called_restored(browser: "Browser", site: Site, tmp_path: Path) -> None:
    image = doubtful(portrait())[0]
    answer = site.client().post("/v1/restorations", files={"image": file_of(image)}).json()
    with clean_page(browser) as page:
        upload(page, site.open_url, image)
        page.route("**/v1/restorations", lambda route: route.fulfill(json=answer))  # as to somebody who sent no mask
        page.click("#mark-too")
        restore(page)
        assert page.inner_text("#result-title") == "Nothing had to be restored"
        assert "comes back exactly as it was" in page.inner_text("#verdict")
        assert np.array_equal(canvas_pixels(page, "#left-alone")[..., :3], image)
        for name in ("#save", "#compare", "#feedback", "#why"):
            assert not page.is_visible(name)
        page.screenshot(path=tmp_path / "unchanged.png", full_page=True)
        page.click("#advice button")
        assert page.is_visible("#work")


def test_the_slider_moves_by_pointer_and_by_keyboard_and_opinions_are_logged(
    browser: "Browser",
    site: Site,
) -> None:
    with clean_page(browser) as page:
        upload(page, site.open_url)
        restore(page)
        box = page.locator("#compare").bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + 0.2 * box["width"], box["y"] + 20)
        assert page.input_value("#split") == "20"
        page.focus("#split")
        page.keyboard.press("ArrowRight")
        assert page.input_value("#split") == "21"
        assert page.get_attribute("#split", "aria-valuetext") == "21 % original, 79 % restored"
        clip = page.evaluate("getComputedStyle(document.getElementById('after')).clipPath")
        assert "21%" in clip
        page.click("[data-recognised=true]")
        page.wait_for_selector("#thanks:not(:empty)")
        assert page.get_attribute("[data-recognised=true]", "aria-pressed") == "true"
        page.click("summary:has-text('Details')")
        request_id = page.locator("#details dd").last.inner_text()
        rows = site.service.context.log.after(0).set_index("request_id")
        assert bool(rows.loc[request_id, "feedback_recognised"]) is True


def test_a_refusal_is_kind_and_says_what_to_try(browser: "Browser", site: Site, tmp_path: Path) -> None:
    image = np.full_like(portrait(), 128)  # nobody in it
    with clean_page(browser) as page:
        upload(page, site.open_url, image)
        assert page.evaluate(MARKED) == 0
        page.evaluate("document.getElementById('size').value = 100")
        page.dispatch_event("#size", "input")
        for height in (0.15, 0.4, 0.65, 0.9):
            paint(page, (0.05, height), (0.95, height))
        page.click("#restore")
        assert "Everything is marked" in page.inner_text("#work-problem")
        page.click("#clear")
        paint(page, (0.3, 0.3), (0.7, 0.6))
        restore(page)
        assert page.inner_text("#result-title") == "We would rather not guess"
        assert "no face was found" in page.inner_text("#why")
        assert "Add another photo of the same person." in page.inner_text("#advice")
        assert not page.is_visible("#save")
        page.screenshot(path=tmp_path / "refusal.png", full_page=True)
        page.click("#advice button")
        assert page.is_visible("#work")
        assert page.evaluate(MARKED) > 0


def test_on_a_phone_nothing_scrolls_sideways(browser: "Browser", site: Site, tmp_path: Path) -> None:
    with clean_page(browser, PHONE, dark=True, touch=True) as page:
        page.goto(site.open_url)
        assert no_sideways_scroll(page)
        upload(page, site.open_url)
        before = page.evaluate(MARKED)
        assert no_sideways_scroll(page)
        box = page.locator("#mask").bounding_box()
        assert box is not None
        page.touchscreen.tap(box["x"] + 0.15 * box["width"], box["y"] + 0.85 * box["height"])
        assert page.evaluate(MARKED) > before
        page.screenshot(path=tmp_path / "phone.png", full_page=True)
        restore(page)
        assert no_sideways_scroll(page)


def test_a_token_is_asked_for_only_where_it_is_needed(browser: "Browser", site: Site) -> None:
    with clean_page(browser, DESKTOP, expected=("401",)) as page:
        page.goto(site.url)
        assert not page.is_visible("#token")
        content = file_of(damaged()[0])
        page.set_input_files("#photo", payload(content, "a.png"))
        page.wait_for_selector("#token")
        assert "needs an access token" in page.inner_text("#work-problem")
        page.fill("#token", site.tokens["restore"])
        page.keyboard.press("Tab")
        page.wait_for_selector("#found:not(:empty)")
        assert page.evaluate(MARKED) > 0


def test_photos_are_kept_only_with_a_tick_and_a_subject(browser: "Browser", site: Site) -> None:
    kept = site.paths.kept
    with clean_page(browser) as page:
        upload(page, site.open_url)
        assert not page.is_checked("#consent")
        restore(page)
        assert not list(kept.glob("*/*/*"))
        page.click("#adjust")
        page.click("summary:has-text('Let us learn')")
        page.check("#consent")
        page.click("#restore")
        assert "have them deleted" in page.inner_text("#work-problem")
        page.fill("#subject", "ann")
        content = file_of(portrait())
        page.set_input_files("#references", payload(content, "b.png"))
        assert page.inner_text("#reference-note") == "1 photo added."
        restore(page)
        page.click("summary:has-text('Details')")
        assert "yes, as you asked" in page.inner_text("#details")
    record = json.loads(next(kept.glob("*/*/record.json")).read_text())
    assert record["basis"] == "consent, ticked on the page"
    assert "reference-1.png" in record["pictures"]
    assert record["subject"] == site.service.context.pictures.pseudonym("ann")
    assert site.client("admin").delete("/v1/subjects/ann").json() == {"deleted": 1}
    assert not list(kept.glob("*/*/*"))


def test_a_file_that_is_no_picture_gets_a_plain_word(browser: "Browser", site: Site) -> None:
    with clean_page(browser) as page:
        page.goto(site.open_url)
        page.set_input_files("#photo", payload(b"no picture", "a.png"))
        page.wait_for_selector("#start-problem:not([hidden])")
        assert "no picture that a browser can show" in page.inner_text("#start-problem")
        assert page.is_visible("#start")
