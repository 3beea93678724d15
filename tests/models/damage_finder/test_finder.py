from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from models.damage_finder.confidence import GROUPS, TERMS, Confidence
from models.damage_finder.finder import Bytes, Finder, PixelFinder
from models.damage_finder.kinds import KINDS
from models.damage_finder.network import FinderNetwork
from models.damage_finder.overview import OVERVIEW
from models.errors import WeightsError
from models.images import Image
from models.runtime.budget import UNLIMITED, Budget
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


def test_tiles_and_the_whole_give_the_same_away_from_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    finder = PixelFinder(FinderNetwork(4), 1.0, 0.0)
    image = np.random.default_rng(0).integers(0, 255, (256, 512, 3), dtype=np.uint8)
    whole = finder.search(image)[0].astype(int)
    monkeypatch.setattr("models.damage_finder.tiles.TILE", 256)
    parts = finder.search(image)[0].astype(int)
    assert np.abs(whole - parts)[:, :150].max() <= 1
    assert np.abs(whole - parts).mean() < 1


def test_what_is_wider_than_a_tile_can_tell_comes_from_the_whole() -> None:
    """A finder that is blind in tiles: what it finds comes from the shrunk copy, thick parts only."""
    seeing = red_finder()
    finder = Finder(PixelFinder(FinderNetwork(4), 0.0, -9.0), seeing.whole, seeing.confidence)
    image = grey_with_red(900, 1200, slice(300, 600), slice(500, 900))
    image[700:704, 100:1100] = (255, 0, 0)
    found = finder.search(image)
    assert found.whole.shape == (288, OVERVIEW)
    damaged = found.probability > 127
    assert damaged[300:600, 500:900].mean() > 0.98
    assert damaged.sum() < 1.05 * 300 * 400
    assert not damaged[690:714].any()
    assert KINDS[found.kind[225, 350]] == "hole"


def test_large_photos_are_searched_halfway_between(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[tuple[int, ...]] = []
    search = PixelFinder.search

    def noted(self: PixelFinder, image: Image, budget: Budget = UNLIMITED) -> tuple[Bytes, Bytes]:
        sizes.append(image.shape[:2])
        return search(self, image, budget)

    monkeypatch.setattr(PixelFinder, "search", noted)
    red_finder().search(np.zeros((1600, 2500, 3), np.uint8))
    assert sizes == [(1600, 2500), (655, 1024), (246, 384)]


def test_weights_come_back_as_they_were_written(tmp_path: Path) -> None:
    torch.manual_seed(0)
    parts, whole = PixelFinder(FinderNetwork(4), 0.9, -0.5), PixelFinder(FinderNetwork(4), 1.1, 0.2)
    finder = Finder(parts, whole, Confidence([float(n) for n in range(TERMS * len(GROUPS))]))
    finder.save(tmp_path / "f.safetensors")
    again = Finder.load(tmp_path / "f.safetensors")
    assert [(one.slope, one.offset) for one in (again.parts, again.whole)] == [(0.9, -0.5), (1.1, 0.2)]
    assert list(again.confidence.weights) == list(range(TERMS * len(GROUPS)))
    image = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    for name in ("probability", "whole"):
        before, after = (getattr(one.search(image), name).astype(int) for one in (finder, again))
        assert np.abs(before - after).max() <= 2


def test_weights_of_something_else_are_refused(tmp_path: Path) -> None:
    write_weights({}, {"kind": "gan"}, tmp_path / "g.safetensors")
    with pytest.raises(WeightsError, match="a damage finder"):
        Finder.load(tmp_path / "g.safetensors")
