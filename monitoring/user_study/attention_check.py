"""Plant something that plainly does not belong into a portrait: a third eye, at a known place."""

import cv2
import numpy as np
import numpy.typing as npt

from models.face.regions import face_size
from models.images import Image
from monitoring.user_study.schema import Circle

_EYE = range(36, 42)
_REACH = 0.13
"""Radius of what is copied, in face sizes: an eye with its lids."""
_SOFT = 0.7
"""Share of the radius that is copied whole; further out it fades."""


def plant_eye(image: Image, landmarks: npt.NDArray[np.float32]) -> tuple[Image, Circle]:
    """Copy a portrait with its image-left eye once more on the other cheek; returns also where.

    Args:
        image: (S, S, 3) uint8 RGB, an aligned portrait.
        landmarks: (68, 2) in its pixels.
    """
    side, radius = image.shape[0], _REACH * face_size(landmarks)
    source = landmarks[list(_EYE)].mean(axis=0)
    target = (landmarks[[14, 45, 54, 35]]).mean(axis=0)  # jaw, eye, mouth, nose: the middle of the cheek
    target = np.clip(target, radius, side - 1 - radius)
    shift = np.array([[1, 0, target[0] - source[0]], [0, 1, target[1] - source[1]]], np.float32)
    moved = cv2.warpAffine(image, shift, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    y, x = np.mgrid[:side, :side]
    away = np.hypot(x - target[0], y - target[1]) / radius
    opacity = np.clip((1 - away) / (1 - _SOFT), 0.0, 1.0)[..., None]
    planted = np.rint(opacity * moved + (1 - opacity) * image).astype(np.uint8)
    place = (target + 0.5) / side
    return planted, Circle(x=float(place[0]), y=float(place[1]), radius=float(radius / side))
