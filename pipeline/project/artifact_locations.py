"""Addresses of artifacts in a workspace's own MLflow database: relative to the workspace, whatever made the database.

`mlflow-artifacts:/...` is found beside the database (`monitoring/own_artifacts.py`) or by a server. A database may hold
absolute addresses below the state/mlartifacts of the folder it was made in. That folder may be another workspace: what
they name is this one's copy, and nothing may be written there.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from models.errors import ServiceUnavailable, StorageFull
from pipeline.project.paths import Paths
from pipeline.project.storage import is_full, storage_full

OWN = "mlflow-artifacts:/"
"""Address of the artifacts of an experiment in a SQLite file."""

_COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
_FOUND = "SELECT DISTINCT {column} FROM {table} WHERE {column} LIKE 'file:%' OR {column} LIKE '/%'"
_CHANGE = "UPDATE {table} SET {column} = ? WHERE {column} = ?"
_PATIENCE = 30.0


def artifacts_folder(store: str, paths: Paths) -> Path:
    """Locate what `mlflow-artifacts:/` stands for where a server is started with this store."""
    own = paths.mlflow_artifacts
    return Path(store.removeprefix("sqlite:///")).with_name(own.name) if store.startswith("sqlite:") else own


def relocate_artifacts(paths: Paths) -> int:
    """Make absolute addresses in the workspace's own database relative; where there are none, nothing is written.

    Returns how many there were.

    Raises:
        ServiceUnavailable: the database cannot be read or written.
        StorageFull: there is no room.
    """
    if not paths.mlflow_database.is_file():
        return 0
    try:
        with closing(sqlite3.connect(paths.mlflow_database, timeout=_PATIENCE)) as database, database:
            known = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            return sum(_relocate(database, *place, paths) for place in _COLUMNS if place[0] in known)
    except sqlite3.Error as error:
        raise _unavailable(paths.mlflow_database, error) from error


def _relocate(database: sqlite3.Connection, table: str, column: str, paths: Paths) -> int:
    names, changed = {"table": table, "column": column}, 0
    for (address,) in database.execute(_FOUND.format(**names)).fetchall():
        relative = _relative(address, paths)
        if relative is not None:
            changed += database.execute(_CHANGE.format(**names), (relative, address)).rowcount
    return changed


def _relative(address: str, paths: Paths) -> str | None:
    """Name what an address names, in this workspace; None for a place that is of no workspace.

    Of MLflow's experiment `Default`, which nothing here uses, the address is below the folder in which the database was
    made.
    """
    before, _, rest = f"{address.rstrip('/')}/".rpartition(_mark(paths))
    if before:
        return OWN + rest.rstrip("/")
    return f"{OWN}0" if address.endswith("/mlruns/0") else None


def _mark(paths: Paths) -> str:
    """Name the folder of artifacts as it ends addresses: /state/mlartifacts/."""
    return f"/{paths.mlflow_artifacts.relative_to(paths.state.parent).as_posix()}/"


def _unavailable(database: Path, error: sqlite3.Error) -> ServiceUnavailable | StorageFull:
    if is_full(error):
        return storage_full("MLflow's database", error)
    return ServiceUnavailable(f"MLflow's database {database}", str(error), "restore it from its backup")
