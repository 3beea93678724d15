"""The MLflow store: where it is, how it is kept quiet, and what happens when it does not answer."""

import logging
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import ConfigError, ServiceUnavailable, StorageFull
from pipeline.project.artifact_locations import OWN, relocate_artifacts
from pipeline.project.environment import environment
from pipeline.project.paths import Paths
from pipeline.project.storage import is_full, storage_full

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT = "likeness"

_PROBE_SECONDS = 8.0
_QUIET = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",  # it logs a traceback before it raises; ours is one line
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_RECORD_ENV_VARS_IN_MODEL_LOGGING": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "GIT_PYTHON_REFRESH": "quiet",
}


def silence_mlflow() -> None:
    """Set the variables that keep MLflow offline, silent and free of pickle; call before importing it."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    logging.getLogger("alembic").setLevel(logging.WARNING)


@contextmanager
def translate_outages(uri: str) -> Iterator[None]:
    """Translate what MLflow raises when its store does not answer to one line.

    Raises:
        ServiceUnavailable: no answer from `uri`. A refusal (unknown model, wrong name) passes through as it is.
        StorageFull: its disk is full.
    """
    from mlflow.exceptions import MlflowException
    from requests.exceptions import RequestException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except MlflowException as error:
        if error.error_code in {"INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE"}:
            raise _unavailable(uri, error) from error
        raise
    except (SQLAlchemyError, RequestException, ConnectionError, TimeoutError) as error:
        raise _unavailable(uri, error) from error


def connect(paths: Paths) -> "MlflowClient":
    """Point MLflow at this checkout's store and make the experiment if it is not there.

    In the checkout's own database, addresses of artifacts become those of this checkout, wherever it was made.

    Raises:
        ServiceUnavailable: the store does not answer; after about ten seconds at most.
        ConfigError: MLflow does not know how the checkout keeps artifacts.
    """
    silence_mlflow()
    uri = environment().tracking_uri(paths)
    if uri.startswith(("http://", "https://")):
        _probe(uri)
    elif uri.startswith("sqlite:"):
        paths.state.mkdir(parents=True, exist_ok=True)
    import mlflow
    from mlflow.exceptions import MlflowException

    try:
        with translate_outages(uri):
            _follow(uri)
            client = mlflow.MlflowClient(tracking_uri=uri)
            if client.get_experiment_by_name(EXPERIMENT) is None:
                client.create_experiment(EXPERIMENT, artifact_location=_artifact_location(uri, paths))
            if _is_own(uri, paths):
                relocate_artifacts(paths)
            mlflow.set_experiment(EXPERIMENT)
    except MlflowException as error:  # something answers, but not with an experiment: no rights, another program
        raise _unavailable(uri, error) from error
    return client


def _follow(uri: str) -> None:
    """Let MLflow use this store, and forget where runs of another have their artifacts: a copy has the same runs."""
    import mlflow
    from mlflow.store.artifact.artifact_repository_registry import get_registered_artifact_repositories
    from mlflow.store.artifact.mlflow_artifacts_repo import MlflowArtifactsRepository
    from mlflow.tracking._tracking_service import utils

    if get_registered_artifact_repositories()["mlflow-artifacts"] is MlflowArtifactsRepository:
        remedy = "install it again, as with `make .venv/.ready`"
        raise ConfigError("Likeness's entry point for MLflow", "an installation without it", remedy)
    if mlflow.get_tracking_uri() != uri:
        utils._artifact_repos_cache.clear()
        mlflow.set_tracking_uri(uri)


def _is_own(uri: str, paths: Paths) -> bool:
    """Tell whether a store is the database in the checkout's state."""
    place = uri.removeprefix("sqlite:///")
    return place != uri and Path(place).resolve() == paths.mlflow_database.resolve()


def _probe(uri: str) -> None:
    """Check that the store answers; MLflow itself would retry for minutes."""
    try:
        urllib.request.urlopen(f"{uri.rstrip('/')}/health", timeout=_PROBE_SECONDS).close()  # noqa: S310 - http was checked
    except urllib.error.HTTPError:
        return  # something answers; what it says is for MLflow to judge
    except (OSError, ValueError) as error:
        raise _unavailable(uri, error) from error


def _unavailable(uri: str, error: Exception) -> ServiceUnavailable | StorageFull:
    if is_full(error):
        return storage_full("MLflow's database and artifacts", error)
    reason = next(iter(str(error).splitlines()), type(error).__name__)[:160]
    remedy = "start the server, or set or unset LIKENESS_MLFLOW_URI"
    if "error code 401" in reason:
        remedy = "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
    return ServiceUnavailable(f"MLflow at {uri}", reason, remedy)


def _artifact_location(uri: str, paths: Paths) -> str | None:
    """Choose where artifacts lie: beside a SQLite file; a server chooses for itself."""
    if uri.startswith("sqlite:"):
        return OWN
    return None if uri.startswith(("http://", "https://")) else paths.mlflow_artifacts.resolve().as_uri()
