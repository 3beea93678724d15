"""What restoring a photo needs and what it gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from torch import Tensor

from models.alignment import Points
from models.detector import Face
from models.evidence import Damaged
from models.identity import IdentityEncoder
from models.images import Image
from pipeline.routing import Mode


class FaceRestorer(Protocol):
    """What `models.restorer.Restorer` offers."""

    image_size: int

    def restore(self, damaged: Damaged) -> Tensor: ...


class Detector(Protocol):
    """What `models.detector.FaceDetector` offers."""

    def detect(self, image: Image) -> list[Face]: ...


class Landmarker(Protocol):
    """What `models.landmarks.LandmarkPredictor` offers."""

    def predict(self, image: Image, face: Face) -> Points: ...


@dataclass(frozen=True)
class Tools:
    """The networks that look at faces; loaded once for many photos."""

    detector: Detector
    landmarker: Landmarker
    encoders: Sequence[IdentityEncoder]


@cache
def load_tools(min_detector_score: float) -> Tools:
    """Detector, landmarks and both identity encoders, one set per process and score."""
    from models.detector import FaceDetector
    from models.identity import independent_encoder, training_encoder
    from models.landmarks import LandmarkPredictor

    encoders: tuple[IdentityEncoder, ...] = (training_encoder(), independent_encoder())
    return Tools(FaceDetector(min_detector_score), LandmarkPredictor(), encoders)


@dataclass(frozen=True)
class LikenessFigures:
    """Cosine similarities in [-1, 1], by encoder name; None where there is nothing to compare with.

    `to_reference`: restored face to the face of the reference photo. `to_plain`: restored face to the classically
    filled one, that is, how far the restoration moved away from the plain evidence (1 = not at all).
    """

    to_reference: dict[str, float] | None
    to_plain: dict[str, float] | None


@dataclass(frozen=True)
class RestoredFace:
    """What became of one face that the damage touches.

    `box`: x, y, width, height in photo pixels. `scale`: model pixels per photo pixel; below 1 the fill is softer
    than the photo. `area` and `chroma_area` are shares of the aligned face picture, `coverage` of the face hull.
    `likeness` is None for a refused face.
    """

    box: tuple[float, float, float, float]
    detector_score: float
    seen_in: str
    scale: float
    mode: Mode
    reason: str
    area: float
    chroma_area: float
    coverage: float
    missing_features: float
    likeness: LikenessFigures | None


@dataclass(frozen=True)
class Restoration:
    """A restored photo and its figures.

    `image` is None when the mode is `refuse`. `area`, `chroma_area`: share of the whole photo whose luma, or whose
    colour, is missing. `coverage`, `missing_features`: the largest of the touched faces, None when no face is
    touched. `background`: share of the missing pixels outside any touched face, filled classically; `untouched`:
    share left as it came, in faces that were refused. `face_count`: all faces found; `faces`: the touched ones.
    """

    image: Image | None
    mode: Mode
    reason: str
    area: float
    chroma_area: float
    coverage: float | None
    missing_features: float | None
    background: float
    untouched: float
    face_count: int
    faces: tuple[RestoredFace, ...]
