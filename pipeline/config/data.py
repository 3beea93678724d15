"""Sections for where portraits come from, how they are read, and what is required of them."""

import re
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from pipeline.config.base import Count, Positive, Section, Seed, Share

SourceName = Literal["sampler", "folder", "celeba-hq", "ffhq", "lfw", "s3"]
Check = Literal["schema", "unique", "split_leak", "ranges", "count", "quarantine", "balance", "quality"]


EVERYBODY = (-10.0, 10.0)
"""A range that leaves out no person of the sampler."""


class SamplerParams(Section):
    """The built-in generator of portraits."""

    identities: Count
    views: Count
    seed: Seed
    population: tuple[float, float]

    @field_validator("population")
    @classmethod
    def _is_a_range(cls, population: tuple[float, float]) -> tuple[float, float]:
        if min(population[1], 1.5) - max(population[0], -1.5) < 0.1:
            raise ValueError("must be two numbers, the lower one first, with enough people of -1.5 to 1.5 between them")
        return population


class SplitParams(Section):
    """Shares of identities per split; they add up to one."""

    train: Share
    validation: Share
    test: Share
    seed: Seed

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if abs(self.train + self.validation + self.test - 1.0) > 1e-6:
            raise ValueError("train + validation + test must be 1")
        return self


class DataParams(Section):
    """Which source, and how its identities are distinguished and split."""

    source: SourceName
    location: str
    identity_pattern: str
    attributes: str
    limit: int = Field(ge=0)
    intake: str
    sampler: SamplerParams
    split: SplitParams

    @field_validator("identity_pattern")
    @classmethod
    def _has_a_group(cls, pattern: str) -> str:
        try:
            groups = re.compile(pattern).groups
        except re.error as error:
            raise ValueError(f"must be a regular expression ({error})") from error
        if pattern and groups < 1:
            raise ValueError("must have a group around the identity, as in ^([0-9]+)_")
        return pattern

    @model_validator(mode="after")
    def _has_a_place(self) -> Self:
        if self.source != "sampler" and not self.location:
            raise ValueError(f"data.location must name a folder or prefix when data.source is {self.source}")
        return self


class IngestParams(Section):
    """Limits of the reading step and the size of an aligned portrait."""

    image_size: int = Field(ge=64, le=1024, multiple_of=16)
    min_detector_score: Share
    max_megapixels: Positive
    max_mebibytes: Positive
    min_side: Count
    max_aspect: float = Field(ge=1.0)
    max_not_as_stored: Share


class ValidateParams(Section):
    """What Great Expectations requires, and which failures block."""

    min_portraits: Count
    max_quarantined_share: Share
    mostly: Share
    min_side: Count
    min_detector_score: Share
    min_landmarks_inside: Share
    brightness: tuple[float, float]
    min_sharpness: float = Field(ge=0.0)
    min_contrast: float = Field(ge=0.0)
    max_abs_yaw: float = Field(ge=0.0, le=180.0)
    max_bin_share: Share
    max_tone_gap: Share
    blocking: tuple[Check, ...]


class KeepParams(Section):
    """Where pictures lie that people let the service keep, and for how long."""

    days: Count
    location: str
