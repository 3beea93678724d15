"""What the sampler learns from: portraits brought to the mean shape, and which of them are fit to lend detail."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from models.errors import DataError
from models.face.detector import FaceDetector
from models.face.landmarks import LandmarkPredictor
from pipeline.face_sampler.geometry import CANVAS, Array, mirrored, rescale, warp_map

LAST_TRAINING_PORTRAIT = 720
"""Portraits 0721.jpg and later are left out, so that they stay unseen for evaluations."""
_MIN_SCORE = 0.6
_MAX_YAW = 1.2  # standard deviations; beyond it one cheek is hidden and its texture smeared
_CLEAR_SHARE = 0.7  # share of portraits kept by `_occlusion`; the rest mostly wears glasses


@dataclass(frozen=True)
class Portraits:
    """N portraits at the mean shape."""

    names: tuple[str, ...]
    canvases: npt.NDArray[np.uint8]
    """(N, CANVAS, CANVAS, 3) RGB."""
    landmarks: Array
    """(N, 68, 2) canvas pixels, before the warp."""


def load_pictures(files: list[Path]) -> tuple[list[Path], npt.NDArray[np.uint8], Array]:
    """Pictures (N, H, H, 3) RGB with landmarks (N, 68, 2) in their pixels; files without a face are passed over.

    Raises:
        DataError: there is none.
    """
    detector, predictor, found = FaceDetector(_MIN_SCORE), LandmarkPredictor(), []
    for file in files:
        image = cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB)
        large = cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)  # points come as whole pixels
        faces = detector.detect(large)
        if faces:
            found.append((file, image, rescale(predictor.predict(large, faces[0]), 2, 1)))
    if not found:
        raise DataError("portraits with faces", f"none in {len(files)} files", "check --portraits")
    kept, images, points = zip(*found, strict=True)
    return list(kept), np.stack(images), np.stack(points)


def mean_shape(landmarks: Array) -> Array:
    """(N, 68, 2) -> (68, 2), symmetric about the canvas's middle."""
    mean = landmarks.mean(0)
    return np.asarray((mean + mirrored(mean, CANVAS)) / 2, np.float32)


def to_canvases(images: npt.NDArray[np.uint8], landmarks: Array, mean: Array) -> npt.NDArray[np.uint8]:
    """Warp pictures so that their landmarks (canvas pixels) come to lie on the mean shape's."""
    side = images.shape[1]
    maps = (warp_map(mean, rescale(points, CANVAS, side), CANVAS, side) for points in landmarks)
    return np.stack([_warp(image, at) for image, at in zip(images, maps, strict=True)])


def _warp(image: npt.NDArray[np.uint8], at: Array) -> npt.NDArray[np.uint8]:
    smooth = cv2.GaussianBlur(image, (0, 0), 0.5)  # the canvas is smaller than the picture
    return np.asarray(cv2.remap(smooth, at, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT), np.uint8)


def turned(landmarks: Array) -> tuple[Array, Array]:
    """How far each head is turned, in standard deviations (N,), and the movement of landmarks (68, 2) for one.

    Turning is the principal component of what is not symmetric about a face.
    """
    odd = ((landmarks - mirrored(landmarks, CANVAS)) / 2).reshape(len(landmarks), -1)
    _, _, directions = np.linalg.svd(odd, full_matrices=False)
    direction = directions[0] * np.sign(directions[0, 60])  # point 30, the tip of the nose, moves to the right
    scores = odd @ direction
    return np.asarray(scores / scores.std(), np.float32), (direction * scores.std()).reshape(68, 2)


def clear_faces(portraits: Portraits) -> npt.NDArray[np.bool_]:
    """(N,) True for faces seen from the front without glasses or other things across the eyes."""
    yaw, _ = turned(portraits.landmarks)
    occlusion = np.array([_occlusion(canvas) for canvas in _greys(portraits)])
    reference = _eye_surroundings(mean_shape(portraits.landmarks))
    scores = np.array([_contrast(grey, reference) for grey in occlusion])
    return np.asarray((scores <= np.quantile(scores, _CLEAR_SHARE)) & (np.abs(yaw) < _MAX_YAW))


def _greys(portraits: Portraits) -> list[Array]:
    return [cv2.cvtColor(canvas, cv2.COLOR_RGB2GRAY).astype(np.float32) for canvas in portraits.canvases]


def _occlusion(grey: Array) -> Array:
    """Fine structure in units of the face's brightness."""
    fine = grey - cv2.GaussianBlur(grey, (0, 0), 3)
    return np.asarray(fine / (grey[40:130, 40:120].mean() + 20), np.float32)


def _contrast(fine: Array, where: npt.NDArray[np.bool_]) -> float:
    return float(np.sqrt((fine[where] ** 2).mean()))


def _eye_surroundings(mean: Array) -> npt.NDArray[np.bool_]:
    """Where bare faces are smooth and frames of glasses are not: bridge, temples, below the eyes."""
    where = np.zeros((CANVAS, CANVAS), np.uint8)
    left, bridge, right = mean[39], mean[27], mean[42]
    cv2.rectangle(where, (int(left[0]) + 3, int(bridge[1]) - 3), (int(right[0]) - 3, int(mean[28, 1]) + 1), 1, -1)
    for outer, inner in ((36, 39), (45, 42)):
        low, high = sorted((int(mean[outer, 0]), int(mean[inner, 0])))
        level, side = int((mean[outer, 1] + mean[inner, 1]) / 2), int(mean[outer, 0] + (9 if outer == 45 else -9))
        cv2.rectangle(where, (low - 2, level + 7), (high + 2, level + 15), 1, -1)
        cv2.rectangle(where, (side - 3, level - 5), (side + 3, level + 4), 1, -1)
    return np.asarray(where > 0)
