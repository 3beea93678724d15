"""Workspaces that are copied: what an old database says of places, and whether a folder is as it was."""

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

from pipeline.project.paths import Paths

ADDRESSES = {
    "experiments": "artifact_location", "runs": "artifact_uri", "logged_models": "artifact_location",
    "model_versions": "storage_location",
}  # fmt: skip


def make_absolute(paths: Paths, root: Path | None = None) -> None:
    """Give artifacts absolute addresses, as earlier versions did: below this workspace, or the one at `root`."""
    folder = Paths(root or paths.root).mlflow_artifacts
    with closing(sqlite3.connect(paths.mlflow_database)) as database, database:
        for table, column in ADDRESSES.items():
            change = f"UPDATE {table} SET {column} = replace({column}, 'mlflow-artifacts:', ?)"
            database.execute(change, (folder.as_uri(),))


def absolute_addresses(paths: Paths) -> list[str]:
    """What of the database names a file."""
    with closing(sqlite3.connect(paths.mlflow_database)) as database:
        found = [
            address
            for table, column in [*ADDRESSES.items(), ("model_versions", "source")]
            for (address,) in database.execute(f"SELECT {column} FROM {table}")
        ]
    return [address for address in found if str(address).startswith(("file:", "/"))]


def tree(root: Path) -> dict[str, str]:
    """Every file and link below a folder, with what it holds."""
    return {
        path.relative_to(root).as_posix(): str(path.readlink())
        if path.is_symlink()
        else hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_symlink() or path.is_file()
    }
