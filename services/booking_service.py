"""Booking use cases after the hold: look, name, confirm, cancel, find again.

Lock order, everywhere: advisory locks by key, the show, bookings by id, places by id.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import Select, false, func, or_, select, text, update
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from init import db
from models import (
    Booking,
    BookingLine,
    BookingSecret,
    BookingStatus,
    Event,
    Place,
    Show,
    ShowStatus,
    Ticket,
    TicketStatus,
)
from models.booking import BookingMovedOn, require_held
from models.permissions import Permission, allowed
from models.show import ShowCancelled, turn_key
from models.values import Caller, Once, PlacedBooking, email_key
from services import (
    api_key_service,
    audit_service,
    booking_reading,
    booking_search,
    idempotency_service,
    inventory_service,
    outbox_service,
    ticket_holder_service,
    ticket_service,
)
from utils.clock import now
from utils.errors import Conflict, Invalid, NotFound
from utils.statement import Statement
from utils.tokens import derived, digest, readable
from utils.transaction import lock, transaction

KEEP_SHOW = Statement(
    "keep_show",
    """
    WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared(:turn_key))
    SELECT s.status FROM turn CROSS JOIN shows s WHERE s.id = :show_id FOR SHARE OF s
    """,
)

LOCK = Statement(
    "lock_booking_to_confirm", "SELECT FROM bookings WHERE id = :booking_id FOR NO KEY UPDATE"
)

# After the lock, and not with it: the clock goes on while it is waited for.
HOLD = Statement(
    "hold",
    """
    SELECT total_amount, attendees,
           CASE WHEN status = 'held' AND held_until <= clock_timestamp() THEN 'expired'
                ELSE status END,
           (SELECT coalesce(json_agg(json_build_array(id, line_id) ORDER BY id), '[]')
              FROM places WHERE booking_id = :booking_id)
      FROM bookings WHERE id = :booking_id
    """,
)

SETTLE = Statement(
    "settle",
    f"""
    WITH told AS (
        INSERT INTO outbox_messages (topic, payload)
        SELECT 'booking.confirmed', jsonb_build_object('booking_id', CAST(:booking_id AS bigint))),
    audited AS (
        {audit_service.INTO}
        SELECT 'booking.confirm', 'booking', b.id, e.organiser_id,
               jsonb_build_object('status', b.status, 'payment_status', b.payment_status),
               jsonb_build_object('status', 'confirmed', 'payment_status', 'paid',
                                  'channel', b.channel, 'amount', b.total_amount,
                                  'currency', b.currency),
               NULL, {audit_service.BY}
          FROM bookings b JOIN shows s ON s.id = b.show_id JOIN events e ON e.id = s.event_id
         WHERE b.id = :booking_id)
    UPDATE bookings
       SET status = 'confirmed', payment_status = 'paid', confirmed_at = clock_timestamp(),
           settled_in = pg_current_xact_id(), attendees = '{{}}', version = version + 1,
           updated_at = clock_timestamp()
     WHERE id = :booking_id
    """,  # noqa: S608 (all parts are constants)
)

TELL_EACH = text(
    """
    INSERT INTO outbox_messages (topic, payload)
    SELECT 'booking.cancelled',
           jsonb_build_object('booking_id', id, 'reason', CAST(:reason AS text))
      FROM unnest(CAST(:booking_ids AS bigint[])) AS id ORDER BY id
    """
)
AUDIT_EACH = Statement(
    "audit_each",
    f"""
    {audit_service.INTO}
    SELECT 'booking.cancel', 'booking', b.id, CAST(:organiser_id AS bigint),
           jsonb_build_object('status', b.status, 'payment_status', b.payment_status,
                              'amount', b.total_amount, 'currency', b.currency),
           jsonb_build_object('status', 'cancelled'), CAST(:reason AS text), {audit_service.BY}
      FROM bookings b
     WHERE b.id = ANY(CAST(:booking_ids AS bigint[])) AND b.status = 'confirmed' ORDER BY b.id
    """,  # noqa: S608 (all parts are constants)
)
NONCE_LENGTH = 16
LIVE = (BookingStatus.HELD, BookingStatus.CONFIRMED)


class PaymentRequired(Conflict):
    """The booking costs money, and only its payment, or the box office, confirms it."""

    code, title = "payment-required", "It has to be paid for first"


def visible_to(caller: Caller) -> Select[Booking]:
    """The bookings `caller` may see, newest first: theirs, and those of shows they work for."""
    return _seen_by(caller, _complete()).order_by(Booking.id.desc())


def _seen_by(caller: Caller, query: Select[Any]) -> Select[Any]:
    if caller.is_admin:
        return query
    if caller.api_key_id is not None:
        ours = Event.organiser_id == caller.api_key_organiser_id
        return query.where(ours, booking_search.told_to_key(caller))
    if caller.booking_id is not None:
        return query.where(Booking.id == caller.booking_id)
    if caller.user_id is None:
        return query.where(false())
    works_for = Event.organiser_id.in_(caller.organisers_as())
    return query.where(or_(Booking.user_id == caller.user_id, works_for))


def search(caller: Caller, wanted: Mapping[str, Any]) -> Select[int]:
    """The ids of the visible bookings that fit, newest first.

    They are your own, unless the filters name a show or an organiser.
    """
    fitting = booking_search.fitting(caller, wanted)
    return select(Booking.id).where(*fitting).order_by(Booking.id.desc())


def find(booking_id: int, *, caller: Caller) -> Booking:
    """One visible booking; to anyone else it does not exist."""
    query = visible_to(caller).where(Booking.id == booking_id)
    booking = db.session.scalar(query.execution_options(populate_existing=True))
    if booking is None:
        raise NotFound(f"There is no booking {booking_id}.")
    return booking


def show(booking_id: int, *, caller: Caller) -> PlacedBooking:
    """One visible booking as its answer shows it."""
    query = _seen_by(caller, _of_shows(Booking.id)).where(Booking.id == booking_id)
    ids = db.session.scalars(query).all()
    if not ids:
        raise NotFound(f"There is no booking {booking_id}.")
    [booking] = booking_reading.read(ids)
    return booking


def find_hold(booking_id: int, *, caller: Caller) -> Booking:
    """One visible booking with its show alone, for who is about to lock it."""
    query = _seen_by(caller, _of_shows(Booking)).where(Booking.id == booking_id)
    query = query.options(contains_eager(Booking.show).contains_eager(Show.event))
    booking: Booking | None = db.session.scalar(query)
    if booking is None:
        raise NotFound(f"There is no booking {booking_id}.")
    return booking


def read_back(booking_id: int) -> Booking:
    """A booking that the caller has just made or locked, as it is now."""
    query = _complete().where(Booking.id == booking_id)
    return db.session.scalars(query.execution_options(populate_existing=True)).unique().one()


def edit(caller: Caller, booking: Booking, changes: dict[str, Any]) -> Booking:
    """Change who a booking is for, who comes, or its note, while it is held or confirmed."""
    attendees = changes.pop("attendees", None)
    if (holder_id := changes.get("ticket_holder_id")) is not None:
        ticket_holder_service.require_usable(caller, holder_id, booking)
    with transaction():
        _require_current(lock(booking))
        before = booking.ticket_holder_id
        booking.change(changes)
        if booking.ticket_holder_id != before and booking.status == BookingStatus.CONFIRMED:
            audit_service.record(
                "booking.hand_over",
                booking,
                before={"ticket_holder_id": before},
                after={"ticket_holder_id": booking.ticket_holder_id},
            )
        _hand_over(booking, before)
        if attendees is not None:
            _name(booking, attendees)
        booking.touch()
    return find(booking.id, caller=caller)


def confirm(caller: Caller, booking: Booking, *, once: Once | None) -> PlacedBooking:
    """Turn a living hold into a sale with tickets.

    The box office, or the shop that sold it by its key, confirms what was paid there; a buyer
    confirms what costs nothing. Raises PaymentRequired, HoldExpired, BookingMovedOn,
    ShowCancelled, or KeyIsForTests where a test key asks or has sold it.
    """
    api_key_service.require_lasting(caller, booking.sold_by_key)
    with transaction():
        idempotency_service.wait_for_duplicates(once)
        require_show_happens(booking.show_id)
        LOCK.run(booking_id=booking.id)
        amount, attendees, status, places = HOLD.one(booking_id=booking.id)
        require_held(status)
        require_free_or_desk(caller, amount, booking)
        settle(booking.id, places, attendees)
        [confirmed] = booking_reading.read([booking.id])
        idempotency_service.keep(once, confirmed)
    return confirmed


def settle(
    booking_id: int,
    places: Sequence[tuple[int, int]],
    attendees: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> None:
    """Confirm a locked, living hold: it has tickets from now on, and the outside gets word.

    `places` are its (place id, line id), `attendees` the names that it has for them.
    """
    SETTLE.run(booking_id=booking_id, **audit_service.actor_facts())
    ticket_service.issue(booking_id, places, attendees)


def cancel(caller: Caller, booking: Booking) -> Booking:
    """Give a booking's places back and void its tickets; a dead booking stays as it is.

    A buyer, or the shop that sold it by its key, may until the show starts, and while nobody has
    entered; the organiser always.
    """
    with transaction():
        lock(booking)
        db.session.refresh(booking, ["current_status"])
        if booking.status in LIVE:
            dead = booking.current_status == BookingStatus.EXPIRED
            if booking.status == BookingStatus.CONFIRMED:
                _require_cancellable(caller, booking)
                _audit_cancelling(booking)
            booking.move(BookingStatus.EXPIRED if dead else BookingStatus.CANCELLED)
            if not dead:
                booking.cancelled_at = db.session.scalar(select(now()))
            db.session.flush()
            inventory_service.release([booking.id])
            ticket_service.void([booking.id])
            if not dead:
                outbox_service.publish("booking.cancelled", booking_id=booking.id)
    return find(booking.id, caller=caller)


def _audit_cancelling(booking: Booking) -> None:
    """A hold that is let go is nobody's business; a sale that is undone is."""
    audit_service.record(
        "booking.cancel",
        booking,
        before={
            "status": booking.status,
            "payment_status": booking.payment_status,
            "amount": booking.total_amount,
            "currency": booking.currency,
        },
        after={"status": BookingStatus.CANCELLED},
    )


def cancel_all(show: Show, *, reason: str | None) -> int:
    """Cancel every booking of a show that the caller has locked; how many there were."""
    ids = lock_living(show)
    cancel_locked(show, ids, reason=reason)
    return len(ids)


def lock_living(show: Show) -> list[int]:
    """The ids of all live bookings of a show that the caller has locked, locked by id.

    Until the transaction ends nobody holds, frees, changes or confirms a place of the show.
    """
    ordered = select(Booking.id).where(Booking.show_id == show.id, Booking.status.in_(LIVE))
    ordered = ordered.order_by(Booking.id)
    # All of them, in order, and only then the dead: reaping locks some, whatever their ids.
    db.session.execute(ordered.with_for_update(key_share=True))
    inventory_service.reap(show.id)
    return list(db.session.scalars(ordered))


def cancel_locked(show: Show, ids: Sequence[int], *, reason: str | None) -> None:
    """Cancel live bookings of a show that the caller has locked, with word to their buyers."""
    if not ids:
        return
    facts = {"organiser_id": show.organiser_id, "reason": reason, "booking_ids": list(ids)}
    AUDIT_EACH.run(**facts, **audit_service.actor_facts())
    db.session.execute(
        update(Booking)
        .where(Booking.id.in_(ids))
        .values(status=BookingStatus.CANCELLED, cancelled_at=now(), version=Booking.version + 1)
        .execution_options(synchronize_session=False)
    )
    inventory_service.release(ids)
    ticket_service.void(ids)
    db.session.execute(TELL_EACH, {"booking_ids": list(ids), "reason": reason})


def preview_cancel(show_ids: Sequence[int]) -> dict[str, int]:
    """How many live bookings and places cancelling these shows would end."""
    live = or_(
        Booking.status == BookingStatus.CONFIRMED,
        (Booking.status == BookingStatus.HELD) & (Booking.held_until > now()),
    )
    bookings, places = db.session.execute(
        select(func.count(func.distinct(Booking.id)), func.count(Place.id))
        .outerjoin(Place, Place.booking_id == Booking.id)
        .where(Booking.show_id.in_(show_ids), live)
    ).one()
    return {"bookings": bookings, "places": places}


def recover(caller: Caller, *, email: str, reference: str) -> None:
    """Mail a guest a new secret for their booking, if there is one; nobody learns whether.

    A key does so for what it may read. Raises KeyIsForTests for a test key.
    """
    api_key_service.require_lasting(caller)
    query = select(Booking.id).where(
        Booking.reference == reference.upper(),
        Booking.email_key == email_key(email),
        Booking.user_id.is_(None),
    )
    if caller.api_key_id is not None:
        query = query.where(*booking_search.fitting(caller, {}))
    with transaction():
        booking_id = db.session.scalar(query)
        if booking_id is not None:
            # Worked out again by whoever mails it: the outbox has ids alone.
            nonce = readable(NONCE_LENGTH)
            secret = recovered_secret(booking_id, nonce)
            db.session.add(BookingSecret(booking_id=booking_id, secret_hash=digest(secret)))
            outbox_service.publish("mail.booking_secret", booking_id=booking_id, nonce=nonce)


def recovered_secret(booking_id: int, nonce: str) -> str:
    """The secret that a mail carries to the address that bought."""
    return derived("booking secret", booking_id, nonce)


def require_show_happens(show_id: int) -> None:
    """Keep the show from being cancelled until the transaction ends; refuse if it is already."""
    status = KEEP_SHOW.scalar(show_id=show_id, turn_key=turn_key(show_id))
    if status == ShowStatus.CANCELLED:
        raise ShowCancelled("The show is cancelled.")


def require_free_or_desk(caller: Caller, amount: int, target: Any) -> None:
    """Raise PaymentRequired unless it is free, or the organiser's desk or shop confirms it."""
    if amount and not allowed(caller, Permission.BOOKING_SELL, target):
        raise PaymentRequired("Only its payment, or the organiser's desk or shop, can confirm it.")


def _of_shows(what: Any) -> Select[Any]:
    return select(what).join(Booking.show).join(Show.event)


def _complete() -> Select[Booking]:
    """Bookings with everything that their answer shows, in a fixed number of statements."""
    return _of_shows(Booking).options(
        contains_eager(Booking.show).contains_eager(Show.event),
        joinedload(Booking.ticket_holder),
        selectinload(Booking.lines).options(
            joinedload(BookingLine.tier), joinedload(BookingLine.price)
        ),
        selectinload(Booking.places).joinedload(Place.stock),
        selectinload(Booking.tickets).joinedload(Ticket.ticket_holder),
    )


def _require_current(booking: Booking) -> None:
    db.session.refresh(booking, ["current_status"])
    if booking.current_status == BookingStatus.HELD or booking.status == BookingStatus.CONFIRMED:
        return
    booking.require_alive()


def _require_cancellable(caller: Caller, booking: Booking) -> None:
    if caller.api_key_id is None and allowed(caller, Permission.BOOKING_SELL, booking):
        return
    started = db.session.scalar(select(Show.starts_at <= now()).where(Show.id == booking.show_id))
    used = select(Ticket.id).where(
        Ticket.booking_id == booking.id, Ticket.status == TicketStatus.USED
    )
    if started:
        raise BookingMovedOn("The show has started; ask the organiser.")
    if db.session.scalar(used.limit(1)) is not None:
        raise BookingMovedOn("Somebody has entered with it already; ask the organiser.")


def _hand_over(booking: Booking, from_holder_id: int) -> None:
    """Tickets that nobody was named for follow the booking's holder."""
    db.session.execute(
        update(Ticket)
        .where(Ticket.booking_id == booking.id, Ticket.ticket_holder_id == from_holder_id)
        .values(ticket_holder_id=booking.ticket_holder_id)
        .execution_options(synchronize_session=False)
    )


def _name(booking: Booking, attendees: Sequence[Mapping[str, Any]]) -> None:
    places = db.session.scalars(select(Place.id).where(Place.booking_id == booking.id)).all()
    named: dict[str, Any] = {}
    for number, attendee in enumerate(attendees):
        if attendee["place_id"] not in places:
            raise Invalid.at(f"attendees.{number}.place_id", "Is not a place of this booking.")
        person = {"name": attendee["name"], "email": attendee.get("email")}
        named[str(attendee["place_id"])] = person
    if booking.status == BookingStatus.CONFIRMED:
        ticket_service.name_holders(booking, named)
    else:
        booking.attendees = named
