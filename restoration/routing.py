"""Route a damaged face to a kind of work, and say why. Pure: figures and maps in, a decision with its figures out."""

from dataclasses import dataclass

import numpy as np

from models.images import Mask
from models.region_names import FEATURES
from pipeline.config.restore import RestoreParams
from pipeline.damage.measure import Measures
from restoration.modes import Mode, RequestedMode
from restoration.risk import FaceMaps, identity_risk, safest


@dataclass(frozen=True, eq=False)
class Decision:
    """The mode, and the reason with its figures.

    Attributes:
        mode: what is done.
        reason: why, in words and figures.
        risk: `identity_risk` of what is filled or, where the face is refused, of what would have been.
        untouched: (S, S) aligned pixels of the hole that stay as they came; in a refused face all of them.
        untouched_features: features that these pixels reach into.
    """

    mode: Mode
    reason: str
    risk: float
    untouched: Mask
    untouched_features: tuple[str, ...] = ()


def route(
    measures: Measures,
    maps: FaceMaps,
    mode: RequestedMode,
    params: RestoreParams,
    detector_score: float = 1.0,
    doubt: str = "",
) -> Decision:
    """Decide for one face. An explicit `mode` overrides the limits, and the reason says so.

    Args:
        measures: how much is missing; `area` is that of `maps.hole`.
        maps: what is missing where, and how far the evidence speaks for it.
        mode: what the user asks for.
        params: limits.
        detector_score: 0..1, how certain the face's place is: in the smear over a hidden face the detector may see
            another one a little aside, and what is missing would then be measured in the wrong place.
        doubt: what else makes the face's place uncertain, in words; empty where nothing does.
    """
    if mode == "colorize" or (mode == "auto" and measures.area == 0.0 and measures.chroma_area > 0.0):
        return _colorize(measures, maps, params, "asked for" if mode == "colorize" else "no hole")
    if mode == "partial":
        return _partial(measures, maps, params, "asked for")
    risk = identity_risk(maps, params.risk_weights)
    beyond = doubt or _beyond(measures, risk, params, detector_score)
    if beyond and mode == "auto":
        return Decision("refuse", beyond, risk, maps.hole, _reached(maps, maps.hole))
    if mode == "auto" and measures.area > params.max_inpaint_area:
        limit = f"more than restore.max_inpaint_area {params.max_inpaint_area:.1%}"
        return _partial(measures, maps, params, f"{measures.area:.1%} of the face picture is missing, {limit}")
    request = f"asked for{f', although {beyond}' if beyond else ''}; " if mode == "inpaint" else ""
    reason = request + _figures(measures, risk) + _doubt(risk, params)
    return Decision("inpaint", reason, risk, np.zeros_like(maps.hole))


def _colorize(measures: Measures, maps: FaceMaps, params: RestoreParams, why: str) -> Decision:
    reason = f"{why}; colour is missing in {measures.chroma_area:.1%} of the face picture"
    return Decision("colorize", reason, identity_risk(maps, params.risk_weights), np.zeros_like(maps.hole))


def _beyond(measures: Measures, risk: float, params: RestoreParams, detector_score: float) -> str:
    """The first limit that is passed, in words; empty when all hold."""
    if detector_score < params.min_certain_score:
        return (
            f"the face's place is uncertain: detector score {detector_score:.2f}, "
            f"less than restore.min_certain_score {params.min_certain_score:.2f}"
        )
    if risk > params.max_identity_risk:
        return (
            f"it would become somebody else: identity risk {risk:.3f}, "
            f"more than restore.max_identity_risk {params.max_identity_risk:.3f}; "
            f"{measures.missing_features:.1%} of the facial features are missing"
        )
    if measures.area > params.max_area:
        return f"{measures.area:.1%} of the face picture is missing, more than restore.max_area {params.max_area:.1%}"
    return ""


def _doubt(risk: float, params: RestoreParams) -> str:
    """Words for a result that is no more than likely to be the same person."""
    limit = params.doubtful_identity_risk
    return f", the likeness is doubtful (more than restore.doubtful_identity_risk {limit:.3f})" if risk > limit else ""


def _partial(measures: Measures, maps: FaceMaps, params: RestoreParams, why: str) -> Decision:
    """Spend the budget, as far as the likeness is beyond doubt; what suffices for everything is plain inpainting."""
    budget = int(params.max_inpaint_area * maps.hole.size)
    filled = safest(maps, params.risk_weights, budget, params.doubtful_identity_risk)
    untouched = maps.hole & ~filled
    risk = identity_risk(maps, params.risk_weights, filled)
    if not untouched.any():
        return Decision(
            "inpaint",
            f"{why}, and all of it may be filled; {_figures(measures, risk)}{_doubt(risk, params)}",
            risk,
            untouched,
        )
    features = _reached(maps, untouched)
    spared = f", with {_words(features)}" if features else ""
    reason = (
        f"{why}: filled are the {filled.mean():.1%} of least identity risk "
        f"({risk:.3f} instead of {identity_risk(maps, params.risk_weights):.3f}), "
        f"{untouched.mean():.1%} stay as they came{spared}"
    )
    return Decision("partial", reason, risk, untouched, features)


def _reached(maps: FaceMaps, where: Mask) -> tuple[str, ...]:
    return tuple(name for index, name in enumerate(FEATURES) if (where & (maps.region == index)).any())


def _words(features: tuple[str, ...]) -> str:
    return ", ".join(name.replace("_", " ") for name in features)


def _figures(measures: Measures, risk: float) -> str:
    return (
        f"missing: {measures.area:.1%} of the face picture, {measures.coverage:.1%} of the face, "
        f"{measures.missing_features:.1%} of its features; identity risk {risk:.3f}"
    )
