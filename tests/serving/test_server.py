"""What the command refuses before it loads anything, and what it says."""

import socket
import subprocess
import sys

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


def test_an_open_service_has_no_public_names() -> None:
    proxy = PARAMS.serve.proxy.model_copy(update={"hosts": ("photos.example",)})
    named = PARAMS.model_copy(update={"serve": PARAMS.serve.model_copy(update={"proxy": proxy})})
    with pytest.raises(ConfigError, match=r"for an open service; got photos\.example; leave out --open"):
        serve(Paths(ROOT), named, "127.0.0.1", 0, open_to_all=True, say=print)


def test_options_come_before_the_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    for options, said in (
        (["--allowed-hosts", "a.example,b.example"], "got a.example, b.example; leave out --open"),
        (["--allowed-hosts", "https://a.example"], "serve.proxy.hosts"),
        (["--root-path", "likeness/"], "serve.proxy.root_path"),
        (["--forwarded-allow-ips", "10.0.0.0/8,nginx"], "serve.proxy.trusted"),
    ):
        with pytest.raises(SystemExit):
            main(["serve", "--open", *options])
        assert said in capsys.readouterr().err, options


def test_the_command_says_so_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["serve", "--open", "--host", "0.0.0.0"])
    assert caught.value.code != 0
    assert capsys.readouterr().err.strip().splitlines()[-1].startswith("likeness: expected one of 127.0.0.1")


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigError, match="choose another --port"):
        listen("127.0.0.1", taken.getsockname()[1])


SCRIPT = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[2])))
from serving.server import most_connections
print(most_connections(), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.parametrize(
    ("soft", "hard", "connections", "files"),
    [(512, 4096, 1024, 1280), (2000, 4096, 1024, 2000), (512, 1024, 768, 1024)],
)
def test_there_are_files_for_all_connections(soft: int, hard: int, connections: int, files: int) -> None:
    """Two times 500 clients that read nothing are fewer, so that others are still answered."""
    command = [sys.executable, "-c", SCRIPT, str(soft), str(hard)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == [str(connections), str(files)]


def test_port_0_takes_a_free_one() -> None:
    with listen("127.0.0.1", 0) as first, listen("127.0.0.1", 0) as second:
        assert first.getsockname()[1] != second.getsockname()[1]
