"""The curvature study: second derivatives of the objective at the weights, and the gap to held-out portraits."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import pandas as pd
import torch
from torch import Tensor, nn

from models.identity.encoders import IdentityEncoder
from models.kinds import KINDS
from models.metrics.curvature import curvature
from models.metrics.lpips import perceptual_distance
from models.objective import Batch, Judges
from models.restorer_file import read_face_model
from pipeline.ablation.results import CurvatureReport
from pipeline.config.ablation import AblateParams, CurvatureParams
from pipeline.config.masks import MaskParams
from pipeline.config.training import TrainParams
from pipeline.project.paths import Paths
from pipeline.training.dataset import DamagedPortraits, batches
from pipeline.training.face_models import FaceModels

Objective = Callable[[nn.Module, Batch, Judges, Mapping[str, float]], Tensor]


def curvature_report(
    network: nn.Module,
    objective: Objective,
    training: list[Batch],
    held_out: list[Batch],
    judges: Judges,
    weights: Mapping[str, float],
    params: CurvatureParams,
    seed: int,
) -> CurvatureReport:
    """Measure the curvature on the first training batch, and the mean objective over both sets.

    Args:
        network: with the chosen weights; they are not changed.
        objective: the part of the loss that has a fixed value, see `models.kinds.Kind`.
        training: batches of portraits that it learnt from, the curvature is that on the first.
        held_out: as many batches of others.
        judges: what the losses look through.
        weights: factors of the terms.
        params: products of the estimates.
        seed: of their vectors.
    """
    with _differentiable(network) as parameters:
        estimate = curvature(
            lambda: objective(network, training[0], judges, weights),
            parameters,
            torch.Generator().manual_seed(seed),
            params.steps,
            params.samples,
        )
    training_part, held_out_part = (
        mean_objective(network, objective, batches, judges, weights) for batches in (training, held_out)
    )
    return CurvatureReport(
        **vars(estimate), training_loss=training_part, validation_loss=held_out_part, gap=held_out_part - training_part
    )


@torch.inference_mode()
def mean_objective(
    network: nn.Module, objective: Objective, batches: list[Batch], judges: Judges, weights: Mapping[str, float]
) -> float:
    """Average the objective over the batches."""
    return float(torch.stack([objective(network, batch, judges, weights) for batch in batches]).mean())


@contextmanager
def _differentiable(network: nn.Module) -> Iterator[list[Tensor]]:
    """Switch gradients of the parameters on for the block."""
    parameters = list(network.parameters())
    before = [parameter.requires_grad for parameter in parameters]
    network.requires_grad_(True)
    try:
        yield list[Tensor](parameters)
    finally:
        for parameter, flag in zip(parameters, before, strict=True):
            parameter.requires_grad_(flag)


def curvature_of(
    network: nn.Module,
    objective: Objective,
    encoder: IdentityEncoder,
    rows: pd.DataFrame,
    train: TrainParams,
    masks: MaskParams,
    paths: Paths,
    params: AblateParams,
) -> CurvatureReport:
    """Compute `curvature_report` on training portraits against those of `params.split`, each damaged by seed."""
    judges = Judges(perceptual_distance("alex"), encoder)
    training_part, held_out_part = (
        _batches(rows, name, train, masks, paths, params) for name in ("train", params.split)
    )
    weights = KINDS[train.kind].weights(train)
    return curvature_report(
        network, objective, training_part, held_out_part, judges, weights, params.curvature, params.seed
    )


def _batches(
    rows: pd.DataFrame, split: str, train: TrainParams, masks: MaskParams, paths: Paths, params: AblateParams
) -> list[Batch]:
    chosen = rows[rows["split"] == split].sort_values("portrait_id").drop_duplicates("identity").reset_index(drop=True)
    count = min(len(chosen), params.curvature.gap_portraits)
    models = FaceModels.of_stored(read_face_model(paths.champion_weights))
    samples = DamagedPortraits(paths, chosen, masks, train.evidence, models, params.seed, 0, count, flip=False)
    return list(batches(samples, params.curvature.portraits, 0))
