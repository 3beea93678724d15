"""Create the journal: one table of chained entries, and triggers that refuse every change to it.

A table `requests` of a log from before the hash chain keeps its rows, read-only: what was never chained does not enter
the chain.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_WHY = "the production log is append-only"
_TRIGGERS = {
    "sqlite": (
        f"CREATE TRIGGER no_update BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, '{_WHY}'); END",
        f"CREATE TRIGGER no_delete BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, '{_WHY}'); END",
        # REPLACE deletes rows without firing the trigger above
        "CREATE TRIGGER no_replace BEFORE INSERT ON entries WHEN EXISTS (SELECT 1 FROM entries WHERE sequence ="  # noqa: S608 - no value in it
        " NEW.sequence OR (kind = 'restoration' AND NEW.kind = 'restoration' AND key = NEW.key))"
        f" BEGIN SELECT RAISE(ABORT, '{_WHY}'); END",
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '{_WHY}' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        "CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON entries FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER no_truncate BEFORE TRUNCATE ON entries FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ),
}


def upgrade() -> None:
    """Create table, indexes and triggers."""
    connection = op.get_bind()
    if sa.inspect(connection).has_table("requests"):
        _set_aside(connection)
    op.create_table(
        "entries",
        # STRICT and plain text columns: no column takes a BLOB, so no picture or embedding can enter by mistake
        sa.Column(
            "sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=False
        ),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("time", "kind", "key", "body", "chain")),
        sqlite_strict=True,
    )
    op.create_index("by_key", "entries", ["kind", "key"])
    op.create_index("by_time", "entries", ["kind", "time"])
    only = sa.text("kind = 'restoration'")
    op.create_index("once", "entries", ["key"], unique=True, sqlite_where=only, postgresql_where=only)
    for statement in _TRIGGERS[connection.dialect.name]:
        connection.exec_driver_sql(statement)


def _set_aside(connection: sa.Connection) -> None:
    """Free the names of index and triggers that the old table (SQLite only) uses, and refuse changes to it."""
    names = sa.text("SELECT type, name FROM sqlite_master WHERE tbl_name = 'requests' AND sql IS NOT NULL")
    for kind, name in connection.execute(names).all():
        if kind in {"index", "trigger"}:
            connection.exec_driver_sql(f"DROP {kind} {name}")
    for verb in ("INSERT", "UPDATE", "DELETE"):
        refusal = f"BEGIN SELECT RAISE(ABORT, '{_WHY}'); END"
        connection.exec_driver_sql(f"CREATE TRIGGER requests_no_{verb.lower()} BEFORE {verb} ON requests {refusal}")
