"""The genuine range: how alike two photos of one person look to an encoder."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from models.errors import DataError
from models.images import to_tensor
from pipeline.aligned import Aligner
from pipeline.config import AblateParams, IngestParams
from pipeline.onset import genuine_floor
from pipeline.reading import Accepted, Limits
from pipeline.scoring import ROLES, Judges, Role, recognition_threshold
from pipeline.sources.folder import portraits as photos_in
from pipeline.studies import Embeddings, Portrait

Floors = dict[Role, tuple[float, str]]
"""Lower end of the genuine range and what it rests on, by encoder."""


def genuine_floors(names: Sequence[str], embedded: dict[Role, Tensor], origin: str, params: AblateParams) -> Floors:
    """The genuine range by encoder: from photos of one person if there are any, else from what tells people apart.

    Args:
        names: who is in each photo.
        embedded: (N, dim) by role.
        origin: where the photos come from, for people.
        params: percentile, and the false match rate of the fall-back.
    """
    return {role: _floor(embedded[role], names, origin, params) for role in ROLES}


def of_portraits(portraits: Sequence[Portrait], intact: Embeddings) -> tuple[list[str], dict[Role, Tensor], str]:
    """Arguments of `genuine_floors` from the measured portraits themselves."""
    embedded = {role: torch.stack([intact[p.portrait_id][role] for p in portraits]) for role in ROLES}
    return [portrait.identity for portrait in portraits], embedded, "the measured portraits"


def of_views(
    folder: Path, params: AblateParams, ingest: IngestParams, judges: Judges
) -> tuple[list[str], dict[Role, Tensor], str]:
    """Arguments of `genuine_floors` from a folder with several photos of each person.

    Raises:
        DataError: no photo of the folder shows a face, or the pattern fits none.
    """
    aligner = Aligner(ingest.min_detector_score, ingest.image_size)
    names, images, points, seen = list[str](), list[Tensor](), list[Tensor](), Counter[str]()
    for item in photos_in(folder, params.onset.view_pattern, Limits.of(ingest)):
        if seen[item.identity] >= params.onset.max_views:
            continue
        outcome = item.read()
        face = aligner.best_face(outcome.image) if isinstance(outcome, Accepted) else None
        if face is not None:
            seen[item.identity] += 1
            names.append(item.identity)
            images.append(to_tensor(face.image))
            points.append(torch.from_numpy(face.points)[None])
    if not names:
        raise DataError(f"photos with a face in {folder}", "none", "correct ablate.onset.views in params.yaml")
    pairs = zip(torch.cat(images).split(params.batch_size), torch.cat(points).split(params.batch_size), strict=True)
    parts = [judges.embed(pictures.to(judges.device), at.to(judges.device)) for pictures, at in pairs]
    embedded = {role: torch.cat([part[role] for part in parts]) for role in ROLES}
    return names, embedded, f"{len(names)} photos of {len(seen)} people"


def _floor(embeddings: Tensor, names: Sequence[str], origin: str, params: AblateParams) -> tuple[float, str]:
    percentile = params.onset.genuine_percentile
    floor = genuine_floor(embeddings.numpy(), names, percentile)
    if floor is not None:
        return floor, f"{percentile:g}th percentile of pairs of one person among {origin}"
    threshold = recognition_threshold(embeddings, names, params.false_match_rate)
    return threshold, f"passed by {params.false_match_rate:.0%} of strangers among {origin}: nobody is there twice"
