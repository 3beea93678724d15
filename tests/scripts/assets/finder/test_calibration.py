import numpy as np
import pytest

from models.damage_finder.confidence import GROUPS, TERMS, Confidence
from models.damage_finder.damage_map import DamageMap, halved
from models.damage_finder.pieces import find_pieces
from scripts.assets.finder.calibration import fit_logistic, fit_platt, is_right
from scripts.assets.finder.example import Example


def test_platt_undoes_a_known_distortion() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 1.5, 40_000)
    truth = rng.random(40_000) < 1 / (1 + np.exp(-(0.7 * logits - 0.4)))
    slope, offset = fit_platt(1 / (1 + np.exp(-logits)), truth)
    assert slope == pytest.approx(0.7, abs=0.04)
    assert offset == pytest.approx(-0.4, abs=0.04)


def test_logistic_weights_agree_with_an_independent_solver() -> None:
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(1)
    columns = rng.normal(0, 1, (500, 3))
    truth = rng.random(500) < 1 / (1 + np.exp(-(columns @ np.array([1.0, -2.0, 0.5]))))
    expected = LogisticRegression(fit_intercept=False, C=1 / (2 * 0.01 * 500), tol=1e-8).fit(columns, truth).coef_[0]
    assert fit_logistic(columns, truth, ridge=0.01) == pytest.approx(expected, abs=2e-3)


def test_a_piece_is_right_where_most_of_it_is_damage() -> None:
    probability = np.zeros((40, 60), np.uint8)
    probability[4:8, 4:30] = probability[20:24, 4:30] = probability[32:36, 40:50] = 255
    damaged, judged = np.zeros((40, 60), np.bool_), np.ones((40, 60), np.bool_)
    damaged[4:8, 4:20] = True
    damaged[20:24, 4:10] = True
    judged[30:40, 38:52] = False
    found = DamageMap(probability, np.zeros((20, 30), np.uint8), halved(probability), np.zeros((4, 6), np.uint8))
    pieces = find_pieces(found, 0.5, Confidence([0.0] * (TERMS * len(GROUPS))))
    example = Example(np.zeros((40, 60, 3), np.uint8), damaged, np.zeros((40, 60), np.uint8), judged)
    assert is_right(pieces, probability > 127, example).tolist() == [True, False, True]
