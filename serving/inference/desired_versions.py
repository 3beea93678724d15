"""Read from the registry which versions to serve; remember the last ones, for when the registry is down."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.assets import Edition
from models.errors import LikenessError, ServiceUnavailable
from models.weight_files import weights_sha256
from monitoring.ab.experiment import challenger_under_test
from pipeline.config.load import Params
from pipeline.project.environment import environment
from pipeline.project.files import write_text
from pipeline.project.paths import Paths
from pipeline.registry.client import connect
from pipeline.registry.versions import SHIPPED, aliases_of, find_version, has_no_database
from pipeline.registry.weights import shipped_weights

if TYPE_CHECKING:
    from mlflow import MlflowClient


class DesiredVersions(BaseModel):
    """Versions by arm; `challenger` is None without an A/B test. `promoted`: when the champion was promoted."""

    model_config = ConfigDict(frozen=True)

    champion: str
    challenger: str | None
    promoted: datetime | None = None

    def __str__(self) -> str:
        return self.champion if self.challenger is None else f"{self.champion} with challenger {self.challenger}"


class Registry:
    """Polls the model registry; keeps its client, so that a poll costs one query, or two during an A/B test."""

    def __init__(self, params: Params, paths: Paths) -> None:
        self._name, self._enabled, self._paths = params.registry.model_name, params.ab.enabled, paths
        self._client: MlflowClient | None = None
        self._promoted: dict[str, datetime | None] = {SHIPPED: None}
        served = read_served(paths)
        self._used = served is not None and served.desired.champion != SHIPPED

    def desired_versions(self) -> DesiredVersions:
        """Read which versions to serve now.

        Raises:
            LikenessError: the registry does not answer, or contradicts itself.
        """
        if has_no_database(self._paths):
            if self._used:  # a volume that is not mounted must not bring back the shipped model
                raise ServiceUnavailable(f"MLflow's {self._paths.mlflow_database}", "no such file", "restore it")
            return DesiredVersions(champion=SHIPPED, challenger=None)
        try:
            self._client = self._client or connect(self._paths)
            return self._query(self._client)
        except LikenessError:
            self._client = None  # the next poll probes first, so that a dead server costs seconds and not minutes
            raise

    def _query(self, client: "MlflowClient") -> DesiredVersions:
        aliases = aliases_of(client, self._name)
        self._used = self._used or "champion" in aliases
        if self._used and not {"champion", "previous"} & aliases.keys():  # a rollback to `shipped` leaves `previous`
            remedy = "restore MLflow's database, or delete state/served.json to serve the shipped model"
            raise ServiceUnavailable(f"the aliases of {self._name} in MLflow", "none", remedy)
        champion = aliases.get("champion", SHIPPED)
        tested = challenger_under_test(client, self._name, aliases) if self._enabled else None
        if champion not in self._promoted:
            at = find_version(client, self._name, champion).tags.get("promoted_at")
            self._promoted[champion] = None if at is None else datetime.fromisoformat(at)
        challenger = None if tested is None else str(tested.version)
        return DesiredVersions(champion=champion, challenger=challenger, promoted=self._promoted[champion])


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


def cached_weights(paths: Paths, version: str, edition: Edition) -> Path | None:
    """Find the weights of a version that was served last in the cache, verified by the digest they had then."""
    served = read_served(paths)
    if served is None or version not in served.sha256:
        return None
    if version == SHIPPED:
        return shipped_weights(edition)
    digest = served.sha256[version]
    file = environment().cache / "weights" / f"{digest}.safetensors"
    return file if file.is_file() and weights_sha256(file) == digest else None
