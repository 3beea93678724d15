import numpy as np
import pytest

from models.damage_finder.confidence import MEASURES, Confidence, piece_measures
from models.damage_finder.kinds import FAMILIES


def test_measures_by_hand() -> None:
    mean, highest = np.array([0.5, 0.9]), np.array([0.8, 0.9999])
    measures = piece_measures(mean, highest, np.array([100.0, 1.0]), np.array([10.0, 1.0]), np.array([0, 2]), 0.00099)
    assert measures.shape == (2, MEASURES * len(FAMILIES))
    assert measures[0, :6] == pytest.approx([1, 0, np.log(4), 2, 1, 2])
    assert not measures[0, 6:].any()
    assert measures[1, 12:18] == pytest.approx([1, np.log(9), np.log(0.997 / 0.003), 0, 0, 2])  # clipped


def test_confidence_is_the_logistic_of_the_weighted_measures() -> None:
    confidence = Confidence([1.0, 2.0, 0.0, -1.0, 0.0, 0.0] + [0.0] * 18)
    two = np.array([0, 0])
    measures = piece_measures(np.array([0.5, 0.75]), np.array([0.9, 0.9]), np.full(2, 10.0), np.ones(2), two, 0.0)
    assert confidence.of(measures) == pytest.approx([0.5, 1 / (1 + 1 / 9)])
