"""Evidence and target as records of bytes: what a refiner learns from, stored once and mapped into memory.

Pictures are rounded to 8 bits, as files of restored photos are. What a portrait shows where nothing is missing is its
target's, so that the damaged picture itself need not be stored.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.colour import luma
from models.evidence.evidence import CONDITIONS, Damaged, Evidence
from models.evidence.identity_condition import HINTS
from models.objective import Batch, Target

Records = npt.NDArray[Any]
"""One-dimensional, of the type that `record_type` gives."""

_PICTURES = ("start", "completion", "plain")
_PLANES = ("certainty", "lines")
_MASKS = ("hole_mask", "chroma_mask")


def record_type(size: int) -> "np.dtype[Any]":
    """Give the type of a record of pictures `size` pixels a side."""
    packed = (size * size // 8,)
    return np.dtype(
        [
            *((name, np.uint8, (3, size, size)) for name in ("target", *_PICTURES)),
            *((name, np.uint8, (size, size)) for name in _PLANES),
            *((name, np.uint8, packed) for name in (*_MASKS, "reference_mask")),
            ("hint", np.float16, (HINTS,)),
            ("points", np.float32, (5, 2)),
            ("shares", np.float32, (CONDITIONS,)),
        ]
    )


def to_records(batch: Batch) -> Records:
    """Round a batch of evidence and targets to records, (N,)."""
    evidence, target = batch
    damaged = evidence.damaged
    records = np.zeros(len(target.image), record_type(target.image.shape[-1]))
    records["target"] = _bytes(target.image, -1)
    for name in _PICTURES:
        records[name] = _bytes(getattr(evidence, name), -1)
    for name in _PLANES:
        records[name] = _bytes(getattr(evidence, name), 0)[:, 0]
    for name, mask in zip(
        (*_MASKS, "reference_mask"), (damaged.hole_mask, damaged.chroma_mask, evidence.reference_mask), strict=True
    ):
        records[name] = np.packbits(mask.numpy() > 0.5, axis=None).reshape(len(mask), -1)
    records["hint"], records["points"] = evidence.hint.numpy(), target.points.numpy()
    records["shares"] = damaged.condition().numpy()
    return records


def from_records(records: Records) -> Batch:
    """Restore evidence and targets from records (N,); the reference photos themselves are not kept."""
    pictures = {name: _floats(records[name], -1) for name in ("target", *_PICTURES)}
    planes = {name: _floats(records[name][:, None], 0) for name in _PLANES}
    size = pictures["target"].shape[-1]
    hole, chroma, reference = (_mask(records[name], size) for name in (*_MASKS, "reference_mask"))
    shares = torch.from_numpy(records["shares"].copy())
    damaged = damaged_target(pictures["target"], hole, chroma, shares)
    evidence = Evidence(
        damaged=damaged,
        start=known_kept(pictures["start"], damaged),
        completion=known_kept(pictures["completion"], damaged),
        certainty=planes["certainty"],
        plain=known_kept(pictures["plain"], damaged),
        lines=planes["lines"],
        reference_mask=reference,
        hint=torch.from_numpy(records["hint"].astype(np.float32)),
    )
    return evidence, Target(pictures["target"], torch.from_numpy(records["points"].copy()))


def damaged_target(target: Tensor, hole: Tensor, chroma: Tensor, shares: Tensor) -> Damaged:
    """Damage intact portraits (N, 3, S, S): colourless pixels hold their luma, missing ones nothing (0)."""
    grey = torch.where(chroma > 0.5, luma(target).expand_as(target), target)
    return Damaged(grey * (1 - hole), hole, chroma, coverage=shares[:, 0], missing_features=shares[:, 1])


def known_kept(picture: Tensor, damaged: Damaged) -> Tensor:
    """Put back, to the bit, what is known of (N, 3, S, S)."""
    return torch.where(damaged.chroma_mask > 0.5, picture, damaged.image)


def save_records(records: Records, path: Path) -> None:
    """Write records to a .npy file, which appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as stream:
        np.save(stream, records)
    temporary.replace(path)


def open_records(path: Path) -> Records:
    """Map the records of a file into memory; they are read when they are used."""
    records: Records = np.load(path, mmap_mode="r")
    return records


def _bytes(pictures: Tensor, low: int) -> npt.NDArray[np.uint8]:
    """Round values in [low, 1] to 0..255."""
    scaled = (pictures - low) * (255 / (1 - low))
    return scaled.round().clamp(0, 255).to(torch.uint8).numpy()


def _floats(values: npt.NDArray[np.uint8], low: int) -> Tensor:
    return torch.from_numpy(values.copy()).float().mul_((1 - low) / 255).add_(low)


def _mask(packed: npt.NDArray[np.uint8], size: int) -> Tensor:
    bits = np.unpackbits(packed, axis=1).reshape(-1, 1, size, size)
    return torch.from_numpy(bits).float()
