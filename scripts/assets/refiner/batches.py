"""Batches for the refiner's training: records drawn from all shards there are, each time mirrored and toned anew.

What is changed is changed in every picture of the evidence alike, so that it stays the evidence of that portrait.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.colour import from_planes, to_planes
from models.errors import DataError
from models.evidence.evidence import Evidence
from models.evidence.identity_condition import without_hint
from models.objective import Batch, Target
from scripts.assets.refiner.records import Records, damaged_target, from_records, known_kept, open_records

_MIRRORED_POINTS = [1, 0, 2, 4, 3]
_CONTRAST, _SHIFT, _SATURATION, _TINT = 0.15, 0.1, 0.25, 0.03
"""Of a tone: each uniform in +- this; relative, of [-1, 1], relative, of [-1, 1]."""
_PICTURES = ("start", "completion", "plain")


@dataclass(frozen=True)
class Tone:
    """How pictures are toned: Y' = contrast Y + shift, C' = saturation C + tint.

    Attributes:
        contrast: (N, 1, 1, 1).
        shift: (N, 1, 1, 1).
        saturation: (N, 1, 1, 1).
        tint: (N, 2, 1, 1), of Cb and Cr.
    """

    contrast: Tensor
    shift: Tensor
    saturation: Tensor
    tint: Tensor

    def __call__(self, pictures: Tensor) -> Tensor:
        """Tone RGB (N, 3, H, W) in [-1, 1]; clipped to it."""
        planes = to_planes(pictures)
        toned = [self.contrast * planes[:, :1] + self.shift, self.saturation * planes[:, 1:] + self.tint]
        return from_planes(torch.cat(toned, dim=1)).clamp(-1, 1)


class ShardReader:
    """Draws records from the shards of a folder; those that are added later join in.

    Raises:
        DataError: there is no shard.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shards: dict[Path, Records] = {}
        self.refresh()

    def __len__(self) -> int:
        return sum(len(shard) for shard in self._shards.values())

    def refresh(self) -> None:
        """Look for further shards."""
        for file in sorted(self._folder.glob("*.npy")):
            if file not in self._shards:
                self._shards[file] = open_records(file)
        if not self._shards:
            raise DataError("shards of evidence", f"none in {self._folder}", "make some first: --only shards")

    def draw(self, rng: np.random.Generator, count: int) -> Records:
        """Draw records, with replacement."""
        shards = list(self._shards.values())
        chosen = rng.choice(len(shards), count, p=np.array([len(shard) for shard in shards]) / len(self))
        return np.stack([shards[n][int(rng.integers(len(shards[n])))] for n in chosen])


def augmented(batch: Batch, rng: np.random.Generator, hint_dropout: float) -> Batch:
    """Mirror half of the portraits, tone all of them, withhold the hint of some.

    Args:
        batch: as `scripts.assets.refiner.records.from_records` gives it.
        rng: of the changes.
        hint_dropout: share whose identity is withheld, [0, 1].
    """
    count = len(batch[1].image)
    turned = torch.from_numpy(rng.random(count) < 0.5)
    evidence, target = mirrored(batch, turned)
    evidence, target = toned((evidence, target), draw_tone(rng, count))
    withheld = torch.from_numpy((rng.random(count) < hint_dropout).astype(np.float32))
    return replace(evidence, hint=without_hint(evidence.hint, withheld)), target


def draw_tone(rng: np.random.Generator, count: int) -> Tone:
    """Draw a tone for each of `count` pictures."""
    values = torch.from_numpy(rng.uniform(-1, 1, (count, 5)).astype(np.float32))[:, :, None, None]
    return Tone(
        contrast=1 + _CONTRAST * values[:, :1],
        shift=_SHIFT * values[:, 1:2],
        saturation=1 + _SATURATION * values[:, 2:3],
        tint=_TINT * values[:, 3:],
    )


def mirrored(batch: Batch, turned: Tensor) -> Batch:
    """Mirror the portraits where `turned` (N,) is True; the hint of a mirrored face is taken to be the same."""
    evidence, target = batch

    def turn(planes: Tensor) -> Tensor:
        return torch.where(turned[:, None, None, None], planes.flip(-1), planes)

    points = target.points[:, _MIRRORED_POINTS].clone()
    points[..., 0] = target.image.shape[-1] - 1 - points[..., 0]
    own = evidence.damaged
    damaged = replace(own, image=turn(own.image), hole_mask=turn(own.hole_mask), chroma_mask=turn(own.chroma_mask))
    planes = {name: turn(getattr(evidence, name)) for name in (*_PICTURES, "certainty", "lines", "reference_mask")}
    moved = Target(turn(target.image), torch.where(turned[:, None, None], points, target.points))
    return replace(evidence, damaged=damaged, **planes), moved


def toned(batch: Batch, tone: Tone) -> Batch:
    """Tone target and evidence; a colourless pixel holds the luma of its toned target."""
    evidence, target = batch
    image = tone(target.image)
    damaged = evidence.damaged
    again = damaged_target(image, damaged.hole_mask, damaged.chroma_mask, damaged.condition())
    pictures = {name: known_kept(tone(getattr(evidence, name)), again) for name in _PICTURES}
    return _with(evidence, again.image, pictures), Target(image, target.points)


def read_batch(reader: ShardReader, rng: np.random.Generator, count: int, hint_dropout: float) -> Batch:
    """Draw and change a batch."""
    return augmented(from_records(reader.draw(rng, count)), rng, hint_dropout)


def _with(evidence: Evidence, image: Tensor, pictures: dict[str, Tensor]) -> Evidence:
    return replace(evidence, damaged=replace(evidence.damaged, image=image), **pictures)
