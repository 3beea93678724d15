"""A network that fills with stripes, so that what came from it can be seen."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from models.images import Image, Mask
from restoration.photo.inpainter import Inpainter
from restoration.photo.inpainter_fill import fill_with_inpainter
from tests.restoration.photo.graphs import Kind, stripes, write_graph

SIDE = 64


@pytest.fixture(params=["LaMa", "MI-GAN"])
def network(request: pytest.FixtureRequest, tmp_path: Path) -> Inpainter:
    kind: Kind = request.param
    return Inpainter(write_graph(tmp_path / "graph.onnx", kind, stripes(SIDE), SIDE))


def slope(height: int, width: int) -> Image:
    """A smooth picture without any stripe."""
    y, x = np.mgrid[:height, :width]
    return np.stack([60 + 80 * x / width, 90 + 60 * y / height, 100 + 0 * x], axis=-1).astype(np.uint8)


def striped(picture: Image, hole: Mask) -> float:
    """Standard deviation of the red slope from column to column in a hole: about 20 for stripes, near 0 without."""
    red = picture[..., 0].astype(np.float32)
    return float((red - cv2.blur(red, (9, 1)))[hole].std())


def block(shape: tuple[int, int], rows: slice, columns: slice) -> Mask:
    mask = np.zeros(shape, np.bool_)
    mask[rows, columns] = True
    return mask


@pytest.mark.parametrize(
    ("shape", "rows", "columns"),
    [
        ((200, 160), slice(80, 100), slice(60, 90)),  # within
        ((200, 160), slice(0, 20), slice(130, 160)),  # in a corner
        ((40, 50), slice(10, 25), slice(10, 30)),  # a photo smaller than the network's pictures
        ((200, 300), slice(90, 110), slice(20, 280)),  # longer than a window
    ],
)
def test_the_hole_shows_the_networks_fill_and_nothing_else_changes(
    network: Inpainter, shape: tuple[int, int], rows: slice, columns: slice
) -> None:
    photo, hole = slope(*shape), block(shape, rows, columns)
    filled = fill_with_inpainter(photo, hole, hole, network)
    assert np.array_equal(filled[~hole], photo[~hole])
    assert striped(photo, hole) < 2
    for part in np.array_split(np.flatnonzero(hole.any(axis=0)), 4):
        assert striped(filled, hole & block(shape, slice(None), slice(part[0], part[-1] + 1))) > 50


def test_a_hole_wider_than_half_a_window_is_seen_shrunk(network: Inpainter) -> None:
    shape = (400, 400)
    photo, hole = slope(*shape), block(shape, slice(140, 260), slice(140, 260))
    filled = fill_with_inpainter(photo, hole, hole, network)
    assert np.array_equal(filled[~hole], photo[~hole])
    middle = filled[200, 150:250, 0].astype(float)
    light = middle > middle.mean()
    widths = np.diff(np.flatnonzero(np.diff(light.astype(int))))
    assert 12 < np.median(widths) < 18  # four pixels of the network's, 240 / 64 times as large


def test_other_missing_pixels_are_neither_filled_nor_seen(network: Inpainter) -> None:
    shape = (120, 160)
    photo, wide, face = (
        slope(*shape),
        block(shape, slice(40, 60), slice(20, 50)),
        block(shape, slice(40, 60), slice(60, 90)),
    )
    garbage = np.where(face[..., None], np.uint8(255), photo)
    filled = fill_with_inpainter(photo, wide, wide | face, network)
    beside = fill_with_inpainter(garbage, wide, wide | face, network)
    assert np.array_equal(filled[~wide], photo[~wide])
    assert np.array_equal(filled[wide], beside[wide])
