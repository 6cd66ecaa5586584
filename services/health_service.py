"""Whether this process can serve."""

import functools
from pathlib import Path

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from init import db
from utils.errors import Unavailable

MIGRATIONS = Path(__file__).parents[1] / "migrations"


def require_ready() -> None:
    """Raise Unavailable unless the database answers and has every migration."""
    if migrations_missing():
        raise Unavailable("The database lacks a migration: run `flask db create`.")


def migrations_missing() -> bool:
    """Whether the database is behind the migrations that this code was written for."""
    current = MigrationContext.configure(db.session.connection()).get_current_heads()
    return set(current) != _heads()


@functools.cache
def _heads() -> frozenset[str]:
    return frozenset(ScriptDirectory(str(MIGRATIONS)).get_heads())
