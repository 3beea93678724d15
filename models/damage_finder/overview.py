"""The photo as a whole, shrunk: where damage is larger than tiles at the photo's own resolution can tell."""

import cv2
import numpy as np
import numpy.typing as npt

from models.images import Image, Mask

Bytes = npt.NDArray[np.uint8]

OVERVIEW = 384
"""Long side to which a photo is shrunk, pixels; smaller photos stay as they are."""
THICK = 5
"""Width, in pixels of the overview, from which damage belongs to it: thinner damage is seen better in tiles."""
_WIDE_IN_PARTS = 28
"""Width, in pixels of the tiles, up to which they tell damage from buttons and beads better than the overview does."""


def shrunk(image: Image, side: int = OVERVIEW) -> Image:
    """A photo (H, W, 3) whose long side is at most `side`."""
    shrink = side / max(image.shape[:2])
    if shrink >= 1:
        return image
    size = (max(1, round(image.shape[1] * shrink)), max(1, round(image.shape[0] * shrink)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def least_width(overview: float, tiles: float) -> int:
    """Give the width, in pixels of the overview, from which its damage is taken over.

    Args:
        overview: by how much the photo was shrunk for the overview, up to 1.
        tiles: by how much it was enlarged or shrunk for the tiles.
    """
    return max(THICK, round(_WIDE_IN_PARTS * overview / tiles))


def thick_parts(mask: Mask, width: int = THICK) -> Mask:
    """What of a mask (H, W) is at least `width` pixels wide, with its ragged edge."""
    kernel = np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width)), np.uint8)
    body = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, kernel)
    return np.asarray((cv2.dilate(body, kernel) > 0) & mask)
