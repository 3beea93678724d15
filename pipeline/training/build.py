"""Build the module that the parameters ask for."""

import torch

from models.completion.restorer import KIND as COMPLETION
from models.ema import AveragedModule
from models.identity.encoders import IdentityEncoder
from models.kinds import KINDS
from models.metrics.lpips import perceptual_distance
from models.objective import Judges
from models.restorer_file import stored_kind
from models.weight_files import read_architecture
from pipeline.config.training import TrainParams
from pipeline.project.paths import Paths


def build_module(train: TrainParams, encoder: IdentityEncoder, paths: Paths) -> AveragedModule:
    """Build networks and judges, warm-started if the parameters say so and the champion has a network.

    Args:
        train: the section.
        encoder: of the identity term, from `models.identity.encoders.training_encoder`.
        paths: of the checkout.

    Raises:
        WeightsError: the champion's weights are missing, or of another kind or architecture.
    """
    torch.manual_seed(train.seed)  # PyTorch initialises layers from its global generator only
    judges = Judges(perceptual_distance("alex"), encoder)
    start = paths.champion_weights if train.warm_start == "champion" else None
    if start is not None and stored_kind(read_architecture(start)) == COMPLETION:
        start = None  # a network that is not trained yet restores as its face model does
    return KINDS[train.kind].build(train, judges, start)
