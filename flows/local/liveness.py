"""Liveness of the parts: which run, but have not answered for so long that they must be started anew."""

from collections import Counter
from dataclasses import dataclass, field

import psutil

from flows.local.services import Part, is_answering

PERIOD_SECONDS = 5.0
"""Between two looks at all parts."""
_FAILURE_THRESHOLD = 12
"""Looks in a row at which a part is silent until it counts as hung, a minute or more: answers of a part that is merely
busy, or whose machine is, come late. Looks are counted and not seconds, since a supervisor that was itself stopped
has not looked."""


@dataclass
class Liveness:
    """Count for each process how many looks in a row it was silent, from its first answer on.

    A part without an address is silent while its process is stopped (SIGSTOP).
    """

    threshold: int = _FAILURE_THRESHOLD
    _silent: Counter[int] = field(default_factory=Counter)
    _answered: set[int] = field(default_factory=set)

    def look(self, running: dict[int, tuple[Part, psutil.Process]]) -> None:
        """Look once at each part that runs, by the number of its process; forget those that do not run any more."""
        for pid, (part, process) in running.items():
            if _is_responding(part, process):
                self._answered.add(pid)
                self._silent[pid] = 0
            elif pid in self._answered:
                self._silent[pid] += 1
        self._answered &= running.keys()
        for pid in self._silent.keys() - running.keys():
            del self._silent[pid]

    def is_hung(self, pid: int) -> bool:
        """Tell whether a process has been silent for too long."""
        return self._silent[pid] >= self.threshold


def _is_responding(part: Part, process: psutil.Process) -> bool:
    if part.url:
        return is_answering(part)
    try:
        return bool(process.status() != psutil.STATUS_STOPPED)
    except psutil.NoSuchProcess:
        return True  # it has ended, which the supervisor sees by itself
