"""What all workers of the service use; each thread has a detector of its own."""

import threading
from dataclasses import dataclass, replace

from models.damage_finder.finder import Finder
from models.face.detector import Face, FaceDetector
from models.images import Image
from monitoring.log.production_log import ProductionLog
from pipeline.config.load import Params
from pipeline.image_io.outcome import Limits
from restoration.provenance.marking import Seal
from restoration.types import Detector, Tools, load_tools
from serving.metrics.service import Metrics
from serving.privacy.identity_aggregates import Identities
from serving.privacy.kept_pictures import Keeper

_REMEMBERED = 2
"""Pictures that come twice in one request (the photo as it came, for the mask and for its faces) come soon again."""


class Remembering:
    """A detector that knows the pictures it has just seen; they must not be changed meanwhile."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._seen: list[tuple[Image, list[Face]]] = []

    def detect(self, image: Image) -> list[Face]:
        """See `models.face.detector.FaceDetector.detect`."""
        for picture, faces in self._seen:
            if picture is image:
                return faces
        faces = self._detector.detect(image)
        self._seen = [*self._seen[1 - _REMEMBERED :], (image, faces)]
        return faces


class OwnTools:
    """Hands each thread its tools; landmarks and encoders, which have no state, are shared."""

    def __init__(self, min_detector_score: float) -> None:
        self._score, self._shared, self._own = min_detector_score, load_tools(min_detector_score), threading.local()

    @property
    def encoders(self) -> tuple[str, str]:
        """Names of the training and of the independent encoder."""
        training, independent = self._shared.encoders
        return training.name, independent.name

    def fresh(self) -> Tools:
        """The calling thread's tools, for one request."""
        if not hasattr(self._own, "detector"):
            self._own.detector = FaceDetector(self._score)
        return replace(self._shared, detector=Remembering(self._own.detector))


@dataclass(frozen=True, eq=False)
class Bench:
    """Loaded once, used by all threads.

    `threshold`: independent similarity to a reference photo from which a face counts as recognised, None if unknown.
    """

    params: Params
    limits: Limits
    tools: OwnTools
    finder: Finder
    seal: Seal
    log: ProductionLog
    keeper: Keeper
    metrics: Metrics
    identities: Identities
    threshold: float | None
