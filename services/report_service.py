"""Figures that somebody asks for by hand."""

from sqlalchemy import func, select

from init import db
from models import Booking, BookingStatus, Event, Show, Ticket, TicketStatus
from utils.errors import NotFound


def tickets_sold(event_id: int) -> int:
    """How many tickets of an event's shows are sold: valid or used, of confirmed bookings.

    Raises NotFound where there is no such event.
    """
    if db.session.get(Event, event_id) is None:
        raise NotFound(f"There is no event {event_id}.")
    sold = (
        select(func.count())
        .select_from(Ticket)
        .join(Booking, Booking.id == Ticket.booking_id)
        .join(Show, Show.id == Ticket.show_id)
        .where(
            Show.event_id == event_id,
            Ticket.status != TicketStatus.VOID,
            Booking.status == BookingStatus.CONFIRMED,
        )
    )
    return db.session.scalar(sold) or 0
