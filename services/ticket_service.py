"""Tickets: born when a booking is confirmed, void when it is cancelled."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import joinedload

from init import db
from models import Booking, Ticket, TicketHolder, TicketStatus
from utils.statement import Statement
from utils.tokens import readable

ISSUE = Statement(
    "issue",
    """
    INSERT INTO tickets (show_id, booking_id, line_id, place_id, ticket_holder_id, code, status)
    SELECT b.show_id, b.id, new.line_id, new.place_id, b.ticket_holder_id, new.code, 'valid'
      FROM bookings b
           CROSS JOIN unnest(CAST(:line_ids AS bigint[]), CAST(:place_ids AS bigint[]),
                             CAST(:codes AS text[])) AS new(line_id, place_id, code)
     WHERE b.id = :booking_id
     ORDER BY new.place_id
    """,
)
VOID = text(
    """
    UPDATE tickets SET status = 'void', updated_at = clock_timestamp()
     WHERE booking_id = ANY(:booking_ids) AND status <> 'void'
    """
)
CODE_LENGTH = 20  # of 32 symbols: 100 bits, which nobody guesses at a door


def issue(
    booking_id: int,
    places: Sequence[tuple[int, int]],
    attendees: Mapping[str, Mapping[str, Any]],
) -> None:
    """A ticket with its own code for each (place id, line id) of a booking just confirmed.

    Runs inside the transaction that confirms, with the booking locked.
    """
    ISSUE.run(
        booking_id=booking_id,
        place_ids=[place_id for place_id, _line_id in places],
        line_ids=[line_id for _place_id, line_id in places],
        codes=[readable(CODE_LENGTH) for _ in places],
    )
    if attendees:
        name_holders(db.session.get_one(Booking, booking_id), attendees)
        db.session.flush()


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
