"""Alerts through Apprise reach real servers, once; no secret is sent without TLS, and a failure says why."""

import json
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from models.errors import ConfigError, ServiceUnavailable
from monitoring.alerts.channels import channels, send_through_apprise
from monitoring.alerts.send import Alert, alert, retry
from pipeline.config.load import load_params
from pipeline.project.environment import environment
from pipeline.project.paths import Paths
from tests.conftest import ROOT

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
NOW = datetime.now(UTC)
GIVEN = Alert(code="watch-masks", title="The damage has changed", what_happened="area drifted", what_to_do="nothing")
MESSAGE = {**GIVEN.model_dump(), "since": NOW.isoformat(), "time": NOW.isoformat()}
SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
DISCORD = "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js"
PAGERDUTY = "pagerduty://A1BRTD4JDTIiajkdnlazkcOXrI@Gevi7FQGevi7FQ"


class Service:
    """An HTTP server that answers with `status` and remembers paths and bodies."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.status, self.got, service = 200, [], self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if service.status == 200:
                    service.got.append((self.path, body))
                self.send_response(service.status)
                if service.status == 307:
                    self.send_header("Location", service.elsewhere)
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_: object) -> None:
                return

        self.elsewhere = ""
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if context is not None:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.host = f"127.0.0.1:{self.server.server_port}"

    got: list[tuple[str, dict[str, Any]]]


@pytest.fixture
def service() -> Iterator[Service]:
    yield from running(Service())


@pytest.fixture
def encrypted(tmp_path: Path) -> Iterator[Service]:
    """With a certificate for 127.0.0.1, `tls.pem`, which nobody trusts yet."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW - timedelta(1), NOW + timedelta(1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain)
    (tmp_path / "tls.pem").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(encoding))
    (tmp_path / "tls.key").write_bytes(private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "tls.pem", tmp_path / "tls.key")
    yield from running(Service(context))


def running(service: Service) -> Iterator[Service]:
    threading.Thread(target=service.server.serve_forever, args=(0.05,), daemon=True).start()
    yield service
    service.server.shutdown()
    service.server.server_close()


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    for name in ("WEBHOOK", "SMTP", "MAIL_TO", "ALERT_URLS", "LOG_URL", "LOG_KEY"):
        monkeypatch.delenv(f"LIKENESS_{name}", raising=False)
    return Paths(tmp_path)


def test_chat_services_and_pagers_get_it(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    from apprise.plugins import pagerduty
    from apprise.plugins.discord import NotifyDiscord
    from apprise.plugins.slack import NotifySlack

    place = f"http://{service.host}"
    monkeypatch.setattr(NotifySlack, "webhook_url", place)
    monkeypatch.setattr(NotifyDiscord, "notify_url", place)
    monkeypatch.setattr(pagerduty, "PAGERDUTY_API_LOOKUP", {pagerduty.PagerDutyRegion.US: place})
    for address in (SLACK, DISCORD, PAGERDUTY):
        send_through_apprise(address, MESSAGE)
    assert len(service.got) == 3
    for _, body in service.got:
        words = json.dumps(body)
        assert "Likeness: The damage has changed" in words
        assert "What to do: nothing" in words
    assert [path for path, _ in service.got][:2] == ["/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", DISCORD[9:]]
    assert service.got[2][1]["payload"]["severity"] == "warning"


def test_teams_gets_it_over_verified_tls(encrypted: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    teams = f"workflows://{encrypted.host}/643e69f83c8944/wRtWp0JQUsVdDcOn5MvRMsrmkc"
    with pytest.raises(ServiceUnavailable, match=r"workflows-[0-9a-f]{8} to take an alert"):
        send_through_apprise(teams, MESSAGE)  # an unknown certificate
    assert encrypted.got == []
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "tls.pem"))
    send_through_apprise(teams, MESSAGE)
    assert "area drifted" in json.dumps(encrypted.got[0][1])


def test_one_that_fails_stops_no_other_and_is_tried_again(
    paths: Paths, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = load_params(ROOT / "params.yaml")
    broken = Service()
    broken.status = 500
    monkeypatch.setenv("LIKENESS_ALERT_URLS", f"json://{broken.host}/a json://{service.host}/b nonsense://here")
    for server in running(broken):
        assert alert(params, paths, GIVEN, NOW)
        assert not alert(params, paths, GIVEN, NOW)
        assert [path for path, _ in service.got] == ["/b"]
        waiting = json.loads((paths.state / "alerts-open.json").read_text(encoding="utf-8"))["waiting"]
        assert [entry["way"].partition("-")[0] for entry in waiting] == ["json", "nonsense"]
        assert "error=500" in waiting[0]["problem"]
        assert "one that Apprise does not know" in waiting[1]["problem"]
        server.status = 200
        assert retry(paths) == 1
        assert [path for path, _ in server.got] == ["/a"]
    assert not list(paths.root.rglob("*apprise*"))


@pytest.mark.parametrize(
    "address",
    [
        "json://me:hidden@{host}/x",
        "gotify://{host}/hidden-token-1",
        "mailto://me:hidden@{host}?from=l@example.org&to=a@example.org",
        "jsons://me:hidden@{host}/x?verify=no",
    ],
)
def test_a_secret_is_never_sent_in_the_clear(service: Service, address: str) -> None:
    with pytest.raises(ConfigError, match="a connection without TLS or without a verified certificate") as raised:
        send_through_apprise(address.format(host=service.host), MESSAGE)
    assert service.got == []
    assert "hidden" not in str(raised.value)


def test_a_password_goes_over_tls(encrypted: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "tls.pem"))
    send_through_apprise(f"jsons://me:hidden@{encrypted.host}/x", MESSAGE)
    assert encrypted.got[0][1]["title"] == "Likeness: The damage has changed"


def test_a_redirect_is_not_followed(service: Service) -> None:
    other = Service()
    other.status, other.elsewhere = 307, f"http://{service.host}/"
    for _ in running(other):
        with pytest.raises(ServiceUnavailable, match="error=307"):
            send_through_apprise(f"json://{other.host}/x", MESSAGE)
    assert service.got == []


def test_names_hold_no_secret_and_do_not_depend_on_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for text in (f"{SLACK}  {DISCORD}", f"{DISCORD} {SLACK}"):
        monkeypatch.setenv("LIKENESS_ALERT_URLS", text)
        found.append(set(channels(environment())))
    assert found[0] == found[1]
    assert not any("JHM" in name or "A1B" in name for name in found[0])


def test_long_alerts_are_split(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    from apprise.plugins.discord import NotifyDiscord

    monkeypatch.setattr(NotifyDiscord, "notify_url", f"http://{service.host}")
    send_through_apprise(DISCORD, {**MESSAGE, "what_happened": "words " * 350})
    assert len(service.got) > 1
    assert all("avatar_url" not in body for _, body in service.got)
