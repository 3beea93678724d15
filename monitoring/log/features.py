"""Measure the features of an incoming photo on its known pixels only, for log and baseline alike."""

from dataclasses import dataclass

import cv2
import numpy as np

from models.images import Image, Mask


@dataclass(frozen=True)
class PhotoFeatures:
    """Mean luma (0..255), standard deviation of luma, and variance of its Laplacian."""

    brightness: float
    contrast: float
    sharpness: float


def measure_photo(image: Image, hole: Mask) -> PhotoFeatures:
    """Measure a damaged photo (H, W, 3) outside its hole (H, W); zeros where nothing at all is known.

    What a hole is filled with must not count, nor the step at its rim: the Laplacian is read one pixel away from it.
    """
    luma = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.float32)
    known = luma[~hole]
    if not known.size:
        return PhotoFeatures(0.0, 0.0, 0.0)
    near_hole = cv2.dilate(hole.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    edges = cv2.Laplacian(luma, cv2.CV_32F)[~near_hole]
    return PhotoFeatures(float(known.mean()), float(known.std()), float(edges.var()) if edges.size else 0.0)
