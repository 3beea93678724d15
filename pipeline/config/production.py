"""Sections for the registry, restoring, simulated traffic and the watch."""

from typing import Literal

from pydantic import Field

from pipeline.config.base import Count, Positive, Section, Seed, Share
from pipeline.config.damage import Kind


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
    finder_window: Positive
    finder_threshold: Share
    finder_certain: Share
    finder_margin: int = Field(ge=0, le=16)
    finder_min_area: Share
    finder_min_confidence: Share


Shift = Literal["none", "darker", "larger-masks", "other-kinds"]
"""How simulated traffic differs from what the champion was measured on."""


class ShiftParams(Section):
    """How strong each shift is."""

    darker_gamma: float = Field(ge=1.0)
    larger_masks_from: Share
    other_kinds: tuple[Kind, ...] = Field(min_length=1)


class SimulateParams(Section):
    """Simulated production traffic."""

    requests: Count
    shift: Shift
    seed: Seed
    known_originals: Share
    shifts: ShiftParams


class ColumnMethods(Section):
    """Evidently's drift method by type of column."""

    numerical: str
    categorical: str


class ColumnThresholds(Section):
    """Drift score above which a column counts as drifted."""

    numerical: Positive
    categorical: Positive


class ReferenceParams(Section):
    """The unshifted traffic that production is compared with."""

    requests: Count
    seed: Seed


class WatchParams(Section):
    """What makes the watch start a cycle."""

    min_requests: Count
    min_values: Count
    reference: ReferenceParams
    drift_share: Share
    column_method: ColumnMethods
    column_threshold: ColumnThresholds
    mask_columns: tuple[str, ...] = Field(min_length=1)
    mask_share: Share
    min_recognition_accuracy: Share
    max_champion_weeks: Positive
    traffic_weight: Share
