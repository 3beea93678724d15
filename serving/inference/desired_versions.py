"""Read from the registry which versions to serve; remember the last ones, for when the registry is down."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from models.assets import Edition
from models.errors import LikenessError, ServiceUnavailable
from models.weight_files import weights_sha256
from monitoring.ab.experiment import challenger_under_test
from monitoring.champion import DesiredVersions, champion_served, read_served
from pipeline.config.load import Params
from pipeline.project.environment import environment
from pipeline.project.paths import Paths
from pipeline.registry.client import connect
from pipeline.registry.versions import SHIPPED, find_version, has_no_database, standing_of
from pipeline.registry.weights import shipped_weights

if TYPE_CHECKING:
    from mlflow import MlflowClient


class Registry:
    """Polls the model registry; keeps its client, so that a poll costs one query, or two during an A/B test."""

    def __init__(self, params: Params, paths: Paths) -> None:
        self._name, self._enabled, self._paths = params.registry.model_name, params.ab.enabled, paths
        self._client: MlflowClient | None = None
        self._promoted: dict[str, datetime | None] = {SHIPPED: None}
        self._served = champion_served(paths)

    def desired_versions(self) -> DesiredVersions:
        """Read which versions to serve now.

        Raises:
            PromotionError: the champion was deleted in MLflow.
            LikenessError: the registry does not answer, or contradicts itself.
        """
        if has_no_database(self._paths):
            if self._served not in {None, SHIPPED}:  # a volume that is not mounted must not bring back `shipped`
                raise ServiceUnavailable(f"MLflow's {self._paths.mlflow_database}", "no such file", "restore it")
            return DesiredVersions(champion=SHIPPED, challenger=None)
        try:
            self._client = self._client or connect(self._paths)
            return self._query(self._client)
        except LikenessError:
            self._client = None  # the next poll probes first, so that a dead server costs seconds and not minutes
            raise

    def _query(self, client: "MlflowClient") -> DesiredVersions:
        standing = standing_of(client, self._name)
        champion = self._served = standing.champion(self._served).require(self._name)
        tested = challenger_under_test(client, self._name, standing.aliases) if self._enabled else None
        if champion not in self._promoted:
            at = find_version(client, self._name, champion).tags.get("promoted_at")
            self._promoted[champion] = None if at is None else datetime.fromisoformat(at)
        challenger = None if tested is None else str(tested.version)
        return DesiredVersions(champion=champion, challenger=challenger, promoted=self._promoted[champion])


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
