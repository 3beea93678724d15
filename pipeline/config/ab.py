"""Section for the A/B test between champion and challenger."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.config.base import Count, Positive, Section

Rate = Annotated[float, Field(gt=0.0, lt=0.5)]
Part = Annotated[float, Field(gt=0.0, le=1.0)]


class AlphaSplit(Section):
    """Which part of alpha each outcome gets; they sum to 1, so all intervals hold together."""

    identity: Part
    lpips: Part
    recognised: Part
    preferred: Part
    latency: Part

    @model_validator(mode="after")
    def _all_of_it(self) -> Self:
        total = sum(self.model_dump().values())
        if abs(total - 1.0) > 1e-9:
            raise ValueError(f"the parts of alpha must sum to 1, not {total:g}")
        return self


class Tolerance(Section):
    """By how much an outcome may be proven worse; beyond it the challenger has lost. `latency` is a factor less 1."""

    lpips: Positive
    recognised: Positive
    preferred: Positive
    latency: Positive


class AbParams(Section):
    """Split, sequential test and rule of decision."""

    enabled: bool
    share: float = Field(gt=0.0, lt=1.0)
    alpha: Rate
    alpha_split: AlphaSplit
    promote_on: Literal["win", "not-worse"]
    margin: Positive
    min_effect: float = Field(ge=0.0)
    guard_rail: Positive
    guard_alpha: Rate
    guard_min_subjects: int = Field(ge=4)
    tolerance: Tolerance
    min_subjects: int = Field(ge=4)
    tuned_for: Count
    max_requests: Count
    max_days: Positive
    covariates_from: Count
    sample_ratio_alpha: Rate
    sample_ratio_prior: Positive
    approval: bool
