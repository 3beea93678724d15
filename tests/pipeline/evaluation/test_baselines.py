"""The classical methods."""

import numpy as np
import pytest
import torch
from skimage import data

from models.evidence.evidence import Damaged
from models.face_model.shape_and_appearance import shipped_face_model
from models.images import mask_to_tensor, to_tensor, to_uint8
from pipeline.evaluation.baselines import Method, baselines


def damaged(hole: np.ndarray, chroma: np.ndarray, image: np.ndarray) -> Damaged:
    return Damaged(
        to_tensor(image), mask_to_tensor(hole), mask_to_tensor(chroma), torch.tensor([0.2]), torch.tensor([0.1])
    )


@pytest.fixture
def astronaut() -> np.ndarray:
    image: np.ndarray = data.astronaut()[:128, 160:288]
    return image


@pytest.fixture(params=["telea", "navier-stokes"])
def method(request: pytest.FixtureRequest) -> Method:
    return baselines(shipped_face_model())[request.param]


def box(top: int, left: int, side: int) -> np.ndarray:
    mask = np.zeros((128, 128), bool)
    mask[top : top + side, left : left + side] = True
    return mask


def test_known_pixels_stay_to_the_bit(method: Method, astronaut: np.ndarray) -> None:
    hole, chroma = box(40, 40, 20), box(40, 40, 40)
    given = damaged(hole, chroma, astronaut)
    restored = method(given)
    known = ~torch.from_numpy(chroma).expand(1, 3, -1, -1)
    assert torch.equal(restored[known], given.image[known])
    assert not torch.equal(restored, given.image)


def test_a_hole_in_a_flat_picture_is_filled_with_its_colour(method: Method) -> None:
    image = np.full((128, 128, 3), (200, 100, 50), np.uint8)
    hole = box(50, 50, 20)
    broken = image.copy()
    broken[hole] = 127
    restored = to_uint8(method(damaged(hole, hole, broken)))[0]
    assert np.abs(restored.astype(int) - image).max() <= 5  # Telea drifts by rounding; unfilled it would be 77


def test_lost_colour_comes_back_and_luma_stays(method: Method) -> None:
    image = np.full((128, 128, 3), (200, 100, 50), np.uint8)
    luma = round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)
    grey = box(50, 50, 20)
    broken = image.copy()
    broken[grey] = luma
    restored = to_uint8(method(damaged(np.zeros_like(grey), grey, broken)))[0]
    assert np.abs(restored.astype(int) - image).max() <= 8  # rounded to 8 bits on its way; colourless it would be 78
    assert np.abs(restored @ np.array([0.299, 0.587, 0.114]) - luma).max() <= 1
