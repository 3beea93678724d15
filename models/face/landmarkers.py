"""Landmark predictors by edition."""

from functools import cache
from typing import Protocol

from torch import Tensor

from models.assets import OPEN, Edition
from models.face.detector import Face
from models.face.landmarks import LandmarkPredictor, Landmarks
from models.face.mesh_landmarks import MeshLandmarks
from models.face.mesh_network import shipped_mesh_network
from models.images import Image, to_uint8


class Landmarker(Protocol):
    """Places the 68 points in a face that was found before."""

    def predict(self, image: Image, face: Face) -> Landmarks: ...

    def predict_aligned(self, image: Image) -> Landmarks: ...


@cache
def load_landmarker(edition: Edition) -> Landmarker:
    """Load the predictor of an edition, one per process.

    Raises:
        WeightsError: its weights are missing or changed.
    """
    return MeshLandmarks(shipped_mesh_network()) if edition == OPEN else LandmarkPredictor()


def aligned_landmarks(pictures: Tensor, landmarker: Landmarker) -> list[Landmarks]:
    """Predict the 68 points of each aligned portrait of a batch (N, 3, S, S) in [-1, 1]."""
    return [landmarker.predict_aligned(picture) for picture in to_uint8(pictures)]
