"""`likeness dashboards`: addresses, what answers, and the status page as a file."""

import http.server
import json
import shlex
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.operation.dashboards import dashboards_command
from tests.conftest import ROOT


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("LIKENESS_MLFLOW_URI", "LIKENESS_LOG_URL"):
        monkeypatch.delenv(name, raising=False)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    return tmp_path


class _Quiet(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def answering() -> Iterator[int]:
    """A port at which something answers."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def pages(checkout: Path, port: int) -> dict[str, dict[str, object]]:
    done = CliRunner().invoke(dashboards_command, ["--root", str(checkout), "--port", str(port), "--json"])
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in done.output.splitlines()]
    return {row["name"]: row for row in rows}


def test_what_answers_is_told_from_what_does_not(checkout: Path, answering: int) -> None:
    found = pages(checkout, answering)
    assert list(found) == ["service", "status", "prefect", "mlflow", "drift", "data docs", "evaluation", "studies"]
    assert [name for name, page in found.items() if page["answers"]] == ["prefect"]
    assert found["status"]["address"] == f"http://127.0.0.1:{answering + 3}/status"


def test_servers_of_another_checkout_are_not_taken_for_ones_of_this(checkout: Path, answering: int) -> None:
    up = checkout / "state" / "up.json"
    up.parent.mkdir()
    up.write_text(json.dumps({"mark": "no process has it", "port": answering}))
    done = CliRunner().invoke(dashboards_command, ["--root", str(checkout), "--json"])
    rows = [json.loads(line) for line in done.output.splitlines()]
    assert {row["name"]: row["answers"] for row in rows}["prefect"] is False
    assert pages(checkout, answering)["prefect"]["answers"] is True


def test_a_file_that_is_there_answers(checkout: Path, answering: int) -> None:
    (checkout / "data" / "validation").mkdir(parents=True)
    (checkout / "data" / "validation" / "index.html").touch()
    assert pages(checkout, answering)["data docs"]["answers"] is True


def test_a_workspace_s_pages_are_those_of_its_champion_where_it_has_none_of_its_own(
    checkout: Path, answering: int
) -> None:
    pages(checkout, answering)  # makes state/production, whose data is a link
    champions = checkout / "state" / "cycles" / "one" / "data" / "evaluation" / "report.html"
    champions.parent.mkdir(parents=True)
    champions.touch()
    data = checkout / "state" / "production" / "data"
    data.unlink(missing_ok=True)
    data.symlink_to(champions.parents[1])
    champions = data / "evaluation" / "report.html"
    found = pages(checkout, answering)["evaluation"]
    assert (found["answers"], found["address"]) == (True, str(champions))
    own = checkout / "data" / "evaluation" / "report.html"
    own.parent.mkdir(parents=True)
    own.touch()
    assert pages(checkout, answering)["evaluation"]["address"] == str(own)
    assert pages(checkout, answering)["data docs"]["answers"] is False


def test_commands_can_be_pasted_where_the_path_has_a_space(checkout: Path, answering: int) -> None:
    place = checkout / "Bilder von Öl"
    place.mkdir()
    shutil.copy(checkout / "params.yaml", place)
    done = CliRunner().invoke(dashboards_command, ["--root", str(place), "--port", str(answering)])
    commands = [line.partition(": ")[2] for line in done.output.splitlines() if "tart" in line and ": " in line]
    assert len(commands) == 8, commands
    for command in commands:
        assert not any(word.endswith("Bilder") for word in shlex.split(command)), command


def test_the_list_says_what_starts_each(checkout: Path, answering: int) -> None:
    done = CliRunner().invoke(dashboards_command, ["--root", str(checkout), "--port", str(answering)])
    assert f"Start all servers: likeness up --root {checkout}" in done.output
    assert "evidently ui --workspace" in done.output
    assert str(ROOT / ".venv") not in done.output  # commands as a person would type them


def test_the_status_page_as_a_file(checkout: Path) -> None:
    file = checkout / "out" / "status.html"
    done = CliRunner().invoke(dashboards_command, ["--root", str(checkout), "--status", str(file)])
    assert done.exit_code == 0, done.output
    assert "came with Likeness is serving" in done.output
    assert "<style>" in file.read_text(encoding="utf-8")
