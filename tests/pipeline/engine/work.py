"""Functions that workers run, at the top of a module so that other processes find them."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from models.errors import DataError
from pipeline.engine.interface import Shard


def total(shard: Shard[int]) -> tuple[int, int]:
    return shard.number, sum(shard.items)


def refuse(shard: Shard[int]) -> int:
    if shard.number == 2:
        raise DataError("an even number", "2", "give another")
    return shard.number


@dataclass(frozen=True)
class Meets:
    """Returns its process once `processes` of them are in `folder`: one alone would wait for the others in vain."""

    processes: int
    folder: Path
    seconds: float = 60

    def __call__(self, shard: Shard[int]) -> int:
        (self.folder / str(os.getpid())).touch()
        end = time.monotonic() + self.seconds
        while len(list(self.folder.iterdir())) < self.processes:
            if time.monotonic() > end:
                raise TimeoutError(f"{self.processes} processes; waited for {self.seconds} s")
            time.sleep(0.01)
        return os.getpid()


@dataclass(frozen=True)
class DiesOn:
    """Kills its own process on one shard, the first `times` times; every attempt leaves a line in `log`."""

    number: int
    times: int
    log: Path

    def __call__(self, shard: Shard[int]) -> tuple[int, int]:
        with self.log.open("a", encoding="ascii") as lines:
            lines.write(f"{shard.number}\n")
        if shard.number == self.number and self.attempts(shard.number) <= self.times:
            os.kill(os.getpid(), signal.SIGKILL)
        return total(shard)

    def attempts(self, number: int) -> int:
        return self.log.read_text(encoding="ascii").split().count(str(number))
