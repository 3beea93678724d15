"""Alerts reach a file, a real webhook and a real mail server; once; and no failing way stops anybody."""

import json
import multiprocessing
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_string
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import gethostname
from typing import Any

import pytest

from models.errors import ServiceUnavailable
from monitoring.alerts.channels import alert_text, post_json, send_mail
from monitoring.alerts.send import Alert, alert, retry
from monitoring.log.production_log import open_log
from pipeline.config.load import Params, load_params
from pipeline.project.paths import Paths
from tests.conftest import ROOT
from tests.disks import fill, small_disk  # noqa: F401 - fixture

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
GIVEN = Alert(
    code="watch-masks",
    title="The damage has changed",
    what_happened="area drifted",
    what_to_do="nothing: a cycle starts",
    facts={"requests": 500},
)


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    for name in ("WEBHOOK", "SMTP", "MAIL_TO", "ALERT_URLS", "LOG_URL", "LOG_KEY"):
        monkeypatch.delenv(f"LIKENESS_{name}", raising=False)
    return Paths(tmp_path)


@pytest.fixture(scope="module")
def params() -> Params:
    return load_params(ROOT / "params.yaml", {"alerts.repeat_hours": 24.0})


class Hook:
    """A webhook that answers with `status` and remembers what it was sent."""

    def __init__(self) -> None:
        self.status, hook = 200, self
        self.got: list[dict[str, Any]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if hook.status == 200:
                    hook.got.append(json.loads(body))
                self.send_response(hook.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/hook"


class Post(socketserver.StreamRequestHandler):
    """As much of SMTP (RFC 5321) as a client needs to hand over a letter."""

    server: "PostOffice"

    def handle(self) -> None:
        self.say("220 here")
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                self.say("354 go on")
                self.server.letters.append(self.letter())
            self.say("221 bye" if verb == b"QUIT" else "250 ok")
            if verb == b"QUIT":
                return

    def letter(self) -> str:
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line.decode())
        return "".join(lines)

    def say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


class PostOffice(socketserver.ThreadingTCPServer):
    daemon_threads = True
    letters: list[str]


@contextmanager
def running(server: socketserver.BaseServer) -> Iterator[None]:
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield
    server.shutdown()
    server.server_close()


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()
    with running(made.server):
        yield made


@pytest.fixture
def office() -> Iterator[PostOffice]:
    made = PostOffice(("127.0.0.1", 0), Post)
    made.letters = []
    with running(made):
        yield made


def written(paths: Paths) -> list[dict[str, object]]:
    return [json.loads(line) for line in paths.alerts.read_text(encoding="utf-8").splitlines()]


def test_an_alert_says_what_happened_since_when_and_what_to_do(params: Params, paths: Paths) -> None:
    assert alert(params, paths, GIVEN, NOON)
    (line,) = written(paths)
    assert line["since"] == line["time"] == NOON.isoformat()
    words = alert_text(line)
    assert all(part in words for part in ("area drifted", "nothing: a cycle starts", NOON.isoformat(), "requests: 500"))
    with open_log(paths) as log:
        (entry,) = log.entries("alert")
    assert (entry.key, entry.body["title"]) == ("watch-masks", "The damage has changed")
    assert (entry.body["host"], entry.body["workspace"]) == (gethostname(), str(paths.root.resolve()))


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ((0, 1, 23.9), [0]),
        ((0, 23, 24), [0, 24]),
        ((0, 20, 40, 60), [0, 40]),  # detected again and again: every 24 hours, measured from when it was sent
        ((0, 24, 48), [0, 24, 48]),
    ],
)
def test_the_same_problem_is_sent_once_a_day(
    params: Params, paths: Paths, hours: tuple[float, ...], expected: list[float]
) -> None:
    sent = [hour for hour in hours if alert(params, paths, GIVEN, NOON + timedelta(hours=hour))]
    assert sent == expected
    assert len(written(paths)) == len(expected)


def test_since_is_when_the_trouble_began_until_it_was_gone_for_a_day(params: Params, paths: Paths) -> None:
    for hour in (0, 20, 40, 70):
        alert(params, paths, GIVEN, NOON + timedelta(hours=hour))
    began = [datetime.fromisoformat(str(line["since"])) for line in written(paths)]
    assert began == [NOON, NOON, NOON + timedelta(hours=70)]


def test_other_problems_are_sent_as_well(params: Params, paths: Paths) -> None:
    assert alert(params, paths, GIVEN, NOON)
    assert alert(params, paths, GIVEN.model_copy(update={"code": "cycle-failed"}), NOON)


def _alert(root: str) -> bool:
    return alert(load_params(ROOT / "params.yaml"), Paths(Path(root)), GIVEN, NOON)


@pytest.mark.slow
def test_many_processes_send_it_once(paths: Paths) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert sum(pool.map(_alert, [str(paths.root)] * 6)) == 1
    assert len(written(paths)) == 1


def test_webhook_and_mail_get_it(
    params: Params, paths: Paths, hook: Hook, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_WEBHOOK", hook.address)
    monkeypatch.setenv("LIKENESS_SMTP", f"127.0.0.1:{office.server_address[1]}")
    monkeypatch.setenv("LIKENESS_MAIL_TO", "a@example.org, b@example.org")
    alert(params, paths, GIVEN, NOON)
    (posted,) = hook.got
    assert (posted["code"], posted["facts"]) == ("watch-masks", {"requests": 500})
    assert "What to do: nothing: a cycle starts" in posted["text"]
    letter: Message = message_from_string(office.letters[0])
    assert (letter["Subject"], letter["To"]) == (
        f"Likeness on {gethostname()}: The damage has changed",
        "a@example.org, b@example.org",
    )
    assert "area drifted" in str(letter.get_payload())


def test_a_failing_webhook_stops_nobody_and_is_tried_again(
    params: Params, paths: Paths, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_WEBHOOK", hook.address)
    hook.status = 500
    assert alert(params, paths, GIVEN, NOON)
    assert retry(paths) == 1
    hook.status = 200
    assert alert(params, paths, GIVEN.model_copy(update={"code": "other"}), NOON)
    assert [message["code"] for message in hook.got] == ["watch-masks", "other"]
    assert retry(paths) == 0
    assert len(hook.got) == 2


def test_a_full_disk_keeps_no_alert_back(
    params: Params,
    monkeypatch: pytest.MonkeyPatch,
    hook: Hook,
    paths: Paths,
    small_disk: Path,  # noqa: F811 - fixture
) -> None:
    monkeypatch.setenv("LIKENESS_WEBHOOK", hook.address)
    paths = Paths(small_disk)
    paths.locks.mkdir(parents=True)
    fill(small_disk)
    assert alert(params, paths, GIVEN, NOON)
    assert [got["code"] for got in hook.got] == [GIVEN.code]


def test_the_state_of_an_earlier_version_is_read(params: Params, paths: Paths) -> None:
    paths.state.mkdir(parents=True)
    now = NOON.isoformat()
    trouble = {"since": now, "seen": now, "told": now, "times": 1}
    waiting = {"way": "webhook", "message": {"title": "old"}, "problem": "no answer"}
    file = paths.state / "alerts-open.json"
    file.write_text(json.dumps({"troubles": {"watch-masks": trouble}, "waiting": [waiting]}), encoding="utf-8")
    assert not alert(params, paths, GIVEN, NOON + timedelta(hours=1))
    found = json.loads(file.read_text(encoding="utf-8"))
    assert (found["troubles"]["watch-masks"]["told"], found["waiting"]) == (
        now.replace("+00:00", "Z"),
        [waiting],
    )


def test_a_title_cannot_put_lines_into_a_letter(office: PostOffice) -> None:
    title = "a\r\nBcc: c@example.org"
    place = f"127.0.0.1:{office.server_address[1]}"
    send_mail(place, "l@localhost", "a@example.org", {**GIVEN.model_dump(), "title": title, "since": "", "time": ""})
    assert message_from_string(office.letters[0])["Bcc"] is None


def test_a_password_is_never_sent_in_the_clear(
    params: Params, paths: Paths, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_SMTP", f"me:secret@127.0.0.1:{office.server_address[1]}")
    monkeypatch.setenv("LIKENESS_MAIL_TO", "a@example.org")
    assert alert(params, paths, GIVEN, NOON)
    assert office.letters == []
    waiting = (paths.state / "alerts-open.json").read_text(encoding="utf-8")
    assert "STARTTLS" in waiting
    assert "secret" not in waiting


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/x", "not an address", "http://[bad"])
def test_a_webhook_that_is_not_there_is_one_line(address: str) -> None:
    with pytest.raises(ServiceUnavailable, match="the webhook to take an alert"):
        post_json(address, {**GIVEN.model_dump(), "since": "", "time": ""})
