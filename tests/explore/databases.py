"""A database for each process that explores, on the server that tests have anyway."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import create_engine, make_url, text

import config
from init import db
from main import create_app
from utils import dev_database

FAST_AND_FORGETFUL = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
}


def ignore_the_environment() -> None:
    """Explore the program as it ships, and never the database that somebody has configured."""
    for variable in (*config.ENVIRONMENT, "FLASK_DEBUG"):
        os.environ.pop(variable, None)
    config.load_dotenv = lambda *_args: False


@contextmanager
def databases(number: int) -> Iterator[list[str]]:
    """The URIs of that many databases with the product's tables, dropped at the end."""
    server = os.environ.get("TEST_DATABASE_URI") or dev_database.start(
        config.STATE / "test-postgres", settings=FAST_AND_FORGETFUL
    )
    url = make_url(server).set(drivername="postgresql+psycopg2")
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    names = [f"gigmate_explore_{os.getpid()}_{n}" for n in range(number)]
    uris = [url.set(database=name).render_as_string(hide_password=False) for name in names]
    with admin.connect() as connection:
        try:
            connection.execute(text(f"CREATE DATABASE {names[0]}"))
            app = application(uris[0])
            with app.app_context():
                upgrade()
                db.engine.dispose()
            for name in names[1:]:
                connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {names[0]}"))
            yield uris
        finally:
            for name in names:
                connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
    admin.dispose()


def application(uri: str) -> Flask:
    """The product on a database."""
    return create_app(
        {
            "database_uri": uri,
            "secret_key": "a secret that only the explorer knows, long enough",
            "bcrypt_rounds": 4,
            "log_level": "ERROR",
            "rate_limits": False,  # every ordering is the same few people's
            "sheet_seconds": 0.0,  # nothing is remembered from one ordering to the next
        }
    )
