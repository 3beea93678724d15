"""What helps a person with a torn print: zoom, pieces, mask files, a queue, 100 %, the format of the file."""

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image as Pillow

from models.images import Image, Mask
from tests.browser import DESKTOP, PHONE, browser, canvas_pixels, clean_page, no_sideways_scroll  # noqa: F401 - a fixture
from tests.serving.site import Site, file_of, pixels_of, portrait

if TYPE_CHECKING:
    from playwright.sync_api import Browser, CDPSession, FilePayload, Page

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
BOTH = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
RED, DARK_RED = (255, 0, 0), (140, 0, 0)
SPY = """() => {
  window.sent = [];
  const address = blob => new Promise(done => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.readAsDataURL(blob);
  });
  const ask = window.fetch;
  window.fetch = async (path, request) => {
    if (request?.body instanceof FormData) {
      const form = {path};
      for (const [name, value] of request.body) form[name] = value instanceof Blob ? await address(value) : value;
      window.sent.push(form);
    }
    return ask(path, request);
  };
}"""


def torn_print() -> Image:
    """A print of 900 x 1000 pixels with a tear and a hole, pure red, and a stain, dark red."""
    large = Pillow.fromarray(portrait()).resize((900, 1000), Pillow.Resampling.BICUBIC)
    image = np.array(large)
    image[440:560, 380:520] = RED
    image[700:732, 60:840] = RED
    image[100:180, 60:160] = DARK_RED
    return image


PRINT = torn_print()


@contextmanager
def restoring(browser: "Browser", site: Site, size: tuple[int, int] = DESKTOP) -> Iterator["Page"]:  # noqa: F811
    """The page, which remembers the forms that it sends."""
    with clean_page(browser, size, touch=size != DESKTOP, expected=("net::ERR_FAILED", "429")) as page:
        page.add_init_script(f"({SPY})()")
        page.goto(site.open_url)
        yield page


def payload(image: Image, name: str, kind: str = "PNG") -> "FilePayload":
    return {"name": name, "mimeType": f"image/{kind.lower()}", "buffer": file_of(image, kind)}


def choose(page: "Page", *photos: "FilePayload") -> None:
    """Choose photos, and wait until damage was looked for in the one that is shown."""
    page.set_input_files("#photo", list(photos))
    page.wait_for_selector("#found:not(:empty)")


def sent_mask(page: "Page") -> Mask:
    """The mask of the form that was sent last."""
    address = page.evaluate("window.sent.at(-1).mask")
    return pixels_of(base64.b64decode(address.partition(",")[2]))[..., 0] > 127


def send(page: "Page") -> Mask:
    """Press "Restore" without waiting for the result; the mask that goes out."""
    before = page.evaluate("window.sent.length")
    page.route("**/v1/restorations", lambda route: route.abort())
    page.click("#restore")
    page.wait_for_function(f"() => window.sent.length > {before}")
    page.wait_for_selector("#veil", state="hidden")
    page.unroute("**/v1/restorations")
    return sent_mask(page)


def pixel_of(page: "Page", x: float, y: float) -> tuple[float, float, float]:
    """The place in the photo that lies under a point of the window, and pixels of the photo per pixel of the screen."""
    box = page.locator("#mask").bounding_box()
    assert box is not None
    scale = PRINT.shape[1] / box["width"]
    return (x - box["x"]) * scale, (y - box["y"]) * scale, scale


def capsule(page: "Page", start: tuple[float, float], end: tuple[float, float]) -> Mask:
    """Pixels of the print that a stroke between two points of the window covers."""
    (x1, y1, scale), (x2, y2, _) = pixel_of(page, *start), pixel_of(page, *end)
    radius = int(page.inner_text("#size-note").split()[0]) / 2 * scale
    y, x = np.indices(PRINT.shape[:2]) + 0.5
    along = np.clip(((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / ((x2 - x1) ** 2 + (y2 - y1) ** 2), 0, 1)
    return np.asarray(np.hypot(x - x1 - along * (x2 - x1), y - y1 - along * (y2 - y1)) <= radius)


def fingers(session: "CDPSession", kind: str, *points: tuple[float, float]) -> None:
    """Put fingers on the screen, move them, lift them all."""
    touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
    session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})


def middle(page: "Page", selector: str = "#stage") -> tuple[float, float]:
    box = page.locator(selector).bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def difference(mask: Mask, expected: Mask) -> float:
    """Share of the expected pixels that differ."""
    return float((mask != expected).sum() / expected.sum())


def test_a_stroke_on_an_enlarged_photo_marks_what_lies_under_it(browser: "Browser", site: Site) -> None:  # noqa: F811
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


def test_two_fingers_enlarge_and_one_marks(browser: "Browser", site: Site) -> None:  # noqa: F811 - fixture
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


def test_zoom_by_buttons_and_keys(browser: "Browser", site: Site) -> None:  # noqa: F811 - fixture
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
def test_found_pieces_are_switched_one_by_one(browser: "Browser", site: Site, size: tuple[int, int]) -> None:  # noqa: F811
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


def press(page: "Page", x: float, y: float, *, touch: bool) -> None:
    """Click or tap the photo; the place is in shares of its sides."""
    page.locator("#stage").scroll_into_view_if_needed()
    box = page.locator("#mask").bounding_box()
    assert box is not None
    place = (box["x"] + x * box["width"], box["y"] + y * box["height"])
    if touch:
        page.touchscreen.tap(*place)
    else:
        page.mouse.click(*place)


def test_a_mask_file_joins_strokes_and_pieces(browser: "Browser", site: Site) -> None:  # noqa: F811 - fixture
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


@BOTH
def test_photos_in_a_queue_keep_their_marks(browser: "Browser", site: Site, size: tuple[int, int]) -> None:  # noqa: F811
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


def test_requests_are_made_one_at_a_time(browser: "Browser", site: Site) -> None:  # noqa: F811 - fixture
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


def test_a_search_that_failed_is_made_again(browser: "Browser", site: Site) -> None:  # noqa: F811 - fixture
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


def test_files_that_are_no_pictures_do_not_hold_up_the_others(browser: "Browser", site: Site) -> None:  # noqa: F811
    bad: FilePayload = {"name": "letter.png", "mimeType": "image/png", "buffer": b"no picture"}
    with restoring(browser, site) as page:
        choose(page, bad, payload(portrait(), "a.png"))
        assert "letter.png" in page.inner_text("#queue-problem")
        assert page.is_visible("#work")


@BOTH
def test_one_hundred_per_cent_shows_true_pixels(browser: "Browser", site: Site, size: tuple[int, int]) -> None:  # noqa: F811
    with restoring(browser, site, size) as page:
        choose(page, payload(PRINT, "print.png"))
        page.click("#restore")
        page.wait_for_selector("#result:not([hidden])", timeout=60_000)
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
def test_the_file_comes_back_in_its_own_format(browser: "Browser", site: Site, kind: str, ending: str) -> None:  # noqa: F811
    with restoring(browser, site) as page:
        choose(page, payload(PRINT, f"print.{ending}", kind))
        assert page.is_visible("#format-box") == (kind != "PNG")
        saved = save(page)
        assert saved[0] == f"print-restored.{ending}"
        with Pillow.open(io.BytesIO(saved[1])) as picture:
            assert (picture.format, picture.size) == (kind, (900, 1000))
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
    page.click("#restore")
    page.wait_for_selector("#result:not([hidden])", timeout=60_000)
    with page.expect_download() as downloading:
        page.click("#save")
    return downloading.value.suggested_filename, Path(downloading.value.path()).read_bytes()


@BOTH
def test_every_button_is_large_enough_for_a_finger(browser: "Browser", site: Site, size: tuple[int, int]) -> None:  # noqa: F811
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
