"""A real PostgreSQL of the tests' own: rolled back after every test, or really committed to.

The database that the environment names is never touched. `TEST_DATABASE_URI` may name a server
on which the tests make, and drop, databases of their own; without it they run one themselves.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from marshmallow import Schema
from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.orm import Session, scoped_session

import config
from controllers.callers import tokens_for
from init import db
from main import create_app
from models import SignIn, User
from services import free_rows, inventory_service, seat_choice_service
from services.auth_service import SignedIn
from tests.factories import worlds
from utils import dev_database, http
from utils.statement import Statement

for variable in (*config.ENVIRONMENT, "FLASK_DEBUG"):
    os.environ.pop(variable, None)
config.load_dotenv = lambda *_args: False  # a developer's .env is not the tests' business

FAST_AND_FORGETFUL = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
}


def pytest_make_parametrize_id(val: object) -> str | None:
    """Times count from now: in a test's name they would differ between test processes."""
    return "time" if isinstance(val, str) and re.match(r"\d{4}-\d\d-\d\dT", val) else None


@pytest.fixture(scope="session")
def database_uri(worker_id: str) -> Iterator[str]:
    """A database of this test process, made now and dropped at the end."""
    server = os.environ.get("TEST_DATABASE_URI") or dev_database.start(
        config.STATE / "test-postgres", settings=FAST_AND_FORGETFUL
    )
    name = f"gigmate_test_{worker_id}_{os.getpid()}"
    admin = create_engine(
        make_url(server).set(drivername="postgresql+psycopg2"), isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield admin.url.set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(scope="session")
def app(database_uri: str) -> Iterator[Flask]:
    app = create_app(
        {
            "database_uri": database_uri,
            "secret_key": "a secret that only the tests know, long enough",
            "bcrypt_rounds": 4,
            "password_hashes_at_once": 24,
            "threads": 24,
            "log_level": "ERROR",
            "availability_seconds": 0.0,
            "sheet_seconds": 0.0,
            "rate_limits": False,
        }
    )
    with app.app_context():
        upgrade()
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def session(app: Flask) -> Iterator[scoped_session[Session]]:
    """A session whose commits are savepoints inside one outer transaction."""
    with app.app_context():
        engine = db.engines[None]
        with engine.connect() as connection:
            outer = connection.begin()
            db.engines[None] = connection  # type: ignore[assignment]
            db.session.configure(join_transaction_mode="create_savepoint")
            yield db.session
            db.session.remove()
            outer.rollback()
            db.engines[None] = engine
            db.session.configure(join_transaction_mode="conditional_savepoint")


@pytest.fixture
def committed(app: Flask) -> Iterator[scoped_session[Session]]:
    """Real commits, for tests about races; every table is emptied afterwards."""
    with app.app_context():
        yield db.session
        db.session.remove()
        _empty_every_table()


@pytest.fixture(scope="module")
def world(app: Flask) -> Iterator[worlds.World]:
    """Everything that the API knows, committed, with the same ids in every run."""
    with app.app_context():
        _empty_every_table()
        built = worlds.build()
        db.session.remove()
        db.session.configure(join_transaction_mode="create_savepoint")
    yield built
    with app.app_context():
        db.session.remove()
        db.session.configure(join_transaction_mode="conditional_savepoint")
        _empty_every_table()


@pytest.fixture(scope="module")
def undone(app: Flask, world: worlds.World) -> Callable[[], AbstractContextManager[None]]:
    """`with undone():` lets requests commit, and then takes back what they did to the world."""

    @contextmanager
    def undone() -> Iterator[None]:
        with app.app_context():
            engines, engine = db.engines, db.engine
        with engine.connect() as connection:
            outer = connection.begin()
            engines[None] = connection  # type: ignore[assignment]
            try:
                yield
            finally:
                engines[None] = engine
                outer.rollback()

    return undone


def _empty_every_table() -> None:
    inventory_service.lately_short.clear()  # what is remembered is of shows with the same ids
    seat_choice_service.lately_contended.clear()
    free_rows.forget()
    tables = ", ".join(f'"{t.name}"' for t in db.metadata.sorted_tables)
    with db.engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))


class FreshClient(FlaskClient):
    """Each request sees the database and not what an earlier one had read."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        db.session.expire_all()
        response = super().open(*args, **kwargs)
        db.session.expire_all()
        return response


@pytest.fixture
def client(app: Flask, session: Any) -> FlaskClient:
    return FreshClient(app, app.response_class)


@pytest.fixture
def as_user() -> Callable[[User], dict[str, str]]:
    """The headers that a signed-in user sends."""

    def headers(user: User) -> dict[str, str]:
        sign_in = SignIn(user_id=user.id)
        db.session.add(sign_in)
        db.session.commit()
        tokens = tokens_for(SignedIn(user, sign_in.id))
        return {"Authorization": f"Bearer {tokens['access_token']}"}

    return headers


@pytest.fixture
def count_statements(app: Flask) -> Iterator[list[str]]:
    """Every SQL statement sent while the test runs; clear it to start counting."""
    statements: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_args: Any) -> None:
        if not statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK TO")):
            statements.append(statement)

    def sent(statement: Statement, facts: dict[str, Any]) -> Any:
        statements.append(statement.text)
        return send(statement, facts)

    send = Statement._sent
    Statement._sent = sent  # type: ignore[method-assign]
    event.listen(Engine, "before_cursor_execute", note)
    yield statements
    event.remove(Engine, "before_cursor_execute", note)
    Statement._sent = send  # type: ignore[method-assign]


@pytest.fixture(scope="session", autouse=True)
def _answers_are_what_the_schemas_say() -> Iterator[None]:
    """Hold prepared schemas, in every answer that any test gets, equal to marshmallow's own."""
    prepared = http.dumped

    def compared(schema: Schema, result: Any) -> Any:
        said = prepared(schema, result)
        plain = orjson.dumps(schema.dump(result), option=orjson.OPT_NON_STR_KEYS)
        assert orjson.dumps(said, option=orjson.OPT_NON_STR_KEYS) == plain
        return said

    http.dumped = compared
    yield
    http.dumped = prepared


@pytest.fixture(scope="session")
def worker_id(request: pytest.FixtureRequest) -> str:
    """Which of several test processes this is; pytest-xdist knows when it runs them."""
    return getattr(request.config, "workerinput", {}).get("workerid", "alone")
