"""Portraits with damage drawn on the fly, as batches of evidence.

Sample number i is a pure function of (seed, i): any worker can draw it, and a resumed run sees what it would have seen.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch.utils.data import DataLoader, Dataset

from models.evidence import Damaged, Evidence, classical_fill
from models.images import to_tensor
from models.objective import Truth
from pipeline.config import MaskParams
from pipeline.damage import DamageSampler, apply
from pipeline.layout import Paths
from pipeline.tables import landmarks_of, load_image, points_of

Numbers = npt.NDArray[np.float32]
Arrays = dict[str, npt.NDArray[Any]]
Sample = tuple[Arrays, Numbers]

# iBUG 68 points after a left-right flip: jaw, brows, nose, eyes, mouth
_FLIP_JAW_BROWS_NOSE = [*range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1)]
_FLIP_EYES_MOUTH = [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40, *range(54, 47, -1), *range(59, 54, -1)]
_FLIP_68 = np.array([*_FLIP_JAW_BROWS_NOSE, *_FLIP_EYES_MOUTH, *range(64, 59, -1), 67, 66, 65])
_FLIP_5 = np.array([1, 0, 2, 4, 3])


@dataclass(frozen=True)
class DamagedPortraits(Dataset[Sample]):
    """`count` samples from number `first` on; portraits are decoded when asked for, so memory stays flat."""

    paths: Paths
    rows: pd.DataFrame
    masks: MaskParams
    seed: int
    first: int
    count: int
    flip: bool

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Sample:
        number = self.first + index
        rng = np.random.default_rng([self.seed, number])
        row = self.rows.iloc[int(rng.integers(len(self.rows))) if self.flip else number % len(self.rows)]
        image, landmarks, points = load_image(self.paths, row.portrait_id), landmarks_of(row), points_of(row)
        if self.flip and rng.random() < 0.5:
            image, landmarks, points = _mirrored(image, landmarks, points)
        damage, record = DamageSampler(self.masks, training=True).sample(rng, landmarks, image.shape[0])
        damaged = apply(image, damage)
        arrays = {
            "target": image,
            "damaged": damaged,
            "start": classical_fill(damaged, damage.hole, damage.chroma, "telea"),
            "hole": damage.hole,
            "chroma": damage.chroma,
            "points": points,
        }
        return arrays, np.array([record.coverage, record.missing_features], np.float32)


def batches(samples: DamagedPortraits, batch_size: int, workers: int) -> "DataLoader[Sample]":
    """The samples in order, collated to (Evidence, Truth)."""
    return DataLoader(samples, batch_size, num_workers=workers, collate_fn=collate, worker_init_fn=_one_thread)


def collate(samples: list[Sample]) -> tuple[Evidence, Truth]:
    """Samples -> one batch of evidence and its truth."""
    stacked = {key: np.stack([arrays[key] for arrays, _ in samples]) for key in samples[0][0]}
    measures = torch.from_numpy(np.stack([numbers for _, numbers in samples]))
    hole, chroma = (torch.from_numpy(stacked[key]).unsqueeze(1).float() for key in ("hole", "chroma"))
    damaged = Damaged(to_tensor(stacked["damaged"]), hole, chroma, measures[:, 0], measures[:, 1])
    truth = Truth(to_tensor(stacked["target"]), torch.from_numpy(stacked["points"]))
    return Evidence(damaged, to_tensor(stacked["start"])), truth


def _mirrored(
    image: npt.NDArray[np.uint8], landmarks: Numbers, points: Numbers
) -> tuple[npt.NDArray[np.uint8], Numbers, Numbers]:
    last = np.float32(image.shape[1] - 1)

    def turn(xy: Numbers, order: npt.NDArray[np.int64]) -> Numbers:
        flipped = xy[order].copy()
        flipped[:, 0] = last - flipped[:, 0]
        return flipped

    return np.ascontiguousarray(image[:, ::-1]), turn(landmarks, _FLIP_68), turn(points, _FLIP_5)


def _one_thread(worker: int) -> None:  # noqa: ARG001 - PyTorch's signature
    cv2.setNumThreads(1)
