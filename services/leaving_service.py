"""Leaving: a person is forgotten, and the books stay whole.

What the account bought, sold and changed is still there, of a user who has no name any more. What
others keep of the same person by themselves, such as a guest's booking or an organiser's own
ticket holders, is theirs to forget.
"""

from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update

from init import Base, db
from models import (
    AccountLink,
    Booking,
    BookingStatus,
    IdempotencyKey,
    Organiser,
    OrganiserInvitation,
    OrganiserMember,
    Show,
    SignIn,
    TicketHolder,
    User,
)
from models.values import Caller
from services import (
    audit_service,
    booking_service,
    member_service,
    password_service,
    sign_in_service,
    user_service,
)
from services.catalogue_conditions import to_come
from utils.clock import now
from utils.errors import Conflict
from utils.passwords import NO_HASH
from utils.transaction import lock_all, transaction

NAME = "Gone"
PERSONAL = (
    "user_name",
    "first_name",
    "last_name",
    "phone",
    "date_of_birth",
    "avatar_url",
    "email_verified_at",
)


class HasUpcomingBookings(Conflict):
    """You have bookings for shows to come; `bookings` says how many. Cancel them, or go first."""

    code, title = "has-upcoming-bookings", "There are bookings for shows to come"


def leave(caller: Caller, *, password: str) -> None:
    """Close the caller's account and forget who they were.

    Raises WrongPassword; HasUpcomingBookings; LastOwner for the only owner of an organiser, and
    LastAdmin for the only admin.
    """
    shown = password_service.require(caller, password)
    user = shown.user
    with transaction():
        _leave_organisers(user)
        bookings = lock_all(select(Booking).where(Booking.user_id == user.id))
        user_service.require_not_the_last_admin(user_service.lock_with_admins(user))
        password_service.require_still(shown)
        _require_nothing_to_come(user)
        for booking in bookings:
            if booking.status == BookingStatus.HELD:
                booking_service.cancel(caller, booking)
        _forget_bookings(user)
        _forget_holders(user)
        _forget_sign_ins(user)
        _delete(AccountLink, AccountLink.user_id == user.id)
        _delete(IdempotencyKey, IdempotencyKey.scope == caller.key)
        _forget_invitations(user)
        user.change({**dict.fromkeys(PERSONAL), "name": NAME, "password_hash": NO_HASH})
        user.email = nowhere(user)
        user.deleted_at = db.session.scalar(select(now()))
        audit_service.record("user.left", user)


def nowhere(user: User) -> str:
    """An address that stays unique and that no mail ever reaches (RFC 2606)."""
    return f"gone-{user.id}@invalid"


def _leave_organisers(user: User) -> None:
    theirs = (
        select(Organiser)
        .join(OrganiserMember, OrganiserMember.organiser_id == Organiser.id)
        .where(OrganiserMember.user_id == user.id, Organiser.deleted_at.is_(None))
    )
    for organiser in lock_all(theirs):
        member_service.remove(organiser, user.id)
    _delete(OrganiserMember, OrganiserMember.user_id == user.id)  # of those that are gone


def _require_nothing_to_come(user: User) -> None:
    upcoming = (
        select(func.count())
        .select_from(Booking)
        .join(Show, Show.id == Booking.show_id)
        .where(Booking.user_id == user.id, Booking.status == BookingStatus.CONFIRMED, to_come())
    )
    if bookings := db.session.scalar(upcoming):
        raise HasUpcomingBookings("You have bookings for shows to come.", bookings=bookings)


def _forget_bookings(user: User) -> None:
    _update(
        Booking,
        Booking.user_id == user.id,
        email=None,
        email_key=None,
        attendees={},
        note=None,
        version=Booking.version + 1,
    )


def _forget_holders(user: User) -> None:
    _update(
        TicketHolder,
        TicketHolder.user_id == user.id,
        name=NAME,
        email=None,
        phone=None,
        is_self=False,
        deleted_at=func.coalesce(TicketHolder.deleted_at, now()),
        version=TicketHolder.version + 1,
    )


def _forget_sign_ins(user: User) -> None:
    sign_in_service.end_all(user.id, "left")
    _update(SignIn, SignIn.user_id == user.id, address=None, agent=None)


def _forget_invitations(user: User) -> None:
    """Those that organisers sent to the address."""
    to_them = func.lower(OrganiserInvitation.email) == func.lower(user.email)
    _update(OrganiserInvitation, to_them, email=nowhere(user))


def _update(table: type[Base], which: ColumnElement[bool], **values: Any) -> None:
    statement = update(table).where(which).values(**values)
    db.session.execute(statement.execution_options(synchronize_session=False))


def _delete(table: type[Base], which: ColumnElement[bool]) -> None:
    statement = delete(table).where(which)
    db.session.execute(statement.execution_options(synchronize_session=False))
