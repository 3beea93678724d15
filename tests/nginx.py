"""Debian's nginx with the files of infra/nginx, in front of servers of a test."""

import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests import leash
from tests.conftest import ROOT
from tests.programs import program

FILES = ROOT / "infra" / "nginx"
USER, PASSWORD = "operator", "only for tests"
_MAIN = """daemon off; pid nginx.pid; worker_processes 1; error_log error.log; {user}
events {{ worker_connections 256; }}
http {{
{temporary}
include likeness.conf; include {shape};
}}
"""
_FOLDERS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@dataclass(frozen=True)
class Front:
    """A running nginx. `plain` and `secure`: its ports. Its files have `.localhost` for `.example.org`."""

    plain: int
    secure: int
    folder: Path

    def url(self, name: str, path: str = "/") -> str:
        """The address of a page, for a browser, which knows every name below localhost."""
        return f"https://{name}.localhost:{self.secure}{path}"

    def client(self, name: str, headers: Mapping[str, str] | None = None, *, secure: bool = True) -> httpx.Client:
        """Speaks with nginx under a name; what it is given as headers is sent as it is."""
        port = self.secure if secure else self.plain
        base = f"http{'s' if secure else ''}://127.0.0.1:{port}"
        named = {"Host": f"{name}.localhost:{port}"} | dict(headers or {})
        return httpx.Client(base_url=base, headers=named, verify=False, timeout=60)

    @property
    def log(self) -> str:
        return (self.folder / "error.log").read_text(encoding="utf-8")


@contextmanager
def nginx(shape: str, servers: Mapping[str, str], folder: Path) -> Iterator[Front]:
    """Start nginx with `likeness.conf` and a shape.

    Args:
        shape: `hosts` or `paths`.
        servers: addresses by part (`service`, `mlflow`, `prefect`, `drift`); others answer nothing.
        folder: for its files.
    """
    binary = program("nginx-light", "nginx", "/usr/sbin/nginx")
    plain, secure = (_free_port() for _ in range(2))
    _make_certificate(folder)
    for file in FILES.iterdir():
        (folder / file.name).write_text(_moved(file.read_text(encoding="utf-8"), servers, plain, secure, folder))
    (folder / "likeness.htpasswd").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
    temporary = "\n".join(f"{name}_temp_path {name};" for name in _FOLDERS)
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(_MAIN.format(temporary=temporary, shape=f"likeness-{shape}.conf", user=user))
    command = (binary, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "error.log")
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, timeout=60, check=False)
    assert checked.returncode == 0, checked.stderr
    process = leash.start(command, os.environ)
    try:
        front = Front(plain, secure, folder)
        _wait_until_answering(secure)
        yield front
    finally:
        leash.end(process)
        shutil.copy(folder / "error.log", folder / "last.log")


def _moved(text: str, servers: Mapping[str, str], plain: int, secure: int, folder: Path) -> str:
    """Put a file of infra/nginx on other ports, under names of this machine, with a certificate of the test."""
    for part in ("service", "mlflow", "prefect", "drift"):
        place = urlsplit(servers[part]).netloc if part in servers else "127.0.0.1:9"
        text = re.sub(rf"(upstream likeness_{part}\s+{{ server )[^;]+;", rf"\g<1>{place};", text)
    text = re.sub(r"listen 80\b", f"listen 127.0.0.1:{plain}", text)
    text = re.sub(r"listen 443\b", f"listen 127.0.0.1:{secure}", text)
    text = text.replace(".example.org", ".localhost").replace("https://$host", f"https://$host:{secure}")
    text = re.sub(r"/etc/ssl/\w+/likeness", str(folder / "likeness"), text)
    return text.replace("/var/log/nginx/", f"{folder}/")


def _make_certificate(folder: Path) -> None:
    names = "subjectAltName=DNS:*.localhost"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    files = ["-keyout", str(folder / "likeness.key"), "-out", str(folder / "likeness.pem")]
    subject = ["-subj", "/CN=localhost", "-days", "2", "-addext", names]
    subprocess.run([*command, *files, *subject], capture_output=True, timeout=60, check=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_until_answering(port: int) -> None:
    deadline = time.monotonic() + 120
    anything = ssl.create_default_context()
    anything.check_hostname, anything.verify_mode = False, ssl.CERT_NONE
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                anything.wrap_socket(connection).close()
        except OSError:
            assert time.monotonic() < deadline, "nginx does not answer"
            time.sleep(0.05)
        else:
            return
