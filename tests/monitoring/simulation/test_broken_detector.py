"""A detector that misses faces and doubts the others."""

import numpy as np
import pytest

from models.face.detector import Face
from models.images import Image
from monitoring.simulation.traffic import BrokenDetector

PICTURE = np.zeros((8, 8, 3), np.uint8)


class Two:
    """Always finds the same two faces."""

    def detect(self, image: Image) -> list[Face]:
        """Two faces, whatever the picture."""
        del image
        points = np.zeros((5, 2), np.float32)
        return [Face((0, 0, 4, 4), points, 0.9), Face((4, 4, 4, 4), points, 0.6)]


def broken(misses: float, score_factor: float = 1.0, seed: int = 0) -> BrokenDetector:
    return BrokenDetector(Two(), misses=misses, score_factor=score_factor, rng=np.random.default_rng(seed))


def test_scores_sink_and_places_stay() -> None:
    faces = broken(0.0, 0.5).detect(PICTURE)
    assert [face.score for face in faces] == pytest.approx([0.45, 0.3])
    assert [face.box[0] for face in faces] == [0, 4]


def test_a_share_is_missed() -> None:
    assert broken(1.0).detect(PICTURE) == []
    detector = broken(0.3)
    seen = sum(len(detector.detect(PICTURE)) for _ in range(1000))
    assert 1330 < seen < 1470  # 1,400 expected, standard deviation 20


def test_the_same_seed_misses_the_same() -> None:
    first, again = ([len(one.detect(PICTURE)) for _ in range(20)] for one in (broken(0.5, seed=4), broken(0.5, seed=4)))
    assert first == again
