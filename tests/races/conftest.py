"""Many at once, released together."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest
from flask import Flask
from sqlalchemy import text

from init import db
from models import Booking, User
from models.values import Caller, WantedLine, WantedPlaces
from services import booking_service, hold_service, verify_service
from utils.errors import ApiError
from utils.statement import Statement

Thing = TypeVar("Thing")
AT_MOST = 20


@pytest.fixture
def in_parallel(app: Flask) -> Callable[..., list[Any]]:
    """`in_parallel(things, deed)`: what `deed` made of each, all started at the same instant."""

    def run(things: Sequence[Thing], deed: Callable[[Thing], Any]) -> list[Any]:
        threads = min(len(things), AT_MOST)
        gate = threading.Barrier(threads)
        passed = threading.local()

        def one(thing: Thing) -> Any:
            with app.app_context():
                db.session.connection()  # connected before the start, not during the race
                db.session.rollback()
                if not getattr(passed, "gate", False):
                    passed.gate = True
                    gate.wait()
                return deed(thing)

        with ThreadPoolExecutor(max_workers=threads) as pool:
            return list(pool.map(one, things))

    return run


@pytest.fixture
def sound(committed: Any) -> Callable[[], list[Any]]:
    """What breaks an invariant now; an empty list when nothing does."""

    def check() -> list[Any]:
        db.session.rollback()
        return verify_service.broken()

    return check


def caller_of(user: User) -> Caller:
    """A signed-in caller, made before the race."""
    return Caller(user_id=user.id, email=user.email, name=user.name)


def attempt(caller: Caller, show_id: int, *lines: WantedLine, **more: Any) -> str:
    """Try to hold; "held", or the code of the refusal."""
    wanted = WantedPlaces(show_id=show_id, lines=lines, **more)
    return outcome(lambda: hold_service.place(caller, wanted, once=None).current_status)


def outcome(deed: Callable[[], Any]) -> str:
    """What came of it: a word of success, or the code of the refusal."""
    try:
        return str(deed())
    except ApiError as refusal:
        return refusal.code


def booked(caller: Caller, show_id: int, *lines: WantedLine, **more: Any) -> int:
    """The id of a booking placed before the race."""
    placed = hold_service.place(caller, WantedPlaces(show_id, lines, **more), once=None)
    db.session.rollback()
    return placed.id


def find(booking_id: int, caller: Caller) -> Booking:
    return booking_service.find(booking_id, caller=caller)


def without(module: Any, name: str, *parts: str) -> Any:
    """An SQL statement of a module with `parts` of it taken out: a guard switched off."""
    statement = getattr(module, name)
    hot = isinstance(statement, Statement)
    sql = statement.sql if hot else statement.text
    for part in parts:
        assert part in sql
        sql = sql.replace(part, "")
    return Statement(f"{name.lower()}_without", sql) if hot else text(sql)
