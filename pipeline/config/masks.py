"""Sections for the damage that is synthesised."""

from typing import Literal, Self

from pydantic import Field, model_validator

from pipeline.config.base import Count, Section, Seed

Kind = Literal[
    "brush",
    "scratch",
    "tear",
    "corner",
    "stain",
    "fold",
    "box",
    "occluder",
    "crack",
    "speck",
    "fade",
    "greyscale",
]
Weight = float


class EvaluationMaskParams(Section):
    """The frozen masks of the evaluation."""

    per_portrait: Count
    seed: Seed


class TrainingMaskParams(Section):
    """How the masks drawn during training differ from the even mix."""

    kind_weights: dict[Kind, Weight]
    bucket_weights: tuple[Weight, ...]


class MaskParams(Section):
    """Kinds of damage and the coverage buckets in which they are drawn."""

    kinds: dict[Kind, Weight]
    buckets: tuple[float, ...] = Field(min_length=2)
    evaluation: EvaluationMaskParams
    training: TrainingMaskParams

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if list(self.buckets) != sorted(set(self.buckets)) or self.buckets[0] < 0 or self.buckets[-1] > 1:
            raise ValueError("masks.buckets must rise within [0, 1]")
        if len(self.training.bucket_weights) != len(self.buckets) - 1:
            raise ValueError("masks.training.bucket_weights needs one weight per bucket")
        weights = [*self.kinds.values(), *self.training.kind_weights.values(), *self.training.bucket_weights]
        if min(weights) < 0 or sum(self.kinds.values()) <= 0 or sum(self.training.bucket_weights) <= 0:
            raise ValueError("weights must be >= 0 and not all zero")
        return self
