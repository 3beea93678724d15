"""Production logs as they were made before revisions of the schema were recorded, statement by statement."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import create_engine, text

from monitoring.log.chain import EMPTY, Head, extend
from monitoring.log.sealed_head import HeadFile
from tests.monitoring.log.logs import SECRET
from tests.monitoring.traffic import MORNING, row

_COLUMNS = "time TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, chain TEXT NOT NULL"
_INDEXES = (
    "CREATE INDEX by_key ON entries (kind, key)",
    "CREATE INDEX by_time ON entries (kind, time)",
    "CREATE UNIQUE INDEX once ON entries (key) WHERE kind = 'restoration'",
)
_WHY = "the production log is append-only"
_CHAINED = {
    "sqlite": (
        f"CREATE TABLE entries (sequence INTEGER NOT NULL, {_COLUMNS}, PRIMARY KEY (sequence)) STRICT",
        *_INDEXES,
        f"CREATE TRIGGER no_update BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, '{_WHY}'); END",
        f"CREATE TRIGGER no_delete BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, '{_WHY}'); END",
        "CREATE TRIGGER no_replace BEFORE INSERT ON entries WHEN EXISTS (SELECT 1 FROM entries WHERE sequence ="
        " NEW.sequence OR (kind = 'restoration' AND NEW.kind = 'restoration' AND key = NEW.key))"
        f" BEGIN SELECT RAISE(ABORT, '{_WHY}'); END",
    ),
    "postgresql": (
        f"CREATE TABLE entries (sequence BIGINT NOT NULL, {_COLUMNS}, PRIMARY KEY (sequence))",
        *_INDEXES,
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '{_WHY}' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON entries FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER no_truncate BEFORE TRUNCATE ON entries FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ),
}
_UNCHAINED = (
    "CREATE TABLE requests (sequence INTEGER PRIMARY KEY AUTOINCREMENT, request_id TEXT NOT NULL UNIQUE,"
    " time TEXT NOT NULL, brightness REAL) STRICT",
    "CREATE INDEX by_time ON requests (time)",
    f"CREATE TRIGGER no_update BEFORE UPDATE ON requests BEGIN SELECT RAISE(ABORT, '{_WHY}'); END",
    f"CREATE TRIGGER no_delete BEFORE DELETE ON requests BEGIN SELECT RAISE(ABORT, '{_WHY}'); END",
    "CREATE TRIGGER no_replace BEFORE INSERT ON requests WHEN EXISTS (SELECT 1 FROM requests WHERE request_id ="
    f" NEW.request_id OR sequence = NEW.sequence) BEGIN SELECT RAISE(ABORT, '{_WHY}'); END",
    "INSERT INTO requests (request_id, time, brightness) VALUES ('old', '2025-01-01', 99.0)",
)


def make_chained(address: str, folder: Path, rows: int) -> None:
    """A log with `rows` restorations and one alert, and its sealed head in `folder`, where `opened` looks for it."""
    new = [(MORNING.isoformat(), "restoration", f"r-{n}", row(n).model_dump_json()) for n in range(rows)]
    entries = extend(SECRET, EMPTY, [*new, (MORNING.isoformat(), "alert", "drift", '{"figure":1.5}')])
    insert = "INSERT INTO entries VALUES (:sequence, :time, :kind, :key, :body, :chain)"
    engine = create_engine(address)
    with engine.begin() as connection:
        for statement in _CHAINED[connection.dialect.name]:
            connection.exec_driver_sql(statement)
        connection.execute(text(insert), [entry._asdict() for entry in entries])
    engine.dispose()
    HeadFile(folder / "keys" / "log.head", SECRET).advance(Head(entries[-1].sequence, entries[-1].chain))


def make_unchained(address: str) -> None:
    """A log in SQLite from before the hash chain, with one row."""
    run(address, _UNCHAINED)


def run(address: str, statements: Sequence[str]) -> None:
    """Execute statements in one transaction."""
    engine = create_engine(address)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()
