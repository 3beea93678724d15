"""Detect faces, with five points each: YuNet (Wu et al. 2023, doi:10.1007/s11633-023-1423-y) through OpenCV."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from models.images import Image
from models.package_files import package_file

# Longer sides to look at, pixels. A face that fills the picture scores best in a small copy (0.95 against 0.71 at 1280
# on aligned portraits); one in a group needs a large copy.
_LONGER_SIDES = (320, 640, 1280)
_MAX_OVERLAP = 0.3
_CLOSE_UP = 2.0  # side of the square around a face that is looked at again, in sides of its box
_MAX_FACES = 200


@dataclass(frozen=True)
class Face:
    """One face, in pixels of the picture it was found in."""

    box: tuple[float, float, float, float]
    """x, y, width, height; may reach beyond the picture."""
    points: npt.NDArray[np.float32]
    """(5, 2) x, y: the eye at the image's left, the eye at its right, nose, mouth corner left, mouth corner right."""
    score: float
    """Confidence, 0..1."""


class FaceDetector:
    """Finds faces in pictures of any size. Holds one network; not for two threads at once."""

    def __init__(self, min_score: float) -> None:
        self._network = _quiet_network(str(package_file("detector")), min_score)

    def detect(self, image: Image) -> list[Face]:
        """Detect all faces with a score of at least `min_score`, best first; an empty list if there is none.

        A picture is looked at in copies of several sizes, as far as its own size gives them detail; where nothing is
        found, in all of them. Each face is then looked at again from close up, so that its points do not depend on how
        large a picture it stands in.

        Args:
            image: RGB uint8 (H, W, 3).
        """
        longer = max(image.shape[:2])
        needed = [side for side in _LONGER_SIDES if side == _LONGER_SIDES[0] or side < 2 * longer]
        faces = self._detect_in(image, needed) or self._detect_in(image, set(_LONGER_SIDES) - set(needed))
        return without_overlaps(self._from_close_up(image, face) for face in faces)

    def look(self, image: Image, side: int) -> list[Face]:
        """Detect faces in one copy of a picture (H, W, 3) whose longer side is `side`; in the picture's pixels."""
        resized = _resize(image, side / max(image.shape[:2]))
        height, width = resized.shape[:2]
        self._network.setInputSize((width, height))
        _, rows = self._network.detect(cv2.cvtColor(resized, cv2.COLOR_RGB2BGR))
        stretch = (image.shape[1] / width, image.shape[0] / height)  # not quite 1 / scale: sides are whole
        return [_face(row, stretch) for row in ([] if rows is None else rows)]

    def _detect_in(self, image: Image, sides: Collection[int]) -> list[Face]:
        faces = [face for side in sides for face in self.look(image, side)]
        return without_overlaps(faces)

    def _from_close_up(self, image: Image, face: Face) -> Face:
        """Detect the face again in a square around it; unchanged if it fills the picture or is not detected again."""
        left, top, side = _square_around(face)
        if side >= max(image.shape[:2]):
            return face
        square = image[max(0, top) : top + side, max(0, left) : left + side]
        detections = self.look(square, _LONGER_SIDES[0])
        moved = [_moved(again, max(0, left), max(0, top)) for again in detections]
        same = [again for again in moved if _shared(again, face) > 0.5]
        return max(same, key=lambda again: again.score, default=face)


def without_overlaps(faces: Iterable[Face]) -> list[Face]:
    """Drop each face that shares more than 0.3 of the smaller box with a better one (a face in a face); best first."""
    result: list[Face] = []
    for face in sorted(faces, key=lambda face: -face.score):
        if all(_shared(face, better) <= _MAX_OVERLAP for better in result):
            result.append(face)
    return result


def _shared(a: Face, b: Face) -> float:
    """Divide the intersection of two boxes by the smaller one, 0..1."""
    overlaps = [min(a.box[i] + a.box[i + 2], b.box[i] + b.box[i + 2]) - max(a.box[i], b.box[i]) for i in (0, 1)]
    smaller = min(a.box[2] * a.box[3], b.box[2] * b.box[3])
    return max(0.0, overlaps[0]) * max(0.0, overlaps[1]) / smaller


def _square_around(face: Face) -> tuple[int, int, int]:
    """Choose left, top and side of the close-up."""
    x, y, width, height = face.box
    side = _CLOSE_UP * max(width, height)
    return round(x + width / 2 - side / 2), round(y + height / 2 - side / 2), round(side)


def _moved(face: Face, x: int, y: int) -> Face:
    left, top, width, height = face.box
    shift = np.array([x, y], np.float32)
    return Face((left + x, top + y, width, height), face.points + shift, face.score)


def _quiet_network(path: str, min_score: float) -> cv2.FaceDetectorYN:
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)  # it warns of a target that was not requested
    try:
        return cv2.FaceDetectorYN.create(path, "", (320, 320), min_score, _MAX_OVERLAP, _MAX_FACES)
    finally:
        cv2.utils.logging.setLogLevel(level)


def _resize(image: Image, scale: float) -> Image:
    size = tuple(max(1, round(side * scale)) for side in image.shape[1::-1])
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=interpolation), np.uint8)


def _face(row: npt.NDArray[np.float32], stretch: tuple[float, float]) -> Face:
    """Read YuNet's row (15,): x, y, w, h, five points, score. The first eye is the person's right, the image's left."""
    pairs = row[:14].astype(np.float64).reshape(7, 2) * stretch
    x, y, width, height = pairs[:2].ravel().tolist()
    return Face((x, y, width, height), pairs[2:].astype(np.float32), float(row[14]))
