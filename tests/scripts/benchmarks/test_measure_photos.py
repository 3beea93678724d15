"""How far a frame lies off, by hand."""

import numpy as np
import pandas as pd
import pytest

from models.face.alignment import TEMPLATE
from restoration.photo.geometry import frame_of
from scripts.benchmarks.measure_photos import off, table


@pytest.mark.parametrize(("shift", "expected"), [((0, 0), 0.0), ((3, 4), 5.0), ((-6, 0), 6.0)])
def test_a_moved_frame_is_off_by_its_shift_in_aligned_pixels(shift: tuple[int, int], expected: float) -> None:
    points = (100 + TEMPLATE * 256).astype(np.float32)  # twice the model's resolution
    truth = frame_of(points, (600, 600), 128)
    moved = frame_of(points + np.array(shift, np.float32) * 2, (600, 600), 128)
    assert off(moved, truth) == pytest.approx(expected, abs=1e-3)


def test_the_table_counts_what_was_not_found_and_divides_by_telea() -> None:
    row = {"coverage": 0.05, "lpips telea": 0.2, "identity telea": 0.5}
    for number, name in enumerate(("first", "again", "intact")):
        row |= {f"off {name}": 2.0 - number, f"lpips {name}": 0.1, f"identity {name}": 0.4 - number / 10}
    lost = {"coverage": 0.5, "lpips telea": 0.3, "identity telea": 0.9}
    found, _, _, _, bucket, *_, everything = table(pd.DataFrame([row, lost]))
    assert found == "1 of 2 photos had a damaged face that was found"
    assert bucket == "| 0.0-0.1 | 1 | 2.00 | 1.00 | 0.00 | 0.50 | 0.50 | 0.50 | 0.80 | 0.60 | 0.40 |"
    assert everything == bucket.replace("0.0-0.1", "0.0-0.6")
