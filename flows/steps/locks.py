"""Locks of the flows: one cycle, and one A/B verdict, at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.project.locks import hold_lock
from pipeline.project.paths import Paths

_CYCLE_SECONDS = 2.0
_VERDICT_SECONDS = 60.0


@contextmanager
def one_cycle_at_a_time(root: Path, seconds: float = _CYCLE_SECONDS) -> Iterator[None]:
    """Hold the lock of the cycle; wait for it at most `seconds`.

    Raises:
        Busy: another process holds it.
    """
    busy = ("no other cycle", f"one under way in {root}", "wait for it, or stop it")
    with hold_lock(Paths(root).locks / "cycle.lock", seconds=seconds, busy=busy):
        yield


@contextmanager
def one_verdict_at_a_time(paths: Paths) -> Iterator[None]:
    """Hold the lock of the A/B test.

    Raises:
        Busy: another process has held it for a minute.
    """
    busy = ("no other A/B verdict", "one under way", "try again when it has ended")
    with hold_lock(paths.locks / "ab.lock", seconds=_VERDICT_SECONDS, busy=busy):
        yield
