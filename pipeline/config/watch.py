"""Section for the watch, which decides when to retrain."""

from typing import Literal, Self

from pydantic import Field, model_validator

from pipeline.config.base import Count, Positive, Section, Seed, Share

AlarmGroup = Literal["inputs", "masks", "outputs", "identity", "detector", "missing", "recognition", "age"]
"""What the watch can be alarmed about."""


class EffectFloors(Section):
    """Effect size, by its method, below which a significant difference is too small to matter."""

    wasserstein: Share
    jensenshannon: Share
    frechet: Share
    missing: Share


class RecognitionParams(Section):
    """How recognition accuracy is judged: over blocks of so many days, with what error."""

    days: Positive
    error: float = Field(gt=0.0, lt=1.0)


class ReferenceParams(Section):
    """The unshifted traffic that production is compared with."""

    requests: Count
    seed: Seed


class IdentitySpaceParams(Section):
    """How identity embeddings are added up: on how many fixed directions, of how many faces at least."""

    dimensions: int = Field(ge=1, le=64)
    seed: Seed
    min_faces: int = Field(ge=10)
    resamples: Count


class WatchParams(Section):
    """What makes the watch start a cycle."""

    min_requests: Count
    min_values: Count
    reference: ReferenceParams
    alpha: float = Field(gt=0.0, lt=1.0)
    min_effect: EffectFloors
    few_values: Count
    identity: IdentitySpaceParams
    starts_cycle: tuple[AlarmGroup, ...]
    recognition: RecognitionParams
    min_recognition_accuracy: Share
    max_champion_weeks: Positive
    traffic_weight: Share

    @model_validator(mode="after")
    def _identity_can_be_significant(self) -> Self:
        """Check that the bootstrap's smallest p-value, times the number of columns, can reach alpha."""
        if self.identity.resamples * self.alpha < 25:
            raise ValueError("identity.resamples must be at least 25 / alpha")
        return self
