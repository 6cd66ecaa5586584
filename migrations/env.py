"""How migrations run: one process at a time, never queueing in front of the box office for long."""

from alembic import context
from flask import current_app
from sqlalchemy import text

ONE_AT_A_TIME = 7_417_020_260_101
LOCK_TIMEOUT = "2s"

migrate = current_app.extensions["migrate"]
metadata = migrate.db.metadatas[None]
options = dict(migrate.configure_args)


def no_empty_revisions(_context, _revision, directives):
    """`flask db migrate` writes a file only when models and database differ."""
    if (
        getattr(context.config.cmd_opts, "autogenerate", False)
        and directives[0].upgrade_ops.is_empty()
    ):
        directives[:] = []


options.setdefault("process_revision_directives", no_empty_revisions)

if context.is_offline_mode():
    url = migrate.db.engine.url.render_as_string(hide_password=False)
    context.configure(url=url, target_metadata=metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    with migrate.db.engine.connect() as connection:
        # Waiting for another process's migrations is fine; waiting for a table's lock while
        # every request queues behind us is not: give up, and be run again.
        connection.execute(text("SET lock_timeout = 0; SET statement_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ONE_AT_A_TIME})
        connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
        connection.commit()
        try:
            context.configure(connection=connection, target_metadata=metadata, **options)
            with context.begin_transaction():
                context.run_migrations()
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ONE_AT_A_TIME})
            connection.commit()
            connection.invalidate()  # its settings must not reach a request
