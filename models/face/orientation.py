"""Detect which way up a photo lies, and turn copies of it upright.

YuNet finds faces that lie on their side or upside down as well, but puts its points into them as if they were nearly
upright, the mouth at the forehead. It has the highest score for an upright face, which shows the turn: the
photo's surest faces are looked at in eight turns. How often that is right: docs/turned.md.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, degrees, hypot

import cv2
import numpy as np

from models.face.alignment import Matrix, Points, invert, similarity, transform
from models.face.detector import Face, FaceDetector
from models.images import Image

MOST_ROLL = 25.0
"""Degrees by which a head may be tilted and is looked at as it is."""

_EIGHT_TURNS = (0, 45, -45, 90, -90, 135, -135, 180)
_LARGE_LOOK = 1280  # of a whole photo that may show a group
_LOOK = 320  # side of the picture that is looked at, pixels
_ROOM = 2.0  # its side, in sides of the face's box
_LEAST_SCORE = 0.3  # what is no face in one turn may be one in another, and is compared
_FACES = 3  # so many are looked at, the surest
# A face that is upright for sure: its score, its lead over other turns, its roll.
_SURE_SCORE, _SURE_LEAD, _SURE_ROLL = 0.85, 0.02, 12.0
_CERTAIN_SCORE = 0.9  # below it the turn may be one that shows the face elsewhere: the whole photo is looked at, too
# So many of the eight turns are followed up, and so often: each is turned further by the roll that was seen in it.
_FOLLOWED, _FURTHER = 3, 2
# A photo counts as turned by more than this only if its face has at least this score, and this much more than upright.
_NEARLY_UPRIGHT, _TURNED_SCORE, _TURNED_LEAD = 70.0, 0.82, 0.01

_own = threading.local()


def roll(points: Points) -> float:
    """Compute the degrees, in (-180, 180], by which a face with five detector points (5, 2) is turned clockwise."""
    matrix = similarity(points, 1)
    return degrees(np.arctan2(-matrix[1, 0], matrix[0, 0]))


def rotate(image: Image, angle: float) -> tuple[Image, Matrix]:
    """Turn a picture (H, W, 3) counter-clockwise, large enough for all of it; also gives the matrix into it.

    Quarter turns are exact. Corners that the picture does not reach continue its border.

    Args:
        image: the picture.
        angle: degrees.

    Returns:
        The copy, and the matrix (2, 3) from the picture's pixels to its own.
    """
    quarters = round(angle / 90) if angle % 90 == 0 else None
    height, width = image.shape[:2]
    matrix = np.asarray(cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, 1.0), np.float64)
    if quarters is not None:
        matrix = np.round(matrix)  # the linear part: whole numbers
    across, down = np.abs(matrix[:, :2]) @ (width, height)
    side = (ceil(across - 1e-6), ceil(down - 1e-6))
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    matrix[:, 2] = (np.array(side) - 1) / 2 - matrix[:, :2] @ middle
    if quarters is not None:
        return np.ascontiguousarray(np.rot90(image, quarters)), matrix
    return np.asarray(cv2.warpAffine(image, matrix, side, borderMode=cv2.BORDER_REPLICATE), np.uint8), matrix


def transform_face(face: Face, matrix: Matrix) -> Face:
    """Move a face into another picture, turned and scaled by `matrix` (2, 3); its unturned box holds the same oval."""
    x, y, width, height = face.box
    centre = transform(np.array([[x + width / 2, y + height / 2]], np.float32), matrix)[0]
    across, down = np.hypot(matrix[:, 0] * width, matrix[:, 1] * height).tolist()
    box = (float(centre[0]) - across / 2, float(centre[1]) - down / 2, across, down)
    return Face(box, np.asarray(transform(face.points, matrix), np.float32), face.score)


@dataclass(frozen=True)
class Orientation:
    """Orientation of a photo.

    `angle`: degrees, in (-180, 180], by which it lies turned clockwise; 0 where its faces are upright. `sure`: False
    where another turn shows its face a little better than upright, but not so that it could be relied on. `score`: how
    surely its best face is seen, 0..1.
    """

    angle: float
    sure: bool
    score: float


def detect_orientation(photo: Image, faces: Sequence[Face]) -> Orientation:
    """Detect the orientation of a photo (H, W, 3) by its faces.

    Heads are tilted in upright photos, too: what is within `MOST_ROLL` of a quarter turn is that quarter turn.

    Args:
        photo: with its holes filled.
        faces: found in the photo as it lies, best first; where none is sure, the whole photo is looked at in all turns.
    """
    sure = _detect_upright(_Surroundings.around(photo, faces[0])) if faces else None
    if sure is not None:
        return Orientation(0.0, True, sure.score)
    detections = _detect_in_turns(photo, faces)
    if max((detection.score for detection in detections), default=0.0) < _CERTAIN_SCORE:
        detections += _detect_in_turns(photo, _detect_anywhere(photo))
    best = max(detections, key=lambda detection: detection.score, default=None)
    if best is None:
        return Orientation(0.0, True, 0.0)
    if abs(best.angle) <= MOST_ROLL:
        return Orientation(0.0, True, best.score)
    upright = max((detection.score for detection in detections if abs(detection.angle) <= _NEARLY_UPRIGHT), default=0.0)
    if best.score > upright and (best.score < _TURNED_SCORE or best.score < upright + _TURNED_LEAD):
        return Orientation(0.0, False, best.score)
    return Orientation(_snap(best.angle), True, best.score)


@dataclass(frozen=True)
class _Detection:
    """A detection in one turn: the face in the photo's pixels, and its angle there by its points, degrees."""

    face: Face
    angle: float

    @property
    def score(self) -> float:
        return self.face.score


@dataclass(frozen=True)
class _Surroundings:
    """The surroundings of a face, at the scale at which it is searched.

    `matrix` (2, 3) leads from the photo's pixels to those of `picture`; `middle` is the face's, in the latter.
    """

    picture: Image
    matrix: Matrix
    middle: tuple[float, float]

    @classmethod
    def around(cls, photo: Image, face: Face) -> "_Surroundings":
        x, y, width, height = face.box
        side = _ROOM * max(width, height)
        reach = 0.75 * side  # more than half the diagonal of the square that is looked at
        across, down = x + width / 2, y + height / 2
        left, top = max(0, int(across - reach)), max(0, int(down - reach))
        part = photo[top : ceil(down + reach), left : ceil(across + reach)]
        picture, matrix = _resized(part, _LOOK / side)
        matrix[:, 2] -= matrix[:, :2] @ (left, top)
        middle = matrix[:, :2] @ (across, down) + matrix[:, 2]
        return cls(picture, matrix, (float(middle[0]), float(middle[1])))

    def detect(self, angle: float) -> _Detection | None:
        """Detect the face in the surroundings turned counter-clockwise by `angle`; None if none is detected."""
        matrix = np.asarray(cv2.getRotationMatrix2D(self.middle, angle, 1.0), np.float64)
        matrix[:, 2] += _LOOK / 2 - np.array(self.middle)
        square = cv2.warpAffine(self.picture, matrix, (_LOOK, _LOOK), borderMode=cv2.BORDER_REPLICATE)
        near = [face for face in _network().look(np.asarray(square, np.uint8), _LOOK) if _central(face)]
        best = max(near, key=lambda face: face.score, default=None)
        if best is None:
            return None
        return _Detection(transform_face(best, invert(_compose(self.matrix, matrix))), _wrap(angle + roll(best.points)))


def _resized(picture: Image, scale: float) -> tuple[Image, Matrix]:
    """Scale the picture; also gives the matrix into it; pixel centres are at whole numbers."""
    size = tuple(max(1, round(length * scale)) for length in picture.shape[1::-1])
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    stretch = np.array(size) / picture.shape[1::-1]
    matrix = np.column_stack([np.diag(stretch), (stretch - 1) / 2])
    return np.asarray(small, np.uint8), np.asarray(matrix, np.float64)


def _compose(first: Matrix, second: Matrix) -> Matrix:
    return np.column_stack([second[:, :2] @ first[:, :2], second[:, :2] @ first[:, 2] + second[:, 2]])


def _central(face: Face) -> bool:
    x, y, width, height = face.box
    return hypot(x + (width - _LOOK) / 2, y + (height - _LOOK) / 2) < _LOOK / _ROOM / 2


def _network() -> FaceDetector:
    """Load each thread's own detector: one is not for two at once."""
    if not hasattr(_own, "network"):
        _own.network = FaceDetector(_LEAST_SCORE)
    network: FaceDetector = _own.network
    return network


def _detect_upright(place: _Surroundings) -> _Detection | None:
    """Detect faces in the photo as it is, if no other turn has nearly as good ones; else None."""
    here = place.detect(0)
    if here is None or here.score < _SURE_SCORE or abs(here.angle) > _SURE_ROLL:
        return None
    others = (place.detect(angle) for angle in _EIGHT_TURNS if abs(angle) in {45, 90, 180})
    return (
        here if all(detection is None or detection.score <= here.score - _SURE_LEAD for detection in others) else None
    )


def _detect_in_turns(photo: Image, faces: Sequence[Face]) -> list[_Detection]:
    """Detect in eight turns, and in the best of them, each followed to where its detection saw the face."""
    places = [_Surroundings.around(photo, face) for face in faces[:_FACES]]
    by_turn = [
        [detection for place in places if (detection := place.detect(angle)) is not None] for angle in _EIGHT_TURNS
    ]
    by_turn.sort(key=lambda turn: -sum(detection.score for detection in turn))
    detections = [detection for turn in by_turn for detection in turn]
    following = [detection for turn in by_turn[:_FOLLOWED] for detection in turn]
    for _ in range(_FURTHER):
        again = [_Surroundings.around(photo, detection.face).detect(detection.angle) for detection in following]
        following = [detection for detection in again if detection is not None]
        detections += following
    return detections


def _detect_anywhere(photo: Image) -> list[Face]:
    """Detect faces in eight turns of the whole photo, best first, in the photo's pixels; one may come several times.

    Where a small copy shows none for sure, a large one may, in quarter turns: of a group.
    """
    faces = _detect_in_these_turns(photo, _EIGHT_TURNS, _LOOK)
    if max(photo.shape[:2]) > 2 * _LOOK and all(face.score < _SURE_SCORE for face in faces):
        faces += _detect_in_these_turns(photo, [angle for angle in _EIGHT_TURNS if angle % 90 == 0], _LARGE_LOOK)
    return sorted(faces, key=lambda face: -face.score)


def _detect_in_these_turns(photo: Image, angles: Sequence[float], side: int) -> list[Face]:
    """Detect faces in copies turned counter-clockwise, of at most `side` pixels; in the photo's pixels."""
    small, shrunk = _resized(photo, min(1.0, side / max(photo.shape[:2])))
    faces = []
    for angle in angles:
        copy, turn = rotate(small, angle)
        back = invert(_compose(shrunk, turn))
        faces += [transform_face(face, back) for face in _network().look(copy, side)]
    return faces


def _snap(angle: float) -> float:
    quarter = 90.0 * round(angle / 90)
    return _wrap(quarter if abs(angle - quarter) <= MOST_ROLL else round(angle))


def _wrap(angle: float) -> float:
    """Convert an angle to (-180, 180]."""
    return 180.0 - (180.0 - angle) % 360.0
