"""Migrations make exactly the tables that the models describe, and can be taken back."""

import re
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from init import Base, db

VERSIONS = Path(__file__).parents[2] / "migrations" / "versions"


def test_the_migrated_database_equals_the_models(session):
    context = MigrationContext.configure(
        db.session.connection(), opts={"compare_type": True, "compare_server_default": False}
    )
    assert compare_metadata(context, Base.metadata) == []


def test_migrations_are_numbered_in_one_line():
    names = sorted(path.name for path in VERSIONS.glob("*.py"))
    numbers = [int(re.match(r"(\d{4})_", name).group(1)) for name in names]
    assert numbers == list(range(1, len(numbers) + 1))
