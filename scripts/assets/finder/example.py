"""A picture to search, with what there is to find in it."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from models.images import Image, Mask


@dataclass(frozen=True, eq=False)
class Example:
    """One picture to search.

    Attributes:
        image: (H, W, 3) uint8.
        damaged: (H, W) bool.
        kind: (H, W) uint8, index of the kind of a damaged pixel, 255 elsewhere.
        judged: (H, W) bool; False where damage cannot be seen, which neither trains nor counts.
    """

    image: Image
    damaged: Mask
    kind: npt.NDArray[np.uint8]
    judged: Mask


def resized(example: Example, side: int) -> Example:
    """A square example at another size."""
    if side == len(example.image):
        return example
    smaller = side < len(example.image)
    image = cv2.resize(example.image, (side, side), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
    damaged, judged = (
        cv2.resize(mask.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
        for mask in (example.damaged, example.judged)
    )
    kind = np.asarray(cv2.resize(example.kind, (side, side), interpolation=cv2.INTER_NEAREST), np.uint8)
    nearby = cv2.erode(kind, np.ones((3, 3), np.uint8))  # the least: 255 is no kind
    kind = np.where(kind == 255, nearby, kind).astype(np.uint8)
    sure = (damaged >= 0.5) & (kind != 255)
    return Example(np.asarray(image, np.uint8), sure, np.where(sure, kind, np.uint8(255)), judged >= 0.5)
