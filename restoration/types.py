"""Types of restoring a photo: tools in, restorations out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from torch import Tensor

from models.evidence.evidence import Evidence
from models.face.alignment import Points
from models.face.detector import Face
from models.face_model.shape_and_appearance import ShapedFaceModel
from models.identity.encoders import IdentityEncoder
from models.images import Image
from models.runtime.budget import UNLIMITED, Budget
from pipeline.config.identity import IdentityParams
from restoration.modes import Mode
from restoration.risk import Trust


class FaceRestorer(Protocol):
    """What restoring a photo needs of `models.gan.restorer.Restorer` and its like."""

    @property
    def image_size(self) -> int: ...

    @property
    def face_model(self) -> ShapedFaceModel: ...

    def restore_from(self, evidence: Evidence) -> Tensor: ...


class Detector(Protocol):
    """What `models.face.detector.FaceDetector` offers."""

    def detect(self, image: Image) -> list[Face]: ...


class Landmarker(Protocol):
    """What the predictors of `models.face.landmarkers` offer."""

    def predict(self, image: Image, face: Face) -> Points: ...


@dataclass(frozen=True)
class Tools:
    """The networks that look at faces; loaded once for many photos.

    `encoders` measure how alike restored faces are, the training encoder first; `matcher` finds out whom a reference
    photo shows.
    `observe` is called with an encoder's name and the embedding (1, dim) of each restored face; whoever listens must
    not keep it (`monitoring.drift.identity_space` adds it up).
    `budget`: what whoever waits for the photo grants; work checks it between its steps.
    """

    detector: Detector
    landmarker: Landmarker
    encoders: Sequence[IdentityEncoder]
    matcher: IdentityEncoder
    observe: Callable[[str, Tensor], None] | None = None
    budget: Budget = UNLIMITED


@cache
def load_tools(min_detector_score: float, identity: IdentityParams) -> Tools:
    """Load detector, landmarks and both identity encoders, one set per process, score and choice of encoders.

    Raises:
        ConfigError: one encoder has both roles.
        WeightsError: a package file or a pack is missing or changed.
    """
    from models.face.detectors import load_detector
    from models.face.landmarkers import load_landmarker
    from models.identity.encoders import check_independence, independent_encoder, training_encoder

    check_independence(identity.training, identity.judge)
    training, judge = training_encoder(identity.training), independent_encoder(identity.judge)
    detector = load_detector(identity.detector, min_detector_score)
    return Tools(detector, load_landmarker(identity.edition), (training, judge), training)


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

    `box` (x, y, width, height) and the detector's five `points` (x, y) are in photo pixels. `scale`: model pixels per
    photo pixel; below 1 the fill is softer than the photo. `area` and `chroma_area` are shares of the aligned face
    picture, `coverage` of the face hull. `likeness` is None for a refused face. `identity_risk`: see
    `restoration.risk`. `untouched`: share of the face picture's missing pixels that stay as they came, and the
    features that they reach into. `trust`: by region, what it rests on. `reference`: number, from 1, of the photo that
    served it, or None.
    """

    box: tuple[float, float, float, float]
    points: tuple[tuple[float, float], ...]
    detector_score: float
    seen_in: str
    scale: float
    mode: Mode
    reason: str
    area: float
    chroma_area: float
    coverage: float
    missing_features: float
    identity_risk: float
    untouched: float
    untouched_features: tuple[str, ...]
    trust: dict[str, Trust]
    reference: int | None
    likeness: LikenessFigures | None


@dataclass(frozen=True)
class ReferenceNote:
    """What became of one reference photo.

    `photo` and `face` count from 1; `face` is the damaged face that the photo serves, None when it serves none.
    `similarity`: cosine, by the training encoder, with the visible part of the face it is most alike; None where there
    is nothing to compare.
    """

    photo: int
    face: int | None
    similarity: float | None
    reason: str


@dataclass(frozen=True)
class Restoration:
    """A restored photo and its figures.

    `image` is None when the mode is `refuse`. `area`, `chroma_area`: share of the whole photo whose luma, or whose
    colour, is missing. `coverage`, `missing_features`: the largest of the touched faces, None when no face is
    touched. Shares of the missing pixels: `thin`, filled from both sides; `background`, the rest outside any touched
    face, filled classically; `untouched`, left as they came, in faces that were refused or in part. `face_count`: all
    faces found; `faces`: the touched ones. `references`: what became of each reference photo. `veil`: how much of a
    veil of fading and yellowing was lifted from every pixel, above 0 up to 1; None where it was not asked for, or there
    is none. `generated`: whether a trained model made any of its pixels; what is filled from the photo itself is not.
    """

    image: Image | None
    mode: Mode
    reason: str
    area: float
    chroma_area: float
    coverage: float | None
    missing_features: float | None
    thin: float
    background: float
    untouched: float
    face_count: int
    faces: tuple[RestoredFace, ...]
    references: tuple[ReferenceNote, ...] = ()
    veil: float | None = None
    generated: bool = False
