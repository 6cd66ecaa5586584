"""The people whom bookings and tickets are for; an e-mail address is no proof of who it is."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, false, func, or_, select, text

from init import db
from models import Booking, Organiser, Show, TicketHolder, User
from models.booking import HasSales
from models.organiser import MemberRole
from models.permissions import Permission, authorize
from models.values import Caller
from services import organiser_service
from services.catalogue_conditions import live
from utils.clock import now
from utils.errors import Invalid, NotFound
from utils.listing import contains
from utils.transaction import lock, transaction

# Bookings show their holder, and those of their tickets. They are locked before the holder, as by
# whoever confirms: new tickets look at their booking's holder.
TOUCH_BOOKINGS = text(
    """
    UPDATE bookings SET version = version + 1, updated_at = clock_timestamp()
     WHERE id = ANY(ARRAY(
        SELECT id FROM bookings
         WHERE id = ANY(ARRAY(SELECT id FROM bookings WHERE ticket_holder_id = :holder_id
                              UNION SELECT booking_id FROM tickets
                                     WHERE ticket_holder_id = :holder_id AND status <> 'void'))
         ORDER BY id FOR UPDATE))
    RETURNING id
    """
)
SELLERS = (MemberRole.OWNER, MemberRole.MANAGER)
FORGOTTEN = "Deleted"


def owned_by(caller: Caller) -> Select[TicketHolder]:
    """The ticket holders that `caller` keeps, for themselves or their organisers, newest first."""
    query = select(TicketHolder).order_by(TicketHolder.id.desc())
    if caller.is_admin:
        return query
    if caller.user_id is None:
        return query.where(false())
    works_for = TicketHolder.organiser_id.in_(caller.organisers_as(*SELLERS))
    return query.where(or_(TicketHolder.user_id == caller.user_id, works_for))


def visible_to(caller: Caller) -> Select[TicketHolder]:
    """Those of them that are not deleted."""
    return owned_by(caller).where(TicketHolder.deleted_at.is_(None))


def search(caller: Caller, wanted: dict[str, Any]) -> Select[TicketHolder]:
    """The visible ticket holders that fit: your own, or an organiser's."""
    query = visible_to(caller)
    if organiser_id := wanted.get("organiser_id"):
        query = query.where(TicketHolder.organiser_id == organiser_id)
    if words := wanted.get("q"):
        query = query.where(contains(words, TicketHolder.name, TicketHolder.email))
    return query


def find(holder_id: int, *, caller: Caller) -> TicketHolder:
    """One visible ticket holder; to anyone else it does not exist."""
    holder = db.session.scalar(visible_to(caller).where(TicketHolder.id == holder_id))
    if holder is None:
        raise NotFound(f"There is no ticket holder {holder_id}.")
    return holder


def standing_for(user: User) -> TicketHolder | None:
    """The ticket holder that stands for an account's owner."""
    own = TicketHolder.user_id == user.id, TicketHolder.is_self, TicketHolder.deleted_at.is_(None)
    return db.session.scalar(select(TicketHolder).where(*own))


def create(caller: Caller, *, organiser_id: int | None, **person: Any) -> TicketHolder:
    """A new ticket holder of the signed-in user, or of an organiser that they sell for."""
    holder = TicketHolder(
        user_id=None if organiser_id else caller.user_id, organiser_id=organiser_id, **person
    )
    if organiser_id is not None:
        authorize(caller, Permission.HOLDER_EDIT, holder)
        _require_organiser(organiser_id, caller)
    with transaction():
        db.session.add(holder)
    return holder


def edit(holder: TicketHolder, changes: dict[str, Any]) -> TicketHolder:
    """Change what is named; the holder's bookings show it."""
    with transaction():
        touch_bookings(holder.id)
        lock(holder).change(changes)
    return holder


def touch_bookings(holder_id: int) -> Sequence[int]:
    """Count up the versions of the bookings that show a holder, before it is locked; which."""
    return db.session.scalars(TOUCH_BOOKINGS, {"holder_id": holder_id}).all()


def delete(holder_id: int, *, caller: Caller) -> None:
    """Forget a person; the books stay whole. May be repeated.

    Raises HasSales while they have bookings to come, or somebody's ticket.
    """
    holder = db.session.scalar(owned_by(caller).where(TicketHolder.id == holder_id))
    if holder is None:
        raise NotFound(f"There is no ticket holder {holder_id}.")
    authorize(caller, Permission.HOLDER_EDIT, holder)
    with transaction():
        shown_by = touch_bookings(holder.id)
        if lock(holder).deleted_at is not None:
            return
        upcoming = (
            select(func.count())
            .select_from(Booking)
            .join(Show, Show.id == Booking.show_id)
            .where(
                Booking.id.in_(shown_by),
                live(),
                or_(Show.ends_at.is_(None), Show.ends_at > now()),
            )
        )
        if bookings := db.session.scalar(upcoming):
            raise HasSales("They have bookings for shows to come.", bookings=bookings)
        holder.change({"name": FORGOTTEN, "email": None, "phone": None, "is_self": False})
        holder.deleted_at = db.session.scalar(select(now()))


def require_usable(caller: Caller, holder_id: int, booking: Booking) -> None:
    """Raise Invalid unless a booking may be handed to this holder: one of the caller's own.

    A guest has none; a booking's own holder is always fine.
    """
    if holder_id == booking.ticket_holder_id:
        return
    query = visible_to(caller).where(TicketHolder.id == holder_id)
    if caller.user_id is None or db.session.scalar(query) is None:
        raise Invalid.at("ticket_holder_id", "You have no such ticket holder.")


def _require_organiser(organiser_id: int, caller: Caller) -> None:
    organisers = organiser_service.visible_to(caller).where(Organiser.id == organiser_id)
    if db.session.scalar(organisers) is None:
        raise Invalid.at("organiser_id", f"There is no organiser {organiser_id}.")
