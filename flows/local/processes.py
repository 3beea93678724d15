"""Find and end the processes that belong to one `likeness up`, by a mark in their environment.

The mark is inherited: it identifies a server's workers, a flow run and its training, also when all of their parents
were killed, and never a foreign process that has got a reused process number.
"""

import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from pipeline.project.child_processes import end

MARK = "LIKENESS_UP"
NAME = "LIKENESS_UP_NAME"
_GONE = (
    psutil.NoSuchProcess,
    psutil.AccessDenied,
    OSError,
)  # the process has ended meanwhile, or belongs to another user


def start(name: str, command: tuple[str, ...], mark: str, environment: Mapping[str, str], log: Path) -> psutil.Process:
    """Start a process in a new session, so that it does not get this process's signals; it writes to `log`."""
    marked = {**os.environ, **environment, MARK: mark, NAME: name}
    with log.open("ab") as stream:
        return psutil.Popen(  # the command is made here
            command,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=marked,
            cwd=log.parent,
        )


def find_marked(mark: str, name: str | None = None) -> list[psutil.Process]:
    """List the living processes with the mark, oldest first; with `name`, only descendants of that process."""
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    processes = (process for process in psutil.process_iter() if process.pid not in own)
    return sorted((process for process in processes if _has(process, mark, name)), key=_created)


def find_leader(mark: str, name: str) -> psutil.Process | None:
    """Find the process that was started as `name`, the leader of its session; None if it has ended."""
    return next((process for process in find_marked(mark, name) if _session(process) == process.pid), None)


def is_alive(process: psutil.Process) -> bool:
    """Tell whether a process runs; a zombie does not."""
    if isinstance(process, psutil.Popen):  # a child: poll() collects its exit status
        return process.poll() is None
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def exit_status(process: psutil.Process) -> int | None:
    """Give the exit status of a child that has ended; None while it runs, and for other processes."""
    return process.poll() if isinstance(process, psutil.Popen) else None


def end_marked(mark: str, name: str | None = None, *, seconds: float = 15.0) -> None:
    """End all processes with the mark, also those that an ending process still starts."""
    deadline = time.monotonic() + 4 * seconds
    while (processes := find_marked(mark, name)) and time.monotonic() < deadline:
        end(processes, seconds)


def find_process(pid: int, created: float) -> psutil.Process | None:
    """Find the process with this number; None if it began at another time, because the number was reused."""
    try:
        process = psutil.Process(pid)
        return process if abs(process.create_time() - created) < 1.0 and is_alive(process) else None
    except psutil.NoSuchProcess:
        return None


def _has(process: psutil.Process, mark: str, name: str | None) -> bool:
    try:
        environment = process.environ()
    except _GONE:
        return False
    return environment.get(MARK) == mark and name in {None, environment.get(NAME)} and is_alive(process)


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
