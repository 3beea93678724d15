"""What the parts need and no registry is at hand for: Debian's PostgreSQL, and moto in place of the S3 server."""

import os
import pwd
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psycopg2

from models.errors import ServiceUnavailable
from scripts.containers.image import ROOT

_PORT = 8333
_WAIT_SECONDS = 60.0


def start_postgres(work: Path, values: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    """Start a new PostgreSQL on its usual port, with passwords, and run infra/postgres.sh on it as its image would."""
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"))
    owner, folder = pwd.getpwnam("nobody"), work / "postgres"
    folder.mkdir()
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    secret, data = folder / "password", str(folder / "data")
    secret.write_text(values["POSTGRES_PASSWORD"])
    make = ("-D", data, "-U", "likeness", "-A", "scram-sha-256", f"--pwfile={secret}", "--no-sync")
    subprocess.run(  # noqa: S603 - Debian's
        [str(programs / "initdb"), *make], check=True, stdout=subprocess.DEVNULL, user=owner.pw_uid, cwd=folder
    )
    options = ("-cunix_socket_directories=", "-clisten_addresses=127.0.0.1", "-cfsync=off")
    with (work / "postgres.log").open("ab") as log:
        server = subprocess.Popen(  # noqa: S603 - Debian's
            [str(programs / "postgres"), "-D", data, *options],
            stdout=log, stderr=log, user=owner.pw_uid, group=owner.pw_gid, cwd=folder,
        )  # fmt: skip
    reach = {"host": "127.0.0.1", "user": "likeness", "password": values["POSTGRES_PASSWORD"]}
    wait_for("PostgreSQL", lambda: psycopg2.connect(**reach, dbname="postgres").close(), psycopg2.OperationalError)
    image = {"POSTGRES_USER": "likeness", "POSTGRES_DB": "likeness", "LOG_PASSWORD": values["LOG_PASSWORD"]}
    environment = {**os.environ, **image, "PGHOST": "127.0.0.1", "PGPASSWORD": values["POSTGRES_PASSWORD"]}
    subprocess.run(["createdb", "-U", "likeness", "likeness"], check=True, env=environment)  # noqa: S607 - Debian's
    script = ROOT / "infra" / "postgres.sh"
    subprocess.run(["/bin/sh", script], check=True, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603 - ours
    return server


def start_s3(work: Path) -> "subprocess.Popen[bytes]":
    """Start moto on the port of the S3 server; it asks for no password and forgets all when it ends."""
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(_PORT)]
    with (work / "s3.log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 - our own command


def wait_for(what: str, ask: Callable[[], object], *refusals: type[Exception], seconds: float = _WAIT_SECONDS) -> float:
    """Ask until no refusal comes; gives the seconds it took.

    Raises:
        ServiceUnavailable: refused for so many seconds.
    """
    began = time.monotonic()
    while True:
        try:
            ask()
        except refusals as error:
            if time.monotonic() - began > seconds:
                raise ServiceUnavailable(f"{what} within {seconds:.0f} s", str(error)[:200], "see its log") from error
            time.sleep(0.5)
        else:
            return time.monotonic() - began
