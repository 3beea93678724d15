"""Read the registry: which versions there are, and which is champion.

`shipped` is the model of `assets/`: the champion for as long as none was promoted.
"""

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
    """Find the number of the champion; `shipped` if none was promoted."""
    if has_no_database(paths):
        return SHIPPED
    return aliases_of(connect(paths), model_name).get("champion", SHIPPED)


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
    from mlflow.exceptions import MlflowException

    try:
        with translate_outages(client.tracking_uri):
            return {alias: str(number) for alias, number in client.get_registered_model(model_name).aliases.items()}
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise ServiceUnavailable("an answer from MLflow", str(error)[:160], "look at the server's log") from error
        return {}


def has_no_database(paths: Paths) -> bool:
    """Check whether this checkout's own database does not exist yet: MLflow would take many seconds to say the same."""
    return not environment().mlflow_uri and not paths.mlflow_database.exists()


def _row(version: "ModelVersion", aliases: dict[str, str]) -> ModelRow:
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
