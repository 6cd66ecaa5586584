"""Who comes to a show: the list for the door and for the organiser's spreadsheet."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from init import db
from models import (
    Booking,
    BookingLine,
    CheckIn,
    Place,
    Show,
    Stock,
    Ticket,
    TicketHolder,
    TicketStatus,
    Tier,
)
from utils.listing import contains

COLUMNS = (
    "ticket_id",
    "reference",
    "name",
    "email",
    "tier",
    "section",
    "row",
    "number",
    "status",
    "admitted_at",
    "gate",
)
ROWS_AT_ONCE = 2000


def attendees(show: Show, wanted: Mapping[str, Any]) -> Select[Ticket]:
    """The tickets of a show that open its door, or have; newest first."""
    query = (
        select(Ticket)
        .join(Ticket.ticket_holder)
        .where(Ticket.show_id == show.id, Ticket.status != TicketStatus.VOID)
        .options(
            joinedload(Ticket.ticket_holder),
            joinedload(Ticket.place).joinedload(Place.stock),
            joinedload(Ticket.booking),
            joinedload(Ticket.line).joinedload(BookingLine.tier),
            joinedload(Ticket.check_in),
        )
        .order_by(Ticket.id.desc())
    )
    if words := wanted.get("q"):
        query = query.where(contains(words, TicketHolder.name, TicketHolder.email))
    if status := wanted.get("status"):
        query = query.where(Ticket.status == status)
    return query


def rows(show: Show) -> Iterator[tuple[Any, ...]]:
    """The same people as rows of COLUMNS, in order of ticket, read a few thousand at a time."""
    return _rows(show.id)  # read now: the rows leave when the request, and its session, are over


def _rows(show_id: int) -> Iterator[tuple[Any, ...]]:
    last = 0
    while True:
        found = db.session.execute(
            select(
                Ticket.id,
                Booking.reference,
                TicketHolder.name,
                TicketHolder.email,
                Tier.name,
                Stock.section_name,
                Place.row,
                Place.number,
                Ticket.status,
                CheckIn.admitted_at,
                CheckIn.gate,
            )
            .join(Booking, Booking.id == Ticket.booking_id)
            .join(TicketHolder, TicketHolder.id == Ticket.ticket_holder_id)
            .join(BookingLine, BookingLine.id == Ticket.line_id)
            .join(Place, Place.id == Ticket.place_id)
            .join(Stock, Stock.id == Place.stock_id)
            .outerjoin(Tier, Tier.id == BookingLine.tier_id)
            .outerjoin(CheckIn, CheckIn.ticket_id == Ticket.id)
            .where(Ticket.show_id == show_id, Ticket.status != TicketStatus.VOID, Ticket.id > last)
            .order_by(Ticket.id)
            .limit(ROWS_AT_ONCE)
        ).all()
        yield from found
        if len(found) < ROWS_AT_ONCE:
            return
        last = found[-1][0]
