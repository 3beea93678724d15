"""What the command refuses before it loads anything, and what it says."""

import socket

import pytest

from cli.main import main
from models.errors import ConfigError
from pipeline.project.paths import Paths
from serving.server import listen, serve
from tests.conftest import ROOT
from tests.serving.site import PARAMS


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::"])
def test_an_open_service_is_for_this_machine_only(host: str) -> None:
    with pytest.raises(ConfigError, match=f"for an open service; got {host}; leave out --open"):
        serve(Paths(ROOT), PARAMS, host, 0, open_to_all=True, say=print)


def test_the_command_says_so_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["serve", "--open", "--host", "0.0.0.0"])
    assert caught.value.code != 0
    assert capsys.readouterr().err.strip().splitlines()[-1].startswith("likeness: expected one of 127.0.0.1")


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigError, match="choose another --port"):
        listen("127.0.0.1", taken.getsockname()[1])


def test_port_0_takes_a_free_one() -> None:
    with listen("127.0.0.1", 0) as first, listen("127.0.0.1", 0) as second:
        assert first.getsockname()[1] != second.getsockname()[1]
