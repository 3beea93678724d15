"""End all that a process has started when the process is no more, however it ended: also by `kill -9`.

Beside the process runs a watcher, which notices that its parent has gone. It then ends every process with the parent's
mark in its environment: the mark is inherited, so that children of children that have died are found, and a reused
process number harms nobody. What this module ran as a program imports is not the project's: the working directory may
hold other code.
"""

import contextlib
import os
import secrets
import sys
import time
from collections.abc import Iterable

import psutil

MARK = "OWNER_OF_LIKENESS"
_TICK = 0.5
_PATIENCE = 10.0
"""Seconds that a process has to end by itself before it is killed."""
_ROUNDS = 5
_GONE = (psutil.Error, OSError)  # the process has ended meanwhile, or belongs to another user
_watched: set[int] = set()


def end_children_at_exit() -> None:
    """Mark what this process starts from now on, so that it ends with this process; once is enough."""
    if os.getpid() in _watched:
        return
    _watched.add(os.getpid())  # a copy of this process, by fork, is another one
    os.environ[MARK] = mark = f"{os.getpid()}-{secrets.token_hex(16)}"
    program = [sys.executable, "-P", __file__, str(os.getpid()), mark]
    silent = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(3)]
    # in a session of its own: signals of a terminal, or to a group, do not end the watcher first
    os.posix_spawn(sys.executable, program, os.environ, file_actions=silent, setsid=True)


def end(processes: Iterable[psutil.Process], seconds: float) -> None:
    """Terminate processes, and kill those that have not ended after `seconds`."""
    targets = list(processes)
    for process in targets:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, left = psutil.wait_procs(targets, timeout=seconds)
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=seconds)


def find_marked(mark: str) -> list[psutil.Process]:
    """List the living processes, but this one, that have the mark."""
    return [process for process in psutil.process_iter() if process.pid != os.getpid() and _has(process, mark)]


def _has(process: psutil.Process, mark: str) -> bool:
    try:
        return process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE
    except _GONE:
        return False


def _watch(owner: int, mark: str) -> None:
    while os.getppid() == owner:
        time.sleep(_TICK)
    for _ in range(_ROUNDS):  # one that is ending may still start another
        if not (left := find_marked(mark)):
            return
        end(left, _PATIENCE)


if __name__ == "__main__":
    _watch(int(sys.argv[1]), sys.argv[2])
