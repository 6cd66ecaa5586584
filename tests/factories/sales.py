"""Bookings as the catalogue sees them: that there are some, whatever is in them."""

import itertools
from datetime import UTC, datetime, timedelta

from init import db
from models import Booking, BookingStatus, Channel, Show
from tests.factories import TicketHolderFactory

_numbers = itertools.count(1)
STATES = {
    "held": (BookingStatus.HELD, timedelta(minutes=15)),
    "dead": (BookingStatus.HELD, timedelta(minutes=-1)),
    "confirmed": (BookingStatus.CONFIRMED, timedelta(minutes=-1)),
    "cancelled": (BookingStatus.CANCELLED, timedelta(minutes=-1)),
}


def booked(show: Show, state: str = "confirmed") -> Booking:
    """A booking of `show` without places: held, dead (its time ran out), confirmed, cancelled."""
    status, left = STATES[state]
    until = datetime.now(UTC) + left
    booking = Booking(
        reference=f"SALES{next(_numbers)}",
        show_id=show.id,
        status=status,
        channel=Channel.WEB,
        ticket_holder_id=TicketHolderFactory().id,
        total_amount=0,
        currency=show.currency,
        held_at=until - timedelta(minutes=15),
        held_until=until,
    )
    db.session.add(booking)
    db.session.commit()
    return booking
