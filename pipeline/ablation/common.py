"""Shared parts of the studies of `likeness ablate`: portraits with holes, a row per restoration, and means."""

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from models.colour import luma
from models.evidence.evidence import Damaged
from models.evidence.reference_photo import Reference
from models.identity.encoders import similarity
from models.images import Image, Mask, to_tensor
from models.metrics.colour_error import colour_error
from models.metrics.high_frequency import fine_detail
from models.metrics.image_quality import pixel_mse, psnr
from pipeline.damage.draw import Damage
from pipeline.damage.measure import measure
from pipeline.evaluation.baselines import Method
from pipeline.evaluation.bootstrap import Bootstrap
from pipeline.evaluation.results import Buckets, Figure
from pipeline.evaluation.scoring import MAX_PSNR, ROLES, Judges, Role
from pipeline.evaluation.test_set import Case, batches, damaged_batch, point_batch, target_batch
from pipeline.portraits.read import landmarks_of, load_image, points_of
from pipeline.project.paths import Paths

SIMILARITY = "identity_similarity_"
"""Prefix of the columns of similarity, by role."""
RETENTION = "retention"
"""Metric of `means` that divides the sum of `fine_restored` by that of `fine_target`."""
Keep = Callable[[str, Sequence[Case], Tensor], None]
"""Takes method, cases and their embeddings (N, dim) by the independent encoder."""
Embeddings = dict[str, dict[Role, Tensor]]
"""Of intact portraits, by portrait and role, (dim,) each."""


@dataclass(frozen=True)
class Portrait:
    """An intact portrait: image (S, S, 3) uint8, landmarks (68, 2) and points (5, 2) in its pixels."""

    portrait_id: str
    identity: str
    image: Image
    landmarks: npt.NDArray[np.float32]
    points: npt.NDArray[np.float32]


def read_split(paths: Paths, rows: pd.DataFrame, split: str, count: int, seed: int) -> list[Portrait]:
    """Read at most `count` portraits of a split, drawn by seed, ordered by id: nobody twice before everybody once."""
    drawn = rows[rows["split"] == split].sort_values("portrait_id").sample(frac=1.0, random_state=seed)
    rounds = drawn.groupby("identity").cumcount()
    chosen = drawn.loc[rounds.sort_values(kind="stable").index].head(count).sort_values("portrait_id")
    return [portrait_of(paths, row) for _, row in chosen.iterrows()]


def portrait_of(paths: Paths, row: pd.Series) -> Portrait:
    """Read the portrait of a row of ingest's table."""
    name = str(row["portrait_id"])
    return Portrait(name, str(row["identity"]), load_image(paths, name), landmarks_of(row), points_of(row))


def portrait_rng(portrait: Portrait, seed: int) -> np.random.Generator:
    """Make a generator that depends on portrait and seed alone, not on which others are measured."""
    return np.random.default_rng([seed, zlib.crc32(portrait.portrait_id.encode())])


def case_of(portrait: Portrait, hole: Mask, chroma: Mask, kind: str, level: str) -> Case:
    """Damage a portrait; `level` goes where coverage buckets go."""
    measures = measure(Damage(hole=hole, chroma=chroma, kind=kind), portrait.landmarks)
    return Case(
        mask_id=f"{portrait.portrait_id}-{kind}-{level}",
        portrait_id=portrait.portrait_id,
        identity=portrait.identity,
        kind=kind,
        bucket=level,
        coverage=measures.coverage,
        missing_features=measures.missing_features,
        target=portrait.image,
        hole=hole,
        chroma=chroma,
        points=portrait.points,
    )


def embed_intact(portraits: Sequence[Portrait], judges: Judges, batch_size: int) -> Embeddings:
    """Embed the intact portraits."""
    whole = [
        case_of(p, np.zeros(p.image.shape[:2], bool), np.zeros(p.image.shape[:2], bool), "", "") for p in portraits
    ]
    embeddings: Embeddings = {}
    for batch in batches(whole, batch_size):
        embedded = judges.embed(target_batch(batch, judges.device), point_batch(batch, judges.device))
        embeddings |= {case.portrait_id: {role: embedded[role][i] for role in ROLES} for i, case in enumerate(batch)}
    return embeddings


def measure_cases(
    methods: Mapping[str, Method],
    cases: Sequence[Case],
    intact: Embeddings,
    judges: Judges,
    batch_size: int,
    keep: Keep | None = None,
    references: Mapping[str, Image] | None = None,
) -> pd.DataFrame:
    """Measure every case with every method, one row each.

    Columns: mask_id, portrait_id, identity, kind, bucket, coverage, missing_features, method; similarity by role;
    lpips, psnr (dB), pixel_mse; `colour_error` (CIEDE2000 over pixels without chroma); `chroma_error`, the same with
    the restored colour put on the true luma; `fine_restored` and `fine_target`, energy of fine detail in the hole. NaN
    where there is no figure.

    Args:
        methods: by name.
        cases: to restore.
        intact: embeddings of their portraits.
        judges: encoders and LPIPS.
        batch_size: pictures at a time.
        keep: called with the embeddings of each batch.
        references: another aligned photo of the same person by portrait, for those that have one.
    """
    frames = []
    for batch in batches(cases, batch_size):
        target = target_batch(batch, judges.device)
        damaged = _with_references(damaged_batch(batch, judges.device), batch, references or {})
        known = pd.DataFrame([{name: getattr(case, name) for name in _KNOWN} for case in batch])
        for name, method in methods.items():
            restored = method(damaged)
            embeddings = judges.embed(restored, point_batch(batch, judges.device))
            if keep is not None:
                keep(name, batch, embeddings["independent"])
            alike = {
                SIMILARITY + role: similarity(
                    embeddings[role], torch.stack([intact[c.portrait_id][role] for c in batch])
                ).numpy()
                for role in ROLES
            }
            frames.append(known.assign(method=name, **alike, **_picture_scores(restored, target, damaged, judges)))
    return pd.concat(frames, ignore_index=True)


def means(
    rows: pd.DataFrame, metrics: Iterable[str], resamples: int, seed: int, by: str = "bucket"
) -> dict[str, Buckets]:
    """Average by method, by value of a column and by metric, with intervals; rows without a figure are left out."""
    tables: dict[str, Buckets] = {}
    names = list(metrics)
    for (method, bucket), part in rows.groupby(["method", by], sort=True):
        figures = {metric: _mean(part, metric, resamples, seed) for metric in names}
        tables.setdefault(str(method), {})[str(bucket)] = figures
    return tables


def _with_references(damaged: Damaged, cases: Sequence[Case], references: Mapping[str, Image]) -> Damaged:
    """Add the available reference photos to the batch."""
    if not any(case.portrait_id in references for case in cases):
        return damaged
    photos = np.stack([references.get(case.portrait_id, np.zeros_like(case.target)) for case in cases])
    present = torch.tensor([float(case.portrait_id in references) for case in cases])
    return replace(damaged, reference=Reference(to_tensor(photos), present).to(damaged.image.device))


_KNOWN = ("mask_id", "portrait_id", "identity", "kind", "bucket", "coverage", "missing_features")


@torch.inference_mode()
def _picture_scores(restored: Tensor, target: Tensor, damaged: Damaged, judges: Judges) -> dict[str, npt.NDArray[Any]]:
    on_true_luma = restored - luma(restored) + luma(target)
    return {
        "lpips": judges.perceptual(restored, target).flatten().cpu().numpy(),
        "psnr": psnr(restored, target).clamp(max=MAX_PSNR).cpu().numpy(),
        "pixel_mse": pixel_mse(restored, target).cpu().numpy(),
        "colour_error": colour_error(restored, target, damaged.chroma_mask),
        "chroma_error": colour_error(on_true_luma.clamp(-1, 1), target, damaged.chroma_mask),
        "fine_restored": fine_detail(restored, damaged.hole_mask).cpu().numpy(),
        "fine_target": fine_detail(target, damaged.hole_mask).cpu().numpy(),
    }


def _mean(rows: pd.DataFrame, metric: str, resamples: int, seed: int) -> Figure:
    columns = ["fine_restored", "fine_target"] if metric == RETENTION else [metric]
    usable = rows[rows[columns].notna().all(axis=1)]
    if usable.empty:
        return Figure(value=None, low=None, high=None, n=0)
    bootstrap = Bootstrap(list(usable["identity"]), resamples, np.random.default_rng(seed))
    values = usable[columns].to_numpy(np.float64)
    intervals = bootstrap.ratios(values[:, :1], values[:, 1:]) if metric == RETENTION else bootstrap.means(values)
    return Figure.of(intervals[0])
