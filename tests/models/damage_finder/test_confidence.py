import numpy as np
import pytest

from models.damage_finder.confidence import GROUPS, MEASURES, Confidence, Measured, piece_measures


def measured(mean: list[float], highest: list[float], pixels: list[float], group: list[int], state: float) -> Measured:
    count = len(mean)
    return Measured(
        np.array(mean),
        np.array(highest),
        np.full(count, 0.25),
        np.array(pixels),
        np.full(count, 10.0),
        np.array(group),
        state,
    )


def test_measures_by_hand() -> None:
    measures = piece_measures(measured([0.5, 0.9], [0.8, 0.9999], [100.0, 1.0], [0, 4], 0.00099))
    assert measures.shape == (2, MEASURES * len(GROUPS))
    assert measures[0, :7] == pytest.approx([1, 0, np.log(4), np.log(1 / 3), 2, 1, 2])
    assert not measures[0, 7:].any()
    assert measures[1, 28:] == pytest.approx([1, np.log(9), np.log(0.997 / 0.003), np.log(1 / 3), 0, 0, 2])  # clipped
    assert not measures[1, :28].any()


def test_confidence_is_the_logistic_of_the_weighted_measures() -> None:
    confidence = Confidence([1.0, 2.0, 0.0, 0.0, -1.0, 0.0, 0.0] + [0.0] * 28)
    measures = piece_measures(measured([0.5, 0.75], [0.9, 0.9], [10.0, 10.0], [0, 0], 0.0))
    assert confidence.of(measures) == pytest.approx([0.5, 1 / (1 + 1 / 9)])
