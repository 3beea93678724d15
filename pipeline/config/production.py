"""Sections for the registry, restoring, simulated traffic and the watch."""

from typing import Literal, Self

from pydantic import Field, model_validator

from pipeline.config.base import Count, Positive, Section, Seed, Share
from pipeline.config.masks import Kind


class RegistryParams(Section):
    """Name of the registered model."""

    model_name: str = Field(pattern=r"^[a-z0-9-]+$")


class RiskWeights(Section):
    """How much a pixel of each region says about who somebody is; the largest is 1."""

    eye: Share
    brow: Share
    nose: Share
    mouth: Share
    skin: Share
    background: Share


class ReferenceUse(Section):
    """When a photo of the same person is believed, and how far."""

    min_similarity: float = Field(ge=-1.0, le=1.0)
    max_missing_features: Share
    witness: Share


class FinderParams(Section):
    """Which damage that was found is used, and which is only proposed."""

    threshold: Share
    sure: Share
    sure_patch: Share
    certain: Share
    doubtful: Share
    large: Share
    face_share: Share

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.doubtful <= self.sure <= min(self.sure_patch, self.certain):
            raise ValueError("restore.finder: doubtful <= sure, and sure <= sure_patch and certain")
        return self


class RestoreParams(Section):
    """Where the router stops, when a reference photo counts, and what the damage finder must be sure of."""

    max_area: Share
    max_inpaint_area: Share
    doubtful_identity_risk: Share
    max_identity_risk: Share
    risk_weights: RiskWeights
    reference: ReferenceUse
    min_detector_score: Share
    min_certain_score: Share
    context: Share
    finder: FinderParams


Shift = Literal["none", "darker", "larger-masks", "other-kinds", "more-profile", "broken-detector", "other-people"]
"""How simulated traffic differs from what the champion was measured on."""


AlarmGroup = Literal["inputs", "masks", "outputs", "identity", "detector", "recognition", "age"]
"""What the watch can be alarmed about."""


class ShiftParams(Section):
    """How strong each shift is."""

    darker_gamma: float = Field(ge=1.0)
    larger_masks_from: Share
    other_kinds: tuple[Kind, ...] = Field(min_length=1)
    extreme_of: Count
    detector_misses: Share
    detector_score_factor: Share


class SimulateParams(Section):
    """Simulated production traffic."""

    requests: Count
    shift: Shift
    seed: Seed
    known_originals: Share
    fresh_people: bool
    shifts: ShiftParams


class EffectFloors(Section):
    """Effect size, by its method, below which a significant difference is too small to matter."""

    wasserstein: Share
    jensenshannon: Share
    frechet: Share


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
        """The smallest p-value of the bootstrap, times the number of columns, must be able to reach alpha."""
        if self.identity.resamples * self.alpha < 25:
            raise ValueError("identity.resamples must be at least 25 / alpha")
        return self
