"""Align the best face of a picture: the fixed frame, its points, landmarks and pose."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.face.alignment import align, similarity, transform
from models.face.detectors import load_detector
from models.face.landmarkers import load_landmarker
from models.face.landmarks import head_pose
from models.images import Image
from pipeline.config.identity import IdentityParams

Points = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Aligned:
    """The best face of a picture.

    Attributes:
        image: RGB uint8 (S, S, 3).
        points: (5, 2) detector points in pixels of `image`.
        landmarks: (68, 2) iBUG points in pixels of `image`.
        pose: yaw, pitch, roll of the head in the aligned picture, degrees; what roll is left there is small.
        score: of the detector, 0..1.
        face_count: faces in the whole picture.
    """

    image: Image
    points: Points
    landmarks: Points
    pose: tuple[float, float, float]
    score: float
    face_count: int


class Aligner:
    """Detector and landmark predictor, chosen by section `identity`, loaded once."""

    def __init__(self, identity: IdentityParams, min_score: float, size: int) -> None:
        self._detector = load_detector(identity.detector, min_score)
        self._landmarks = load_landmarker(identity.edition)
        self._size = size

    def best_face(self, image: Image, known_landmarks: Points | None = None) -> Aligned | None:
        """Align the face with the highest score; None if there is no face.

        Args:
            image: RGB uint8 (H, W, 3).
            known_landmarks: (68, 2) landmarks in its pixels where they are known, else they are predicted.
        """
        faces = self._detector.detect(image)
        if not faces:
            return None
        best = faces[0]
        matrix = similarity(best.points, self._size)
        landmarks = transform(
            self._landmarks.predict(image, best) if known_landmarks is None else known_landmarks, matrix
        )
        return Aligned(
            image=align(image, matrix, self._size),
            points=transform(best.points, matrix),
            landmarks=landmarks,
            pose=head_pose(landmarks, self._size),
            score=best.score,
            face_count=len(faces),
        )
