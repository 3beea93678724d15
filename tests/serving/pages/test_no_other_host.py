"""No page of the service, nor of the raters, asks anything of another host: nothing comes from a CDN."""

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest

from serving.views.assets import PAGES
from tests.conftest import ROOT
from tests.serving.site import Site

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ELSEWHERE = re.compile(
    r"""(?:src|href|action)\s*=\s*["']?\s*(?:https?:)?//|url\(\s*["']?(?:https?:)?//|@import|import\(?\s*["']https?:|from\s+["']https?:""",
    re.IGNORECASE,
)
"""What makes a browser ask another host."""
TEMPLATES = sorted(
    file
    for folder in (PAGES, ROOT / "pipeline" / "templates")
    for file in folder.rglob("*")
    if file.suffix in {".html", ".j2", ".js", ".css", ".svg"}
)


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_no_file_of_a_page_refers_to_another_host(file: Path) -> None:
    assert not ELSEWHERE.findall(file.read_text(encoding="utf-8"))


def test_the_pattern_finds_what_it_is_for() -> None:
    for found in (
        '<script src="https://cdn.jsdelivr.net/npm/vega">',
        "<link href=//fonts.example/a.css>",
        "background: url(https://a.example/b.png)",
        'import x from "https://a.example/b.js"',
    ):
        assert ELSEWHERE.search(found), found


@pytest.mark.parametrize("address", ["/", "/review", "/docs", "/status"])
def test_a_served_page_asks_only_the_service(site: Site, browser: "Browser", address: str) -> None:
    context = browser.new_context()
    page, hosts = context.new_page(), set[str]()
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.goto(f"{site.open_url}{address}")
    page.wait_for_load_state("networkidle")
    context.close()
    assert hosts <= {urlsplit(site.open_url).netloc, ""}  # "": data: and blob:
    assert not ELSEWHERE.findall(httpx.get(f"{site.open_url}{address}").text)


@pytest.mark.parametrize("address", ["/redoc", "/docs/oauth2-redirect"])
def test_pages_that_fastapi_would_load_from_elsewhere_are_not_there(site: Site, address: str) -> None:
    assert httpx.get(f"{site.open_url}{address}").status_code == 404
