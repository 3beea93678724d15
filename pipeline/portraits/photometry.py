"""Photometric measures of an aligned portrait."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

# iBUG points around each cheek: jaw, lower eyelid, side of the nose, corner of the mouth. Skin without beard or brow.
_CHEEKS = ((1, 2, 3, 4, 48, 31, 41, 36), (15, 14, 13, 12, 54, 35, 46, 45))

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Photometry:
    """What light and focus did to a portrait.

    Attributes:
        brightness: mean luma (Rec. 601), 0..255.
        contrast: standard deviation of luma.
        sharpness: variance of the Laplacian of luma (Pech-Pacheco et al. 2000).
        skin_tone: individual typology angle of the cheeks, degrees, high = light (Chardon et al. 1991).
    """

    brightness: float
    contrast: float
    sharpness: float
    skin_tone: float


def photometry(image: Picture, landmarks: npt.NDArray[np.float32]) -> Photometry:
    """Measure an RGB uint8 (H, W, 3) picture with its 68 landmarks (68, 2) in its pixels."""
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return Photometry(
        brightness=float(luma.mean()),
        contrast=float(luma.std()),
        sharpness=float(cv2.Laplacian(luma, cv2.CV_64F).var()),
        skin_tone=typology_angle(image, skin_region(landmarks, image.shape[:2])),
    )


def skin_region(landmarks: npt.NDArray[np.float32], shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Select both cheeks, bool (H, W)."""
    canvas = np.zeros(shape, np.uint8)
    for cheek in _CHEEKS:
        cv2.fillConvexPoly(canvas, cv2.convexHull(np.rint(landmarks[list(cheek)]).astype(np.int32)), 1)
    return canvas.astype(bool)


def typology_angle(image: Picture, region: npt.NDArray[np.bool_]) -> float:
    """Compute ITA = atan2(L* - 50, b*) in degrees, of the median colour in `region` (H, W) of an sRGB picture.

    NaN where the region has no pixel.
    """
    pixels = image[region]
    if not len(pixels):
        return float("nan")
    colour = np.median(pixels, axis=0).astype(np.float32) / 255.0
    lightness, _, blue_yellow = cv2.cvtColor(colour.reshape(1, 1, 3), cv2.COLOR_RGB2LAB)[0, 0]
    return float(np.degrees(np.arctan2(lightness - 50.0, blue_yellow)))
