"""Find the A/B test that is running, from the registry; used by the service, the verdict and the status page."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from pipeline.config.load import Params
from pipeline.project.paths import Paths
from pipeline.registry.versions import SHIPPED, find_version, has_no_database, standing_of

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion


class Experiment(BaseModel):
    """A test of `challenger` against `champion` (version numbers; `shipped` for the model of assets/)."""

    model_config = ConfigDict(frozen=True)

    id: str
    champion: str
    challenger: str
    started: datetime


def experiment_id(champion: str, challenger: str) -> str:
    """Build the name of the test between two versions; it keys the assignment and the entries in the log."""
    return f"{champion}-vs-{challenger}"


def running_test(params: Params, paths: Paths) -> Experiment | None:
    """Find the test that is running; None if there is none.

    One is on exactly while `ab.enabled` and there is a challenger in it (`challenger_under_test`).

    Raises:
        ServiceUnavailable: MLflow does not answer.
    """
    from pipeline.registry.client import connect

    if not params.ab.enabled or has_no_database(paths):
        return None
    client, name = connect(paths), params.registry.model_name
    standing = standing_of(client, name)
    version = challenger_under_test(client, name, standing.aliases)
    if version is None:
        return None
    champion, challenger = standing.champion().version, str(version.version)
    return Experiment(
        id=experiment_id(champion, challenger),
        champion=champion,
        challenger=challenger,
        started=datetime.fromtimestamp(version.creation_timestamp / 1000, UTC),
    )


def challenger_under_test(client: "MlflowClient", model_name: str, aliases: Mapping[str, str]) -> "ModelVersion | None":
    """Find the challenger among the registry's aliases if it is in a test; else None.

    It is if it is not the champion itself, passed the gate, and no verdict ended its test (tag `ab` = "ended").

    Raises:
        ServiceUnavailable: MLflow does not answer.
    """
    challenger = aliases.get("challenger")
    if challenger is None or challenger == aliases.get("champion", SHIPPED):
        return None
    version = find_version(client, model_name, challenger)
    passed = version.tags.get("gate") == "passed" and version.tags.get("ab") != "ended"
    return version if passed else None
