import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.face.regions import face_hull, feature_regions
from models.region_names import FEATURES, REGIONS
from restoration.risk import FaceMaps, identity_risk, region_map, safest, trust
from tests.faces import mean_landmarks
from tests.restoration.site import PARAMS

WEIGHTS = PARAMS.risk_weights
SKIN, BACKGROUND = REGIONS.index("skin"), REGIONS.index("background")
SIDE = 16


def maps(region: np.ndarray, hole: np.ndarray, certainty: float | np.ndarray = 0.0, witness: float = 0.0) -> FaceMaps:
    plane = np.broadcast_to(np.float32(certainty), hole.shape)
    return FaceMaps(hole, hole, plane, np.full(hole.shape, witness, np.float32), region.astype(np.uint8))


def halves() -> np.ndarray:
    """Left half the left eye, right half skin."""
    region = np.full((SIDE, SIDE), SKIN, np.uint8)
    region[:, : SIDE // 2] = FEATURES.index("left_eye")
    return region


def test_regions_are_those_of_the_features_and_the_hull() -> None:
    landmarks = mean_landmarks(128)
    region = region_map(landmarks, 128)
    features = feature_regions(landmarks, 128)
    union = np.logical_or.reduce(list(features.values()))
    assert np.array_equal(region == FEATURES.index("left_eye"), features["left_eye"])  # the first wins an overlap
    assert np.array_equal(region < SKIN, union)
    assert np.array_equal(region == SKIN, face_hull(landmarks, 128) & ~union)


def test_trust_by_hand() -> None:
    """Half of the eye is missing; 64 % of its variance is explained, so 60 % of its deviation is not, and for a quarter
    of that a photo vouches."""
    hole = np.zeros((SIDE, SIDE), np.bool_)
    hole[:8, :8] = True
    found = trust(maps(halves(), hole, certainty=0.64, witness=0.25))
    eye = found["left_eye"]
    assert (eye.known, eye.evidence, eye.witness, eye.prior) == pytest.approx((0.5, 0.2, 0.075, 0.225))
    assert (found["skin"].known, found["skin"].prior) == (1.0, 0.0)
    assert (eye.pixels, found["skin"].pixels) == (128, 128)
    assert set(found) == {"left_eye", "skin"}  # what is not in the picture has no figures


def test_risk_by_hand() -> None:
    """Eye 1.0, skin 0.2 a pixel: 128 of each weigh 153.6. Missing: 64 eye pixels, 60 % prior (0.6**2 = 1 - 0.64)."""
    hole = np.zeros((SIDE, SIDE), np.bool_)
    hole[:8, :8] = True
    assert identity_risk(maps(halves(), hole, 0.64), WEIGHTS) == pytest.approx(64 * 0.6 / 153.6)
    assert identity_risk(maps(halves(), hole, 0.64, witness=0.5), WEIGHTS) == pytest.approx(64 * 0.3 / 153.6)
    assert identity_risk(maps(halves(), hole, 0.64), WEIGHTS, ~hole) == 0.0


def test_the_background_is_nobodys_identity() -> None:
    everywhere = np.ones((SIDE, SIDE), np.bool_)
    region = np.full((SIDE, SIDE), BACKGROUND)
    region[0, 0] = SKIN
    outside = everywhere.copy()
    outside[0, 0] = False
    assert identity_risk(maps(region, outside), WEIGHTS) == 0.0
    assert identity_risk(maps(region, everywhere), WEIGHTS) == 1.0


def test_colour_alone_is_no_risk_but_counts_in_trust() -> None:
    hole, chroma = np.zeros((SIDE, SIDE), np.bool_), np.ones((SIDE, SIDE), np.bool_)
    zeros = np.zeros((SIDE, SIDE), np.float32)
    colourless = FaceMaps(hole, chroma, zeros + 0.91, zeros, halves())
    assert identity_risk(colourless, WEIGHTS) == 0.0
    assert trust(colourless)["left_eye"].prior == pytest.approx(0.3)


def test_a_feature_is_filled_whole_or_not_at_all() -> None:
    everywhere = np.ones((SIDE, SIDE), np.bool_)
    chosen = safest(maps(halves(), everywhere), WEIGHTS, budget=SIDE * SIDE // 2 + 64)
    assert np.array_equal(chosen, halves() == SKIN)  # 64 pixels of budget are left, the eye has 128


def test_risk_ends_the_spending_as_well() -> None:
    everywhere = np.ones((SIDE, SIDE), np.bool_)
    whole = maps(halves(), everywhere)
    assert safest(whole, WEIGHTS, SIDE * SIDE).all()
    limited = safest(whole, WEIGHTS, SIDE * SIDE, most_risk=0.5)
    assert np.array_equal(limited, halves() == SKIN)


@given(
    region=arrays(np.uint8, (24, 24), elements=st.integers(0, len(REGIONS) - 1)),
    hole=arrays(np.bool_, (24, 24)),
    certainty=arrays(np.float32, (24, 24), elements=st.floats(0, 1, width=32)),
    budget=st.integers(0, 24 * 24),
    most_risk=st.floats(0, 1),
)
def test_no_budget_is_exceeded_and_lower_risk_comes_first(
    region: np.ndarray, hole: np.ndarray, certainty: np.ndarray, budget: int, most_risk: float
) -> None:
    face = maps(region, hole, certainty)
    chosen = safest(face, WEIGHTS, budget, most_risk)
    assert not (chosen & ~hole).any()
    assert chosen.sum() <= budget
    assert identity_risk(face, WEIGHTS, chosen) <= most_risk + 1e-6
    more = safest(face, WEIGHTS, min(budget + 50, hole.size), most_risk)
    assert not (chosen & ~more).any()  # a larger budget takes nothing back
    left = hole & ~chosen
    if chosen.any() and left.any():
        assert max(densities(face, chosen)) <= min(densities(face, left)) + 1e-6


def densities(face: FaceMaps, where: np.ndarray) -> list[float]:
    """Mean weighted prior of each feature, and of each square of skin or background, that `where` holds."""
    row, column = np.indices(where.shape) // 8
    squares = [(row == r) & (column == c) for r in range(3) for c in range(3)]
    found = []
    for index, name in enumerate(REGIONS):
        weight = getattr(WEIGHTS, name.split("_")[-1])
        for square in squares if index >= SKIN else [np.ones_like(where)]:
            piece = where & square & (face.region == index)
            found += [weight * float(face.prior[piece].astype(np.float64).mean())] if piece.any() else []
    return found


@given(hole=arrays(np.bool_, (24, 24)), region=arrays(np.uint8, (24, 24), elements=st.integers(0, len(REGIONS) - 1)))
def test_what_is_certain_is_no_risk(hole: np.ndarray, region: np.ndarray) -> None:
    face = maps(region, hole, certainty=1.0)
    assert identity_risk(face, WEIGHTS) == 0.0
    assert np.array_equal(safest(face, WEIGHTS, hole.size, most_risk=0.0), hole)
    assert all(row.prior == 0 for row in trust(face).values())
