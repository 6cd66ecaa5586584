"""Everything that is kept of a person, for themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from init import db
from models import (
    Booking,
    CheckIn,
    Organiser,
    OrganiserMember,
    SignIn,
    Ticket,
    TicketHolder,
    User,
)
from models.values import Caller, PlacedBooking
from services import booking_reading
from utils.clock import now


@dataclass(frozen=True)
class Membership:
    """Whom a person works for."""

    organiser_id: int
    organiser: str
    role: str
    created_at: datetime


@dataclass(frozen=True)
class Export:
    """A person's data, as of one moment."""

    exported_at: datetime
    profile: User
    sign_ins: Sequence[SignIn]
    ticket_holders: Sequence[TicketHolder]
    bookings: Sequence[PlacedBooking]
    memberships: Sequence[Membership]
    check_ins: Sequence[CheckIn]


def export(caller: Caller) -> Export:
    """The caller's data, in a fixed number of statements."""
    mine = caller.user_id
    bookings = select(Booking.id).where(Booking.user_id == mine)
    return Export(
        exported_at=db.session.scalars(select(now())).one(),
        profile=db.session.get_one(User, mine),
        sign_ins=db.session.scalars(
            select(SignIn).where(SignIn.user_id == mine).order_by(SignIn.id.desc())
        ).all(),
        ticket_holders=db.session.scalars(
            select(TicketHolder)
            .where(TicketHolder.user_id == mine, TicketHolder.deleted_at.is_(None))
            .order_by(TicketHolder.id.desc())
        ).all(),
        bookings=booking_reading.read(db.session.scalars(bookings)),
        memberships=_memberships(caller),
        check_ins=_check_ins(caller),
    )


def _memberships(caller: Caller) -> list[Membership]:
    query = (
        select(Organiser.id, Organiser.name, OrganiserMember.role, OrganiserMember.created_at)
        .join(OrganiserMember, OrganiserMember.organiser_id == Organiser.id)
        .where(OrganiserMember.user_id == caller.user_id, Organiser.deleted_at.is_(None))
        .order_by(OrganiserMember.id)
    )
    return [Membership(*row) for row in db.session.execute(query)]


def _check_ins(caller: Caller) -> Sequence[CheckIn]:
    """Of the tickets that they bought, and of those for people whom they keep."""
    query = (
        select(CheckIn)
        .join(Ticket, Ticket.id == CheckIn.ticket_id)
        .join(Booking, Booking.id == Ticket.booking_id)
        .join(TicketHolder, TicketHolder.id == Ticket.ticket_holder_id)
        .where(or_(Booking.user_id == caller.user_id, TicketHolder.user_id == caller.user_id))
        .options(joinedload(CheckIn.ticket).joinedload(Ticket.ticket_holder))
        .order_by(CheckIn.id.desc())
    )
    return db.session.scalars(query).all()
