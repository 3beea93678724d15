"""The model that serves now: by the registry, and by what a service of this checkout served last."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.config.load import Params
from pipeline.project.files import write_text
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


class DesiredVersions(BaseModel):
    """Versions by arm; `challenger` is None without an A/B test. `promoted`: when the champion was promoted."""

    model_config = ConfigDict(frozen=True)

    champion: str
    challenger: str | None
    promoted: datetime | None = None

    def __str__(self) -> str:
        return self.champion if self.challenger is None else f"{self.champion} with challenger {self.challenger}"


class ServedVersions(BaseModel):
    """The versions that were served last, with the digest of each version's weights."""

    model_config = ConfigDict(frozen=True, validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    desired: DesiredVersions = Field(alias="standing")
    sha256: dict[str, str]


def write_served(paths: Paths, served: ServedVersions) -> None:
    """Write the served versions to the state folder."""
    write_text(paths.served, served.model_dump_json(indent=2))


def read_served(paths: Paths) -> ServedVersions | None:
    """Read what `write_served` wrote; None if nothing was served yet or the file is damaged."""
    try:
        return ServedVersions.model_validate_json(paths.served.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def champion_served(paths: Paths) -> str | None:
    """Read which champion was served last; None if none was served yet."""
    served = read_served(paths)
    return None if served is None else served.desired.champion
