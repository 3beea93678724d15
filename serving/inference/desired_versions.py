"""What the registry wants to be served, asked often and cheaply; and what it wanted last, for when it is down."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from models.errors import LikenessError, ServiceUnavailable
from models.weight_files import weights_sha256
from monitoring.ab.experiment import under_test
from pipeline.config.load import Params
from pipeline.project.environment import environment
from pipeline.project.files import write_text
from pipeline.project.paths import Paths
from pipeline.registry.client import connect
from pipeline.registry.versions import SHIPPED, aliases_of, find_version, untouched
from pipeline.registry.weights import shipped_weights

if TYPE_CHECKING:
    from mlflow import MlflowClient


class Standing(BaseModel):
    """Versions by arm; `challenger` is None while no A/B test is on. `promoted`: when the champion became that."""

    model_config = ConfigDict(frozen=True)

    champion: str
    challenger: str | None
    promoted: datetime | None = None

    def __str__(self) -> str:
        return self.champion if self.challenger is None else f"{self.champion} with challenger {self.challenger}"


class Registry:
    """Asks the registry; keeps its client, so that a question costs one query, or two while a test is on."""

    def __init__(self, params: Params, paths: Paths) -> None:
        self._name, self._enabled, self._paths = params.registry.model_name, params.ab.enabled, paths
        self._client: MlflowClient | None = None
        self._promoted: dict[str, datetime | None] = {SHIPPED: None}
        served = remembered(paths)
        self._used = served is not None and served.standing.champion != SHIPPED

    def standing(self) -> Standing:
        """What shall be served now.

        Raises:
            LikenessError: the registry does not answer, or contradicts itself.
        """
        if untouched(self._paths):
            if self._used:  # a volume that is not mounted must not bring back the model of long ago
                raise ServiceUnavailable(f"MLflow's {self._paths.mlflow_database}", "no such file", "restore it")
            return Standing(champion=SHIPPED, challenger=None)
        try:
            self._client = self._client or connect(self._paths)
            return self._ask(self._client)
        except LikenessError:
            self._client = None  # the next question probes first, so that a dead server costs seconds and not minutes
            raise

    def _ask(self, client: "MlflowClient") -> Standing:
        aliases = aliases_of(client, self._name)
        self._used = self._used or "champion" in aliases
        if self._used and not {"champion", "previous"} & aliases.keys():  # a rollback to `shipped` leaves `previous`
            remedy = "restore MLflow's database, or delete state/served.json to serve the shipped model"
            raise ServiceUnavailable(f"the aliases of {self._name} in MLflow", "none", remedy)
        champion = aliases.get("champion", SHIPPED)
        tested = under_test(client, self._name, aliases) if self._enabled else None
        if champion not in self._promoted:
            at = find_version(client, self._name, champion).tags.get("promoted_at")
            self._promoted[champion] = None if at is None else datetime.fromisoformat(at)
        challenger = None if tested is None else str(tested.version)
        return Standing(champion=champion, challenger=challenger, promoted=self._promoted[champion])


class Served(BaseModel):
    """What was served last, with the digest of each version's weights."""

    model_config = ConfigDict(frozen=True)

    standing: Standing
    sha256: dict[str, str]


def remember(paths: Paths, served: Served) -> None:
    """Write it to the state folder."""
    write_text(paths.served, served.model_dump_json(indent=2))


def remembered(paths: Paths) -> Served | None:
    """What `remember` wrote; None where nothing was served yet or the file is damaged."""
    try:
        return Served.model_validate_json(paths.served.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def cached_weights(paths: Paths, version: str) -> Path | None:
    """Weights of a version that was served last, from the cache, compared with the digest that they had then."""
    served = remembered(paths)
    if served is None or version not in served.sha256:
        return None
    if version == SHIPPED:
        return shipped_weights()
    digest = served.sha256[version]
    file = environment().cache / "weights" / f"{digest}.safetensors"
    return file if file.is_file() and weights_sha256(file) == digest else None
