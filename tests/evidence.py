"""What requests leave behind, and what their answers must not show."""

import re

from flask import Flask
from sqlalchemy import text

from init import db

# What an answer to a stranger never shows.
INSIDES = re.compile(
    r"Traceback|psycopg|sqlalchemy|SELECT |INSERT |site-packages|/home/|\.py\b|line \d+, in"
)

Rows = dict[str, tuple[int, int | None]]


def rows(app: Flask) -> Rows:
    """How many rows each table has, and a sum of what is in them."""
    with app.app_context():
        counts = " UNION ALL ".join(
            f"SELECT '{table.name}', count(*), sum(hashtextextended(t::text, 0))"
            f' FROM "{table.name}" t'
            for table in db.metadata.sorted_tables
        )
        found = {name: (count, told) for name, count, told in db.session.execute(text(counts))}
        db.session.rollback()
        return found
