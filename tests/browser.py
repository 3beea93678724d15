"""A real browser for page tests: Debian's Chromium through Playwright.

A conftest.py that imports the fixture `browser` gives one to its folder, a module that imports it has one of its own.
"""

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image as Pillow

from tests.programs import program

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_QUIET = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
_QUIETER = ("--disable-component-update", "--disable-sync")
_AS_PNG = """async element => {
  if (element.tagName === 'CANVAS') return element.toDataURL('image/png');
  await element.decode();
  const size = {width: element.naturalWidth, height: element.naturalHeight};
  const canvas = Object.assign(document.createElement('canvas'), size);
  canvas.getContext('2d').drawImage(element, 0, 0);
  return canvas.toDataURL('image/png');
}"""
DESKTOP = (1280, 900)
PHONE = (390, 844)


@pytest.fixture(scope="package")
def browser() -> Iterator["Browser"]:
    """Chromium for the tests of a folder."""
    with open_browser() as opened:
        yield opened


@contextmanager
def open_browser() -> Iterator["Browser"]:
    """Chromium; the test is skipped where it is absent, and fails under LIKENESS_CI=1.

    Meanwhile nothing else of this process may run an event loop.
    """
    chromium = program("chromium", "chromium", "chromium-browser", "google-chrome")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=[*_QUIET, *_QUIETER])
        yield started
        started.close()


@contextmanager
def clean_page(
    browser: "Browser",
    size: tuple[int, int] = DESKTOP,
    *,
    dark: bool = False,
    touch: bool = False,
    expected: tuple[str, ...] = (),
) -> Iterator["Page"]:
    """A page in a context of its own; on leaving, no console error and no failed request may have been seen.

    Args:
        browser: from the fixture.
        size: width and height of the window, CSS pixels.
        dark: whether the visitor prefers a dark page.
        touch: whether fingers are emulated.
        expected: parts of messages that a test provokes on purpose (a 422, say) and that do not count.
    """
    troubles: list[str] = []
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        has_touch=touch,
        reduced_motion="reduce",
    )
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.on("console", lambda line: troubles.append(line.text) if line.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("requestfailed", lambda request: troubles.append(f"{request.url}: {request.failure}"))
    page.on(
        "response", lambda answer: troubles.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None
    )
    try:
        yield page
    finally:
        context.close()
    ignored = (*expected, "net::ERR_ABORTED")  # aborted: the visitor went elsewhere, or downloaded it
    unexpected = [trouble for trouble in troubles if not any(part in trouble for part in ignored)]
    assert not unexpected, unexpected


def no_sideways_scroll(page: "Page") -> bool:
    """Whether the page is no wider than its window."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def canvas_pixels(page: "Page", selector: str) -> npt.NDArray[np.uint8]:
    """What a canvas or a picture shows, (H, W, 4). It comes as PNG: a list of numbers takes Playwright seconds."""
    address = page.eval_on_selector(selector, _AS_PNG)
    with Pillow.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))) as picture:
        return np.asarray(picture.convert("RGBA"))
