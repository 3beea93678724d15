"""How far a reference photo may be believed: the part of `calibrate_router` that is about photos."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from models.evidence.evidence import gather
from models.face_model.shape_and_appearance import shipped_face_model
from models.identity.encoders import IdentityEncoder
from models.images import to_tensor
from pipeline.ablation.common import Portrait
from pipeline.evaluation.test_set import Case, batches, damaged_batch, point_batch

_BATCH = 8
Floats = npt.NDArray[np.float64]


def best_trust(alone: tuple[Floats, Floats], served: Sequence[Floats], distance: Floats) -> tuple[int, list[float]]:
    """With which trust in the photo a risk means the same identity distance as without one.

    Args:
        alone: risk and identity distance of restorations without a photo, (N,) each.
        served: risk of restorations with one, (M,), for each trust that is tried.
        distance: their identity distance, (M,).

    Returns:
        Which trust foretells best, and the mean error of each.
    """
    slope, start = np.polyfit(*alone, 1)
    errors = [float(np.abs(start + slope * risk - distance).mean()) for risk in served]
    return int(np.argmin(errors)), errors


def similarity_lines(
    cases: Sequence[Case], people: Sequence[Sequence[Portrait]], encoder: IdentityEncoder
) -> list[str]:
    """By kind of hole: training encoder's cosine of the completed face with photos of the person and of others."""
    photos = [portrait for person in people for portrait in person]
    theirs = torch.cat([_embedded(photo, encoder) for photo in photos])
    rows = []
    for batch in batches(cases, _BATCH):
        for case, cosines in zip(batch, (_completed(batch, encoder) @ theirs.T).tolist(), strict=True):
            pairs = zip(photos, cosines, strict=True)
            others = [(photo, cosine) for photo, cosine in pairs if photo.portrait_id != case.portrait_id]
            rows += [(case.kind, photo.identity == case.identity, cosine) for photo, cosine in others]
    table = pd.DataFrame(rows, columns=["kind", "same", "alike"])
    head = ["| missing | person, 5th percentile | median | others, 95th percentile | 99th |", "|---|---|---|---|---|"]
    return head + [f"| {kind} | {_range(part)} |" for kind, part in table.groupby("kind")]


def _range(part: pd.DataFrame) -> str:
    person, others = (part[part["same"] == same]["alike"] for same in (True, False))
    figures = (person.quantile(0.05), person.median(), others.quantile(0.95), others.quantile(0.99))
    return " | ".join(f"{figure:.2f}" for figure in figures)


@torch.no_grad()
def _completed(batch: Sequence[Case], encoder: IdentityEncoder) -> Tensor:
    cpu = torch.device("cpu")
    start = gather(damaged_batch(batch, cpu), shipped_face_model()).start
    return encoder.embed(start, point_batch(batch, cpu))


@torch.no_grad()
def _embedded(portrait: Portrait, encoder: IdentityEncoder) -> Tensor:
    points = torch.from_numpy(portrait.points)[None]
    return encoder.embed(to_tensor(portrait.image), points)
