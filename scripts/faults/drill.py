"""What every fault is tried with: a folder, a seed, and how often."""

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Drill:
    """A run of one kind of fault.

    Attributes:
        work: an empty folder of its own.
        seed: of the run.
        trials: how often what is tried at random moments or places is tried.
    """

    work: Path
    seed: int
    trials: int

    def rng(self, name: str) -> np.random.Generator:
        """Random numbers of one fault, the same whatever else runs."""
        return np.random.default_rng((self.seed, zlib.crc32(name.encode())))
