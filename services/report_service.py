"""Figures that somebody asks for by hand."""

from sqlalchemy import func, select

from init import db
from models import Booking, BookingStatus, Event, Place, Show, Stock, Ticket, TicketStatus
from utils.errors import NotFound

SOLD = (Ticket.status != TicketStatus.VOID, Booking.status == BookingStatus.CONFIRMED)


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
        .where(Show.event_id == event_id, *SOLD)
    )
    return db.session.scalar(sold) or 0


def tickets_sold_by_section(event_id: int) -> dict[str, int]:
    """The same, by the names of the sections that they are for."""
    sold = (
        select(Stock.section_name, func.count().label("sold"))
        .select_from(Ticket)
        .join(Booking, Booking.id == Ticket.booking_id)
        .join(Show, Show.id == Ticket.show_id)
        .join(Place, Place.id == Ticket.place_id)
        .join(Stock, Stock.id == Place.stock_id)
        .where(Show.event_id == event_id, *SOLD)
        .group_by(Stock.section_name)
        .order_by(Stock.section_name)
    )
    return {row.section_name: row.sold for row in db.session.execute(sold)}
