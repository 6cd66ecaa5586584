"""Organisers, and whom something new belongs to.

Lock order in the catalogue: organiser, venues, events, shows, and then bookings and places; rows
of one kind by ascending id.
"""

from typing import Any

from sqlalchemy import Select, select, update

from init import db
from models import Event, MemberRole, Organiser, OrganiserMember, Show, Venue
from models.permissions import Permission, allowed
from models.values import Caller
from services import audit_service, verification_service
from services.catalogue_conditions import require_no_sales, to_come
from utils.clock import now
from utils.errors import Forbidden, Invalid, NotFound
from utils.listing import contains, ordered
from utils.transaction import lock, lock_all, transaction

SORTS = {"name": Organiser.name, "created_at": Organiser.created_at}


def visible_to(_caller: Caller) -> Select[Organiser]:
    """The organisers anyone may see: all that are not deleted."""
    return select(Organiser).where(Organiser.deleted_at.is_(None))


def search(caller: Caller, wanted: dict[str, Any]) -> Select[Organiser]:
    """The organisers that fit what was asked for, in the order asked for."""
    query = visible_to(caller).order_by(*ordered(wanted["sort"], SORTS, Organiser.id))
    if words := wanted.get("q"):
        query = query.where(contains(words, Organiser.name, Organiser.description))
    return query


def find(organiser_id: int, *, caller: Caller) -> Organiser:
    """One organiser that `caller` may see."""
    organiser = db.session.scalar(visible_to(caller).where(Organiser.id == organiser_id))
    if organiser is None:
        raise NotFound(f"There is no organiser {organiser_id}.")
    return organiser


def create(caller: Caller, **facts: Any) -> Organiser:
    """A new organiser, owned by the caller."""
    organiser = Organiser(**facts)
    with transaction():
        db.session.add(organiser)
        db.session.flush()
        db.session.add(
            OrganiserMember(
                organiser_id=organiser.id, user_id=caller.user_id, role=MemberRole.OWNER
            )
        )
        owner = {"owner_user_id": caller.user_id}
        audit_service.record("organiser.create", organiser, after=owner)
    return organiser


def edit(organiser: Organiser, changes: dict[str, Any], *, caller: Caller) -> Organiser:
    """Change what is named; who was verified under another name is looked at again."""
    with transaction():
        _still_there(lock(organiser))
        renamed = changes.get("name", organiser.name) != organiser.name
        if renamed and organiser.verified and not caller.is_admin:
            verification_service.look_again(organiser)
        organiser.change(changes)
    return organiser


def is_gone(organiser_id: int, *, caller: Caller) -> bool:
    """Whether the organiser was deleted, for those who could have done it."""
    owned = select(OrganiserMember.organiser_id).where(
        OrganiserMember.user_id == caller.user_id, OrganiserMember.role == MemberRole.OWNER
    )
    gone = select(Organiser.id).where(
        Organiser.id == organiser_id, Organiser.deleted_at.is_not(None)
    )
    if not caller.is_admin:
        gone = gone.where(Organiser.id.in_(owned))
    return db.session.scalar(gone) is not None


def delete(organiser: Organiser) -> None:
    """Mark an organiser as deleted; its events are "To Be Determined" and its venues shared.

    Raises HasSales where people have places at shows to come.
    """
    with transaction():
        if lock(organiser).deleted_at is not None:
            return
        lock_all(select(Venue).where(Venue.organiser_id == organiser.id))
        lock_all(select(Event).where(Event.organiser_id == organiser.id))
        upcoming = Show.event_id.in_(_events_of(organiser)), to_come()
        lock_all(select(Show).where(*upcoming))
        require_no_sales("There are bookings for its shows to come; cancel them first.", *upcoming)
        for left_behind in (Event, Venue):
            db.session.execute(
                update(left_behind)
                .where(left_behind.organiser_id == organiser.id)
                .values(organiser_id=None, version=left_behind.version + 1)
                .execution_options(synchronize_session=False)
            )
        organiser.deleted_at = db.session.scalar(select(now()))
        audit_service.record("organiser.delete", organiser)
    db.session.expire_all()


def _events_of(organiser: Organiser) -> Select[int]:
    return select(Event.id).where(Event.organiser_id == organiser.id)


def acting_for(caller: Caller, organiser_id: int | None, permission: Permission) -> int | None:
    """The organiser that something new of the caller belongs to.

    Unnamed, it is the only one that the caller may do this for, and nobody's when an admin asks.
    Raises Forbidden for an organiser that is not the caller's, Invalid for one that is not there.
    """
    if organiser_id is None:
        organiser_id = _only_one(caller, permission)
        if organiser_id is None:
            return None
    # The share lock keeps the organiser from being deleted before what is new is there.
    named = visible_to(caller).where(Organiser.id == organiser_id)
    organiser = db.session.scalar(named.with_for_update(read=True))
    if organiser is None:
        raise Invalid.at("organiser_id", f"There is no organiser {organiser_id}.")
    if not allowed(caller, permission, organiser):
        raise Forbidden("This organiser is not yours to act for.", permission=permission)
    return organiser_id


def require_may_give(caller: Caller, organiser_id: int | None, permission: Permission) -> None:
    """Refuse to hand a thing to an organiser that is not the caller's, or to nobody."""
    if organiser_id is not None:
        acting_for(caller, organiser_id, permission)
    elif not caller.is_admin:
        raise Forbidden("Only admins make it nobody's.", permission=permission)


def record_hand_over(kind: str, thing: Event | Venue, organiser_id: int | None) -> None:
    """Write down, for both to read, that a thing of one organiser is given to another."""
    before, after = {"organiser_id": thing.organiser_id}, {"organiser_id": organiser_id}
    for reader in filter(None, (thing.organiser_id, organiser_id)):
        audit_service.record_of(
            f"{kind}.hand_over", kind, thing.id, organiser_id=reader, before=before, after=after
        )


def _only_one(caller: Caller, permission: Permission) -> int | None:
    if caller.is_admin:
        return None
    mine = caller.organisers_as(MemberRole.OWNER, MemberRole.MANAGER)
    if not mine:
        raise Forbidden("You manage no organiser; make one first.", permission=permission)
    if len(mine) > 1:
        raise Invalid.at("organiser_id", "You work for several organisers; name one.")
    return mine[0]


def _still_there(organiser: Organiser) -> Organiser:
    if organiser.deleted_at is not None:
        raise NotFound(f"There is no organiser {organiser.id}.")
    return organiser
