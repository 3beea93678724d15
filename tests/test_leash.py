"""A server on a leash ends with its test run, and tells its exit status."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests import leash
from tests.conftest import ROOT

SERVER = """
import os, subprocess, sys, time
below = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
with open(sys.argv[1] + "~", "w") as file:
    file.write(f"{os.getpid()} {below.pid}")
os.rename(sys.argv[1] + "~", sys.argv[1])
time.sleep(300)
"""
RUN = """
import os, sys, time
from tests import leash
leash.start(sys.argv[1:], os.environ)
time.sleep(300)
"""


def pids_in(file: Path) -> list[int]:
    deadline = time.monotonic() + 120
    while not file.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return [int(pid) for pid in file.read_text().split()]


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_killed_run_takes_its_server_and_that_one_s_children_along(tmp_path: Path) -> None:
    server = (sys.executable, "-c", SERVER, str(tmp_path / "pids"))
    run = subprocess.Popen([sys.executable, "-c", RUN, *server], cwd=ROOT)
    pids = pids_in(tmp_path / "pids")
    try:
        assert not any(gone(pid) for pid in pids)
        run.kill()
        run.wait()
        deadline = time.monotonic() + 120
        while not all(gone(pid) for pid in pids):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        run.kill()
        for pid in pids:
            if not gone(pid):
                os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 7), (signal.SIGKILL, -9)])
def test_a_server_is_ended_by_a_signal_and_waited_for(tmp_path: Path, number: signal.Signals, status: int) -> None:
    program = (
        "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(7));"
        f"open({str(tmp_path / 'pids')!r}, 'w').close(); time.sleep(300)"
    )
    process = leash.start((sys.executable, "-c", program), os.environ)
    pids_in(tmp_path / "pids")
    leash.end(process, number)
    assert process.returncode == status
