"""Section for the studies of `likeness ablate`."""

from typing import Literal, Self

from pydantic import Field, model_validator

from pipeline.config.base import Count, Positive, Section, Seed, Share

Levels = tuple[Share, ...]


class OnsetParams(Section):
    """Identity against missing features."""

    levels: Levels = Field(min_length=5)
    genuine_percentile: float = Field(ge=0.0, le=100.0)
    max_views: Count


class IdFidParams(Section):
    """The extrapolated distance of identities."""

    components: Count
    repeats: Count


class CurvatureParams(Section):
    """The bend of the loss at the weights."""

    portraits: Count
    steps: Count
    samples: Count
    gap_portraits: Count


class VariantParams(Section):
    """Small networks that are trained with and without one thing each."""

    names: tuple[Literal["conditioning", "perceptual", "identity", "reference"], ...]
    seeds: tuple[Seed, ...] = Field(min_length=1)
    portraits: Count
    image_size: int = Field(ge=32, multiple_of=16)
    width: int = Field(ge=8, multiple_of=8)
    depth: int = Field(ge=2, le=5)
    steps: Count
    batch_size: Count
    learning_rate: Positive
    ema_decay: Share


class AblateParams(Section):
    """What is measured, on which portraits, how often."""

    split: Literal["train", "validation", "test"]
    portraits: Count
    seed: Seed
    bootstrap: Count
    batch_size: Count
    false_match_rate: Share
    coverage: Levels = Field(min_length=2)
    onset: OnsetParams
    id_fid: IdFidParams
    curvature: CurvatureParams
    variants: VariantParams

    @model_validator(mode="after")
    def _rising(self) -> Self:
        for name, levels in (("coverage", self.coverage), ("onset.levels", self.onset.levels)):
            if list(levels) != sorted(set(levels)) or levels[0] <= 0:
                raise ValueError(f"ablate.{name} must rise from above 0")
        return self
