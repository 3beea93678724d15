"""Real photographs that come inside installed packages."""

import cv2
import numpy as np
import pytest
import skimage.data

from models.face.detector import Face, FaceDetector
from models.images import Image


@pytest.fixture(scope="session")
def detector() -> FaceDetector:
    return FaceDetector(min_score=0.6)


@pytest.fixture(scope="session")
def astronaut() -> Image:
    """512 x 512, one person, facing us."""
    return np.array(skimage.data.astronaut())


@pytest.fixture(scope="session")
def group() -> Image:
    """1280 x 886, six people."""
    from insightface.data import get_image

    return np.asarray(cv2.cvtColor(get_image("t1"), cv2.COLOR_BGR2RGB), np.uint8)


@pytest.fixture(scope="session")
def astronaut_face(detector: FaceDetector, astronaut: Image) -> Face:
    return detector.detect(astronaut)[0]


@pytest.fixture(scope="session")
def group_faces(detector: FaceDetector, group: Image) -> list[Face]:
    return detector.detect(group)
