"""The database itself: where it is, how it is emptied, and with which roles it is used."""

from sqlalchemy import func, select, text

from init import Base, db
from models import AuditEntry
from utils.transaction import lock_key, transaction

APP_ROLE, READER_ROLE = "gigmate_app", "gigmate_reader"
SECRET = {
    "users": ("password_hash",),
    "booking_secrets": ("secret_hash",),
    "api_keys": ("secret_hash",),
    "idempotency_keys": ("body",),
    "failed_guesses": ("about",),
    "outbox_messages": ("payload",),
}


def address() -> str:
    """Which database this is, without its password: `gigmate at 127.0.0.1:5432`."""
    url = db.engine.url
    return f"{url.database} at {url.host or 'the local socket'}:{url.port or 5432}"


def drop() -> None:
    """Drop our tables with everything in them, and Alembic's note of how far they had come.

    Tables of other programs in the same database stay.
    """
    tables = ", ".join(f'"{name}"' for name in (*Base.metadata.tables, "alembic_version"))
    with transaction():
        db.session.execute(text(f"DROP TABLE IF EXISTS {tables} CASCADE"))


def make_roles(app: str = APP_ROLE, reader: str = READER_ROLE) -> None:
    """Make, or bring up to date, the two roles that use the database without owning it.

    `app` is what the API needs: it reads and writes every table, but of the audit it can only add
    and read entries. `reader` reads everything but secrets. Neither can sign in until it is given
    a password. To be run by the owner of the tables; raises DBAPIError where that may not.
    """
    quoted = db.engine.dialect.identifier_preparer.quote
    tables = {name: quoted(name) for name in sorted(Base.metadata.tables)}
    with transaction():
        db.session.execute(select(func.pg_advisory_xact_lock(lock_key("roles"))))
        known = set(db.session.scalars(text("SELECT rolname FROM pg_roles")))
        for role in (app, reader):
            if role not in known:
                db.session.execute(text(f"CREATE ROLE {quoted(role)} NOLOGIN"))
            db.session.execute(text(f"GRANT USAGE ON SCHEMA public TO {quoted(role)}"))
            db.session.execute(text(f"GRANT SELECT ON alembic_version TO {quoted(role)}"))
        for name, table in tables.items():
            is_audit = name == AuditEntry.__tablename__
            rights = "SELECT, INSERT" if is_audit else "SELECT, INSERT, UPDATE, DELETE"
            db.session.execute(text(f"REVOKE ALL ON {table} FROM {quoted(app)}, {quoted(reader)}"))
            db.session.execute(text(f"GRANT {rights} ON {table} TO {quoted(app)}"))
            secret = SECRET.get(name, ())
            columns = [quoted(c.name) for c in Base.metadata.tables[name].c if c.name not in secret]
            seen = f"({', '.join(columns)})" if secret else ""
            db.session.execute(text(f"GRANT SELECT {seen} ON {table} TO {quoted(reader)}"))
        db.session.execute(text(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {quoted(app)}"))
