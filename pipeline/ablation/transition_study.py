"""The transition study: the same pixels once as a hole and once with their luma known, as coverage grows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from models.metrics.colour_error import grey_world, mean_colour
from pipeline.ablation.common import (
    RETENTION,
    SIMILARITY,
    Embeddings,
    Portrait,
    case_of,
    means,
    measure_cases,
    portrait_rng,
)
from pipeline.ablation.fid_infinity import FidInfinity, fid_infinity, principal
from pipeline.ablation.onset_holes import growing_holes
from pipeline.ablation.results import Crossing, FidFigures, IdFidReport, TransitionReport
from pipeline.config.ablation import AblateParams
from pipeline.evaluation.baselines import Method
from pipeline.evaluation.bootstrap import Bootstrap
from pipeline.evaluation.results import Buckets, Figure
from pipeline.evaluation.scoring import Judges
from pipeline.evaluation.test_set import Case

INPAINT, COLORIZE = "inpaint", "colorize"
GUESSES: Mapping[str, Method] = {"grey world": grey_world, "mean colour": mean_colour}
"""What a colouriser has to beat: grey at the known luma, and the mean chroma of what is left."""
METRICS = (SIMILARITY + "training", SIMILARITY + "independent", "lpips", "colour_error", "chroma_error", RETENTION)

EmbeddingsByLevel = dict[tuple[str, str], dict[str, Tensor]]
"""Embeddings by the independent encoder: (method, level) -> portrait -> (dim,)."""


@dataclass(frozen=True)
class Transition:
    """Rows of both tasks, and the embeddings of the inpainted faces."""

    rows: pd.DataFrame
    kept: EmbeddingsByLevel = field(default_factory=dict)


def measure_transition(
    methods: Mapping[str, Method],
    portraits: Sequence[Portrait],
    intact: Embeddings,
    judges: Judges,
    params: AblateParams,
) -> Transition:
    """Restore growing blotches of the face, as holes by every method, and as lost colour by every method and guess."""
    embeddings_by_level: EmbeddingsByLevel = {}

    def keep(name: str, cases: Sequence[Case], embeddings: Tensor) -> None:
        for case, embedding in zip(cases, embeddings, strict=True):
            embeddings_by_level.setdefault((name, case.bucket), {})[case.portrait_id] = embedding

    holes, colourless = _cases(portraits, params)
    inpainted = measure_cases(methods, holes, intact, judges, params.batch_size, keep)
    coloured = measure_cases({**methods, **GUESSES}, colourless, intact, judges, params.batch_size)
    return Transition(pd.concat([inpainted, coloured], ignore_index=True), embeddings_by_level)


def transition_report(rows: pd.DataFrame, params: AblateParams) -> TransitionReport:
    """Compute curves by task and method, the champion's colour error over each guess's, and where curves cross."""
    named = rows.assign(method=rows["kind"] + " " + rows["method"])
    curves = means(named, METRICS, params.bootstrap, params.seed)
    return TransitionReport(
        curves=curves, colour_ratios=colour_ratios(rows[rows["kind"] == COLORIZE], params), crossings=_crossings(curves)
    )


def colour_ratios(rows: pd.DataFrame, params: AblateParams) -> dict[str, Figure]:
    """Divide the mean colour error of `champion` by that of every other method on the same damage."""
    by_method = {str(name): part.sort_values("mask_id") for name, part in rows.groupby("method")}
    ours = by_method.pop("champion")
    bootstrap = Bootstrap(list(ours["identity"]), params.bootstrap, np.random.default_rng(params.seed))
    column = ours[["colour_error"]].to_numpy(np.float64)
    return {
        name: Figure.of(bootstrap.ratios(column, theirs[["colour_error"]].to_numpy(np.float64))[0])
        for name, theirs in by_method.items()
    }


def crossing_of(levels: Sequence[float], a: Sequence[float], b: Sequence[float]) -> float | None:
    """Find where curve a first rises above curve b, between levels on straight lines; None if it does not.

    A curve that lies above from the start crosses at the first level.
    """
    gap = np.asarray(a, np.float64) - np.asarray(b, np.float64)
    above = np.flatnonzero(gap > 0)
    if not len(above):
        return None
    end = int(above[0])
    if end == 0:
        return float(levels[0])
    share = gap[end - 1] / (gap[end - 1] - gap[end])
    return float(levels[end - 1] + share * (levels[end] - levels[end - 1]))


def id_fid_report(embeddings: EmbeddingsByLevel, intact: Embeddings, params: AblateParams) -> IdFidReport:
    """Compute ID-FID against the intact portraits by method and coverage, whole and in the leading components."""
    ids = sorted(next(iter(embeddings.values())))
    target = torch.stack([intact[name]["independent"] for name in ids]).numpy()
    sets = {key: torch.stack([by_portrait[name] for name in ids]).numpy() for key, by_portrait in embeddings.items()}
    reduced, share = principal(target, list(sets.values()), params.id_fid.components)
    leading = dict(zip(sets, reduced[1:], strict=True))
    return IdFidReport(
        variance_kept=share,
        whole=_fids(sets, target, params),
        leading=_fids(leading, reduced[0], params),
    )


def _fids(
    sets: Mapping[tuple[str, str], npt.NDArray[np.floating]], target: npt.NDArray[np.floating], params: AblateParams
) -> dict[str, dict[str, FidFigures]]:
    figures: dict[str, dict[str, FidFigures]] = {}
    for (method, level), embeddings in sets.items():
        one = fid_infinity(embeddings, target, params.id_fid.repeats, np.random.default_rng(params.seed))
        figures.setdefault(method, {})[level] = _fid_figures(one)
    return figures


def _fid_figures(fid: FidInfinity) -> FidFigures:
    return FidFigures(**vars(fid))


def hole_cases(portrait: Portrait, params: AblateParams) -> list[Case]:
    """Damage the portrait with a hole at every level of coverage."""
    grown = growing_holes(
        portrait.landmarks, portrait.image.shape[0], params.coverage, portrait_rng(portrait, params.seed + 1), "face"
    )
    levels = [str(float(level)) for level in params.coverage]
    return [case_of(portrait, hole, hole, INPAINT, level) for level, hole in zip(levels, grown, strict=True)]


def colour_case(case: Case, portrait: Portrait) -> Case:
    """Damage the portrait by taking the colour of the same pixels, their luma known."""
    return case_of(portrait, np.zeros_like(case.hole), case.hole, COLORIZE, case.bucket)


def _cases(portraits: Sequence[Portrait], params: AblateParams) -> tuple[list[Case], list[Case]]:
    """Damage every portrait at every level, as a hole and as lost colour."""
    pairs = [(portrait, case) for portrait in portraits for case in hole_cases(portrait, params)]
    return [case for _, case in pairs], [colour_case(case, portrait) for portrait, case in pairs]


def _crossings(curves: Mapping[str, Buckets]) -> tuple[Crossing, ...]:
    """Find crossings in the pairs of curves where the brief's transition would show as one."""
    inpaint, colorize, guess = curves["inpaint champion"], curves["colorize champion"], curves["colorize grey world"]
    levels = [float(level) for level in sorted(inpaint)]
    error, alike = "colour_error", SIMILARITY + "independent"
    pairs = {
        "colour error of colorize rises above that of inpaint": (_values(colorize, error), _values(inpaint, error)),
        "colour error of inpaint rises above that of a grey world on known luma": (
            _values(inpaint, error),
            _values(guess, error),
        ),
        "identity: a grey world on known luma is closer to the person than inpaint": (
            _values(guess, alike),
            _values(inpaint, alike),
        ),
        "chroma error of inpaint rises above that of colorize": (
            _values(inpaint, "chroma_error"),
            _values(colorize, "chroma_error"),
        ),
    }
    return tuple(Crossing(what=what, at=crossing_of(levels, a, b)) for what, (a, b) in pairs.items())


def _values(table: Buckets, metric: str) -> list[float]:
    """Read means over the levels, NaN where there is none."""
    figures = [table[level][metric].value for level in sorted(table)]
    return [float("nan") if value is None else value for value in figures]
