"""Read the registry: which versions there are, and which is champion.

`shipped` is the model of `assets/`: the champion for as long as none was promoted. Every move of aliases also records
the champion and the one before it in tags of the registered model (`RECORDED`). MLflow takes the aliases of a version
off when the version is deleted, so that without the record a deleted champion would look like a return to `shipped`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from models.errors import PromotionError, ServiceUnavailable
from pipeline.project.environment import environment
from pipeline.project.paths import Paths
from pipeline.registry.client import connect, translate_outages

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

SHIPPED = "shipped"
ALIASES = ("champion", "challenger", "previous")
RECORDED = {"champion": "likeness.champion", "previous": "likeness.previous"}
"""Alias -> tag of the registered model with the version that last took it, or `shipped`."""
_SECONDS_PER_WEEK = 7 * 24 * 3600


class ModelRow(BaseModel):
    """One version, for a table; figures are None where the version carries none."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    version: str
    aliases: tuple[str, ...]
    gate: str
    created: datetime
    promoted: datetime | None
    data_digest: str
    git_revision: str
    weights_sha256: str
    recognition_accuracy: float | None
    lpips_vs_telea: float | None
    identity_distance_vs_telea: float | None


@dataclass(frozen=True)
class Standing:
    """What the registry says of a model: alias -> number, and alias -> recorded number or `shipped` (`RECORDED`)."""

    aliases: Mapping[str, str]
    record: Mapping[str, str]

    def champion(self, served: str | None = None) -> "ChampionState":
        """Tell who is champion.

        Args:
            served: the champion that a service served last, if that is known. It counts where nothing is recorded, as
                when the model itself was deleted: a champion without alias was then rolled back if it is `previous`.
        """
        if (number := self.aliases.get("champion")) is not None:
            return ChampionState(number, lost=False)
        last = self.record.get("champion", SHIPPED)
        if not self.record and served is not None and served != self.aliases.get("previous"):
            last = served
        return ChampionState(last, lost=last != SHIPPED)


@dataclass(frozen=True)
class ChampionState:
    """The champion; `lost`: it was deleted in MLflow, or its alias taken off, and nobody chose another one."""

    version: str
    lost: bool

    def require(self, model_name: str) -> str:
        """Give the version.

        Raises:
            PromotionError: it is lost.
        """
        if self.lost:
            got = f"version {self.version} without that alias: it, or its alias, was deleted in MLflow"
            remedy = "choose one with `likeness promote VERSION` or `likeness rollback`, or restore MLflow's database"
            raise PromotionError(f"the champion of {model_name}", got, remedy)
        return self.version


def list_models(paths: Paths, model_name: str) -> list[ModelRow]:
    """List all versions, newest first; empty if nothing was registered.

    Raises:
        ServiceUnavailable: MLflow does not answer.
    """
    if has_no_database(paths):
        return []
    client = connect(paths)
    with translate_outages(client.tracking_uri):
        versions = list(client.search_model_versions(f"name = '{model_name}'"))
        aliases = aliases_of(client, model_name)
    rows = [_row(version, aliases) for version in versions]
    return sorted(rows, key=lambda row: int(row.version), reverse=True)


def champion_version(paths: Paths, model_name: str) -> str:
    """Find the number of the champion; `shipped` if none was promoted, or all were rolled back.

    Raises:
        PromotionError: the champion was deleted in MLflow.
        ServiceUnavailable: MLflow does not answer.
    """
    return champion_state(paths, model_name).require(model_name)


def champion_state(paths: Paths, model_name: str, served: str | None = None) -> ChampionState:
    """Find the champion, also one that is lost; `served` as for `Standing.champion`.

    Raises:
        ServiceUnavailable: MLflow does not answer.
    """
    standing = Standing({}, {}) if has_no_database(paths) else standing_of(connect(paths), model_name)
    return standing.champion(served)


def champion_age(paths: Paths, model_name: str, now: datetime) -> float | None:
    """Compute weeks since the champion was first promoted; None for the shipped model, which has no such date."""
    version = champion_version(paths, model_name)
    if version == SHIPPED:
        return None
    promoted = find_version(connect(paths), model_name, version).tags.get("promoted_at")
    return None if promoted is None else (now - datetime.fromisoformat(promoted)).total_seconds() / _SECONDS_PER_WEEK


def find_version(client: "MlflowClient", model_name: str, which: str) -> "ModelVersion":
    """Find a version by its number or by an alias.

    Raises:
        PromotionError: there is none.
    """
    from mlflow.exceptions import MlflowException

    try:
        with translate_outages(client.tracking_uri):
            if which in ALIASES:
                return client.get_model_version_by_alias(model_name, which)
            return client.get_model_version(model_name, which)
    except MlflowException as error:
        raise PromotionError(
            f"a version of {model_name}", f"{which!r}, which does not exist", "`likeness models` lists them"
        ) from error


def aliases_of(client: "MlflowClient", model_name: str) -> dict[str, str]:
    """Read alias -> version number; empty if nothing was registered."""
    return dict(standing_of(client, model_name).aliases)


def standing_of(client: "MlflowClient", model_name: str) -> Standing:
    """Read aliases and record in one query; both are empty if nothing was registered.

    Raises:
        ServiceUnavailable: MLflow does not answer.
    """
    from mlflow.exceptions import MlflowException

    try:
        with translate_outages(client.tracking_uri):
            model = client.get_registered_model(model_name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise ServiceUnavailable("an answer from MLflow", str(error)[:160], "look at the server's log") from error
        return Standing({}, {})
    record = {alias: model.tags[tag] for alias, tag in RECORDED.items() if tag in model.tags}
    return Standing({alias: str(number) for alias, number in model.aliases.items()}, record)


def has_no_database(paths: Paths) -> bool:
    """Check whether this checkout's own database does not exist yet: MLflow would take many seconds to say the same."""
    return not environment().mlflow_uri and not paths.mlflow_database.exists()


def _row(version: "ModelVersion", aliases: Mapping[str, str]) -> ModelRow:
    tags = version.tags
    promoted = tags.get("promoted_at")
    return ModelRow(
        version=str(version.version),
        aliases=tuple(alias for alias in ALIASES if aliases.get(alias) == str(version.version)),
        gate=tags.get("gate", "unknown"),
        created=datetime.fromtimestamp(version.creation_timestamp / 1000, UTC),
        promoted=datetime.fromisoformat(promoted) if promoted else None,
        data_digest=tags.get("data_digest", ""),
        git_revision=tags.get("git_revision", ""),
        weights_sha256=tags.get("weights_sha256", ""),
        recognition_accuracy=_number(tags.get("recognition_accuracy")),
        lpips_vs_telea=_number(tags.get("lpips_vs_telea")),
        identity_distance_vs_telea=_number(tags.get("identity_distance_vs_telea")),
    )


def _number(text: str | None) -> float | None:
    return float(text) if text else None
