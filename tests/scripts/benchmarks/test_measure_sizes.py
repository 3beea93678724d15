"""The table by hand, and that an enlarged portrait has its face where it is told to be."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from restoration.types import Tools
from scripts.benchmarks.measure_sizes import enlarged, held_out, table
from tests.restoration.site import astronaut, tools


def test_the_table_divides_means_by_those_of_telea_by_size_and_coverage() -> None:
    first = {"size": 128, "person": "a", "coverage": 0.15, "found": 1.0}
    first |= {"lpips ours": 0.1, "lpips telea": 0.2, "identity ours": 0.3, "identity telea": 0.4}
    second = first | {"person": "b", "coverage": 0.35, "found": 0.0, "lpips ours": 0.2, "identity ours": 0.2}
    large = first | {"size": 256, "coverage": 0.05}
    lines = table(pd.DataFrame([first, second, large]), seed=1)
    assert lines[2:] == [
        "| 128 | 0.1-0.2 | 1 | 1 | 0.50 [nan, nan] | 0.75 [nan, nan] |",
        "| 128 | 0.3-0.4 | 1 | 0 | 1.00 [nan, nan] | 0.50 [nan, nan] |",
        "| 128 | 0.1-0.6 | 2 | 1 | 0.75 [0.50, 1.00] | 0.62 [0.50, 0.75] |",
        "| 256 | 0.0-0.1 | 1 | 1 | 0.50 [nan, nan] | 0.75 [nan, nan] |",
    ]


@pytest.mark.parametrize("size", [96, 300])
def test_the_face_of_an_enlarged_portrait_has_its_size(size: int) -> None:
    seeing: Tools = tools()
    photo, face = enlarged(astronaut(), size, seeing)
    (found, *_) = seeing.detector.detect(photo)
    assert max(face.box[2:]) == pytest.approx(size)
    assert max(found.box[2:]) == pytest.approx(size, rel=0.1)
    assert np.abs(found.points - face.points).max() < 0.05 * size


def test_people_are_held_out_ones_half_as_many_synthetic_as_real(tmp_path: Path) -> None:
    for folder in ("ffhq256", "congress", "omi"):
        (tmp_path / folder).mkdir()
        for number in range(20):
            cv2.imwrite(str(tmp_path / folder / f"{number:02}.png"), np.zeros((8, 8, 3), np.uint8))
    people = held_out(tmp_path, 8)
    assert [source for source, _ in people] == ["real"] * 8 + ["synthetic"] * 4
    assert len(set(people)) == 12
    assert {file.stem for _, file in people} == {"16", "17", "18", "19"}
