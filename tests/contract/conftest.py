"""A committed world that every request finds as it was: what one writes is rolled back."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from flask import Flask
from sqlalchemy import text

from init import db
from tests.factories import worlds
from tests.factories.worlds import World


@pytest.fixture(scope="package")
def world(app: Flask) -> Iterator[World]:
    """Everything that the API knows, with the same ids in every run."""
    with app.app_context():
        _empty()
        built = worlds.build()
        db.session.remove()
        db.session.configure(join_transaction_mode="create_savepoint")
    yield built
    with app.app_context():
        db.session.remove()
        db.session.configure(join_transaction_mode="conditional_savepoint")
        _empty()


@pytest.fixture(scope="package")
def undone(app: Flask) -> Callable[[], AbstractContextManager[None]]:
    """`with undone():` lets requests commit, and then takes back what they did."""

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


def _empty() -> None:
    tables = ", ".join(f'"{table.name}"' for table in db.metadata.sorted_tables)
    with db.engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
