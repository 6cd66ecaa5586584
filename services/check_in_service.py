"""The door: who may come in, and that each ticket admits once."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from models import CheckIn, Show, Ticket, TicketStatus
from models.values import Caller, Once
from services import api_key_service, audit_service, booking_service, idempotency_service
from utils.errors import Conflict, NotFound
from utils.statement import Statement
from utils.transaction import transaction

FIND = Statement(
    "ticket_with_code",
    """
    SELECT t.id, t.booking_id, t.show_id, e.organiser_id
      FROM tickets t JOIN shows s ON s.id = t.show_id JOIN events e ON e.id = s.event_id
     WHERE t.code = :code
    """,
)

# The booking before the ticket: cancelling it and admitting with it are one after the other.
LOCK_BOOKING = Statement("lock_booking", "SELECT id FROM bookings WHERE id = :id FOR UPDATE")

# Nothing comes back, and nothing is done, unless the ticket is valid at this moment.
ADMIT = Statement(
    "admit",
    f"""
    WITH used AS (
        UPDATE tickets SET status = 'used', updated_at = clock_timestamp()
         WHERE id = :ticket_id AND status = 'valid'
        RETURNING id, show_id, booking_id, line_id, place_id, ticket_holder_id),
    entry AS (
        INSERT INTO check_ins (show_id, ticket_id, gate, admitted_by_user_id, admitted_at)
        SELECT show_id, id, CAST(:gate AS text), CAST(:user_id AS bigint), clock_timestamp()
          FROM used
        RETURNING id, admitted_at),
    counted AS (
        UPDATE bookings SET version = version + 1, updated_at = clock_timestamp()
         WHERE id = (SELECT booking_id FROM used)),
    audited AS (
        {audit_service.INTO}
        SELECT 'ticket.use', 'ticket', used.id, e.organiser_id,
               jsonb_build_object('status', 'valid'), jsonb_build_object('status', 'used'), NULL,
               {audit_service.BY}
          FROM used JOIN shows s ON s.id = used.show_id JOIN events e ON e.id = s.event_id)
    SELECT entry.id, entry.admitted_at, h.name AS ticket_holder, t.name AS tier,
           k.section_name AS section, p.row, p.number
      FROM used CROSS JOIN entry
      JOIN ticket_holders h ON h.id = used.ticket_holder_id
      JOIN booking_lines l ON l.id = used.line_id
      LEFT JOIN tiers t ON t.id = l.tier_id
      JOIN places p ON p.id = used.place_id
      JOIN stocks k ON k.id = p.stock_id
    """,  # noqa: S608 (all parts are constants)
)

WHY_NOT = Statement(
    "why_not",
    """
    SELECT t.status, c.admitted_at, c.gate
      FROM tickets t LEFT JOIN check_ins c ON c.ticket_id = t.id WHERE t.id = :ticket_id
    """,
)


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

    show_id: int
    ticket_id: int
    gate: str | None
    id: int
    admitted_at: datetime
    ticket_holder: str
    tier: str | None
    section: str
    row: str | None
    number: str | None


def admit(
    caller: Caller, show: Show, *, ticket_code: str, gate: str | None, once: Once | None
) -> Admission:
    """Let the holder of a code in, once and only once.

    Raises UnknownTicket, WrongShow, TicketVoid, ShowCancelled, AlreadyUsed with when and where,
    or KeyIsForTests.
    """
    api_key_service.require_lasting(caller)
    with transaction():
        idempotency_service.wait_for_duplicates(once)
        booking_service.require_show_happens(show.id)
        ticket_id, booking_id = _ticket_with(ticket_code, show)
        LOCK_BOOKING.run(id=booking_id)
        facts = ADMIT.mapping(
            ticket_id=ticket_id,
            gate=gate,
            user_id=caller.user_id,
            **audit_service.actor_facts(),
        )
        if facts is None:
            raise _refusal(ticket_id)
        admission = Admission(show_id=show.id, ticket_id=ticket_id, gate=gate, **facts)
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


def _ticket_with(code: str, show: Show) -> tuple[int, int]:
    """The ticket and the booking of a code that is good for this show."""
    found = FIND.first(code=code.strip().upper())
    if found is None:
        raise UnknownTicket("No ticket has this code.")
    ticket_id, booking_id, show_id, organiser_id = found
    if show_id != show.id:
        if show.organiser_id is None or organiser_id != show.organiser_id:
            raise UnknownTicket("No ticket has this code.")
        raise WrongShow("This ticket is for another show.", show_id=show_id)
    return ticket_id, booking_id


def _refusal(ticket_id: int) -> Conflict:
    status, used_at, gate = WHY_NOT.one(ticket_id=ticket_id)
    if status == TicketStatus.VOID:
        return TicketVoid("This ticket was cancelled or replaced.")
    where = f" at {gate}" if gate else ""
    return AlreadyUsed(
        f"It admitted somebody{where} at {used_at.isoformat()}.", used_at=used_at, gate=gate
    )
