"""The model that serves now."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline.config.load import Params
from pipeline.project.paths import Paths


@dataclass(frozen=True)
class Champion:
    """Version, verified weights file, and weeks since its promotion (None for the shipped model)."""

    version: str
    weights: Path
    weeks: float | None


def current_champion(params: Params, paths: Paths, *, now: datetime) -> Champion:
    """Read the champion from the registry.

    Raises:
        WeightsError: the champion's weights are missing or changed.
        ServiceUnavailable: MLflow does not answer.
    """
    from pipeline.registry.versions import champion_age
    from pipeline.registry.weights import resolve_weights

    name = params.registry.model_name
    weights, version = resolve_weights(paths, name, params.identity.edition, "champion")
    return Champion(version, weights, champion_age(paths, name, now))
