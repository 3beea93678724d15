"""What a killed process has started ends with it: real processes, killed by `kill -9`."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from pipeline.project.child_processes import MARK, end_children_at_exit, find_marked
from tests.conftest import ROOT

STARTS = """
import os, subprocess, sys, time
from pipeline.project.child_processes import end_children_at_exit
end_children_at_exit()
end_children_at_exit()
child = "import subprocess, sys, time; print(subprocess.Popen([sys.executable, '-c', {grandchild!r}]).pid, flush=True)"
stubborn = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(300)"
alone = subprocess.Popen([sys.executable, "-c", stubborn], start_new_session=True)
command = [sys.executable, "-c", child.format(grandchild=stubborn)]
with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as one:
    grandchild = int(one.stdout.readline())
print(alone.pid, grandchild, flush=True)
time.sleep(300)
"""


@contextlib.contextmanager
def started(code: str, where: Path = ROOT) -> "Iterator[subprocess.Popen[str]]":
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, cwd=where, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def watcher_of(pid: int) -> psutil.Process:
    (watcher,) = [
        child for child in psutil.Process(pid).children() if "child_processes.py" in " ".join(child.cmdline())
    ]
    return watcher


def gone(processes: list[psutil.Process], seconds: float = 15.0) -> bool:
    """Whether all end within so many seconds."""
    _, left = psutil.wait_procs(processes, timeout=seconds)
    return not [process for process in left if process.status() != psutil.STATUS_ZOMBIE]


def test_children_in_other_sessions_and_orphans_of_a_killed_process_end(tmp_path: Path) -> None:
    (tmp_path / "psutil.py").write_text("raise RuntimeError", encoding="utf-8")  # the folder's code is not run
    with started(f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.path.remove('')\n{STARTS}", tmp_path) as one:
        assert one.stdout is not None
        begun = [psutil.Process(int(pid)) for pid in one.stdout.readline().split()]
        watcher = watcher_of(one.pid)
        one.kill()
        one.wait()
        assert gone([*begun, watcher])


def test_the_watcher_holds_no_output_open_and_others_stay(tmp_path: Path) -> None:
    end_children_at_exit()
    with started(
        "from pipeline.project.child_processes import end_children_at_exit; end_children_at_exit(); print('done')"
    ) as one:
        begun = time.monotonic()
        assert one.communicate(timeout=30)[0] == "done\n"
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], cwd=tmp_path)
    try:
        time.sleep(2.0)
        assert other.poll() is None
        assert time.monotonic() - begun < 30
        mark = psutil.Process(other.pid).environ()[MARK]
        assert [process.pid for process in find_marked(mark) if process.pid == other.pid] == [other.pid]
    finally:
        other.kill()
        other.wait()


POOL = """
import os, time
from monitoring.simulation.workers import _pool
pool = _pool(2)
print(*[job.result() for job in [pool.submit(os.getpid) for _ in range(8)]], flush=True)
time.sleep(300)
"""


@pytest.mark.slow
def test_workers_of_a_pool_whose_process_is_killed_end() -> None:
    code = "if __name__ == '__main__':\n" + "".join(f"    {line}\n" for line in POOL.strip().splitlines())
    with started(code) as one:
        assert one.stdout is not None
        workers = {int(pid) for pid in one.stdout.readline().split()}
        begun = [psutil.Process(pid) for pid in workers]
        one.kill()
        one.wait()
        assert gone(begun)
