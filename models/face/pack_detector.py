"""Detect faces by the SCRFD model of an insightface pack (Guo et al. 2022, arXiv:2105.04714)."""

import cv2
import numpy as np

from models.errors import WeightsError
from models.face.detector import Face
from models.face_networks.insightface_pack import load_pack_model
from models.images import Image

_SIDES = [(128, 128), (640, 640)]  # what `insightface.app.FaceAnalysis` looks at unless it is told otherwise


class PackDetector:
    """Finds faces in pictures of any size, as insightface does. Not for two threads at once."""

    def __init__(self, name: str, min_score: float) -> None:
        """Load the pack's model for detection.

        Raises:
            WeightsError: no such pack, none of its files is for detection, or it gives no five points.
        """
        found = load_pack_model(name, "detection")
        self._model = found.model
        if not self._model.use_kps:
            remedy = "name another pack, or yunet, as identity.detector in params.yaml"
            raise WeightsError("a detector of faces with five points", f"{found.path} without points", remedy)
        self._model.prepare(-1, input_size=_SIDES, det_thresh=min_score)

    def detect(self, image: Image) -> list[Face]:
        """Detect all faces with a score of at least `min_score`, best first; an empty list if there is none.

        Args:
            image: RGB uint8 (H, W, 3).
        """
        boxes, points = self._model.detect(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        faces = [
            Face((left, top, right - left, bottom - top), np.asarray(five, np.float32), score)
            for (left, top, right, bottom, score), five in zip(boxes.tolist(), points, strict=True)
        ]
        return sorted(faces, key=lambda face: -face.score)
