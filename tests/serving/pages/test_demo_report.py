"""The demo's page in a real browser, from a file: readable on a phone and in the dark, and in need of nothing else."""

from pathlib import Path
from typing import Any

import pytest

from serving.views.demo_report import render
from tests.browser import DESKTOP, PHONE, clean_page, no_sideways_scroll
from tests.serving.demo_pages import failed, won


@pytest.mark.parametrize("make", [won, failed])
@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_in_a_browser(browser: Any, make: Any, phone: bool, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(render(make()), encoding="utf-8")
    size = PHONE if phone else DESKTOP
    with clean_page(browser, size, dark=phone) as page:
        page.goto(file.as_uri(), wait_until="networkidle")
        assert no_sideways_scroll(page)
        heading = page.locator("h1").bounding_box()
        assert heading is not None
        assert heading["y"] + heading["height"] < size[1]
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper == ("rgb(27, 23, 20)" if phone else "rgb(250, 246, 240)")
        shown = page.evaluate("[...document.images].map(image => image.naturalWidth)")
        assert len(shown) == 8 + 23
        assert min(shown) > 0
        widths = page.evaluate("[...document.images].map(image => image.getBoundingClientRect().width)")
        assert min(widths) >= 64  # a face can be seen
        texts = page.evaluate(
            "[...document.querySelectorAll('.chart text, .chart span')].map(t => t.getBoundingClientRect().height)"
        )
        assert min(texts) >= 10  # CSS pixels: axis labels can be read on a phone too


def test_it_needs_nothing_else_and_escapes_what_comes_from_data() -> None:
    from dataclasses import replace

    page = render(replace(won(), lead="<script>alert(1)</script>"))
    assert "<script" not in page
    assert "&lt;script&gt;alert" in page
    for reference in ("url(", "@import", 'src="http', 'src="/'):
        assert reference not in page


def test_the_gate_and_the_test_are_told_as_they_ended() -> None:
    passed, not_passed = render(won()), render(failed())
    assert passed.count("✓ passed") == 3
    assert "✗ failed" not in passed
    assert not_passed.count("✗ failed") == 1
    assert "No A/B test ran" in not_passed
    assert passed.count("at most 0.75") == 3
    assert "worse than this is not accepted" in passed
