import numpy as np
import pytest

from models.damage_finder.confidence import GROUPS, MEASURES, TERMS, Confidence, Measured, grouped_terms, piece_terms
from tests.models.damage_finder.finder_site import linear_confidence

PIECE = Measured(
    mean=np.array([0.5, 0.9]),
    highest=np.array([0.8, 0.9999]),
    whole=np.array([0.25, 0.25]),
    pixels=np.array([100.0, 1.0]),
    extent=np.array([10.0, 10.0]),
    long_side=400,
    border=np.array([0.5, 0.0]),
    group=np.array([0, 4]),
    state=0.00099,
)
BY_HAND = {
    "mean": (0.0, np.log(9)),
    "highest": (np.log(4), np.log(0.997 / 0.003)),  # the latter is clipped
    "whole": (np.log(1 / 3), np.log(1 / 3)),
    "size": (2.0, 0.0),
    "width": (1.0, 0.0),
    "state": (2.0, 2.0),
    "length": (0.025, 0.025),
    "border": (0.5, 0.0),
}


@pytest.mark.parametrize("name", MEASURES)
def test_measures_by_hand(name: str) -> None:
    logits = -np.log(1 / linear_confidence(**{name: 1.0}).of(PIECE) - 1)
    assert logits == pytest.approx(BY_HAND[name])


def test_terms_are_one_and_the_standardised_measures() -> None:
    terms = piece_terms(PIECE)
    centre, spread = np.array(list(MEASURES.values())).T
    assert terms.shape == (2, TERMS)
    assert terms[:, 0] == pytest.approx(1)
    assert terms[:, 1:] == pytest.approx((np.array(list(BY_HAND.values())).T - centre) / spread)


def test_confidence_weighs_the_terms_by_those_of_the_group() -> None:
    weights = np.random.default_rng(0).normal(0, 0.3, (len(GROUPS), TERMS))
    logits = grouped_terms(PIECE) @ weights.ravel()
    assert logits == pytest.approx([piece_terms(PIECE)[0] @ weights[0], piece_terms(PIECE)[1] @ weights[4]])
    assert Confidence(list(weights.ravel())).of(PIECE) == pytest.approx(1 / (1 + np.exp(-logits)))
