"""Bring the production log's database to the schema of this version of Likeness, by Alembic (docs/audit.md)."""

from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import ProgrammingError

from models.errors import DataError

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0002"
"""The newest revision in `versions/`."""
BASELINE = "0001"
"""The schema of logs that were made before revisions were recorded."""
VERSION_TABLE = "entries_version"
"""Not Alembic's own default, which MLflow and Prefect use: the log may share a database with them."""
FOLDER = Path(__file__).parent
_THREADS = Lock()  # Alembic's `context` is global to the process


def is_current(connection: Connection) -> bool:
    """Check whether the database has the schema of this version.

    Raises:
        DataError: it was written by a newer version.
    """
    revision = recorded_revision(connection)
    if revision is not None and revision != HEAD and revision not in _known_revisions(FOLDER):
        expected = f"a production log with schema {HEAD} or older at {connection.engine.url.database}"
        raise DataError(expected, f"schema {revision}", "install the version of Likeness that wrote it, or a newer one")
    return revision == HEAD


def migrate(connection: Connection) -> None:
    """Apply the revisions that are missing, all or none; a log made before revisions were recorded is recognised.

    Args:
        connection: in a transaction that holds the writers' lock.

    Raises:
        DataError: the database was written by a newer version, or this role may not change its schema.
    """
    if is_current(connection):  # another process did it while this one waited for the lock
        return
    try:
        with _THREADS:
            _upgrade(connection)
    except ProgrammingError as error:
        got = str(error.orig).strip().splitlines()[0]
        if "permission denied" not in got and "must be owner" not in got:
            raise
        remedy = "run `likeness audit head` once as the owner of the log's table"
        raise DataError("a database role that may change the production log's schema", got, remedy) from error


def recorded_revision(connection: Connection) -> str | None:
    """Read the revision that the database records; None if it records none."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    revision: str | None = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 - our own name
    return revision


def _upgrade(connection: Connection) -> None:
    from alembic import command

    config = _config()
    config.attributes["connection"] = connection
    if recorded_revision(connection) is None and inspect(connection).has_table("entries"):
        command.stamp(config, BASELINE)
    command.upgrade(config, "head")
    if connection.dialect.name == "postgresql":  # a role that only reads and appends must see that nothing is missing
        connection.execute(text(f"GRANT SELECT ON {VERSION_TABLE} TO PUBLIC"))


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


@cache
def _known_revisions(folder: Path) -> frozenset[str]:
    from alembic.script import ScriptDirectory

    return frozenset(script.revision for script in ScriptDirectory(folder).walk_revisions())
