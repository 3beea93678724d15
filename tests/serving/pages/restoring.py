"""A torn print and the page that restores it, for the tests of that page."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as Pillow

from models.images import Image, Mask
from tests.browser import DESKTOP, PHONE, clean_page
from tests.serving.site import Site, file_of, pixels_of, portrait

if TYPE_CHECKING:
    from playwright.sync_api import Browser, CDPSession, FilePayload, Page

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
SMALL_PRINT = np.ascontiguousarray(PRINT[::3, ::3])
"""The same at 300 x 334 pixels, restored in a third of the time, for tests in which its size is of no account."""


@contextmanager
def restoring(browser: "Browser", site: Site, size: tuple[int, int] = DESKTOP) -> Iterator["Page"]:
    """The page, which remembers the forms that it sends."""
    with clean_page(browser, size, touch=size != DESKTOP, expected=("net::ERR_FAILED", "429", "503")) as page:
        page.add_init_script(f"({SPY})()")
        page.goto(site.open_url)
        yield page


def payload(image: Image, name: str, kind: str = "PNG") -> "FilePayload":
    return {"name": name, "mimeType": f"image/{kind.lower()}", "buffer": file_of(image, kind)}


def choose(page: "Page", *photos: "FilePayload") -> None:
    """Choose photos, and wait until damage was looked for in the one that is shown."""
    page.set_input_files("#photo", list(photos))
    page.wait_for_selector("#found:not(:empty)")


def restore(page: "Page") -> None:
    """Press "Restore", and wait for the result."""
    page.click("#restore")
    page.wait_for_selector("#result:not([hidden])", timeout=60_000)


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
