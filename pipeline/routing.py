"""Which kind of work a damaged face gets, and why. Pure figures in, a decision with its figures out."""

from dataclasses import dataclass
from typing import Literal

from pipeline.config.production import RestoreParams
from pipeline.damage import Measures

Mode = Literal["inpaint", "partial", "colorize", "refuse"]
"""What is done to a face. `partial` is part of the vocabulary; no rule here decides it yet."""
RequestedMode = Literal["auto", "inpaint", "colorize"]
"""What a user may ask for."""


@dataclass(frozen=True)
class Decision:
    """The mode, and the reason with its figures."""

    mode: Mode
    reason: str


def route(measures: Measures, mode: RequestedMode, params: RestoreParams, detector_score: float = 1.0) -> Decision:
    """Decide for one face. An explicit `mode` overrides the limits, and the reason says so.

    `detector_score`, 0..1, is how certain the face's place is: in the smear over a hidden face the detector may see
    another one a little aside, and what is missing would then be measured in the wrong place.
    """
    if mode == "colorize":
        return Decision("colorize", f"asked for; colour is missing in {measures.chroma_area:.1%} of the face picture")
    beyond = _beyond(measures, params, detector_score)
    if mode == "inpaint":
        return Decision("inpaint", f"asked for{f', although {beyond}' if beyond else ''}; {_figures(measures)}")
    if measures.area == 0.0 and measures.chroma_area > 0.0:
        return Decision("colorize", f"no hole, and colour is missing in {measures.chroma_area:.1%} of the face picture")
    if beyond:
        return Decision("refuse", beyond)
    return Decision("inpaint", _figures(measures))


def _beyond(measures: Measures, params: RestoreParams, detector_score: float) -> str:
    """The first limit that is passed, in words; empty when all hold."""
    if detector_score < params.min_certain_score:
        return (
            f"the face's place is uncertain: detector score {detector_score:.2f}, "
            f"less than restore.min_certain_score {params.min_certain_score:.2f}"
        )
    if measures.missing_features > params.max_missing_features:
        return (
            f"{measures.missing_features:.1%} of the facial features are missing, "
            f"more than restore.max_missing_features {params.max_missing_features:.1%}"
        )
    if measures.area > params.max_area:
        return f"{measures.area:.1%} of the face picture is missing, more than restore.max_area {params.max_area:.1%}"
    return ""


def _figures(measures: Measures) -> str:
    return (
        f"missing: {measures.area:.1%} of the face picture, {measures.coverage:.1%} of the face, "
        f"{measures.missing_features:.1%} of its features"
    )
