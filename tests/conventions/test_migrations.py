"""Migrations make exactly the tables that the models describe, and can be taken back."""

import re
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from flask_migrate import downgrade, upgrade
from sqlalchemy import create_engine, make_url, text

from init import Base, db

VERSIONS = Path(__file__).parents[2] / "migrations" / "versions"

# A hall of 0003, where positions and ordinals count on over the ends of rows, and a show in it.
OF_0003 = """
    INSERT INTO organisers (id, name, email) VALUES (1, 'O', 'o@example.com');
    INSERT INTO events (id, organiser_id, title, status, moderation)
    VALUES (1, 1, 'E', 'draft', 'not_required');
    INSERT INTO venues (id, name, city, country, time_zone, capacity)
    VALUES (1, 'V', 'C', 'KE', 'UTC', 99);
    INSERT INTO seat_maps (id, venue_id, name) VALUES (1, 1, 'Main');
    INSERT INTO seat_map_versions (id, seat_map_id, venue_id, number, replaced_at)
    VALUES (1, 1, 1, 1, now()), (2, 1, 1, 2, NULL);
    INSERT INTO sections (id, seat_map_version_id, name, kind, capacity, position)
    VALUES (1, 2, 'Stalls', 'seated', 5, 0), (2, 2, 'Floor', 'standing', 9, 1),
           (3, 1, 'Floor', 'standing', 9, 0);
    INSERT INTO map_seats (section_id, "row", number, position)
    VALUES (1, 'A', '1', 0), (1, 'A', '2', 1), (1, 'A', '3', 2), (1, 'B', '1', 3), (1, 'B', '2', 4);
    INSERT INTO shows (id, event_id, venue_id, seat_map_version_id, time_zone, currency, status)
    VALUES (1, 1, 1, 2, 'UTC', 'KES', 'postponed');
    INSERT INTO stocks (id, show_id, section_id, section_name, name, kind, capacity)
    VALUES (1, 1, 1, 'Stalls', 'Stalls', 'seated', 5), (2, 1, 2, 'Floor', 'Floor', 'standing', 2);
    INSERT INTO places (show_id, stock_id, ordinal, "row", number, key)
    SELECT 1, 1, position + 1, "row", number, 'STALLS/' || "row" || '-' || number FROM map_seats;
    INSERT INTO places (show_id, stock_id, ordinal) VALUES (1, 2, 1), (1, 2, 2);
"""
# What only the newest can have: another map, with tables that are sold at a show, and one that was
# deleted, whose name another one has again.
OF_TODAY = """
    INSERT INTO seat_maps (id, venue_id, name, deleted_at)
    VALUES (2, 1, 'Ball', NULL), (3, 1, 'Ball', now());
    INSERT INTO seat_map_versions (id, seat_map_id, venue_id, number, name)
    VALUES (3, 2, 1, 1, 'Ball'), (4, 3, 1, 1, 'Ball');
    INSERT INTO sections (id, seat_map_version_id, name, kind, capacity, position)
    VALUES (4, 3, 'VIP', 'tables', 2, 0), (5, 4, 'Floor', 'standing', 9, 0);
    INSERT INTO map_seats (section_id, "row", number, position)
    VALUES (4, 'T1', '1', 1), (4, 'T1', '2', 2);
    INSERT INTO shows (id, event_id, venue_id, seat_map_version_id, time_zone, currency, status)
    VALUES (2, 1, 1, 3, 'UTC', 'KES', 'postponed');
    INSERT INTO stocks (id, show_id, section_id, section_name, name, kind, capacity)
    VALUES (3, 2, 4, 'VIP', 'VIP', 'tables', 2);
    INSERT INTO places (show_id, stock_id, ordinal, "row", number, key, off_centre)
    VALUES (2, 3, 1, 'T1', '1', 'VIP/T1-1', -1), (2, 3, 2, 'T1', '2', 'VIP/T1-2', 1);
    INSERT INTO section_limits (show_id, section_id, max_places) VALUES (2, 4, 1);
"""
PLACES = "SELECT key, ordinal, off_centre FROM places WHERE key IS NOT NULL ORDER BY id"
CURRENT = """
    SELECT m.id, m.name, m.is_default, v.number FROM seat_maps m
      LEFT JOIN seat_map_versions v ON v.seat_map_id = m.id AND v.replaced_at IS NULL ORDER BY m.id
"""


@pytest.fixture
def elsewhere(app, database_uri):
    """A database without tables, which the app takes for its own meanwhile."""
    uri = make_url(database_uri).set(drivername="postgresql+psycopg2")
    name = f"{uri.database}_migrated"
    here = create_engine(uri, isolation_level="AUTOCOMMIT")
    with here.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    there = create_engine(uri.set(database=name))
    with app.app_context():
        engines = db.engines
        ours, engines[None] = engines[None], there
        try:
            yield there
        finally:
            engines[None] = ours
            there.dispose()
            with here.connect() as connection:
                connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
            here.dispose()


def test_the_migrated_database_equals_the_models(session):
    context = MigrationContext.configure(
        db.session.connection(), opts={"compare_type": True, "compare_server_default": False}
    )
    assert compare_metadata(context, Base.metadata) == []


def test_migrations_are_numbered_in_one_line():
    names = sorted(path.name for path in VERSIONS.glob("*.py"))
    numbers = [int(re.match(r"(\d{4})_", name).group(1)) for name in names]
    assert numbers == list(range(1, len(numbers) + 1))


def test_halls_of_0003_are_taken_along_and_back(elsewhere):
    def said(query):
        with elsewhere.begin() as connection:
            result = connection.execute(text(query))
            return [tuple(row) for row in result] if result.returns_rows else None

    upgrade(revision="0003")
    said(OF_0003)

    upgrade()

    stalls = [
        ("STALLS/A-1", 1, -2),
        ("STALLS/A-2", 2, 0),
        ("STALLS/A-3", 3, 2),
        ("STALLS/B-1", 5, -1),
        ("STALLS/B-2", 6, 1),
    ]
    assert said(PLACES) == stalls
    assert said("SELECT position, off_centre FROM map_seats ORDER BY id") == [
        (ordinal, off_centre) for _, ordinal, off_centre in stalls
    ]
    assert said(CURRENT) == [(1, "Main", True, 2)]

    said(OF_TODAY)
    downgrade(revision="0003")

    kinds = "SELECT kind FROM sections WHERE id = 4 UNION ALL SELECT kind FROM stocks WHERE id = 3"
    assert said(kinds) == [("seated",), ("seated",)]
    current = "SELECT id FROM seat_map_versions WHERE venue_id = 1 AND replaced_at IS NULL"
    assert said(current) == [(2,)]  # there, a venue has one
    assert said("SELECT name FROM seat_maps ORDER BY id") == [("Main",), ("Ball",), ("Ball 3",)]
    assert said("SELECT count(*) FROM places") == [(9,)]

    upgrade()

    assert said(PLACES) == [*stalls, ("VIP/T1-1", 1, -1), ("VIP/T1-2", 2, 1)]
    assert said(CURRENT) == [
        (1, "Main", True, 2),
        (2, "Ball", False, 1),
        (3, "Ball 3", False, 1),
    ]
