"""A log in any database, and the hands of somebody who tampers with it as the database's owner could."""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, create_engine, text

from monitoring.log.chain import Stored
from monitoring.log.production_log import ProductionLog
from monitoring.log.sealed_head import HeadFile

SECRET = b"a secret that only the tests know"

_UNLOCK = {
    "sqlite": tuple(f"DROP TRIGGER IF EXISTS no_{what}" for what in ("update", "delete", "replace", "return")),
    "postgresql": ("ALTER TABLE entries DISABLE TRIGGER ALL",),
}


def opened(address: str, folder: Path, secret: bytes = SECRET) -> ProductionLog:
    """The log at `address`; its head file lies in `folder`."""
    return ProductionLog(address, secret, HeadFile(folder / "keys" / "log.head", secret), folder / "log-segments")


def tamper(address: str, *statements: str, unlock: bool = True) -> None:
    """Run SQL on the log's database, after its triggers are gone."""
    _on(address, lambda connection: [connection.execute(text(s)) for s in (*_locks(connection, unlock), *statements)])


def stored(address: str) -> list[Stored]:
    """All entries as they lie in the table, in order."""
    found: list[Stored] = []
    query = text("SELECT sequence, time, kind, key, body, chain FROM entries ORDER BY sequence")
    _on(address, lambda connection: found.extend(Stored(*row) for row in connection.execute(query)))
    return found


def rewrite(address: str, entries: list[Stored]) -> None:
    """Replace the whole table."""
    insert = text("INSERT INTO entries VALUES (:sequence, :time, :kind, :key, :body, :chain)")

    def work(connection: Connection) -> None:
        for statement in (*_locks(connection, unlock=True), "DELETE FROM entries"):
            connection.execute(text(statement))
        for entry in entries:
            connection.execute(insert, entry._asdict())

    _on(address, work)


def _locks(connection: Connection, unlock: bool) -> tuple[str, ...]:
    return _UNLOCK[connection.dialect.name] if unlock else ()


def _on(address: str, work: Callable[[Connection], object]) -> None:
    engine = create_engine(address)
    try:
        with engine.begin() as connection:
            work(connection)
    finally:
        engine.dispose()
