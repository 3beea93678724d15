"""Start servers that end with the test run, however that ends: also when pytest is killed.

Between a test and its server stands a small process that holds one end of a pipe. When the other end closes, because
the test run is no more, it kills its whole process group, and with that what the server has started itself.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import IO

_LEASH = """
import os, signal, subprocess, sys, threading

def end_with_the_tests():
    os.read(0, 1)
    os.killpg(0, signal.SIGKILL)

signal.signal(signal.SIGTERM, lambda *_: None)  # the server gets it as well: its end is waited for
threading.Thread(target=end_with_the_tests, daemon=True).start()
status = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL).wait()
os._exit(status if status >= 0 else 128 - status)
"""


def start(
    command: Sequence[str], environment: Mapping[str, str], output: IO[bytes] | int = subprocess.DEVNULL
) -> "subprocess.Popen[bytes]":
    """Start a server in a process group of its own, the number of which is that of the process; it ends with this one.

    Args:
        command: what is run.
        environment: its environment, whole.
        output: where it writes, errors too.
    """
    leash = (sys.executable, "-S", "-c", _LEASH, *command)
    return subprocess.Popen(
        leash, env=environment, stdin=subprocess.PIPE, stdout=output, stderr=output, start_new_session=True
    )


def end(process: "subprocess.Popen[bytes]", number: signal.Signals = signal.SIGTERM, seconds: float = 30.0) -> None:
    """End a server by a signal, and kill what has not ended after `seconds`."""
    os.killpg(process.pid, number)
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.stdin is not None:
        process.stdin.close()
