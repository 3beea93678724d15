"""What a command costs: its CPU seconds and its peak of resident memory, libraries included."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

_WRAPPER = """
import json, os, sys
child = os.spawnvp(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
_, status, used = os.wait4(child, 0)
print(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss]))
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""A process of its own, small: Linux counts what the parent holds at the start of a child as the child's."""


@dataclass(frozen=True)
class Cost:
    """Of one command.

    Attributes:
        cpu_seconds: of all its threads, user and system.
        peak_megabytes: of resident memory, in 10^6 bytes.
        lines: its standard output.
    """

    cpu_seconds: float
    peak_megabytes: float
    lines: tuple[str, ...]


def cost_of(command: Sequence[str]) -> Cost:
    """Run a command and measure it.

    Raises:
        CalledProcessError: its exit status is not 0.
    """
    run = [sys.executable, "-S", "-c", _WRAPPER, *command]
    done = subprocess.run(run, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - the recipe's own command
    *lines, figures = done.stdout.splitlines()
    seconds, kibibytes = json.loads(figures)
    return Cost(seconds, kibibytes * 1024 / 1e6, tuple(lines))
