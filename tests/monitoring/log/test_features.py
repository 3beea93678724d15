"""Features of a damaged photo come from what is left of it."""

import numpy as np
import pytest

from monitoring.log.features import PhotoFeatures, measure_photo
from pipeline.portraits.photometry import photometry
from tests.faces import mean_landmarks


def test_an_intact_photo_measures_as_at_ingest() -> None:
    image = np.random.default_rng(1).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    found = measure_photo(image, np.zeros((128, 128), bool))
    expected = photometry(image, mean_landmarks(128))
    for name in ("brightness", "contrast", "sharpness"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=1e-5)


@pytest.mark.parametrize("filler", [0, 127, 255])
def test_what_fills_the_hole_does_not_count(filler: int) -> None:
    image = np.random.default_rng(2).integers(60, 90, (64, 64, 3), dtype=np.uint8)
    hole = np.zeros((64, 64), bool)
    hole[20:40, 10:50] = True
    other = image.copy()
    other[hole] = filler
    assert measure_photo(other, hole) == measure_photo(image, hole)


def test_nothing_known() -> None:
    assert measure_photo(np.full((8, 8, 3), 9, np.uint8), np.ones((8, 8), bool)) == PhotoFeatures(0.0, 0.0, 0.0)
