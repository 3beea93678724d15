import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.region_names import FEATURES, REGIONS
from pipeline.damage.measure import Measures
from restoration.modes import RequestedMode
from restoration.risk import FaceMaps, identity_risk
from restoration.routing import Decision, route
from tests.restoration.site import PARAMS

SIDE = 40
EYE = FEATURES.index("right_eye")
MODES: tuple[RequestedMode, ...] = ("auto", "inpaint", "partial", "colorize")


def face(hole: np.ndarray, certainty: float = 0.75, chroma: np.ndarray | None = None) -> FaceMaps:
    """Skin, with an eye of 8 x 8 pixels in the corner."""
    region = np.full((SIDE, SIDE), REGIONS.index("skin"), np.uint8)
    region[:8, :8] = EYE
    zeros = np.zeros((SIDE, SIDE), np.float32)
    return FaceMaps(hole, hole if chroma is None else chroma, zeros + np.float32(certainty), zeros, region)


def measures(maps: FaceMaps) -> Measures:
    eye = float(maps.hole[maps.region == EYE].mean())
    return Measures(float(maps.hole.mean()), float(maps.hole.mean()), eye, (), float(maps.chroma.mean()))


def columns(share: float) -> np.ndarray:
    """The left `share` of the picture."""
    hole = np.zeros((SIDE, SIDE), np.bool_)
    hole[:, : round(share * SIDE)] = True
    return hole


def decided(maps: FaceMaps, mode: RequestedMode = "auto", score: float = 1.0) -> Decision:
    return route(measures(maps), maps, mode, PARAMS, score)


def test_a_small_hole_is_inpainted_with_its_figures() -> None:
    decision = decided(face(columns(0.3)))
    assert decision.mode == "inpaint"
    assert not decision.untouched.any()
    assert "30.0% of the face picture" in decision.reason
    assert "100.0% of its features" in decision.reason
    # 64 eye pixels at 1.0 and 416 skin pixels at 0.2, half prior (0.5**2 = 1 - 0.75), of 64 and 1536
    assert decision.risk == pytest.approx(0.5 * (64 + 0.2 * 416) / (64 + 0.2 * 1536))
    assert f"identity risk {decision.risk:.3f}" in decision.reason


def test_beyond_the_budget_the_eye_stays_as_it_came() -> None:
    decision = decided(face(columns(0.375)))
    assert decision.mode == "partial"
    assert np.array_equal(decision.untouched, face(columns(0.375)).region == EYE)
    assert decision.untouched_features == ("right_eye",)
    assert "37.5% of the face picture is missing, more than restore.max_inpaint_area 35.0%" in decision.reason
    assert "33.5% of least identity risk" in decision.reason
    assert "4.0% stay as they came, with right eye" in decision.reason
    assert f"({decision.risk:.3f} instead of" in decision.reason


def test_what_would_be_somebody_else_is_refused_whatever_its_size() -> None:
    hole = np.zeros((SIDE, SIDE), np.bool_)
    hole[:8, :8] = True
    strict = PARAMS.model_copy(update={"max_identity_risk": 0.1})
    maps = face(hole, certainty=0.0)
    decision = route(measures(maps), maps, "auto", strict)
    assert decision.mode == "refuse"
    assert decision.risk == pytest.approx(64 / (64 + 0.2 * 1536))
    assert "it would become somebody else: identity risk 0.172" in decision.reason
    assert "restore.max_identity_risk 0.100" in decision.reason
    assert np.array_equal(decision.untouched, hole)
    assert decision.untouched_features == ("right_eye",)


def test_a_photo_of_the_person_counts_as_evidence() -> None:
    maps = face(columns(0.3), certainty=0.0)
    shown = FaceMaps(maps.hole, maps.chroma, maps.certainty, np.full((SIDE, SIDE), 0.5, np.float32), maps.region)
    limit = PARAMS.model_copy(update={"max_identity_risk": 0.7 * identity_risk(maps, PARAMS.risk_weights)})
    assert route(measures(maps), maps, "auto", limit).mode == "refuse"
    assert route(measures(shown), shown, "auto", limit).mode == "inpaint"


def test_too_much_is_too_much_however_certain() -> None:
    decision = decided(face(columns(0.7), certainty=1.0))
    assert decision.mode == "refuse"
    assert "70.0% of the face picture is missing, more than restore.max_area 60.0%" in decision.reason


def test_colour_alone_is_colorized() -> None:
    nothing, everything = columns(0.0), columns(1.0)
    decision = decided(face(nothing, 0.0, everything))
    assert (decision.mode, decision.risk) == ("colorize", 0.0)
    assert "no hole; colour is missing in 100.0%" in decision.reason
    assert decided(face(columns(0.1), 0.75, everything)).mode == "inpaint"
    asked = decided(face(nothing, 0.0, columns(0.35)), "colorize")
    assert asked.mode == "colorize"
    assert "asked for; colour is missing in 35.0%" in asked.reason


def test_asking_for_inpainting_overrides_the_limits_and_says_so() -> None:
    decision = decided(face(columns(0.9)), "inpaint")
    assert decision.mode == "inpaint"
    assert not decision.untouched.any()
    assert "although 90.0% of the face picture is missing" in decision.reason
    assert "although" not in decided(face(columns(0.2)), "inpaint").reason


def test_between_the_two_limits_the_likeness_is_doubtful() -> None:
    maps = face(columns(0.3), certainty=0.0)
    doubtful = PARAMS.model_copy(update={"doubtful_identity_risk": 0.3})
    assert "doubtful" not in route(measures(maps), maps, "auto", PARAMS).reason
    reason = route(measures(maps), maps, "auto", doubtful).reason
    assert "the likeness is doubtful (more than restore.doubtful_identity_risk 0.300)" in reason


def test_asking_for_a_part_spares_what_is_risky() -> None:
    strict = PARAMS.model_copy(update={"doubtful_identity_risk": 0.05})
    maps = face(columns(0.3), certainty=0.0)
    decision = route(measures(maps), maps, "partial", strict)
    assert decision.mode == "partial"
    assert 0 < decision.risk <= 0.05
    assert decision.untouched[:8, :8].all()
    small = decided(face(columns(0.2)), "partial")
    assert small.mode == "inpaint"
    assert not small.untouched.any()
    assert "all of it may be filled" in small.reason


def test_a_face_in_an_uncertain_place_is_refused() -> None:
    maps = face(columns(0.2))
    assert decided(maps, score=0.75).mode == "inpaint"
    uncertain = decided(maps, score=0.674)
    assert uncertain.mode == "refuse"
    assert "detector score 0.67, less than restore.min_certain_score 0.75" in uncertain.reason
    assert decided(maps, "inpaint", 0.674).mode == "inpaint"


@given(
    hole=arrays(np.bool_, (SIDE, SIDE)),
    share=st.floats(0, 1),
    certainty=arrays(np.float32, (SIDE, SIDE), elements=st.floats(0, 1, width=32)),
    mode=st.sampled_from(MODES),
)
def test_whatever_comes_nothing_is_lost_and_no_limit_passed(
    hole: np.ndarray, share: float, certainty: np.ndarray, mode: RequestedMode
) -> None:
    base = face(hole & columns(share))
    maps = FaceMaps(base.hole, base.hole, certainty, base.witness, base.region)
    decision = decided(maps, mode)
    filled = maps.hole & ~decision.untouched
    assert not (decision.untouched & ~maps.hole).any()
    assert decision.reason
    if decision.mode == "partial":
        assert decision.untouched.any()
        assert filled.sum() <= PARAMS.max_inpaint_area * maps.hole.size
        assert decision.risk <= PARAMS.doubtful_identity_risk + 1e-5
    if mode == "auto" and decision.mode != "refuse":
        assert decision.risk <= PARAMS.max_identity_risk
        assert decision.risk == pytest.approx(identity_risk(maps, PARAMS.risk_weights, filled))
    if decision.mode == "refuse":
        assert not filled.any()


@given(hole=arrays(np.bool_, (SIDE, SIDE)), share=st.floats(0, 0.6))
def test_where_everything_is_certain_nothing_is_refused(hole: np.ndarray, share: float) -> None:
    maps = face(hole & columns(share), certainty=1.0)
    decision = decided(maps)
    assert decision.mode in ("inpaint", "partial")
    assert decision.risk == 0.0
