"""Flip bits of weights files and cut them.

Each trial damages a copy of a file in `assets/` and loads it as a file that somebody names, without a digest on record.
It must be refused by a `WeightsError`, or load: a flipped bit of a weight cannot be told without the digest. Half of
the bits are drawn from the header, which is a thousandth of a file.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.assets import ASSETS
from models.damage_finder.finder import Finder
from models.errors import WeightsError
from models.load import load_restorer
from scripts.faults.drill import Drill
from scripts.finding import Finding, counted
from scripts.one_thread import use_one_thread

LOADERS: dict[str, Callable[[Path], object]] = {
    "restorer.safetensors": load_restorer,
    "diffusion.safetensors": load_restorer,
    "finder.safetensors": Finder.load,
}
HEADER_LENGTH = 8
"""Bytes in front of a safetensors file's header, which say how long it is."""


@dataclass(frozen=True)
class Trial:
    """What one damaged file did: `refused`, `loaded`, or the name of another error, and what was done to it."""

    outcome: str
    damage: str


def damaged(content: bytes, rng: np.random.Generator) -> tuple[bytes, str]:
    """Cut a file, or flip a bit of its header or of all of it; say which."""
    if rng.random() < 0.2:
        kept = int(rng.integers(len(content)))
        return content[:kept], f"cut at byte {kept}"
    header = HEADER_LENGTH + int.from_bytes(content[:HEADER_LENGTH], "little")
    byte, bit = int(rng.integers(header if rng.random() < 0.5 else len(content))), int(rng.integers(8))
    flipped = bytearray(content)
    flipped[byte] ^= 1 << bit
    return bytes(flipped), f"bit {bit} of byte {byte} flipped"


def try_once(content: bytes, load: Callable[[Path], object], file: Path, rng: np.random.Generator) -> Trial:
    """Load a damaged copy."""
    spoilt, damage = damaged(content, rng)
    file.write_bytes(spoilt)
    try:
        load(file)
    except WeightsError:
        return Trial("refused", damage)
    except Exception as error:  # noqa: BLE001 - what else a loader may raise is what is measured
        return Trial(f"{type(error).__name__}: {error}"[:120], damage)
    return Trial("loaded", damage)


def try_faults(drill: Drill) -> list[Finding]:
    """Damage copies of each file, a third of 50 times the drill's trials each, and load them."""
    use_one_thread()
    rng = drill.rng("weights")
    return [_damage(name, load, drill.work, drill.trials * 50 // len(LOADERS), rng) for name, load in LOADERS.items()]


def _damage(name: str, load: Callable[[Path], object], folder: Path, count: int, rng: np.random.Generator) -> Finding:
    content = (ASSETS / name).read_bytes()
    trials = [try_once(content, load, folder / name, rng) for _ in range(count)]
    others = [f"{trial.damage}: {trial.outcome}" for trial in trials if trial.outcome not in {"refused", "loaded"}]
    return counted(f"{name}: a bit flipped, or cut", "refused by name, or loads", others, count)
