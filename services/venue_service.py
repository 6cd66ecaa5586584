"""Venue use cases: halls, and how they are laid out."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import selectinload

from init import db
from models import (
    MemberRole,
    SeatMapVersion,
    SectionKind,
    Show,
    Stock,
    Venue,
)
from models.layout import WantedSection
from models.permissions import Permission
from models.seat_map import WITH_SEATS
from models.values import Caller
from models.venue import CapacityInUse
from services import audit_service, organiser_service, outbox_service, seat_map_service
from services.catalogue_conditions import require_no_sales, to_come
from utils.clock import now
from utils.errors import Invalid, NotFound
from utils.listing import contains, ordered
from utils.transaction import lock, lock_all, transaction

SORTS = {
    "name": Venue.name,
    "city": Venue.city,
    "capacity": Venue.capacity,
    "created_at": Venue.created_at,
}
LAYOUT = selectinload(Venue.seat_map).selectinload(SeatMapVersion.sections)


def visible_to(_caller: Caller) -> Select[Venue]:
    """The venues anyone may see: all that are not deleted, each with its map."""
    return select(Venue).options(LAYOUT).where(Venue.deleted_at.is_(None))


def search(caller: Caller, wanted: dict[str, Any]) -> Select[Venue]:
    """The venues that fit what was asked for, in the order asked for."""
    query = visible_to(caller).order_by(*ordered(wanted["sort"], SORTS, Venue.id))
    if words := wanted.get("q"):
        query = query.where(contains(words, Venue.name, Venue.address, Venue.city))
    if city := wanted.get("city"):
        query = query.where(contains(city, Venue.city))
    if location := wanted.get("location"):
        query = query.where(contains(location, Venue.name, Venue.address, Venue.city))
    if country := wanted.get("country"):
        query = query.where(Venue.country == country)
    if organiser_id := wanted.get("organiser_id"):
        query = query.where(Venue.organiser_id == organiser_id)
    if capacity := wanted.get("min_capacity"):
        query = query.where(Venue.capacity >= capacity)
    return query


def find(venue_id: int, *, caller: Caller) -> Venue:
    """One venue that `caller` may see."""
    venue = db.session.scalar(visible_to(caller).where(Venue.id == venue_id))
    if venue is None:
        raise NotFound(f"There is no venue {venue_id}.")
    return venue


def is_gone(venue_id: int, *, caller: Caller) -> bool:
    """Whether the venue was deleted, for those who could have done it."""
    gone = select(Venue.id).where(Venue.id == venue_id, Venue.deleted_at.is_not(None))
    if not caller.is_admin:
        mine = caller.organisers_as(MemberRole.OWNER, MemberRole.MANAGER)
        gone = gone.where(Venue.organiser_id.in_(mine))
    return db.session.scalar(gone) is not None


def create(
    caller: Caller,
    *,
    sections: Sequence[WantedSection] | None = None,
    stage: dict[str, Any] | None = None,
    **facts: Any,
) -> Venue:
    """A new venue with the first version of its map; one standing Floor unless told.

    Raises Invalid where the sections hold more than the venue.
    """
    facts["organiser_id"] = organiser_service.acting_for(
        caller, facts.get("organiser_id"), Permission.VENUE_EDIT
    )
    venue = Venue(**facts)
    with transaction():
        db.session.add(venue)
        db.session.flush()
        sections = sections or _one_floor("Floor", venue.capacity)
        seat_map_service.lay_out(venue, sections, stage=stage)
    return _fresh(venue)


def edit(venue: Venue, changes: dict[str, Any], *, caller: Caller) -> Venue:
    """Change what is named; new `sections` are a new version of the map, for shows to come.

    A map that is one floor for everyone follows the capacity. Raises CapacityInUse where a show
    offers more places than the new capacity, Invalid where the sections hold more.
    """
    facts = dict(changes)
    sections: Sequence[WantedSection] | None = facts.pop("sections", None)
    changes_hands = facts.get("organiser_id", venue.organiser_id) != venue.organiser_id
    if changes_hands:
        organiser_service.require_may_give(caller, facts["organiser_id"], Permission.VENUE_EDIT)
    with transaction():
        before = _still_there(lock(venue)).capacity
        if facts.get("capacity", before) < before:
            _require_room_for_shows(venue, facts["capacity"])
        if changes_hands:
            organiser_service.record_hand_over("venue", venue, facts["organiser_id"])
        venue.change(facts)
        db.session.flush()
        sections = sections or _following_capacity(venue, before)
        if sections is not None and not seat_map_service.is_laid_out(venue, sections):
            seat_map_service.lay_out(venue, sections)
            venue.touch()  # the map is part of the venue's version
        if venue.capacity != before:
            after = {"capacity": venue.capacity}
            audit_service.record("venue.edit", venue, before={"capacity": before}, after=after)
    return _fresh(venue)


def delete(venue: Venue) -> None:
    """Mark a venue as deleted; its shows to come are "To Be Announced".

    Raises HasSales where people hold seats of this hall, which no other hall has.
    """
    with transaction():
        if lock(venue).deleted_at is not None:
            return
        upcoming = Show.venue_id == venue.id, to_come()
        shows = lock_all(select(Show).where(*upcoming))
        seated = exists().where(Stock.show_id == Show.id, Stock.kind.in_(WITH_SEATS))
        require_no_sales("Seats of this hall are sold for shows to come.", *upcoming, seated)
        for show in shows:
            if show.occupies_venue:
                outbox_service.publish("show.moved", show_id=show.id)
            show.venue_id, show.occupies_venue = None, False
        venue.deleted_at = db.session.scalar(select(now()))
        ids = [show.id for show in shows]
        audit_service.record("venue.delete", venue, before={"show_ids": ids})
    db.session.expire_all()


def _fresh(venue: Venue) -> Venue:
    """The venue as it is now, with its map."""
    again = select(Venue).options(LAYOUT).where(Venue.id == venue.id)
    return db.session.scalars(again.execution_options(populate_existing=True)).one()


def _still_there(venue: Venue) -> Venue:
    if venue.deleted_at is not None:
        raise NotFound(f"There is no venue {venue.id}.")
    return venue


def _require_room_for_shows(venue: Venue, capacity: int) -> None:
    """Refuse a capacity below what a show to come offers; the shows stay locked."""
    upcoming = Show.venue_id == venue.id, to_come()
    lock_all(select(Show).where(*upcoming))
    offered = (
        select(func.sum(Stock.capacity))
        .join(Show, Show.id == Stock.show_id)
        .where(*upcoming)
        .group_by(Show.id)
    ).subquery()
    in_use = int(db.session.scalar(select(func.max(offered.c[0]))) or 0)
    if in_use > capacity:
        raise CapacityInUse(f"A show to come offers {in_use} places here.", in_use=in_use)


def _one_floor(name: str, capacity: int) -> list[WantedSection]:
    return [WantedSection(name=name, kind=SectionKind.STANDING, capacity=capacity)]


def _following_capacity(venue: Venue, before: int) -> list[WantedSection] | None:
    """The map that a new capacity asks for by itself, if any."""
    sections = seat_map_service.current_sections(venue)
    one_floor = len(sections) == 1 and sections[0].kind == SectionKind.STANDING
    if one_floor and sections[0].capacity == before != venue.capacity:
        return _one_floor(sections[0].name, venue.capacity)
    held = sum(section.capacity for section in sections)
    if held > venue.capacity:
        raise Invalid.at("capacity", f"The sections hold {held}; send new ones with it.")
    return None
