"""Random lives of bookings, through HTTP, held to a box office in plain Python after each step.

`make test` plays the same lives every time. For others, and more of them:

    LIFE_EXAMPLES=2000 make test ARGS="tests/life -n 0 --hypothesis-seed=7"

A life that goes wrong is then cut down to the steps that matter, which may take minutes.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import Select

from models import Booking
from services import (
    booking_service,
    idempotency_service,
    inventory_service,
    limit_service,
    swap_service,
    ticket_service,
)
from tests.life.machine import LifeOfABooking
from tests.life.model import BoxOffice
from tests.life.stage import build, undone
from utils.errors import ApiError

EXAMPLES = int(os.environ.get("LIFE_EXAMPLES", "0"))

Play = Callable[..., None]


@pytest.fixture
def play(app: Flask) -> Iterator[Play]:
    """Play some lives; the first that goes wrong is raised."""
    with undone(app) as open_connection:
        show = build(app)

        class OnStage(LifeOfABooking):
            stage, connection = show, open_connection

        def play(**wanted: Any) -> None:
            usual = {
                "deadline": None,
                "database": None,
                "derandomize": True,
                "phases": [Phase.generate],
                "report_multiple_bugs": False,
                "stateful_step_count": 30,
                "suppress_health_check": list(HealthCheck),
            }
            run_state_machine_as_test(OnStage, settings=settings(**{**usual, **wanted}))

        yield play


def test_every_life_goes_as_the_model_says(play: Play) -> None:
    if EXAMPLES:
        phases = [Phase.generate, Phase.shrink]
        play(max_examples=EXAMPLES, derandomize=False, stateful_step_count=50, phases=phases)
    else:
        play(max_examples=20)


# What goes wrong, and the guard that is taken away for it: without these controls, the test above
# might just as well look at nothing.
MISTAKES = {
    "a cancellation frees no place": (inventory_service, "release", lambda ids: None),
    "a cancellation leaves the tickets valid": (ticket_service, "void", lambda ids: None),
    "the dead are confirmed": (booking_service, "require_held", lambda status: None),
    "the dead keep their places": (inventory_service, "_look", lambda *facts: blind(*facts)),
    "a swap frees no seat": (swap_service, "_leave", lambda plan, wanted: None),
    "a swap leaves the tickets behind": (swap_service, "_move_tickets", lambda *facts: None),
    "nobody has a limit": (limit_service, "require_within", lambda lines, **facts: None),
    "a retry is done again": (idempotency_service, "keep", lambda once, result: None),
    "everybody sees everything": (booking_service, "visible_to", lambda _: every_booking()),
    "buyers say what is paid": (booking_service, "require_free_or_desk", lambda *facts: None),
    "a cancelled show leaves its bookings": (booking_service, "cancel_all", lambda *_, **__: 0),
    "the model frees no place": (BoxOffice, "end", lambda model, booking, status: None),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_noticed(play: Play, monkeypatch: pytest.MonkeyPatch, mistake: str) -> None:
    owner, guard, without = MISTAKES[mistake]
    monkeypatch.setattr(owner, guard, without)

    with pytest.raises(AssertionError):
        play(max_examples=60)


look = inventory_service._look


def blind(*facts: Any) -> tuple[bool, ApiError | None]:
    """A look that takes the dead for alive."""
    return False, look(*facts)[1]


def every_booking() -> Select[Booking]:
    return booking_service._complete().order_by(Booking.id.desc())
