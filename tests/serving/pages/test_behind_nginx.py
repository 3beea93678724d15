"""The service behind Debian's nginx with the files of infra/nginx: under a name of its own, and below a path."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from serving.service import Service
from tests.nginx import Front, nginx
from tests.serving.pages.restoring import SMALL_PRINT, choose, payload, restore
from tests.serving.site import PARAMS, Shared, Site, form, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
PAGES = ("", "review", "status", "docs")
STRANGERS = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Prefix": "/elsewhere",
    "X-Forwarded-Host": "elsewhere.example",
    "Forwarded": "for=203.0.113.9;host=elsewhere.example;proto=http",
}


@dataclass(frozen=True)
class Shown:
    """The service behind nginx. `root`: its path there, "/" or "/likeness/"; `direct`: its own address."""

    front: Front
    name: str
    root: str
    direct: str
    token: str

    def client(self, headers: dict[str, str] | None = None) -> httpx.Client:
        return self.front.client(self.name, {"Authorization": f"Bearer {self.token}"} | (headers or {}))

    @property
    def url(self) -> str:
        return self.front.url(self.name, self.root)


@pytest.fixture(scope="module", params=["hosts", "paths"])
def shown(request: pytest.FixtureRequest, site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """Both shapes, with tokens and public names, as docs/proxy.md has them."""
    name, root = ("likeness", "/") if request.param == "hosts" else ("tools", "/likeness/")
    with ExitStack() as stack:
        direct = stack.enter_context(running(public(site.service, f"{name}.localhost")))
        front = stack.enter_context(nginx(request.param, {"service": direct}, tmp_path_factory.mktemp("nginx")))
        yield Shown(front, name, root, direct, site.tokens["restore"])


def public(service: Service, *hosts: str) -> Service:
    proxy = PARAMS.serve.proxy.model_copy(update={"hosts": hosts})
    serve = service.params.serve.model_copy(update={"proxy": proxy})
    return Shared.of(service, params=service.params.model_copy(update={"serve": serve}))


class _Links(HTMLParser):
    """Addresses in a page's elements."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {value for name, value in attrs if name in ("href", "src", "action", "formaction") and value}


def links(text: str, kind: str) -> set[str]:
    """Addresses in a page, a script or a style sheet."""
    if "javascript" in kind:
        assert not re.search(r"""["'`]/[a-z]""", text), "an address that knows nothing of the page's own"
        return set(re.findall(r"""(?:from|import)\s*\(?\s*["']([./][^"']+)["']""", text))
    if "css" in kind:
        return set(re.findall(r"""url\(["']?([^"')]+)""", text))
    parser = _Links()
    parser.feed(text if "html" in kind else "")
    return parser.found


def test_every_address_in_the_pages_leads_to_a_page_below_the_root(shown: Shown) -> None:
    seen: dict[str, int] = {}
    waiting = {f"{shown.root}{page}" for page in PAGES}
    with shown.client() as client:
        while waiting:
            path = waiting.pop()
            answer = client.get(path)
            seen[path] = answer.status_code
            found = links(answer.text, answer.headers.get("content-type", ""))
            near = [urlsplit(urljoin(path, link)) for link in found if not link.startswith(("#", "data:", "blob:"))]
            assert not [link for link in near if link.netloc], path
            waiting |= {link.path for link in near} - set(seen)
    assert set(seen.values()) == {200}, {path: s for path, s in seen.items() if s != 200}
    assert all(path.startswith(shown.root) for path in seen)
    assert len([path for path in seen if path.endswith(".js")]) > 20
    assert {f"{shown.root}{page}" for page in (*PAGES, "v1/status", "openapi.json", "settings.js")} <= set(seen)


def test_a_photo_is_restored_on_the_page(browser: "Browser", shown: Shown) -> None:
    context = browser.new_context(ignore_https_errors=True)
    context.set_default_timeout(60_000)
    page = context.new_page()
    answers: list[tuple[int, str]] = []
    page.on("response", lambda answer: answers.append((answer.status, answer.url)))
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(shown.url)
    page.evaluate("token => sessionStorage.setItem('likeness-token', token)", shown.token)
    choose(page, payload(SMALL_PRINT, "print.png"))
    restore(page)
    for page_name in ("status", "docs", "review"):
        page.goto(f"{shown.url}{page_name}", wait_until="networkidle")
        assert page.locator("h1").first.inner_text()
    context.close()
    assert (200, f"{shown.url}v1/restorations") in answers
    assert [answer for answer in answers if answer[0] >= 400] == [(403, f"{shown.url}v1/reviews?limit=50")]
    assert [url for _, url in answers if not url.startswith((shown.url, "blob:", "data:"))] == []
    assert troubles == []


def test_redirects_stay_below_the_root_and_on_the_name(shown: Shown) -> None:
    with shown.client(STRANGERS) as client:
        moved = client.get(f"{shown.root}status/")
        assert (moved.status_code, moved.headers["location"]) == (307, f"{shown.url}status")
        if shown.root != "/":
            bare = client.get(shown.root.rstrip("/"))
            assert (bare.status_code, bare.headers["location"]) == (308, shown.root)
    with shown.front.client(shown.name, secure=False) as client:
        upgraded = client.get(f"{shown.root}status?a=b")
        assert (upgraded.status_code, upgraded.headers["location"]) == (308, f"{shown.url}status?a=b")


def test_the_api_knows_its_place(shown: Shown) -> None:
    with shown.client() as client:
        schema = client.get(f"{shown.root}openapi.json").json()
        assert [server["url"] for server in schema.get("servers", [])] == ([] if shown.root == "/" else ["/likeness"])
        assert f"<code>{shown.root}v1/masks</code>" in client.get(f"{shown.root}docs").text
        assert client.get(f"{shown.root}v1/restorations/{'0' * 32}").headers["cache-control"] == "no-store"


def test_another_name_is_refused_by_both(shown: Shown) -> None:
    for host in ("elsewhere.example", f"{shown.name}.localhost.elsewhere.example", ""):
        with shown.front.client("x", {"Host": host}) as client:
            assert client.get(shown.root).status_code in ((421, 400) if host else (400,))
    for host in (
        "elsewhere.example",
        f"elsewhere.example:{shown.front.secure}",
        f"x@{shown.name}.localhost",
        "[::1]evil",
    ):
        for path in ("/", "/static/shared/style.css", "/openapi.json", "/v1/status"):
            refused = httpx.get(shown.direct + path, headers={"Host": host}, verify=False)
            assert (refused.status_code, refused.json()["code"]) == (403, "site"), (host, path)
            assert refused.headers["x-content-type-options"] == "nosniff"
        assert httpx.get(f"{shown.direct}/readyz", headers={"Host": host}, verify=False).status_code == 200


def test_the_body_limit_is_the_service_s_own_and_early_answers_arrive(shown: Shown) -> None:
    limit = int(PARAMS.serve.body_mebibytes * 2**20)
    address = f"{shown.root}v1/restorations"
    boundary = {"Content-Type": "multipart/form-data; boundary=x"}
    with shown.client(boundary) as client:
        assert client.post(address, content=bytes(limit)).status_code == 422  # read whole, and no form
        assert client.post(address, content=bytes(limit + 1)).status_code == 413
    with shown.front.client(shown.name, boundary) as client:
        refused = client.post(address, content=bytes(limit))
        assert (refused.status_code, refused.json()["code"]) == (401, "no_token")
    temporary = [file for name in ("client_body", "proxy") for file in (shown.front.folder / name).rglob("*")]
    assert [file for file in temporary if file.is_file()] == []


def test_nothing_about_callers_is_written_down(shown: Shown) -> None:
    with shown.client() as client:
        client.delete(f"{shown.root}v1/subjects/ward%2F17")
        assert client.post(f"{shown.root}v1/masks", files={"image": form()["image"]}).status_code == 200
        assert client.get(f"{shown.root}metrics").status_code == 404
    assert not list(shown.front.folder.rglob("access.log"))
    assert "ward" not in shown.front.log
    assert "127.0.0.1" not in shown.front.log
