"""Run migrations on the connection, and in the transaction, of the caller; Alembic executes this file."""

from alembic import context

from monitoring.log.migrations import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
with context.begin_transaction():
    context.run_migrations()
