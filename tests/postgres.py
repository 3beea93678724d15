"""A real PostgreSQL from Debian's package, alive for one test session, reached over a socket in a folder of its own."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg2
import pytest

from tests.programs import absent

_USER = "likeness"
_LOCALE = ("--locale=C", "--encoding=UTF8")


@dataclass(frozen=True)
class Postgres:
    """A running server; its socket lies in `folder`."""

    folder: Path

    def database(self) -> str:
        """SQLAlchemy address of an empty place: a new schema, which costs less than a database and shares nothing."""
        name = f"log_{uuid4().hex[:12]}"
        self.execute(f"CREATE SCHEMA {name}")
        return f"postgresql+psycopg2://{_USER}@/postgres?host={self.folder}&options=-csearch_path%3D{name}"

    def database_for_asyncpg(self) -> str:
        """The same for a program that takes no schema: a new database."""
        name = f"db_{uuid4().hex[:12]}"
        self.execute(f"CREATE DATABASE {name}")
        return f"postgresql+asyncpg://{_USER}@/{name}?host={self.folder}"

    def execute(self, statement: str) -> None:
        """Outside of any transaction."""
        connection = psycopg2.connect(host=str(self.folder), user=_USER, dbname="postgres")
        connection.autocommit = True
        connection.cursor().execute(statement)
        connection.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server, or a skip with the reason; with LIKENESS_CI=1 its absence is a failure."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if not programs:
        absent("PostgreSQL", "postgresql")
    with running(programs[-1]) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """SQLAlchemy address of an empty database; each test runs on both kinds."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'production.sqlite'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.database()


@contextmanager
def running(programs: Path) -> Iterator[Postgres]:
    """Start a server in a temporary folder; nothing of it outlives the block. PostgreSQL refuses to run as root."""
    owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    with (folder / "log").open("w") as log:
        how: dict[str, Any] = (
            {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        )
        how |= {"stdout": log, "stderr": log, "cwd": folder}
        make: list[str | Path] = [
            programs / "initdb",
            "-D",
            folder / "data",
            "-U",
            _USER,
            "-A",
            "trust",
            "--no-sync",
            *_LOCALE,
        ]
        subprocess.run(make, check=True, **how)
        options = [f"-cunix_socket_directories={folder}", "-clisten_addresses=", "-cfsync=off", "-cmax_connections=60"]
        command: list[str | Path] = [programs / "postgres", "-D", folder / "data", *options]
        server = subprocess.Popen(command, **how)
    try:
        _wait(folder, server)
        yield Postgres(folder)
    finally:
        server.send_signal(signal.SIGQUIT)
        server.wait(timeout=30)
        shutil.rmtree(folder)


def _wait(folder: Path, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(300):
        try:
            psycopg2.connect(host=str(folder), user=_USER, dbname="postgres").close()
        except psycopg2.OperationalError:
            assert server.poll() is None, (folder / "log").read_text()
            time.sleep(0.1)
        else:
            return
    raise AssertionError((folder / "log").read_text())
