"""Predict 68 landmarks (iBUG 300-W order) by dlib's regression trees (Kazemi & Sullivan 2014), and the head's pose.

The trees' weights were trained on 300-W: for research use.
"""

from functools import cache
from typing import TYPE_CHECKING, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from models.face.alignment import TEMPLATE, invert, transform
from models.face.detector import Face
from models.face.orientation import roll, rotate, transform_face
from models.images import Image
from models.package_files import package_file

if TYPE_CHECKING:
    import dlib

Landmarks = npt.NDArray[np.float32]
"""(68, 2) x, y in pixels."""
Number = TypeVar("Number", np.float32, np.float64)

# iBUG 68 points after a left-right flip: jaw, brows, nose, eyes, mouth
_FLIP_JAW_BROWS_NOSE = [*range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1)]
_FLIP_EYES_MOUTH = [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40, *range(54, 47, -1), *range(59, 54, -1)]
MIRRORED = np.array([*_FLIP_JAW_BROWS_NOSE, *_FLIP_EYES_MOUTH, *range(64, 59, -1), 67, 66, 65])
"""Which point each becomes when the picture is mirrored."""
# The trees start from the box of dlib's own detector, a square. Against YuNet's box over 150 portraits its side is
# 0.94 +- 0.04 of the geometric mean of width and height; its centre, +- 0.05 sides, is the mean of the five points.
_SQUARE_SIDE = 0.94
# YuNet's box in the aligned frame, geometric mean of its sides: 0.640 +- 0.020 of the side over 150 portraits.
_ALIGNED_SIDE = 0.64
# The trees know heads that are nearly upright; beyond so many degrees they look at a copy that is turned upright.
_MOST_ROLL = 30.0
_SURROUNDINGS = 1.5  # half the side of that copy's square, in sides of the face's box

# Strokes of a drawn face: jaw, brows, nose, eyes, mouth; closed where the last is True.
_STROKES = [
    *((range(17), False), (range(17, 22), False), (range(22, 27), False), (range(27, 31), False)),
    *((range(31, 36), False), (range(36, 42), True), (range(42, 48), True), (range(48, 60), True)),
]

# Landmarks that move little with expression, on a head of average size: millimetres from the tip of the nose,
# x to the image's right, y down, z away from the viewer.
_RIGID = [27, 30, 33, 36, 39, 42, 45]
_HEAD = np.array(
    [[0, -41, 20], [0, 0, 0], [0, 13, 14], [-45, -37, 43], [-17, -35, 34], [17, -35, 34], [45, -37, 43]],
    np.float64,
)


def mirrored_points(points: npt.NDArray[Number], size: int, order: npt.NDArray[np.int64]) -> npt.NDArray[Number]:
    """Mirror points (..., K, 2) of a picture.

    Args:
        points: x, y in pixels.
        size: width of the picture, pixels.
        order: (K,) which point each becomes; `MIRRORED` for the 68.
    """
    turned = points[..., order, :].copy()
    turned[..., 0] = size - 1 - turned[..., 0]
    return turned


class LandmarkPredictor:
    """Places the 68 points in a face that was found before."""

    def __init__(self) -> None:
        self._trees = _trees()

    def predict(self, image: Image, face: Face) -> Landmarks:
        """Predict the 68 points of one face; always 68, also where the face is covered (then they are guesses).

        A face that lies on its side is looked at upright.

        Args:
            image: RGB uint8 (H, W, 3).
            face: from `FaceDetector.detect` on the same picture.

        Returns:
            (68, 2) float32 x, y, pixels of `image`, whole ones where it is upright; may lie outside it.
        """
        angle = roll(face.points)
        if abs(angle) <= _MOST_ROLL:
            return self._upright(image, face)
        middle, reach = face.points.mean(axis=0), _SURROUNDINGS * max(face.box[2:])
        left, top = np.maximum(np.floor(middle - reach), 0).astype(int).tolist()
        right, bottom = np.ceil(middle + reach).astype(int).tolist()
        part = image[top:bottom, left:right]
        if not part.size:
            return self._upright(image, face)
        copy, matrix = rotate(part, angle)
        matrix[:, 2] -= matrix[:, :2] @ (left, top)
        return transform(self._upright(copy, transform_face(face, matrix)), invert(matrix))

    def _upright(self, image: Image, face: Face) -> Landmarks:
        shape = self.shape(image, face)
        return np.array([(shape.part(i).x, shape.part(i).y) for i in range(68)], np.float32)

    def predict_aligned(self, image: Image) -> Landmarks:
        """Predict the 68 points of a portrait in the aligned frame (S, S, 3), where the face's place is known.

        Over 150 aligned portraits they lie 0.4 pixels of 128 from those of the detector's own box.
        """
        return self.predict(image, aligned_face(image.shape[0]))

    def shape(self, image: Image, face: Face) -> "dlib.full_object_detection":
        """Predict the same points in dlib's own type."""
        return self._trees(np.ascontiguousarray(image), _square(face))


def aligned_face(size: int) -> Face:
    """Describe the face of a portrait in the aligned frame of that side, pixels; of its box only the size is true."""
    side = _ALIGNED_SIDE * size
    return Face((0.0, 0.0, side, side), (TEMPLATE * size - 0.5).astype(np.float32), 1.0)


def draw_landmarks(landmarks: Landmarks, size: int) -> npt.NDArray[np.float32]:
    """Draw a face through the 68 points (pixels of the picture): (size, size) in [0, 1], lines one pixel wide."""
    canvas = np.zeros((size, size), np.uint8)
    fixed = np.round(landmarks * 8).astype(np.int32)
    for stroke, closed in _STROKES:
        cv2.polylines(canvas, [fixed[stroke]], closed, 255, 1, cv2.LINE_AA, 3)
    return np.asarray(canvas / 255, np.float32)


@cache
def _trees() -> "dlib.shape_predictor":
    import dlib

    return dlib.shape_predictor(str(package_file("dlib_landmarks")))


def _square(face: Face) -> "dlib.rectangle":
    import dlib

    half = _SQUARE_SIDE * np.sqrt(face.box[2] * face.box[3]) / 2
    x, y = face.points.mean(axis=0)
    return dlib.rectangle(round(x - half), round(y - half), round(x + half), round(y + half))


def head_pose(landmarks: Landmarks, size: int) -> tuple[float, float, float]:
    """Fit an average head to seven landmarks (SQPnP): yaw, pitch and roll in degrees.

    The camera is unknown; its focal length is taken as 2 * `size` (a view 28 degrees wide, a portrait lens).

    Args:
        landmarks: (68, 2) pixels.
        size: side of the picture, pixels; the optical axis is its centre.

    Returns:
        Yaw, positive towards the image's right; pitch, positive upwards; roll, positive clockwise. 0, 0, 0 faces us.
    """
    camera = np.array([[2 * size, 0, (size - 1) / 2], [0, 2 * size, (size - 1) / 2], [0, 0, 1]], np.float64)
    observed = landmarks[_RIGID].astype(np.float64)
    _, turn, _ = cv2.solvePnP(_HEAD, observed, camera, None, flags=cv2.SOLVEPNP_SQPNP)
    return _angles(cv2.Rodrigues(turn)[0])


def _angles(rotation: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    """Compute yaw, pitch, roll in degrees of R = Rz(roll) Ry(-yaw) Rx(-pitch)."""
    yaw = np.arctan2(rotation[2, 0], np.hypot(rotation[0, 0], rotation[1, 0]))
    pitch = -np.arctan2(rotation[2, 1], rotation[2, 2])
    roll = np.arctan2(rotation[1, 0], rotation[0, 0])
    return float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(roll))
