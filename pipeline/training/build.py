"""Build the module that the parameters ask for; `train.kind` alone decides which."""

import torch

from models.ema import AveragedModule
from models.identity.encoders import training_encoder
from models.metrics.lpips import perceptual_distance
from models.objective import Judges, Weights
from pipeline.config.training import TrainParams
from pipeline.project.paths import Paths


def build_module(train: TrainParams, paths: Paths) -> AveragedModule:
    """Networks and judges, warm-started if the parameters say so.

    Raises:
        WeightsError: the champion's weights are missing, or of another kind or architecture.
    """
    torch.manual_seed(train.seed)  # PyTorch initialises layers from its global generator only
    judges = Judges(perceptual_distance("alex"), training_encoder())
    return _gan(train, paths, judges) if train.kind == "gan" else _diffusion(train, paths, judges)


def _gan(train: TrainParams, paths: Paths, judges: Judges) -> AveragedModule:
    from models.gan.discriminator import Discriminator
    from models.gan.generator import Generator
    from models.gan.module import GanModule, GanSettings
    from models.gan.restorer import Restorer

    generator = Generator(**train.generator.model_dump())
    if train.warm_start == "champion":
        generator = Restorer.load(paths.champion_weights).generator.train()
    settings = GanSettings(
        weights=Weights(**train.losses.model_dump()),
        learning_rate=train.learning_rate,
        decay_steps=_decay_steps(train),
        discriminator_learning_rate=train.discriminator_learning_rate,
        betas=train.betas,
        ema_decay=train.ema_decay,
        r1_every=train.r1_every,
        overfit_limit=train.overfit_limit,
        identity_jitter=train.identity_jitter,
        policy=train.discriminator_augment,
        seed=train.seed,
    )
    return GanModule(generator, Discriminator(train.discriminator.width), judges, settings)


def _diffusion(train: TrainParams, paths: Paths, judges: Judges) -> AveragedModule:
    from models.diffusion.denoiser import Denoiser, DiffusionShape
    from models.diffusion.module import DiffusionModule, DiffusionSettings
    from models.diffusion.residual import Spread
    from models.diffusion.restorer import DiffusionRestorer, Sampling

    own = train.diffusion
    shape = DiffusionShape(own.channels, own.fold, own.prediction, Spread(**own.spread.model_dump()))
    denoiser = Denoiser(shape)
    if train.warm_start == "champion":
        denoiser = DiffusionRestorer.load(paths.champion_weights).denoiser.train()
    settings = DiffusionSettings(
        lpips=own.lpips,
        identity=own.identity,
        gamma=own.gamma,
        levels=own.levels,
        learning_rate=train.learning_rate,
        decay_steps=_decay_steps(train),
        weight_decay=own.weight_decay,
        betas=train.betas,
        ema_decay=train.ema_decay,
        seed=train.seed,
        sampling=Sampling(own.steps, own.samples),
    )
    return DiffusionModule(denoiser.to(memory_format=torch.channels_last), judges, settings)  # type: ignore[call-overload] # not in stubs


def _decay_steps(train: TrainParams) -> int:
    return train.epochs * train.steps_per_epoch if train.schedule == "cosine" else 0
