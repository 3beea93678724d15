"""The frozen test set: intact portraits with the damage that was drawn for them once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import overload

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from models.errors import DataError
from models.evidence.evidence import Damaged
from models.images import Image, Mask, mask_to_tensor, to_tensor
from pipeline.damage.draw import Damage, apply
from pipeline.portraits.read import load_image, load_masks, points_of, read_masks, read_portraits
from pipeline.project.paths import Paths

_TEXTS = ("mask_id", "portrait_id", "identity", "kind", "bucket")


@dataclass(frozen=True)
class Case:
    """One portrait with one damage.

    Attributes:
        target: (H, W, 3) uint8 RGB, intact.
        hole: (H, W), True = missing.
        chroma: (H, W), True = colour missing; contains `hole`.
        points: (5, 2) float32, detector points of the intact portrait in its pixels.
        coverage: missing share of the face hull.
        missing_features: missing share of the eye, brow, nose and mouth regions.
    """

    mask_id: str
    portrait_id: str
    identity: str
    kind: str
    bucket: str
    coverage: float
    missing_features: float
    target: Image
    hole: Mask
    chroma: Mask
    points: npt.NDArray[np.float32]

    @cached_property
    def damaged(self) -> Image:
        """The damaged picture (H, W, 3) uint8 RGB, as a user would hand it in."""
        return apply(self.target, Damage(hole=self.hole, chroma=self.chroma, kind=self.kind))


class FrozenCases(Sequence[Case]):
    """The cases of one checkout; pictures are read when a case is asked for, so that memory does not grow.

    Raises:
        DataError: tables are missing, there is no mask, or a mask's portrait is not in the table.
    """

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        masks, portraits = read_masks(paths), read_portraits(paths)
        if masks.empty:
            raise DataError("evaluation masks", "none", "give the test split more portraits, then run the stage masks")
        unknown = set(masks["portrait_id"]) - set(portraits["portrait_id"])
        if unknown:
            got = f"{len(unknown)} masks of other portraits"
            raise DataError("masks of the portraits in rows.parquet", got, "run the stage masks again")
        columns = portraits[["portrait_id", "identity", "points"]]
        self._rows: pd.DataFrame = masks.merge(columns, on="portrait_id", how="left").reset_index(drop=True)

    @property
    def portrait_ids(self) -> list[str]:
        """Portrait of each case."""
        return list(self._rows["portrait_id"])

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Case: ...
    @overload
    def __getitem__(self, index: slice) -> list[Case]: ...
    def __getitem__(self, index: int | slice) -> Case | list[Case]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        row = self._rows.iloc[index]
        hole, chroma = load_masks(self._paths, row["mask_id"])
        return Case(
            **{name: str(row[name]) for name in _TEXTS},
            coverage=float(row["coverage"]),
            missing_features=float(row["missing_features"]),
            target=load_image(self._paths, row["portrait_id"]),
            hole=hole,
            chroma=chroma,
            points=points_of(row),
        )


def batches(cases: Sequence[Case], size: int) -> Iterator[list[Case]]:
    """Yield the cases in order, `size` at a time."""
    for start in range(0, len(cases), size):
        yield [cases[i] for i in range(start, min(start + size, len(cases)))]


def damaged_batch(cases: Sequence[Case], device: torch.device) -> Damaged:
    """Build the batch that methods get of these cases."""
    batch = Damaged(
        image=to_tensor(np.stack([case.damaged for case in cases])),
        hole_mask=mask_to_tensor(np.stack([case.hole for case in cases])),
        chroma_mask=mask_to_tensor(np.stack([case.chroma for case in cases])),
        coverage=torch.tensor([case.coverage for case in cases]),
        missing_features=torch.tensor([case.missing_features for case in cases]),
    )
    return batch.to(device)


def target_batch(cases: Sequence[Case], device: torch.device) -> Tensor:
    """Stack intact pictures (N, 3, H, W) in [-1, 1]."""
    return to_tensor(np.stack([case.target for case in cases])).to(device)


def point_batch(cases: Sequence[Case], device: torch.device) -> Tensor:
    """Stack detector points (N, 5, 2) float32, pixels."""
    return torch.from_numpy(np.stack([case.points for case in cases])).to(device)
