"""Sections for training."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.config.base import Count, Positive, Section, Seed, Share


class ChampionParams(Section):
    """The model that training starts from and evaluation compares with: `shipped`, or a registry version."""

    version: str = Field(pattern=r"^(shipped|[1-9][0-9]*)$")


class LossWeights(Section):
    """Weight of each term of the generator's objective; r1 belongs to the discriminator's."""

    pixel_known: float = Field(ge=0.0)
    pixel_missing: float = Field(ge=0.0)
    colour: float = Field(ge=0.0)
    lpips: float = Field(ge=0.0)
    frequency: float = Field(ge=0.0)
    identity: float = Field(ge=0.0)
    adversarial: float = Field(ge=0.0)
    feature_matching: float = Field(ge=0.0)
    r1: float = Field(ge=0.0)


class GeneratorParams(Section):
    """Size of the generator."""

    width: int = Field(ge=8, multiple_of=8)
    depth: int = Field(ge=2, le=6)
    conditioned: bool


class DiscriminatorParams(Section):
    """Size of the discriminator."""

    width: Count


class EvidenceParams(Section):
    """What the generator gets to see in training beside the damaged portrait."""

    face_model_folds: int = Field(ge=0, le=10)
    reference: Share
    self_reference: Share
    hint_dropout: Share


class SpreadParams(Section):
    """How far the evidence's start is usually off; see `models.diffusion.residual.Spread`."""

    rim: Positive
    growth: float = Field(ge=0.0)
    colour: Positive
    cutoff: Positive
    correlation: float = Field(ge=0.0, lt=1.0)


class DiffusionParams(Section):
    """The denoiser, what it minimises, and how pictures are drawn from it."""

    channels: tuple[Annotated[int, Field(ge=8, multiple_of=8)], ...] = Field(min_length=2, max_length=5)
    fold: Literal[1, 2, 4, 8]
    prediction: Literal["v_prediction", "sample"]
    spread: SpreadParams
    levels: Literal[4, 5, 8, 10, 20, 40, 50, 100, 1000]
    steps: Literal[1, 2, 4, 5, 8, 10, 20]
    samples: int = Field(ge=1, le=64)
    echoes: Count
    gamma: float = Field(ge=1.0)
    lpips: float = Field(ge=0.0)
    identity: float = Field(ge=0.0)
    weight_decay: float = Field(ge=0.0)

    @model_validator(mode="after")
    def _steps_are_trained(self) -> Self:
        if self.levels % self.steps:
            raise ValueError(f"steps ({self.steps}) must divide levels ({self.levels}): others are never trained")
        return self


class HardwareParams(Section):
    """What training runs on; the accelerator is found. `batch_size` is that of each device."""

    devices: Count
    strategy: Literal["auto", "ddp", "ddp_find_unused_parameters_true"]
    precision: Literal["32-true", "bf16-mixed"]


class TrainParams(Section):
    """Everything that decides which weights come out."""

    kind: Literal["gan", "diffusion"]
    warm_start: Literal["champion", "none"]
    epochs: Count
    steps_per_epoch: Count
    batch_size: Count
    seed: Seed
    learning_rate: Positive
    schedule: Literal["constant", "cosine"]
    discriminator_learning_rate: Positive
    betas: tuple[Share, Share]
    ema_decay: Share
    losses: LossWeights
    r1_every: Count
    overfit_limit: float = Field(ge=0.0, lt=1.0)
    identity_jitter: float = Field(ge=0.0)
    evidence: EvidenceParams
    discriminator_augment: tuple[Literal["color", "translation", "cutout"], ...]
    generator: GeneratorParams
    discriminator: DiscriminatorParams
    diffusion: DiffusionParams
    hardware: HardwareParams
    patience: Count
    workers: int = Field(ge=0)

    @model_validator(mode="after")
    def _echoes_fill_an_epoch(self) -> Self:
        if self.kind == "diffusion" and self.steps_per_epoch % self.diffusion.echoes:
            raise ValueError(f"steps_per_epoch ({self.steps_per_epoch}) must be a multiple of diffusion.echoes")
        return self
