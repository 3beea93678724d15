"""The files for nginx and Caddy agree with the service's parameters and with the servers of `likeness up`."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from flows.local.services import parts
from flows.local.up import PORT
from pipeline.config.load import load_params
from pipeline.project.paths import Paths
from tests.conftest import ROOT

NGINX, CADDY = ROOT / "infra" / "nginx", ROOT / "infra" / "caddy" / "Caddyfile"
SERVE = load_params(ROOT / "params.yaml").serve


def text(name: str) -> str:
    return (NGINX / name).read_text(encoding="utf-8")


def test_servers_are_where_likeness_up_starts_them(tmp_path: Path) -> None:
    shutil.copy(ROOT / "params.yaml", tmp_path)
    started = {part.name: part.url.removeprefix("http://") for part in parts(Paths(tmp_path), PORT) if part.url}
    assert dict(re.findall(r"upstream likeness_(\w+)\s+\{ server ([\d.:]+);", text("likeness.conf"))) == started
    assert set(re.findall(r"reverse_proxy (\S+)", CADDY.read_text(encoding="utf-8"))) == set(started.values())


@pytest.mark.parametrize("shape", ["hosts", "paths"])
def test_limits_are_those_of_the_service(shape: str) -> None:
    limits = re.findall(r"client_max_body_size (\d+)m;", text(f"likeness-{shape}.conf"))
    assert limits == [str(int(SERVE.body_mebibytes))]  # those of artifacts have no unit: there is none
    waits = re.findall(r"proxy_(?:read|send)_timeout (\d+)s;", text("likeness-proxy.inc"))
    assert len(waits) == 2
    assert min(int(seconds) for seconds in waits) > SERVE.answer_seconds


def test_limits_are_those_of_the_service_with_caddy_too() -> None:
    own = CADDY.read_text(encoding="utf-8")
    assert "max_size" not in own
    assert int(re.findall(r"response_header_timeout (\d+)s", own)[0]) > SERVE.answer_seconds


def test_every_server_gets_the_same_headers() -> None:
    for shape in ("hosts", "paths"):
        passed = re.findall(r"proxy_pass [^;]+;\n\s+(.*)", text(f"likeness-{shape}.conf"))
        assert len(passed) >= 4
        assert set(passed) == {"include likeness-proxy.inc;"}


def test_caddy_takes_its_file() -> None:
    caddy = shutil.which("caddy")
    if caddy is None:
        pytest.skip("no caddy on this machine")
    hashed = "$2a$14$Zkx19XLiW6VYouLHR5NmfOFU0z2GTNmpkT/5qqR7hx4IjWJPDhjvG"  # of any password
    environment = os.environ | {"OPERATOR": "operator", "OPERATOR_HASH": hashed}
    command = [caddy, "validate", "--adapter", "caddyfile", "--config", str(CADDY)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
