"""The genuine range: how alike two photos of one person look to an encoder."""

from collections.abc import Sequence

import pandas as pd
import torch
from torch import Tensor

from pipeline.ablation.common import embed_intact, portrait_of
from pipeline.ablation.onset import genuine_floor
from pipeline.config.ablation import AblateParams
from pipeline.evaluation.scoring import ROLES, Judges, Role, recognition_threshold
from pipeline.project.paths import Paths

Floors = dict[Role, tuple[float, str]]
"""Lower end of the genuine range and what it rests on, by encoder."""


def genuine_floors(paths: Paths, rows: pd.DataFrame, judges: Judges, params: AblateParams) -> Floors:
    """Estimate the genuine range by encoder: from photos of one person, else from pairs of different people.

    The encoders are frozen and never saw these portraits, so all splits may be used.

    Args:
        paths: where the portraits lie.
        rows: of ingest.
        judges: encoders.
        params: percentile, photos of each person, and the false match rate of the fall-back.
    """
    shown = several(rows, params.onset.max_views)
    few = rows.head(params.portraits) if shown.empty else shown
    embedded = embed_intact([portrait_of(paths, row) for _, row in few.iterrows()], judges, params.batch_size)
    names = [str(name) for name in few["identity"]]
    origin = f"{len(names)} photos of {len(set(names))} people"
    stacked = {role: torch.stack([embedded[name][role] for name in few["portrait_id"]]) for role in ROLES}
    return {role: floor_of(stacked[role], names, origin, params) for role in ROLES}


def several(rows: pd.DataFrame, most: int) -> pd.DataFrame:
    """Select rows of people with more than one photo, at most so many of each, in order of portrait ids."""
    ordered = rows.sort_values("portrait_id")
    several_times = ordered[ordered.groupby("identity")["portrait_id"].transform("size") > 1]
    return several_times.groupby("identity").head(most)


def floor_of(embeddings: Tensor, names: Sequence[str], origin: str, params: AblateParams) -> tuple[float, str]:
    """Estimate the lower end of one encoder's genuine range, and its basis; embeddings (N, dim) of unit length."""
    percentile = params.onset.genuine_percentile
    floor = genuine_floor(embeddings.numpy(), names, percentile)
    if floor is not None:
        return floor, f"{percentile:g}th percentile of pairs of one person among {origin}"
    threshold = recognition_threshold(embeddings, names, params.false_match_rate)
    return threshold, f"passed by {params.false_match_rate:.0%} of strangers among {origin}: no person has two photos"
