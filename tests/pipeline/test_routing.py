import pytest

from pipeline.config import RestoreParams
from pipeline.damage import Measures
from pipeline.routing import route

PARAMS = RestoreParams(
    max_area=0.6,
    max_missing_features=0.7,
    min_detector_score=0.6,
    min_certain_score=0.75,
    context=0.02,
    finder_threshold=0.5,
    finder_certain=0.9,
    finder_margin=1,
    finder_min_area=0.001,
    finder_min_confidence=0.5,
)


def measures(area: float = 0.2, features: float = 0.3, chroma: float = 0.2) -> Measures:
    return Measures(area=area, coverage=0.25, missing_features=features, missing=(), chroma_area=chroma)


@pytest.mark.parametrize(
    ("measured", "mode"),
    [
        (measures(), "inpaint"),
        (measures(area=0.6, features=0.7), "inpaint"),
        (measures(area=0.61), "refuse"),
        (measures(features=0.71), "refuse"),
        (measures(area=0.0, features=0.0, chroma=1.0), "colorize"),
        (measures(area=0.01, features=0.0, chroma=1.0), "inpaint"),
    ],
)
def test_auto_keeps_the_limits(measured: Measures, mode: str) -> None:
    assert route(measured, "auto", PARAMS).mode == mode


def test_reasons_carry_the_figures() -> None:
    assert "20.0%" in route(measures(), "auto", PARAMS).reason
    refused = route(measures(features=0.815), "auto", PARAMS).reason
    assert "81.5%" in refused
    assert "max_missing_features 70.0%" in refused
    assert "max_area 60.0%" in route(measures(area=0.9), "auto", PARAMS).reason


def test_asking_for_inpainting_overrides_the_limits_and_says_so() -> None:
    decision = route(measures(area=0.9), "inpaint", PARAMS)
    assert decision.mode == "inpaint"
    assert "although 90.0% of the face picture is missing" in decision.reason
    assert "although" not in route(measures(), "inpaint", PARAMS).reason


def test_asking_for_colour_is_colour_work_whatever_the_hole() -> None:
    decision = route(measures(area=0.0, chroma=0.345), "colorize", PARAMS)
    assert decision.mode == "colorize"
    assert "34.5%" in decision.reason


def test_a_face_in_an_uncertain_place_is_refused() -> None:
    assert route(measures(), "auto", PARAMS, detector_score=0.75).mode == "inpaint"
    uncertain = route(measures(), "auto", PARAMS, detector_score=0.674)
    assert uncertain.mode == "refuse"
    assert "detector score 0.67, less than restore.min_certain_score 0.75" in uncertain.reason
    assert route(measures(), "inpaint", PARAMS, detector_score=0.674).mode == "inpaint"
