"""The database itself: where it is, and how it is emptied."""

from sqlalchemy import text

from init import Base, db
from utils.transaction import transaction


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
