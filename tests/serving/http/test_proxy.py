"""What a reverse proxy says counts if it is trusted, and is ignored from anybody else."""

import asyncio
from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.config.serving import ProxyParams
from serving.http.connection import AllowedHosts, ForwardedHeaders
from serving.http.same_site import is_named

SAID = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/likeness"}


def proxy(**chosen: Any) -> ProxyParams:
    return ProxyParams(**({"trusted": ("127.0.0.1", "10.1.0.0/16"), "hosts": (), "root_path": ""} | chosen))


def seen(peer: str, headers: Any, path: str = "/v1/status", known: ProxyParams | None = None) -> dict[str, Any]:
    """The scope that the application gets of a request."""
    scopes: list[dict[str, Any]] = []

    async def application(scope: Any, *_: Any) -> None:
        scopes.append(scope)

    pairs = headers.items() if isinstance(headers, dict) else headers
    scope = {
        "type": "http",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "client": (peer, 1),
        "headers": [(name.lower().encode(), value.encode()) for name, value in pairs],
    }
    asyncio.run(ForwardedHeaders(application, known or proxy())(scope, None, None))  # type: ignore[arg-type] # a scope, and nothing is received
    return scopes[0]


@pytest.mark.parametrize("peer", ["127.0.0.1", "10.1.2.3"])
def test_a_trusted_proxy_is_believed(peer: str) -> None:
    scope = seen(peer, SAID)
    assert (scope["scheme"], scope["client"][0], scope["root_path"]) == ("https", "203.0.113.9", "/likeness")
    assert (scope["path"], scope["raw_path"]) == ("/likeness/v1/status", b"/likeness/v1/status")


@pytest.mark.parametrize("peer", ["127.0.0.2", "10.2.0.1", "::1", "192.0.2.1"])
def test_a_stranger_is_not(peer: str) -> None:
    scope = seen(peer, SAID)
    assert (scope["scheme"], scope["client"][0], scope["root_path"], scope["path"]) == ("http", peer, "", "/v1/status")


def test_of_a_chain_the_last_stranger_is_the_client() -> None:
    assert seen("127.0.0.1", {"X-Forwarded-For": "127.0.0.1, 203.0.113.9, 10.1.0.7"})["client"][0] == "203.0.113.9"


@pytest.mark.parametrize(
    "prefix",
    [
        "", "/", "likeness", "//elsewhere.example", "https://elsewhere.example", "/a//b", "/..", "/a/../b", "/a?b",
        "/a#b", "/a b", "/a\\b", "/%2f", "/a\r\nX: y", "/a\n",
    ],
)  # fmt: skip
def test_a_prefix_that_is_no_plain_path_is_ignored(prefix: str) -> None:
    scope = seen("127.0.0.1", {"X-Forwarded-Prefix": prefix})
    assert (scope["root_path"], scope["path"]) == ("", "/v1/status")


def test_two_prefixes_are_none() -> None:
    assert seen("127.0.0.1", [("X-Forwarded-Prefix", "/a"), ("X-Forwarded-Prefix", "/b")])["root_path"] == ""


@pytest.mark.parametrize("path", ["/status", "/likeness/status"])
def test_a_proxy_may_take_the_prefix_off_or_not(path: str) -> None:
    for known, headers in ((proxy(), {"X-Forwarded-Prefix": "/likeness/"}), (proxy(root_path="/likeness"), {})):
        scope = seen("127.0.0.1", headers, path, known)
        assert (scope["root_path"], scope["path"]) == ("/likeness", "/likeness/status")


def test_the_prefix_of_a_proxy_comes_before_that_of_the_parameters() -> None:
    known = proxy(root_path="/known")
    assert seen("127.0.0.1", SAID, known=known)["root_path"] == "/likeness"
    assert seen("192.0.2.1", SAID, known=known)["root_path"] == "/known"
    assert seen("127.0.0.1", SAID, "/known-otherwise", known=proxy(root_path="/known"))["path"].endswith(
        "/known-otherwise"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"trusted": ("nginx",)}, {"trusted": ("10.0.0.1/8",)}, {"root_path": "/likeness/"}, {"root_path": "likeness"},
        {"root_path": "//a"}, {"hosts": ("https://a.example",)}, {"hosts": ("A.example",)}, {"hosts": ("",)},
    ],
)  # fmt: skip
def test_wrong_parameters_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        proxy(**wrong)


@pytest.mark.parametrize(
    ("host", "admitted"),
    [
        ("photos.example", True), ("PHOTOS.example", True), ("photos.example:8443", True), ("own.example:81", True),
        ("localhost:8000", True), ("[::1]:8000", True), ("own.example", False), ("own.example:82", False),
        ("photos.example.", False), ("photos.example.evil", False), ("evil.photos.example", False), ("", False),
        ("a@photos.example", False), ("photos.example:x", False), ("[::1]evil", False), ("photos.example/", False),
    ],
)  # fmt: skip
def test_names(host: str, admitted: bool) -> None:
    names = ("photos.example", "own.example:81")
    assert (is_named(host, names) or is_named(host, ("localhost", "::1"))) is admitted
    refused: list[str] = []
    reached: list[str] = []

    async def application(*_: Any) -> None:
        reached.append(host)

    def refuse(_: Any, problem: Any) -> Any:
        refused.append(problem.code)
        return application

    for path in ("/", "/v1/status", "/likeness/readyz/"):
        scope = {"type": "http", "path": path, "headers": [(b"host", host.encode())]}
        asyncio.run(AllowedHosts(application, names, refuse)(scope, None, None))  # type: ignore[arg-type] # as above
    assert (len(reached), refused) == (3, [] if admitted else ["site"] * 3)
