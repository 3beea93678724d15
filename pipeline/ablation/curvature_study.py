"""The curvature study: how the generator's objective bends at the weights, beside the gap to held-out portraits."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pandas as pd
import torch
from torch import Tensor

from models.evidence.evidence import compose
from models.identity.encoders import training_encoder
from models.metrics.curvature import curvature
from models.metrics.lpips import perceptual_distance
from models.objective import Judges, Weights, reconstruction, total
from pipeline.ablation.results import CurvatureReport
from pipeline.config.ablation import AblateParams, CurvatureParams
from pipeline.config.masks import MaskParams
from pipeline.config.training import TrainParams
from pipeline.project.paths import Paths
from pipeline.training.dataset import DamagedPortraits, batches
from pipeline.training.face_model_folds import face_models

if TYPE_CHECKING:
    from models.gan.generator import Generator
    from models.gan.restorer import Restorer
    from pipeline.training.dataset import Batch


def curvature_report(
    generator: "Generator",
    training: "list[Batch]",
    held_out: "list[Batch]",
    judges: Judges,
    weights: Weights,
    params: CurvatureParams,
    seed: int,
) -> CurvatureReport:
    """Curvature of the objective without its adversarial part, which has no fixed value, on the first training batch.

    Args:
        generator: with the chosen weights; they are not changed.
        training: batches of portraits that it learnt from, the first is bent.
        held_out: as many batches of others.
        judges: what the losses look through.
        weights: factors of the terms.
        params: products of the estimates.
        seed: of their vectors.
    """
    with _differentiable(generator) as parameters:
        bent = curvature(
            lambda: objective(generator, training[0], judges, weights),
            parameters,
            torch.Generator().manual_seed(seed),
            params.steps,
            params.samples,
        )
    learnt, new = (mean_objective(generator, batches, judges, weights) for batches in (training, held_out))
    return CurvatureReport(**vars(bent), training_loss=learnt, validation_loss=new, gap=new - learnt)


def objective(generator: "Generator", batch: "Batch", judges: Judges, weights: Weights) -> Tensor:
    """Weighted sum of the terms that compare a batch with its truth, a scalar."""
    evidence, truth = batch
    proposal = generator(evidence)
    restored = compose(evidence.damaged, proposal)
    return total(reconstruction(proposal, restored, truth, evidence.damaged.chroma_mask, judges), weights)


@torch.inference_mode()
def mean_objective(generator: "Generator", batches: "list[Batch]", judges: Judges, weights: Weights) -> float:
    """Mean over the batches."""
    return float(torch.stack([objective(generator, batch, judges, weights) for batch in batches]).mean())


@contextmanager
def _differentiable(generator: "Generator") -> Iterator[list[Tensor]]:
    """The parameters with gradients switched on, and as they were afterwards."""
    parameters = list(generator.parameters())
    before = [parameter.requires_grad for parameter in parameters]
    generator.requires_grad_(True)
    try:
        yield list[Tensor](parameters)
    finally:
        for parameter, flag in zip(parameters, before, strict=True):
            parameter.requires_grad_(flag)


def curvature_of(
    restorer: "Restorer",
    rows: pd.DataFrame,
    train: TrainParams,
    masks: MaskParams,
    paths: Paths,
    params: AblateParams,
) -> CurvatureReport:
    """`curvature_report` on portraits of the training split against those of `params.split`, each damaged by seed."""
    judges = Judges(perceptual_distance("alex"), training_encoder())
    learnt, new = (_batches(rows, name, train, masks, paths, params) for name in ("train", params.split))
    weights = Weights(**train.losses.model_dump())
    return curvature_report(restorer.generator, learnt, new, judges, weights, params.curvature, params.seed)


def _batches(
    rows: pd.DataFrame, split: str, train: TrainParams, masks: MaskParams, paths: Paths, params: AblateParams
) -> "list[Batch]":
    chosen = rows[rows["split"] == split].sort_values("portrait_id").drop_duplicates("identity").reset_index(drop=True)
    count = min(len(chosen), params.curvature.gap_portraits)
    models = face_models(paths, chosen, 0, params.seed)
    samples = DamagedPortraits(paths, chosen, masks, train.evidence, models, params.seed, 0, count, flip=False)
    return list(batches(samples, params.curvature.portraits, 0))
