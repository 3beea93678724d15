"""Photos that lie on their side: the detector looks at copies that are turned upright, nothing else is turned.

The photo, its masks, and all that is told of a face stay in the photo's own pixels, so that known ones are the same
bits. A face's frame is turned with its five points (`restoration.photo.geometry.frame_of`), so that the restorer sees
it upright.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from models.face.alignment import invert
from models.face.detector import Face
from models.face.orientation import detect_orientation, rotate, transform_face
from models.images import Image
from models.runtime.budget import UNLIMITED, Budget
from restoration.types import Detector

_DOUBT = (
    "the photo may lie on its side: turned otherwise it shows a face a little better, but not for sure; "
    "turn it upright and try again"
)


class TurnedDetector:
    """A detector that looks at pictures turned counter-clockwise; its faces are in the pixels of the unturned ones.

    Args:
        detector: finds faces that are upright.
        angle: degrees; with 0 the picture itself is looked at.
        seen: pictures with the faces that are known to be in them; they must not be changed meanwhile.
    """

    def __init__(self, detector: Detector, angle: float, seen: Sequence[tuple[Image, list[Face]]] = ()) -> None:
        self._detector, self._angle, self._seen = detector, angle, seen

    def detect(self, image: Image) -> list[Face]:
        """See `models.face.detector.FaceDetector.detect`."""
        known = next((faces for picture, faces in self._seen if picture is image), None)
        if known is not None:
            return known
        if self._angle == 0:
            return self._detector.detect(image)
        copy, matrix = rotate(image, self._angle)
        faces = [transform_face(face, invert(matrix)) for face in self._detector.detect(copy)]
        return [face for face in faces if _middle_inside(face, image)]


@dataclass(frozen=True)
class Looking:
    """A detector that sees a photo upright. `doubt`: why that may be wrong, in words; empty where it is sure."""

    detector: Detector
    angle: float
    doubt: str


def looking_upright(
    detector: Detector, plain: Image, photo: Image, certain: float = 0.0, budget: Budget = UNLIMITED
) -> Looking:
    """The detector for one photo (H, W, 3), however it lies: one decision for all of its faces.

    Args:
        detector: finds faces that are upright.
        plain: the photo, classically filled; it decides.
        photo: the photo as it came. It decides where the filled one shows no face surely, as where a mask covers all
            of a face that can still be seen.
        certain: score from which a face is seen surely.
        budget: is checked from look to look.

    Raises:
        Stopped: the budget is spent.
    """
    seen = [(plain, detector.detect(plain))]
    budget.check()
    estimate = detect_orientation(*seen[0])
    budget.check()
    if estimate.score < certain:
        seen.append((photo, detector.detect(photo)))
        estimate = max(estimate, detect_orientation(*seen[1]), key=lambda one: one.score)
    turned = TurnedDetector(detector, estimate.angle, seen if estimate.angle == 0 else ())
    return Looking(turned, estimate.angle, "" if estimate.sure else _DOUBT)


def _middle_inside(face: Face, image: Image) -> bool:
    """Beyond the picture's border its copy only continues it."""
    x, y, width, height = face.box
    return bool(0 <= x + width / 2 < image.shape[1] and 0 <= y + height / 2 < image.shape[0])
