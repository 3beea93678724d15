"""Processes that belong to one `likeness up`, known by a mark in their environment.

The mark is inherited: it finds a server's workers, a flow run and the training below it, also when all of their
parents were killed, and it never finds a process of somebody else, whatever became of a process number.
"""

import contextlib
import os
import subprocess
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import psutil

MARK = "LIKENESS_UP"
NAME = "LIKENESS_UP_NAME"
_GONE = (psutil.NoSuchProcess, psutil.AccessDenied, OSError)  # it has ended meanwhile, or is not ours to look at


def start(name: str, command: tuple[str, ...], mark: str, environment: Mapping[str, str], log: Path) -> psutil.Process:
    """Start a process in a session of its own, so that nothing that is meant for us reaches it; it writes to `log`."""
    marked = {**os.environ, **environment, MARK: mark, NAME: name}
    with log.open("ab") as stream:
        return psutil.Popen(  # the command is our own
            command,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=marked,
            cwd=log.parent,
        )


def marked(mark: str, name: str | None = None) -> list[psutil.Process]:
    """Living processes with the mark, oldest first; with `name`, only those that descend from the one so called."""
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = [process for process in psutil.process_iter() if process.pid not in own and _has(process, mark, name)]
    return sorted(found, key=_created)


def leader(mark: str, name: str) -> psutil.Process | None:
    """The process that was started as `name`, if it lives: the leader of its session."""
    return next((process for process in marked(mark, name) if _session(process) == process.pid), None)


def alive(process: psutil.Process) -> bool:
    """Whether it runs; one that has ended but was not waited for does not."""
    if isinstance(process, psutil.Popen):  # ours: the kernel tells when it is over, and takes its status only then
        return process.poll() is None
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def exit_status(process: psutil.Process) -> int | None:
    """Of a child of ours that has ended; None while it runs, and for all others."""
    return process.poll() if isinstance(process, psutil.Popen) else None


def end(processes: Iterable[psutil.Process], seconds: float) -> None:
    """Ask them to stop, and kill those that have not after `seconds`."""
    asked = list(processes)
    for process in asked:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, left = psutil.wait_procs(asked, timeout=seconds)
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=seconds)


def end_marked(mark: str, name: str | None = None, *, seconds: float = 15.0) -> None:
    """End everything with the mark, also what a dying process still starts."""
    deadline = time.monotonic() + 4 * seconds
    while (found := marked(mark, name)) and time.monotonic() < deadline:
        end(found, seconds)


def same(pid: int, created: float) -> psutil.Process | None:
    """The process with this number, if it is the one that began then and not a later one."""
    try:
        process = psutil.Process(pid)
        return process if abs(process.create_time() - created) < 1.0 and alive(process) else None
    except psutil.NoSuchProcess:
        return None


def _has(process: psutil.Process, mark: str, name: str | None) -> bool:
    try:
        environment = process.environ()
    except _GONE:
        return False
    return environment.get(MARK) == mark and name in {None, environment.get(NAME)} and alive(process)


def _session(process: psutil.Process) -> int:
    try:
        return os.getsid(process.pid)
    except _GONE:
        return -1


def _created(process: psutil.Process) -> float:
    try:
        return float(process.create_time())
    except _GONE:
        return 0.0
