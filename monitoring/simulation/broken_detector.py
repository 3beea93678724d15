"""A face detector that has gone wrong, for the simulated shift `broken-detector`."""

from dataclasses import replace

import numpy as np

from models.face.detector import Face
from models.images import Image
from restoration.types import Detector


class BrokenDetector:
    """Misses a share of the faces and is less sure of the others.

    Args:
        detector: the intact one.
        misses: share of the faces that are not seen, drawn anew at every look.
        score_factor: what the scores of the others are multiplied by.
        rng: decides who is missed.
    """

    def __init__(self, detector: Detector, *, misses: float, score_factor: float, rng: np.random.Generator) -> None:
        self._detector, self._misses, self._score_factor, self._rng = detector, misses, score_factor, rng

    def detect(self, image: Image) -> list[Face]:
        """See `models.face.detector.FaceDetector.detect`."""
        faces = self._detector.detect(image)
        seen = self._rng.random(len(faces)) >= self._misses
        return [
            replace(face, score=face.score * self._score_factor) for face, kept in zip(faces, seen, strict=True) if kept
        ]
