"""The door: who may come in, and that each ticket admits once."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, insert, select, text, update
from sqlalchemy.orm import joinedload

from init import db
from models import Booking, BookingLine, CheckIn, Place, Show, Ticket, TicketStatus
from models.values import Caller, Once
from services import booking_service, idempotency_service
from utils.clock import now
from utils.errors import Conflict, NotFound
from utils.transaction import lock, transaction

LOCK_BOOKING = text("SELECT id FROM bookings WHERE id = :id FOR UPDATE")


class UnknownTicket(NotFound):
    """No ticket of this show has that code, or its organiser is not yours."""

    code, title = "unknown-ticket", "There is no such ticket"


class WrongShow(Conflict):
    """The ticket is good, but for another show of the same organiser; `show_id` says which."""

    code, title = "wrong-show", "The ticket is for another show"


class TicketVoid(Conflict):
    """The ticket was cancelled or replaced."""

    code, title = "ticket-void", "The ticket is void"


class AlreadyUsed(Conflict):
    """The ticket has admitted somebody; `used_at` and `gate` say when and where."""

    code, title = "already-used", "The ticket has been used"


@dataclass(frozen=True)
class Admission:
    """Somebody let in, and what a steward wants to see."""

    id: int
    show_id: int
    ticket_id: int
    gate: str | None
    admitted_at: datetime
    ticket_holder: str
    tier: str | None
    place: Place

    @property
    def section(self) -> str:
        return self.place.section

    @property
    def row(self) -> str | None:
        return self.place.row

    @property
    def number(self) -> str | None:
        return self.place.number


def admit(
    caller: Caller, show: Show, *, ticket_code: str, gate: str | None, once: Once | None
) -> Admission:
    """Let the holder of a code in, once and only once.

    Raises UnknownTicket, WrongShow, TicketVoid, ShowCancelled, or AlreadyUsed with when and where.
    """
    with transaction():
        idempotency_service.wait_for_duplicates(once)
        booking_service.require_show_happens(show.id)
        ticket = _ticket_with(ticket_code, show)
        # The booking first: cancelling it and admitting with it are one after the other.
        db.session.execute(LOCK_BOOKING, {"id": ticket.booking_id})
        _require_valid(lock(ticket))
        ticket.status = TicketStatus.USED
        admitted_at = db.session.scalar(select(now()))
        check_in_id = db.session.scalar(
            insert(CheckIn)
            .values(
                show_id=show.id,
                ticket_id=ticket.id,
                gate=gate,
                admitted_by_user_id=caller.user_id,
                admitted_at=admitted_at,
            )
            .returning(CheckIn.id)
        )
        db.session.execute(
            update(Booking)
            .where(Booking.id == ticket.booking_id)
            .values(version=Booking.version + 1)
            .execution_options(synchronize_session=False)
        )
        line = db.session.get_one(BookingLine, ticket.line_id)
        admission = Admission(
            id=check_in_id or 0,
            show_id=show.id,
            ticket_id=ticket.id,
            gate=gate,
            admitted_at=admitted_at,  # type: ignore[arg-type]
            ticket_holder=ticket.ticket_holder.name,
            tier=line.tier.name if line.tier else None,
            place=ticket.place,  # type: ignore[arg-type]  # a valid ticket has one
        )
        idempotency_service.keep(once, admission)
    return admission


def admissions(show: Show) -> Select[CheckIn]:
    """Who was let in, newest first."""
    return (
        select(CheckIn)
        .where(CheckIn.show_id == show.id)
        .options(
            joinedload(CheckIn.ticket).joinedload(Ticket.ticket_holder),
            joinedload(CheckIn.admitted_by),
        )
        .order_by(CheckIn.id.desc())
    )


def _ticket_with(code: str, show: Show) -> Ticket:
    ticket = db.session.scalar(select(Ticket).where(Ticket.code == code.strip().upper()))
    if ticket is None:
        raise UnknownTicket("No ticket has this code.")
    if ticket.show_id != show.id:
        other = db.session.get_one(Show, ticket.show_id)
        if show.organiser_id is None or other.organiser_id != show.organiser_id:
            raise UnknownTicket("No ticket has this code.")
        raise WrongShow("This ticket is for another show.", show_id=other.id)
    return ticket


def _require_valid(ticket: Ticket) -> None:
    if ticket.status == TicketStatus.VOID:
        raise TicketVoid("This ticket was cancelled or replaced.")
    if ticket.status == TicketStatus.USED:
        used = db.session.scalars(select(CheckIn).where(CheckIn.ticket_id == ticket.id)).one()
        where = f" at {used.gate}" if used.gate else ""
        when = used.admitted_at.isoformat()
        raise AlreadyUsed(
            f"It admitted somebody{where} at {when}.", used_at=used.admitted_at, gate=used.gate
        )
