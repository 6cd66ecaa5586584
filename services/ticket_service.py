"""Tickets: born when a booking is confirmed, void when it is cancelled."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.orm import joinedload

from init import db
from models import Booking, Place, Ticket, TicketHolder, TicketStatus
from utils.tokens import readable

VOID = text(
    """
    UPDATE tickets SET status = 'void', updated_at = clock_timestamp()
     WHERE booking_id = ANY(:booking_ids) AND status <> 'void'
    """
)
CODE_LENGTH = 20  # of 32 symbols: 100 bits, which nobody guesses at a door


def issue(booking: Booking) -> int:
    """A ticket with its own code for each place of a booking just confirmed; how many.

    Runs inside the transaction that confirms, with the booking locked.
    """
    places = db.session.execute(
        select(Place.id, Place.line_id).where(Place.booking_id == booking.id).order_by(Place.id)
    ).all()
    tickets = [
        {
            "show_id": booking.show_id,
            "booking_id": booking.id,
            "line_id": line_id,
            "place_id": place_id,
            "ticket_holder_id": booking.ticket_holder_id,
            "code": readable(CODE_LENGTH),
            "status": TicketStatus.VALID,
        }
        for place_id, line_id in places
    ]
    db.session.execute(insert(Ticket), tickets)
    if booking.attendees:
        name_holders(booking, booking.attendees)
        booking.attendees = {}
    return len(tickets)


def name_holders(booking: Booking, attendees: Mapping[str, Mapping[str, Any]]) -> None:
    """Give tickets of a booking holders of their own, by place id; who has the name keeps it."""
    owner = db.session.get_one(TicketHolder, booking.ticket_holder_id)
    tickets = db.session.scalars(
        select(Ticket)
        .where(Ticket.booking_id == booking.id, Ticket.status == TicketStatus.VALID)
        .options(joinedload(Ticket.ticket_holder))
    ).all()
    for ticket in tickets:
        named = attendees.get(str(ticket.place_id))
        if named and any(getattr(ticket.ticket_holder, fact) != named[fact] for fact in named):
            holder = TicketHolder(user_id=owner.user_id, organiser_id=owner.organiser_id, **named)
            db.session.add(holder)
            db.session.flush()
            ticket.ticket_holder_id = holder.id


def void(booking_ids: Sequence[int]) -> None:
    """Void the tickets of bookings that the caller has locked; their codes open no door."""
    db.session.execute(VOID, {"booking_ids": list(booking_ids)})
