"""Logs of older schemas are migrated in place, on SQLite and PostgreSQL; those of newer ones are refused."""

import shutil
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect
from sqlalchemy.exc import DBAPIError

from models.errors import DataError
from monitoring.log import migrations
from monitoring.log.schema import METADATA
from tests.monitoring.log.logs import opened, stored, tamper
from tests.monitoring.log.unversioned import make_chained, make_unchained, run
from tests.monitoring.traffic import row
from tests.postgres import Postgres

ROWS = 20


def schema(address: str) -> dict[str, Any]:
    """Everything that the database has for the log, apart from its rows, in the database's own words."""
    engine = create_engine(address)
    sqlite = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"
    postgresql = (
        "SELECT tgname, pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid"
        " WHERE c.relnamespace = current_schema()::regnamespace AND NOT tgisinternal UNION ALL"
        " SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() UNION ALL"
        " SELECT column_name, data_type || is_nullable || ordinal_position FROM information_schema.columns"
        " WHERE table_schema = current_schema() AND table_name = 'entries'"
    )
    with engine.connect() as connection:
        found = connection.exec_driver_sql(sqlite if connection.dialect.name == "sqlite" else postgresql).all()
    engine.dispose()
    return {name: " ".join(words.replace('"', "").split()) for name, words in found}


def revision(address: str) -> str | None:
    engine = create_engine(address)
    with engine.connect() as connection:
        found = migrations.recorded_revision(connection)
    engine.dispose()
    return found


def test_a_log_without_a_recorded_revision_keeps_every_row_and_its_chain(address: str, tmp_path: Path) -> None:
    make_chained(address, tmp_path, ROWS)
    before, made = stored(address), schema(address)
    assert revision(address) is None
    with opened(address, tmp_path) as log:
        assert log.verify().entries == ROWS + 1
        assert log.row("r-7") == row(7)
        assert log.append([row(ROWS)]) == 1
        assert log.verify().entries == ROWS + 2
    assert stored(address)[:-1] == before
    assert revision(address) == migrations.HEAD
    after = schema(address)
    replaced = {"no_delete", "no_change"}  # what lies in a sealed segment may leave the table
    assert {name: after[name] for name in made.keys() - replaced} == {
        name: made[name] for name in made.keys() - replaced
    }


def test_migrating_again_changes_nothing(address: str, tmp_path: Path) -> None:
    make_chained(address, tmp_path, ROWS)
    opened(address, tmp_path).close()
    before, made = stored(address), schema(address)
    opened(address, tmp_path).close()
    assert (stored(address), schema(address)) == (before, made)


def test_a_new_log_has_the_same_schema_as_a_migrated_one(postgres: Postgres, tmp_path: Path) -> None:
    for kind in ("sqlite", "postgresql"):
        pair = [postgres.database() if kind == "postgresql" else f"sqlite:///{tmp_path / n}" for n in ("new", "old")]
        make_chained(pair[1], tmp_path / kind, ROWS)
        opened(pair[0], tmp_path / f"{kind}-new").close()
        opened(pair[1], tmp_path / kind).close()
        new, old = ({k: without_place(v, a) for k, v in schema(a).items()} for a in pair)
        if kind == "sqlite":  # one writes PRIMARY KEY with its column, the other after the columns
            assert "STRICT" in new["entries"]
            assert "STRICT" in old.pop("entries")
            del new["entries"]
        assert new == old


def without_place(words: str, address: str) -> str:
    return words.replace(f"{address.rpartition('%3D')[2]}.", "")


def test_code_and_migrations_agree(address: str, tmp_path: Path) -> None:
    opened(address, tmp_path).close()
    engine = create_engine(address)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": migrations.VERSION_TABLE, "compare_server_default": True}
        )
        assert compare_metadata(context, METADATA) == []
    engine.dispose()
    scripts = ScriptDirectory(migrations.FOLDER)
    assert scripts.get_heads() == [migrations.HEAD]
    assert scripts.get_bases() == [migrations.BASELINE]


def test_a_log_of_a_newer_version_is_refused(address: str, tmp_path: Path) -> None:
    opened(address, tmp_path).close()
    tamper(address, f"UPDATE {migrations.VERSION_TABLE} SET version_num = '9999'", unlock=False)
    words = "expected a production log with schema 0002 or older at .*; got schema 9999; install the version"
    with pytest.raises(DataError, match=words):
        opened(address, tmp_path)
    assert revision(address) == "9999"


def open_and_append(address: str, folder: Path, worker: int) -> None:
    with opened(address, folder) as log:
        log.append([row(1_000 + worker)])


def test_processes_that_start_at_once_migrate_once(address: str, tmp_path: Path) -> None:
    make_chained(address, tmp_path, ROWS)
    with get_context("fork").Pool(6) as pool:
        pool.starmap(open_and_append, [(address, tmp_path, worker) for worker in range(6)])
    with opened(address, tmp_path) as log:
        assert log.verify().entries == ROWS + 1 + 6
    engine = create_engine(address)
    with engine.connect() as connection:
        query = f"SELECT count(*) FROM {migrations.VERSION_TABLE}"
        assert connection.exec_driver_sql(query).scalar() == 1
    engine.dispose()


@pytest.fixture
def two_revisions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The migrations with one more, which a test may change; returns its file."""
    folder = shutil.copytree(migrations.FOLDER, tmp_path / "migrations")
    file = folder / "versions" / "v0003_note.py"
    file.write_text(
        "import sqlalchemy as sa\nfrom alembic import op\nrevision, down_revision = '0003', '0002'\n"
        "def upgrade():\n    op.create_table('notes', sa.Column('note', sa.Text()))\n"
        "    op.create_index('by_chain', 'entries', ['chain'])\n"
    )
    monkeypatch.setattr(migrations, "FOLDER", folder)
    monkeypatch.setattr(migrations, "HEAD", "0003")
    return file


def test_a_log_of_an_older_revision_gets_the_later_ones(address: str, tmp_path: Path, two_revisions: Path) -> None:
    make_chained(address, tmp_path, ROWS)
    before = stored(address)
    with opened(address, tmp_path) as log:
        assert log.verify().entries == ROWS + 1
    assert (revision(address), stored(address)) == ("0003", before)
    assert "by_chain" in schema(address)


def test_a_migration_that_fails_leaves_the_log_as_it_was(address: str, tmp_path: Path, two_revisions: Path) -> None:
    make_chained(address, tmp_path, ROWS)
    before, made = stored(address), schema(address)
    two_revisions.write_text(two_revisions.read_text() + "    op.execute('SELECT 1 FROM nowhere')\n")
    with pytest.raises(DataError, match="nowhere"):
        opened(address, tmp_path)
    assert (stored(address), schema(address), revision(address)) == (before, made, None)


def test_rows_from_before_the_chain_stay_beside_it_and_cannot_be_changed(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'old.sqlite'}"
    make_unchained(address)
    with opened(address, tmp_path) as log:
        assert log.append([row(0)]) == 1
        assert log.verify().entries == 1
        assert log.after(0)["request_id"].tolist() == ["r-0"]
    with pytest.raises(DBAPIError, match="append-only"):
        run(address, ["UPDATE requests SET brightness = 0"])
    engine = create_engine(address)
    with engine.connect() as connection:
        kept = connection.exec_driver_sql("SELECT request_id, brightness FROM requests").all()
        assert [tuple(row) for row in kept] == [("old", 99.0)]
        assert inspect(connection).has_table("entries")
    engine.dispose()


def test_a_role_that_may_not_migrate_is_told_who_may(postgres: Postgres, tmp_path: Path) -> None:
    address = postgres.database()
    make_chained(address, tmp_path, ROWS)
    place = address.rpartition("%3D")[2]
    run(address, ["CREATE ROLE reader LOGIN", f"GRANT USAGE ON SCHEMA {place} TO reader"])
    run(address, ["GRANT SELECT, INSERT ON entries TO reader"])
    as_reader = address.replace("likeness@", "reader@")
    with pytest.raises(DataError, match=r"permission denied for schema .*; run `likeness audit head` once as the own"):
        opened(as_reader, tmp_path)
    opened(address, tmp_path).close()
    with opened(as_reader, tmp_path) as log:
        assert log.append([row(ROWS)]) == 1
