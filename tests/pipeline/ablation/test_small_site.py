"""Smaller portraits keep their faces in place."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.ablation.variant_study import lay_out_small
from pipeline.portraits.read import landmarks_of, load_image, points_of, read_portraits
from pipeline.project.paths import Paths
from tests.portrait_site import SIDE, lay_out_portraits


def test_pictures_and_points_shrink_together(tmp_path: Path) -> None:
    source, target = lay_out_portraits(tmp_path / "a"), Paths(tmp_path / "b")
    lay_out_small(source, target, SIDE // 2, {})
    large, small = (read_portraits(paths).set_index("portrait_id") for paths in (source, target))
    assert sorted(small.index) == sorted(large.index)
    name = str(small.index[0])
    picture, whole = load_image(target, name), load_image(source, name).astype(float)
    assert picture.shape == (SIDE // 2, SIDE // 2, 3)
    quarters = whole.reshape(SIDE // 2, 2, SIDE // 2, 2, 3).mean(axis=(1, 3))
    assert np.abs(picture - quarters).max() <= 1
    # The centre of the picture stays its centre; (0, 0) becomes the middle of the first two pixels.
    for read in (landmarks_of, points_of):
        assert read(small.loc[name]) == pytest.approx((read(large.loc[name]) + 0.5) / 2 - 0.5)


def test_limits_hold_by_split(tmp_path: Path) -> None:
    source, target = lay_out_portraits(tmp_path / "a"), Paths(tmp_path / "b")
    lay_out_small(source, target, SIDE, {"train": 2, "test": 9})
    rows = read_portraits(target)
    assert rows["split"].value_counts().to_dict() == {"train": 2, "validation": 2, "test": 2}
    first = rows.iloc[0]
    assert np.array_equal(load_image(target, first["portrait_id"]), load_image(source, first["portrait_id"]))
