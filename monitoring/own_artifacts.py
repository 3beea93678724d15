"""MLflow's artifacts in the folder beside its database, so that a workspace that is copied or moved takes them along.

The database names artifacts `mlflow-artifacts:/...`, below whatever folder a server is started with. A process that
opens the database itself has no server: this finds the folder for it. MLflow finds this by an entry point
(pyproject.toml) in every process of this installation, also in its own commands. Nothing of `models`, `pipeline` and
`restoration` is imported: a registered version brings packages of these names.
"""

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from mlflow.store.artifact.artifact_repo import ArtifactRepository

_FOLDER = "mlartifacts"


def open_artifacts(
    artifact_uri: str, tracking_uri: str | None = None, registry_uri: str | None = None
) -> "ArtifactRepository":
    """Open what `mlflow-artifacts:/...` names: beside a SQLite file without a server, else by the server.

    Raises:
        MlflowException: the address leads out of the folder.
    """
    from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository
    from mlflow.store.artifact.mlflow_artifacts_repo import MlflowArtifactsRepository
    from mlflow.tracking import get_tracking_uri

    store = tracking_uri or get_tracking_uri()
    if not store.startswith("sqlite:"):
        return MlflowArtifactsRepository(artifact_uri, tracking_uri=tracking_uri, registry_uri=registry_uri)
    place = _place(store, artifact_uri)
    return LocalArtifactRepository(place.as_uri(), tracking_uri=tracking_uri, registry_uri=registry_uri)


def _place(store: str, artifact_uri: str) -> Path:
    from mlflow.exceptions import MlflowException
    from sqlalchemy.engine import make_url

    folder = (Path(make_url(store).database or "").parent / _FOLDER).resolve()
    place = (folder / unquote(urlsplit(artifact_uri).path).lstrip("/")).resolve()
    if not place.is_relative_to(folder):
        raise MlflowException.invalid_parameter_value(f"{artifact_uri} leads out of {folder}")
    return place
