"""Whatever stands in the headers, the address or the form's charset, the service refuses it in words: never a 5xx."""

import json
import socket
from collections.abc import Iterator
from encodings.aliases import aliases as codecs
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving.http.auth import Guard
from serving.http.same_site import is_loopback, is_same_site
from tests.serving.site import PARAMS, Shared, Site, running

ID = "0" * 32
FORM = b'--x\r\nContent-Disposition: form-data; name="subject"\r\n\r\n\xff\xd8\x00a+2AA-\\ud800\r\n--x--\r\n'
ADDRESSES = (
    ("GET", "/"), ("GET", "/static/shared/style.css"), ("GET", "/settings.js"), ("GET", "/docs"), ("GET", "/healthz"),
    ("GET", "/metrics"), ("GET", "/readyz"), ("GET", f"/v1/restorations/{ID}"), ("GET",
    f"/v1/restorations/{ID}/pictures"),
    ("GET", "/v1/reviews"), ("POST", "/v1/restorations"), ("POST", "/v1/masks"), ("DELETE", "/v1/subjects/nobody"),
    ("POST", f"/v1/restorations/{ID}/feedback"), ("POST", f"/v1/restorations/{ID}/review"), ("GET", "/nowhere"),
    ("PUT", "/v1/masks"), ("HEAD", "/static/shared/style.css"), ("OPTIONS", "/v1/masks"),
)  # fmt: skip
NAMES = (
    "Host", "Origin", "Content-Type", "Content-Length", "Accept", "Accept-Encoding", "Authorization", "Cookie", "Range",
    "If-Range", "If-None-Match", "If-Modified-Since", "Forwarded", "X-Forwarded-For", "X-Forwarded-Proto",
    "X-Forwarded-Host", "X-Request-Id", "Transfer-Encoding", "Content-Encoding", "Expect", "Upgrade", "Connection",
    "Referer", "Access-Control-Request-Method", "Sec-Fetch-Site", "User-Agent", "Te", "Date",
)  # fmt: skip
NASTY = (
    "", "[", "]", "[::1]evil", "http://[", "http://[::1", "http://]", "//", "localhost:99999", "localhost:x", "[::1]:x",
    "localhost:\u00b2", "127.0.0.1@evil", "null", "\xff\xfe", "*/*;q=nan", "a/b;q=1e999", ";q=", "*/*;q=\u00b2", "/",
    ";;;",
    "bytes=\u00b2-", "bytes=-", "bytes=0-0,1-1", "bytes=9-1", "bytes=" + "9" * 5000 + "-", "items=0-", "bytes",
    "bytes==",
    "Mon, 99 Foo 99999 99:99:99 GMT", "0 0 0 0 0", "Bearer", "Bearer lk_a_\xff", "Bearer " + "_" * 50, "Basic Og==",
    "a=\"\\777\\400\"; b", "=", ";", "for=\"[\";proto=\\", "999.999.999.999", "[::1", "unknown:" + "9" * 5000, "ws",
    "chunked, gzip", "100-continue", "h2c", "close, \xff", "18446744073709551616", "-1", "+1", "1_0", "0x10", "1, 1",
    "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "x" * 5000,
    "multipart/form-data; boundary=\"x", "multipart/form-data; boundary=x; charset=",
    "application/json; charset=undefined",
    "multipart/form-data; boundary=x; boundary=\xff", "multipart/form-data; boundary=x; charset*=utf-7''a", "utf-7",
)  # fmt: skip
PIECES = (
    "%00",
    "%",
    "%zz",
    "%ff",
    "%2e%2e/",
    "..%2f",
    "//",
    "%0d%0a",
    "%ed%a0%80",
    "[",
    "\\",
    "%5c",
    "~",
    "a" * 3000,
    ";",
    ":",
)
QUERIES = (
    "limit=\xb2", "limit=-1", "limit=" + "9" * 5000, "limit=1&limit=x", "days=nan", "days=inf", "days=1e-320",
    "days=3650",
    "days=1e400", "%00=%ff", "&&&=", "days=%d9%a3", "limit=%00", "days=0x1p3", "limit=1_0", "days=3650.0000001",
)  # fmt: skip


@pytest.fixture(scope="module", params=["tokens", "open"])
def place(request: pytest.FixtureRequest, site: Site) -> Iterator[tuple[str, int, str]]:
    """Host, port and a token of a service that does not wait long, with tokens and without."""
    hurried = {"serve": PARAMS.serve.model_copy(update={"header_seconds": 1.0, "body_seconds": 1.0})}
    guard = site.service.guard if request.param == "tokens" else Guard(None)
    with running(Shared.of(site.service, params=PARAMS.model_copy(update=hurried), guard=guard)) as url:
        yield "127.0.0.1", urlsplit(url).port or 0, f"Bearer {site.tokens['admin']}"


def ask(
    place: tuple[str, int, str], method: str, target: str, headers: dict[str, str], body: bytes = b""
) -> tuple[int, bytes]:
    """Status and body of the answer to a request as it stands; each header may contain what HTTP allows."""
    own = {"Host": "localhost", "Authorization": place[2], "Content-Length": str(len(body))}
    lines = [f"{name}: {value}" for name, value in (own | headers).items()]
    with socket.create_connection(place[:2], timeout=30) as connection:
        head = "\r\n".join([f"{method} {target} HTTP/1.1", *lines, "Connection: close", "", ""])
        connection.sendall(head.encode("latin-1") + body)
        answer = b""
        try:
            while piece := connection.recv(65536):
                answer += piece
        except ConnectionResetError:  # it closed with bytes of ours unread
            pass
    status, _, rest = answer.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n").partition(b"\r\n\r\n")
    return int(status.split()[1]), rest


def refused_in_words(status: int) -> bool:
    """Or answered: what matters is that it is no fault of the service."""
    return 200 <= status < 500


VALUES = st.one_of(
    st.sampled_from(NASTY),
    st.text(st.characters(min_codepoint=33, max_codepoint=255, blacklist_characters="\x7f\x85\xa0"), max_size=40),
    st.builds("{}{}".format, st.sampled_from(NASTY), st.sampled_from(NASTY)),
)
FUZZ = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZ
@given(st.sampled_from(ADDRESSES), st.dictionaries(st.sampled_from(NAMES), VALUES, min_size=1, max_size=3))
def test_no_header_is_a_fault(place: tuple[str, int, str], address: tuple[str, str], headers: dict[str, str]) -> None:
    body = FORM if address[0] == "POST" else b""
    headers = {name: value.strip() for name, value in headers.items()}
    assert refused_in_words(ask(place, *address, headers, body)[0])


@FUZZ
@given(
    st.sampled_from(ADDRESSES), st.lists(st.sampled_from(PIECES), max_size=3), st.sampled_from(("", *QUERIES)),
    st.booleans(),
)  # fmt: skip
def test_no_address_is_a_fault(
    place: tuple[str, int, str], address: tuple[str, str], pieces: list[str], query: str, replaced: bool
) -> None:
    path = f"{address[1].rpartition('/')[0]}/{''.join(pieces)}" if replaced else address[1] + "".join(pieces)
    target = f"{path}?{quote(query, safe='=&%', encoding='latin-1')}" if query else path
    assert refused_in_words(ask(place, address[0], target, {})[0])


PYTHON_CODECS = sorted(
    {*codecs.values(), "undefined", "idna", "unicode_escape", "raw_unicode_escape", "utf_8_sig", "mbcs"}
)


@pytest.mark.parametrize("address", ["/v1/restorations", "/v1/masks"])
def test_only_charsets_of_forms_are_read(place: tuple[str, int, str], address: str) -> None:
    for codec in PYTHON_CODECS:
        for name in (codec, codec.replace("_", "-").upper(), f'"{codec}"'):
            kind = {"Content-Type": f"multipart/form-data; boundary=x; charset={name}"}
            status, answer = ask(place, "POST", address, kind, FORM)
            assert status == 422, (name, answer)
            known = codec in {"utf_8", "latin_1", "ascii"}
            assert known or "charset" in json.loads(answer)["expected"], (name, answer)


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", "utf8", '"utf-8"', "us-ascii", "iso-8859-1"])
def test_usual_charsets_are_read(place: tuple[str, int, str], charset: str) -> None:
    status, answer = ask(
        place, "POST", "/v1/masks", {"Content-Type": f"multipart/form-data; boundary=x; charset={charset}"}, FORM
    )
    assert (status, json.loads(answer)["got"]) == (422, "'subject'")  # the form was read; this field is not known here


@pytest.mark.parametrize(
    "authority",
    [
        "[", "]", "[::1]evil", "[::1]evil:80", "evil[::1]", "[::1", "::1", "[::1]:", "[::1]:x", "localhost:",
        "localhost:x",
        "localhost:80:80", "localhost:99999", "localhost:+80", "localhost:\xb2", "a@localhost", "localhost@evil",
        "localhost/",
        "localhost?", "localhost#", "localhost\\", "localhost.evil", "evil", "", "127.0.0.1.evil", "127.1", "0",
        "[::ffff:127.0.0.1]",
        "[::1%lo]", "local\thost", " localhost", "localhost ", "127.0.0.1:0080",
    ],
)  # fmt: skip
def test_hosts_that_are_not_this_machine(authority: str) -> None:
    assert not is_loopback(authority)
    assert not is_same_site(authority, [])
    assert not is_same_site("localhost", [f"http://{authority}"])


@pytest.mark.parametrize(
    "authority", ["localhost", "LocalHost:8000", "127.0.0.1", "127.0.0.1:65535", "[::1]", "[::1]:8000"]
)
def test_hosts_of_this_machine(authority: str) -> None:
    assert is_same_site(authority, [])
    assert is_same_site(authority, [f"http://{authority}", f"https://{authority}"])
    for origin in (
        "null",
        authority,
        f"ftp://{authority}",
        f"http://{authority}/",
        f"http:{authority}",
        f"http://a@{authority}",
    ):
        assert not is_same_site(authority, [origin])
    assert not is_same_site(authority, [f"http://{authority}", "http://evil"])


@pytest.mark.parametrize(
    "headers", [{"Host": "["}, {"Host": "[::1]evil"}, {"Origin": "http://["}, {"Origin": "http://[::1]evil"}]
)
def test_an_open_service_refuses_them_with_a_reason(site: Site, headers: dict[str, str]) -> None:
    url = urlsplit(site.open_url)
    status, answer = ask((url.hostname or "", url.port or 0, ""), "GET", f"/v1/restorations/{ID}", headers)
    assert (status, json.loads(answer)["code"]) == (403, "site")
