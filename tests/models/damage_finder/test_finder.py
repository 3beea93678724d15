from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from models.damage_finder.confidence import Confidence
from models.damage_finder.finder import MARGIN, OVERVIEW, TILE, Finder, enlargement, tiles
from models.damage_finder.kinds import KINDS
from models.damage_finder.network import STRIDE, FinderNetwork
from models.errors import WeightsError
from models.images import Image
from models.weight_files import write_weights
from tests.models.damage_finder.finder_site import red_finder


def grey_with_red(height: int, width: int, rows: slice, columns: slice) -> Image:
    picture = np.full((height, width, 3), 90, np.uint8)
    picture[rows, columns] = (255, 0, 0)
    return picture


@pytest.mark.parametrize("shape", [(1, 1), (50, 71), (768, 1200), (900, 1537)])
def test_the_red_part_is_found_at_the_photos_own_resolution(shape: tuple[int, int]) -> None:
    rows, columns = slice(shape[0] // 4 * 2, shape[0] // 4 * 2 + 4), slice(shape[1] // 4 * 2, shape[1] // 4 * 2 + 10)
    found = red_finder().search(picture := grey_with_red(*shape, rows, columns))
    assert found.probability.shape == shape
    assert found.kind.shape == (-(-shape[0] // 2), -(-shape[1] // 2))
    red = (picture[..., 0] == 255).astype(np.uint8)  # enlarged by 1.5, a border of one pixel is uncertain
    assert not (found.probability > 100)[cv2.dilate(red, np.ones((3, 3), np.uint8)) == 0].any()
    assert (found.probability > 100)[cv2.erode(red, np.ones((3, 3), np.uint8)) == 1].all()
    if shape[0] > 40:
        assert KINDS[found.kind[rows.start // 2, columns.start // 2]] == "hole"


def test_small_scans_are_searched_enlarged_and_large_ones_as_they_are() -> None:
    assert [enlargement(side) for side in (256, 640, 641, 2400, 2401, 8000)] == [2.0, 2.0, 1.5, 1.5, 1.0, 1.0]


def test_tiles_cover_each_pixel_once_and_see_beyond_their_border() -> None:
    image = np.random.default_rng(0).integers(0, 255, (TILE + 100, 2 * TILE + 31, 3), dtype=np.uint8)
    seen = np.zeros(image.shape[:2], np.int64)
    for rows, columns, part in tiles(image):
        seen[rows, columns] += 1
        assert part.shape[0] % STRIDE == part.shape[1] % STRIDE == 0
        size = rows.stop - rows.start, columns.stop - columns.start
        assert np.array_equal(part[MARGIN : MARGIN + size[0], MARGIN : MARGIN + size[1]], image[rows, columns])
        if columns.start >= MARGIN:
            assert np.array_equal(
                part[MARGIN : MARGIN + size[0], :MARGIN], image[rows, columns.start - MARGIN : columns.start]
            )
    assert (seen == 1).all()


def test_tiles_and_the_whole_give_the_same_away_from_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    finder = Finder(FinderNetwork(4), 1.0, 0.0, Confidence([0.0] * 24))
    image = np.random.default_rng(0).integers(0, 255, (256, 512, 3), dtype=np.uint8)
    whole = finder.search(image).probability.astype(int)
    monkeypatch.setattr("models.damage_finder.finder.TILE", 256)
    parts = finder.search(image).probability.astype(int)
    assert np.abs(whole - parts)[:, :150].max() <= 1
    assert np.abs(whole - parts).mean() < 1


def test_what_is_wider_than_a_tile_can_tell_comes_from_the_overview(monkeypatch: pytest.MonkeyPatch) -> None:
    """A finder that is blind in full tiles: what it finds comes from the shrunk copy, thick parts only."""
    finder = red_finder()
    image = grey_with_red(1200, 2 * OVERVIEW, slice(400, 700), slice(500, 900))
    image[1000:1004, 100:1900] = (255, 0, 0)
    plain = finder._search_tiles
    monkeypatch.setattr(finder, "_search_tiles", lambda photo: plain(photo if len(photo) < 1000 else photo * 0))
    found = finder.search(image).probability > 127
    assert found[400:700, 500:900].mean() > 0.98
    assert found.sum() < 1.05 * 300 * 400
    assert not found[990:1010].any()


def test_weights_come_back_as_they_were_written(tmp_path: Path) -> None:
    torch.manual_seed(0)
    finder = Finder(FinderNetwork(4), 0.9, -0.5, Confidence([float(n) for n in range(24)]))
    finder.save(tmp_path / "f.safetensors")
    again = Finder.load(tmp_path / "f.safetensors")
    assert (again.slope, again.offset, list(again.confidence.weights)) == (0.9, -0.5, list(range(24)))
    image = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    assert np.abs(finder.search(image).probability.astype(int) - again.search(image).probability).max() <= 2


def test_weights_of_something_else_are_refused(tmp_path: Path) -> None:
    write_weights({}, {"kind": "gan"}, tmp_path / "g.safetensors")
    with pytest.raises(WeightsError, match="a damage finder"):
        Finder.load(tmp_path / "g.safetensors")
