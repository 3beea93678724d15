"""Sections for the registry, restoring, simulated traffic and the watch."""

from typing import Literal

from pydantic import Field

from pipeline.config.base import Count, Positive, Section, Seed, Share


class RegistryParams(Section):
    """Name of the registered model."""

    model_name: str = Field(pattern=r"^[a-z0-9-]+$")


class RestoreParams(Section):
    """Where the router stops."""

    max_area: Share
    max_missing_features: Share
    min_detector_score: Share
    context: Share


class SimulateParams(Section):
    """Simulated production traffic."""

    requests: Count
    shift: Literal["none", "darker", "larger-masks", "other-kinds"]
    seed: Seed


class ColumnMethods(Section):
    """Evidently's drift method by type of column."""

    numerical: str
    categorical: str


class ColumnThresholds(Section):
    """Drift score above which a column counts as drifted."""

    numerical: Positive
    categorical: Positive


class WatchParams(Section):
    """What makes the watch start a cycle."""

    min_requests: Count
    min_values: Count
    drift_share: Share
    column_method: ColumnMethods
    column_threshold: ColumnThresholds
    mask_columns: tuple[str, ...] = Field(min_length=1)
    mask_share: Share
    min_recognition_accuracy: Share
    max_champion_weeks: Positive
    traffic_weight: Share
