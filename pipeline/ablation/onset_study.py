"""The onset study: restore ever larger holes in the features, and see when the person is lost."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from pipeline.ablation.common import SIMILARITY, Embeddings, Portrait, case_of, means, measure_cases, portrait_rng
from pipeline.ablation.genuine_range import Floors
from pipeline.ablation.onset import Curve, Estimate, find_exit, find_knee
from pipeline.ablation.onset_holes import component_holes, growing_holes
from pipeline.ablation.results import OnsetFigures, OnsetReport
from pipeline.config.ablation import AblateParams
from pipeline.evaluation.baselines import Method
from pipeline.evaluation.results import Figure
from pipeline.evaluation.scoring import ROLES, Judges, Role
from pipeline.evaluation.test_set import Case

BLOTCH = "blotch"
METRICS = (*(SIMILARITY + role for role in ROLES), "lpips", "psnr", "coverage")


def onset_rows(
    methods: Mapping[str, Method],
    portraits: Sequence[Portrait],
    intact: Embeddings,
    judges: Judges,
    params: AblateParams,
) -> pd.DataFrame:
    """Measure every portrait, hole and method: growing blotches (kind `blotch`) and single features (by their name)."""
    cases = [case for portrait in portraits for case in _cases(portrait, params)]
    return measure_cases(methods, cases, intact, judges, params.batch_size)


def onset_report(rows: pd.DataFrame, floors: Floors, params: AblateParams) -> OnsetReport:
    """Compute curves, onsets and single features from the rows of `onset_rows`."""
    blotches, features = rows[rows["kind"] == BLOTCH], rows[rows["kind"] != BLOTCH]
    return OnsetReport(
        curves=means(blotches, METRICS, params.bootstrap, params.seed),
        onsets={
            str(method): {role: onset_of(part, role, *floors[role], params) for role in ROLES}
            for method, part in blotches.groupby("method")
        },
        components=means(features, (*METRICS, "missing_features"), params.bootstrap, params.seed, by="kind"),
    )


def onset_of(rows: pd.DataFrame, role: Role, floor: float, floor_from: str, params: AblateParams) -> OnsetFigures:
    """Find knee and exit of one method's curve by one encoder."""
    table = rows.pivot_table(index=["portrait_id", "identity"], columns="bucket", values=SIMILARITY + role)
    levels = np.array([float(level) for level in table.columns])
    curve = Curve(levels, table.to_numpy(np.float64), [str(identity) for _, identity in table.index])
    knee = find_knee(curve, params.bootstrap, np.random.default_rng(params.seed))
    left = find_exit(curve, floor, params.bootstrap, np.random.default_rng(params.seed))
    people = len(curve.identities)
    return OnsetFigures(
        floor=floor,
        floor_from=floor_from,
        shape=knee.shape,
        bic={str(shape): value for shape, value in knee.bic.items()},
        knee=_figure(knee.place, people),
        knee_supported=knee.supported,
        slope_before=_figure(knee.before, people),
        slope_after=_figure(knee.after, people),
        first_below=left.first,
        crossing=_figure(left.crossing, people),
        never=left.never,
    )


def _cases(portrait: Portrait, params: AblateParams) -> list[Case]:
    levels, side = params.onset.levels, portrait.image.shape[0]
    holes = growing_holes(portrait.landmarks, side, levels, portrait_rng(portrait, params.seed))
    grown = [
        case_of(portrait, hole, hole, BLOTCH, str(float(level))) for level, hole in zip(levels, holes, strict=True)
    ]
    alone = component_holes(portrait.landmarks, side).items()
    return grown + [case_of(portrait, hole, hole, name, name) for name, hole in alone]


def _figure(estimate: Estimate | None, n: int) -> Figure:
    if estimate is None:
        return Figure(value=None, low=None, high=None, n=n)
    return Figure.finite(estimate.value, estimate.low, estimate.high, n)
