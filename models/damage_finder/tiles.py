"""Cut a photo of any size into tiles whose sides suit the network."""

import math
from collections.abc import Iterator

import cv2
import numpy as np

from models.damage_finder.network import STRIDE
from models.images import Image

TILE, MARGIN = 800, 48
"""Side of a tile, and how far it sees beyond, pixels; a tile with its margins is a multiple of the network's stride."""


def tiles(image: Image) -> Iterator[tuple[slice, slice, Image]]:
    """Rows and columns of each tile of a photo (H, W, 3), and the tile with its margin, mirrored at the border.

    The sides of the parts are multiples of the network's stride.
    """
    height, width = image.shape[:2]
    count = math.ceil(height / TILE), math.ceil(width / TILE)
    step = [_up(math.ceil(length / number), STRIDE) for length, number in zip((height, width), count, strict=True)]
    for top in range(0, height, step[0]):
        for left in range(0, width, step[1]):
            rows, columns = slice(top, min(top + step[0], height)), slice(left, min(left + step[1], width))
            yield rows, columns, _with_margin(image, rows, columns)


def _with_margin(image: Image, rows: slice, columns: slice) -> Image:
    height, width = image.shape[:2]
    bottom, right = (
        rows.start + _up(rows.stop - rows.start, STRIDE),
        columns.start + _up(columns.stop - columns.start, STRIDE),
    )
    top, left = rows.start - MARGIN, columns.start - MARGIN
    inside = image[max(0, top) : min(height, bottom + MARGIN), max(0, left) : min(width, right + MARGIN)]
    beyond = (max(0, -top), max(0, bottom + MARGIN - height), max(0, -left), max(0, right + MARGIN - width))
    return np.asarray(cv2.copyMakeBorder(inside, *beyond, cv2.BORDER_REFLECT), np.uint8)


def _up(length: int, multiple: int) -> int:
    return -(-length // multiple) * multiple
