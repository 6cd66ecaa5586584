"""The people whom bookings and tickets are for; an e-mail address is no proof of who it is."""

from typing import Any

from sqlalchemy import Select, false, func, or_, select, update

from init import db
from models import Booking, BookingStatus, Organiser, Show, TicketHolder
from models.booking import HasSales
from models.organiser import MemberRole
from models.permissions import Permission, authorize
from models.values import Caller
from services import organiser_service
from utils.clock import now
from utils.errors import Invalid, NotFound
from utils.listing import contains
from utils.transaction import lock, transaction

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
        lock(holder).change(changes)
        db.session.flush()
        db.session.execute(
            update(Booking)
            .where(Booking.ticket_holder_id == holder.id)
            .values(version=Booking.version + 1)
            .execution_options(synchronize_session=False)
        )
    return holder


def delete(holder_id: int, *, caller: Caller) -> None:
    """Forget a person; the books stay whole. May be repeated.

    Raises HasSales while they have confirmed bookings to come.
    """
    holder = db.session.scalar(owned_by(caller).where(TicketHolder.id == holder_id))
    if holder is None:
        raise NotFound(f"There is no ticket holder {holder_id}.")
    authorize(caller, Permission.HOLDER_EDIT, holder)
    with transaction():
        if lock(holder).deleted_at is not None:
            return
        upcoming = (
            select(func.count())
            .select_from(Booking)
            .join(Show, Show.id == Booking.show_id)
            .where(
                Booking.ticket_holder_id == holder.id,
                Booking.status == BookingStatus.CONFIRMED,
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
