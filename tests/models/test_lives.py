"""Lives as data: every step that is drawn is allowed, and no other."""

import pytest

from models import Booking, BookingStatus, Event, EventStatus, Show, ShowStatus
from models import booking as bookings
from models import event as events
from models import show as shows
from utils.errors import Conflict

LIVES = [
    (Booking, bookings.NEXT, BookingStatus),
    (Event, events.NEXT, EventStatus),
    (Show, shows.NEXT, ShowStatus),
]
STEPS = [
    (model, steps, now, to) for model, steps, states in LIVES for now in states for to in states
]


@pytest.mark.parametrize(("model", "steps", "now", "to"), STEPS)
def test_a_step(model, steps, now, to):
    row = model(status=now)

    if to in steps.get(now, ()):
        row.move(to)
        assert row.status == to
    else:
        with pytest.raises(Conflict):
            row.move(to)
        assert row.status == now
