"""Sections for training."""

from typing import Literal

from pydantic import Field

from pipeline.config.base import Count, Positive, Section, Seed, Share


class ChampionParams(Section):
    """The model that training starts from and evaluation compares with: `shipped`, or a registry version."""

    version: str = Field(pattern=r"^(shipped|[1-9][0-9]*)$")


class LossWeights(Section):
    """Weight of each term of the generator's objective; r1 belongs to the discriminator's."""

    pixel_known: float = Field(ge=0.0)
    pixel_missing: float = Field(ge=0.0)
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


class TrainParams(Section):
    """Everything that decides which weights come out."""

    kind: Literal["gan"]
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
    identity_jitter: float = Field(ge=0.0)
    evidence: EvidenceParams
    discriminator_augment: tuple[Literal["color", "translation", "cutout"], ...]
    generator: GeneratorParams
    discriminator: DiscriminatorParams
    patience: Count
    workers: int = Field(ge=0)
