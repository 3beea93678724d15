"""Portraits with damage drawn on the fly, as batches of evidence.

Sample number i is a pure function of (seed, i): any worker can draw it, and a resumed run sees what it would have seen.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from models.evidence.evidence import Damaged, gather
from models.evidence.identity_condition import without_hint
from models.evidence.reference_photo import Reference
from models.face.landmarks import MIRRORED, mirrored_points
from models.face_model.gaussian import Completion
from models.face_model.shape_and_appearance import ShapedFaceModel
from models.images import Image, mask_to_tensor, to_tensor
from models.objective import Batch, Target
from pipeline.config.masks import MaskParams
from pipeline.config.training import EvidenceParams
from pipeline.damage.draw import apply
from pipeline.damage.sampler import DamageSampler
from pipeline.portraits.read import landmarks_of, load_image, points_of
from pipeline.project.paths import Paths
from pipeline.training.face_models import FaceModels

_TURN, _ZOOM, _SHIFT = 6.0, 0.06, 0.03
"""Degrees, relative, and share of the side; each uniform in +- this."""
_GAIN, _OFFSET = 0.25, 20.0
"""Of each colour channel: relative, and grey levels."""
_BLUR = 0.8
"""Largest standard deviation of a blur, pixels of 128."""


def self_reference(rng: np.random.Generator, portrait: Image) -> Image:
    """Alter a copy of an aligned portrait (S, S, 3); landmarks have to be found on it anew.

    It says more than another photo would: the face's expression is the same. Training on such copies alone would
    teach too much trust, so they are the smaller part where real pairs are at hand.
    """
    size = portrait.shape[0]
    centre = ((size - 1) / 2, (size - 1) / 2)
    matrix = cv2.getRotationMatrix2D(centre, rng.uniform(-_TURN, _TURN), 1 + rng.uniform(-_ZOOM, _ZOOM))
    matrix[:, 2] += rng.uniform(-_SHIFT, _SHIFT, 2) * size
    moved = cv2.warpAffine(portrait, matrix, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    soft = cv2.GaussianBlur(moved, (0, 0), rng.uniform(0.05, _BLUR) * size / 128)
    gain, offset = rng.uniform(1 - _GAIN, 1 + _GAIN, 3), rng.uniform(-_OFFSET, _OFFSET, 3)
    toned = (soft.astype(np.float32) - 127.5) * gain + 127.5 + offset
    return np.asarray(np.clip(np.rint(toned), 0, 255), np.uint8)


Numbers = npt.NDArray[np.float32]

_FLIP_5 = np.array([1, 0, 2, 4, 3])


@dataclass(frozen=True)
class Sample:
    """One portrait as batches of one; `withheld` (1,) is 1 where the identity hint shall be dropped."""

    damaged: Damaged
    completion: Completion
    target: Target
    withheld: Tensor


@dataclass(frozen=True)
class DamagedPortraits(Dataset[Sample]):
    """`count` samples from number `first` on; portraits are decoded when asked for, so memory stays flat."""

    paths: Paths
    rows: pd.DataFrame
    masks: MaskParams
    evidence: EvidenceParams
    models: FaceModels
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
        reference = self._reference(rng, row, image)
        if self.flip and rng.random() < 0.5:
            image, landmarks, points = _mirrored(image, landmarks, points)
            reference = None if reference is None else np.ascontiguousarray(reference[:, ::-1])
        damage, record = DamageSampler(self.masks, training=True).sample(rng, landmarks, image.shape[0])
        damaged = Damaged(
            image=to_tensor(apply(image, damage)),
            hole_mask=mask_to_tensor(damage.hole),
            chroma_mask=mask_to_tensor(damage.chroma),
            coverage=torch.tensor([record.coverage]),
            missing_features=torch.tensor([record.missing_features]),
            reference=_reference_batch(reference, image.shape[0]),
        )
        face_model = self.models.of(row.identity).at(image.shape[0])
        completion = face_model.complete(damaged.image, damaged.hole_mask, damaged.chroma_mask)
        withheld = torch.tensor([float(rng.random() < self.evidence.hint_dropout)])
        return Sample(damaged, completion, Target(to_tensor(image), torch.tensor(points)[None]), withheld)

    def _reference(self, rng: np.random.Generator, row: pd.Series, image: Image) -> Image | None:
        """Choose another picture of the person, an altered copy if there is none, or nothing."""
        own = self.rows["portrait_id"][self.rows["identity"] == row.identity]
        others = own[own != row.portrait_id].tolist()
        chance, pick = rng.random(), int(rng.integers(max(len(others), 1)))
        if others:
            return load_image(self.paths, others[pick]) if chance < self.evidence.reference else None
        return self_reference(rng, image) if chance < self.evidence.self_reference else None


def batches(samples: DamagedPortraits, batch_size: int, workers: int) -> "DataLoader[Sample]":
    """Load the samples in order, collated to (Evidence, Target)."""
    if workers:
        cv2.setNumThreads(1)  # here, not in the worker: there OpenCV would wait for threads that did not come along
    collate_fn = partial(collate, face_model=samples.models.whole)
    return DataLoader(samples, batch_size, num_workers=workers, collate_fn=collate_fn, worker_init_fn=_one_thread)


class CachedBatches:
    """Batches that are drawn once and shown every epoch."""

    def __init__(self, loader: Iterable[Batch]) -> None:
        self._batches = tuple(loader)

    def __iter__(self) -> Iterator[Batch]:
        return iter(self._batches)

    def __len__(self) -> int:
        return len(self._batches)


def collate(samples: list[Sample], face_model: ShapedFaceModel) -> Batch:
    """Collate samples to one batch of evidence and its target; `face_model` says how photos of a person differ."""
    batch = [sample.damaged for sample in samples]
    references = [damaged.reference for damaged in batch if damaged.reference is not None]
    names = ("image", "hole_mask", "chroma_mask", "coverage", "missing_features")
    damaged = Damaged(
        **{name: torch.cat([getattr(one, name) for one in batch]) for name in names},
        reference=Reference(torch.cat([r.image for r in references]), torch.cat([r.present for r in references])),
    )
    completion = Completion(
        torch.cat([sample.completion.picture for sample in samples]),
        torch.cat([sample.completion.certainty for sample in samples]),
    )
    evidence = gather(damaged, face_model, completion)
    hint = without_hint(evidence.hint, torch.cat([sample.withheld for sample in samples]))
    target = Target(*(torch.cat([getattr(sample.target, name) for sample in samples]) for name in ("image", "points")))
    return replace(evidence, hint=hint), target


def _reference_batch(reference: Image | None, size: int) -> Reference:
    if reference is None:
        return Reference(torch.zeros(1, 3, size, size), torch.zeros(1))
    return Reference(to_tensor(reference), torch.ones(1))


def _mirrored(
    image: npt.NDArray[np.uint8], landmarks: Numbers, points: Numbers
) -> tuple[npt.NDArray[np.uint8], Numbers, Numbers]:
    width = image.shape[1]
    turned = mirrored_points(landmarks, width, MIRRORED), mirrored_points(points, width, _FLIP_5)
    return np.ascontiguousarray(image[:, ::-1]), *turned


def _one_thread(worker: int) -> None:  # noqa: ARG001 - PyTorch's signature
    torch.set_num_threads(1)


_REMEMBERED = 16  # batches; at 128 pixels and eight portraits about 13 MB each


class EchoedBatches:
    """Each fresh batch, then `times` - 1 batches drawn from the last sixteen.

    Evidence costs more than a step, and each step adds new noise to it: Choi et al. (2019), "Faster neural network
    training with data echoing".

    Args:
        loader: the fresh batches.
        times: how many batches come for each fresh one; 1 = no echo.
        seed: of the draws.
    """

    def __init__(self, loader: "DataLoader[Any]", times: int, seed: int) -> None:
        self.loader, self.times, self.seed = loader, times, seed

    def __len__(self) -> int:
        return len(self.loader) * self.times

    def __iter__(self) -> Iterator[Any]:
        rng, recent = np.random.default_rng(self.seed), deque[Any](maxlen=_REMEMBERED)
        for batch in self.loader:
            recent.append(batch)
            yield batch
            for _ in range(self.times - 1):
                yield recent[int(rng.integers(len(recent)))]
