"""Which bookings a list is about, in terms that an index answers however many there are.

The shows are looked up first: joined to them, a page of an organiser's bookings would be found by
reading everybody's, the newest first, until enough are theirs.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    and_,
    any_,
    false,
    literal,
    or_,
    select,
    true,
)

from init import db
from models import ApiKey, Booking, BookingStatus, Event, Scope, Show
from models.values import Caller
from utils.clock import now

OF_SHOWS = {
    "show_id": Show.id,
    "event_id": Show.event_id,
    "organiser_id": Event.organiser_id,
}
EXACT = {"channel": Booking.channel, "payment_status": Booking.payment_status}


def fitting(caller: Caller, wanted: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    """What is true of the visible bookings that fit, and of no others.

    They are your own, unless the filters name a show, an event, an organiser, or all.
    """
    conditions = _seen(caller, wanted)
    if (status := wanted.get("status")) is not None:
        conditions.append(_stands(status))
    if reference := wanted.get("reference"):
        conditions.append(Booking.reference == reference.upper())
    for name, column in EXACT.items():
        if wanted.get(name) is not None:
            conditions.append(column == wanted[name])
    return conditions


def _seen(caller: Caller, wanted: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    named = [OF_SHOWS[name] == wanted[name] for name in OF_SHOWS if wanted.get(name) is not None]
    if caller.api_key_id is not None:
        named.append(Event.organiser_id == caller.api_key_organiser_id)
        shown = db.session.scalars(select(Show.id).join(Show.event).where(*named))
        return [_at(list(shown)), told_to_key(caller)]
    own = _own(caller)
    if named:
        shows = db.session.execute(
            select(Show.id, Event.organiser_id).join(Show.event).where(*named)
        )
        mine: list[int] = []
        others: list[int] = []
        for show_id, organiser_id in shows:
            works_there = caller.is_admin or organiser_id in caller.memberships
            (mine if works_there else others).append(show_id)
        return [or_(_at(mine), and_(own, _at(others))) if others else _at(mine)]
    if not wanted.get("all") and not wanted.get("reference"):
        return [own]
    if caller.is_admin:
        return []
    ours = select(Show.id).join(Show.event).where(Event.organiser_id.in_(caller.organisers_as()))
    return [or_(own, _at(list(db.session.scalars(ours)))) if caller.memberships else own]


def told_to_key(caller: Caller) -> ColumnElement[bool]:
    """Which of its organiser's bookings a key reads: for reports all of them, for a shop those
    that keys of its organiser and its mode have sold.
    """
    if Scope.REPORTS in caller.scopes:
        return true()
    if Scope.SELL not in caller.scopes:
        return false()
    sellers = select(ApiKey.id).where(
        ApiKey.organiser_id == caller.api_key_organiser_id, ApiKey.mode == caller.api_key_mode
    )
    return Booking.sold_by_key_id.in_(sellers)


def _own(caller: Caller) -> ColumnElement[bool]:
    """That somebody bought it, or shows its secret."""
    if caller.booking_id is not None:
        return Booking.id == caller.booking_id
    return Booking.user_id == caller.user_id if caller.user_id is not None else false()


def _at(show_ids: list[int]) -> ColumnElement[bool]:
    return Booking.show_id == any_(literal(show_ids, ARRAY(BigInteger)))


def _stands(status: BookingStatus) -> ColumnElement[bool]:
    """That a booking's `current_status` is this; in words that indexes know."""
    if status == BookingStatus.HELD:
        return and_(Booking.status == status, Booking.held_until > now())
    if status == BookingStatus.EXPIRED:
        ran_out = and_(Booking.status == BookingStatus.HELD, Booking.held_until <= now())
        return or_(Booking.status == status, ran_out)
    return Booking.status == status
