from pathlib import Path

import numpy as np
import pytest
import torch

from models.errors import WeightsError
from models.finder import Finder, certain_pieces, expected_iou
from models.finder_network import FinderNetwork
from models.weight_files import write_weights
from tests.models.finder_site import red_finder


def grey_with_red(height: int, width: int, rows: slice, columns: slice) -> np.ndarray:  # type: ignore[type-arg]
    picture = np.full((height, width, 3), 90, np.uint8)
    picture[rows, columns] = (255, 0, 0)
    return picture


def test_pieces_are_kept_whole_where_one_pixel_is_certain() -> None:
    probability = np.array([[0.6, 0.1, 0.6], [0.95, 0.1, 0.7], [0.2, 0.1, 0.8]], np.float32)
    kept = certain_pieces(probability, 0.5, 0.9)
    assert kept.tolist() == [[True, False, False], [True, False, False], [False, False, False]]
    assert certain_pieces(probability, 0.5, 0.5).sum() == 5
    assert not certain_pieces(probability, 0.5, 0.99).any()


def test_expected_iou_by_hand() -> None:
    probability = np.array([[0.9, 0.7], [0.2, 0.0]], np.float32)
    mask = np.array([[True, True], [False, False]])
    assert expected_iou(probability, mask) == pytest.approx(1.6 / 2.2, abs=1e-6)
    assert expected_iou(probability, ~mask) == pytest.approx(0.2 / (2 + 1.6), abs=1e-6)
    assert expected_iou(probability, np.zeros((2, 2), np.bool_)) is None


def test_finds_the_red_part_and_grows_it_by_the_margin() -> None:
    picture = grey_with_red(50, 70, slice(10, 20), slice(30, 45))  # neither side is a multiple of the stride
    found = red_finder().find(picture, 0.5, 0.9, 0)
    assert np.array_equal(found.mask, picture[..., 0] == 255)
    assert found.probability.shape == (50, 70)
    assert found.probability.dtype == np.float32
    red, rest = 150 * 0.98201, (3500 - 150) * 0.000335
    assert found.confidence == pytest.approx(red / (150 + rest), abs=1e-3)
    grown = red_finder().find(picture, 0.5, 0.9, 2)
    rows, columns = np.nonzero(grown.mask)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (8, 21, 28, 46)
    assert grown.confidence == found.confidence


def test_nothing_found_is_a_value() -> None:
    found = red_finder().find(np.full((33, 20, 3), 90, np.uint8), 0.5, 0.9, 1)
    assert found.confidence is None
    assert not found.mask.any()
    unsure = red_finder(scale=1.0).find(grey_with_red(64, 64, slice(8, 24), slice(8, 24)), 0.5, 0.9, 1)
    assert unsure.confidence is None
    assert not unsure.mask.any()


def test_a_large_photo_is_searched_small_and_the_mask_has_its_size() -> None:
    picture = grey_with_red(300, 600, slice(60, 180), slice(150, 300))
    finder = red_finder(side=60)
    assert finder.probability(picture).shape == (30, 60)
    mask = finder.find(picture, 0.5, 0.9, 0).mask
    truth = picture[..., 0] == 255
    assert mask.shape == (300, 600)
    assert (mask & truth).sum() / (mask | truth).sum() > 0.9


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (17, 3)])
def test_tiny_pictures_are_no_accident(shape: tuple[int, int]) -> None:
    finder = Finder(FinderNetwork(4), 256, 1.0)
    assert finder.find(np.zeros((*shape, 3), np.uint8), 0.5, 0.9, 1).mask.shape == shape


def test_temperature_divides_the_logits() -> None:
    picture = grey_with_red(16, 16, slice(0, 8), slice(0, 8))
    warm = Finder(red_finder().network, 256, 2.0).probability(picture)
    assert warm[0, 0] == pytest.approx(1 / (1 + np.exp(-2)), abs=1e-5)


def test_weights_come_back_in_half_precision(tmp_path: Path) -> None:
    torch.manual_seed(0)
    finder = Finder(FinderNetwork(4), 128, 1.25)
    finder.save(tmp_path / "finder.safetensors")
    again = Finder.load(tmp_path / "finder.safetensors")
    assert (again.side, again.temperature, again.network.width) == (128, 1.25, 4)
    picture = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    assert np.allclose(again.probability(picture), finder.probability(picture), atol=5e-3)
    with pytest.raises(WeightsError, match="SHA-256"):
        Finder.load(tmp_path / "finder.safetensors", "0" * 64)


def test_other_weights_are_told_apart(tmp_path: Path) -> None:
    write_weights({"a": torch.zeros(1)}, {"width": 4}, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match="weights of something else"):
        Finder.load(tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match="no such file"):
        Finder.load(tmp_path / "none.safetensors")
