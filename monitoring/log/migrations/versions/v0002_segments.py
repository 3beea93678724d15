"""Add the table of sealed segments; entries that lie in one may leave `entries`, and nothing may take their place."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_WHY = "the production log is append-only"
_SEALED = "coalesce((SELECT max(last) FROM entry_segments), 0)"
_REFUSE = f"BEGIN SELECT RAISE(ABORT, '{_WHY}'); END"
_STATEMENTS = {
    "sqlite": (
        "DROP TRIGGER no_delete",
        f"CREATE TRIGGER no_delete BEFORE DELETE ON entries WHEN OLD.sequence > {_SEALED} {_REFUSE}",
        f"CREATE TRIGGER no_return BEFORE INSERT ON entries WHEN NEW.sequence <= {_SEALED} {_REFUSE}",
        f"CREATE TRIGGER segments_no_update BEFORE UPDATE ON entry_segments {_REFUSE}",
        f"CREATE TRIGGER segments_no_delete BEFORE DELETE ON entry_segments {_REFUSE}",
        # REPLACE deletes rows without firing the trigger above
        "CREATE TRIGGER segments_no_replace BEFORE INSERT ON entry_segments"
        f" WHEN NEW.first <> {_SEALED} + 1 OR NEW.last < NEW.first {_REFUSE}",
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION refuse_change_of_unsealed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF OLD.sequence > {_SEALED} THEN RAISE EXCEPTION '{_WHY}' USING ERRCODE ="
        " 'integrity_constraint_violation'; END IF; RETURN OLD; END $$",
        "CREATE OR REPLACE FUNCTION refuse_return() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF NEW.sequence <= {_SEALED} THEN RAISE EXCEPTION '{_WHY}' USING ERRCODE ="
        " 'integrity_constraint_violation'; END IF; RETURN NEW; END $$",
        "CREATE OR REPLACE FUNCTION refuse_gap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF NEW.first <> {_SEALED} + 1 OR NEW.last < NEW.first THEN RAISE EXCEPTION '{_WHY}' USING ERRCODE ="
        " 'integrity_constraint_violation'; END IF; RETURN NEW; END $$",
        "DROP TRIGGER no_change ON entries",
        "CREATE TRIGGER no_change BEFORE UPDATE ON entries FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER no_delete BEFORE DELETE ON entries FOR EACH ROW EXECUTE FUNCTION refuse_change_of_unsealed()",
        "CREATE TRIGGER no_return BEFORE INSERT ON entries FOR EACH ROW EXECUTE FUNCTION refuse_return()",
        "CREATE TRIGGER segments_no_gap BEFORE INSERT ON entry_segments FOR EACH ROW EXECUTE FUNCTION refuse_gap()",
        "CREATE TRIGGER segments_no_change BEFORE UPDATE OR DELETE ON entry_segments"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER segments_no_truncate BEFORE TRUNCATE ON entry_segments"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        # a role that reads and appends has to know what was sealed; there are no figures of requests in it
        "GRANT SELECT ON entry_segments TO PUBLIC",
    ),
}


def upgrade() -> None:
    """Create the table, and put the triggers in the place of those that refuse every deletion."""
    connection = op.get_bind()
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    names = ("since", "until", "previous", "chain", "kinds", "name", "sha256", "seal")
    op.create_table(
        "entry_segments",
        sa.Column("last", number, primary_key=True, autoincrement=False),
        sa.Column("first", number, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in names),
        sqlite_strict=True,
    )
    for statement in _STATEMENTS[connection.dialect.name]:
        connection.exec_driver_sql(statement)
