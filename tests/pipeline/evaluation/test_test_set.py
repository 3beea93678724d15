"""The frozen set, read back from what ingest and masks write."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch

from models.errors import DataError
from pipeline.evaluation.test_set import FrozenCases, batches, damaged_batch, point_batch, target_batch
from pipeline.project.paths import Paths

CPU = torch.device("cpu")
SIZE = 16


def picture(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)


def write_mask(paths: Paths, name: str, rows: slice) -> None:
    for part in ("hole", "chroma"):
        mask = np.zeros((SIZE, SIZE), np.uint8)
        mask[rows] = 255
        cv2.imwrite(str(paths.masks / f"{name}.{part}.png"), mask)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """Two portraits; the first has two masks."""
    paths = Paths(tmp_path)
    paths.portrait_images.mkdir(parents=True)
    paths.masks.mkdir(parents=True)
    for index, name in enumerate(["p0", "p1"]):
        cv2.imwrite(str(paths.portrait_images / f"{name}.png"), cv2.cvtColor(picture(index), cv2.COLOR_RGB2BGR))
    points = [np.arange(10, dtype=np.float32) + index for index in range(2)]
    portraits = {"portrait_id": ["p0", "p1"], "identity": ["ann", "bob"], "split": "test", "points": points}
    pd.DataFrame(portraits).to_parquet(paths.portrait_rows)
    write_masks(paths, ["p0", "p1", "p0"])
    return paths


def write_masks(paths: Paths, portrait_ids: list[str]) -> None:
    names = [f"m{i}" for i in range(len(portrait_ids))]
    for index, name in enumerate(names):
        write_mask(paths, name, slice(index, index + 3))
    masks = {"mask_id": names, "portrait_id": portrait_ids, "kind": "box", "bucket": "0.1-0.2"}
    frame = pd.DataFrame(masks).assign(coverage=np.float32(0.125), missing_features=np.float32(0.25))
    frame.to_parquet(paths.mask_rows)


def test_a_case_is_what_was_stored(paths: Paths) -> None:
    cases = FrozenCases(paths)
    assert len(cases) == 3
    case = cases[1]
    assert (case.mask_id, case.portrait_id, case.identity, case.coverage) == ("m1", "p1", "bob", 0.125)
    assert np.array_equal(case.target, picture(1))
    assert np.flatnonzero(case.hole.any(axis=1)).tolist() == [1, 2, 3]
    assert case.points[0].tolist() == [1.0, 2.0]
    assert (case.damaged[1:4] == 127).all()
    assert np.array_equal(case.damaged[4:], case.target[4:])


def test_tensors_of_a_batch(paths: Paths) -> None:
    some = FrozenCases(paths)[:2]
    damaged, target = damaged_batch(some, CPU), target_batch(some, CPU)
    known = damaged.chroma_mask.expand(-1, 3, -1, -1) == 0
    assert target.shape == (2, 3, SIZE, SIZE)
    assert torch.equal(damaged.image[known], target[known])  # known pixels are the target's, to the bit
    assert damaged.hole_mask.sum(dim=(1, 2, 3)).tolist() == [3 * SIZE, 3 * SIZE]
    assert damaged.missing_features.tolist() == [0.25, 0.25]
    assert point_batch(some, CPU).shape == (2, 5, 2)


def test_batches_keep_order_and_portraits_are_known(paths: Paths) -> None:
    cases = FrozenCases(paths)
    assert [[case.mask_id for case in batch] for batch in batches(cases, 2)] == [["m0", "m1"], ["m2"]]
    assert cases.portrait_ids == ["p0", "p1", "p0"]


def test_pictures_are_read_when_asked_for(paths: Paths) -> None:
    cases = FrozenCases(paths)
    (paths.portrait_images / "p1.png").unlink()
    assert cases[0].portrait_id == "p0"
    with pytest.raises(DataError, match=r"the picture p1\.png; got no such file"):
        cases[1]


def test_masks_of_unknown_portraits_are_refused(paths: Paths) -> None:
    write_masks(paths, ["p0", "elsewhere"])
    with pytest.raises(DataError, match="1 masks of other portraits; run the stage masks again"):
        FrozenCases(paths)


def test_no_masks_is_an_error(paths: Paths) -> None:
    write_masks(paths, [])
    with pytest.raises(DataError, match="evaluation masks; got none"):
        FrozenCases(paths)
