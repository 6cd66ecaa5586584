"""Seat map use cases: the ways to lay out a venue, and their numbered versions.

A version never changes, so that shows can pin one. Lock order: the venue, its maps.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ScalarSelect,
    Select,
    cast,
    func,
    select,
    text,
)
from sqlalchemy.orm import contains_eager, with_expression

from init import db
from models import MapSeat, MemberRole, SeatMap, SeatMapVersion, Section, Show, Venue
from models.layout import PlacedSeat, WantedMap, WantedSection, seats_of
from models.seat_map import SectionKind
from models.values import Caller
from services import audit_service
from services.catalogue_conditions import to_come
from services.stock_service import NameTaken
from utils.clock import now
from utils.errors import Conflict, Invalid, NotFound, constraint
from utils.listing import ordered
from utils.transaction import lock, transaction


class MapInUse(Conflict):
    """Shows to come have this map; `shows` says how many. Give them another one first."""

    code, title = "map-in-use", "Shows to come have this map"


class DefaultMap(Conflict):
    """New shows at the venue get this map; make another one the default first."""

    code, title = "default-map", "New shows get this map"


constraint("uq_seat_maps_venue_id_name", NameTaken("Another map of the venue has this name."))

# One statement for so many, because 200,000 would take half a minute one by one, and all of them
# longer than a statement may take where the machine is busy.
AT_ONCE = 50_000
WRITE_SEATS = text(
    """
    INSERT INTO map_seats (section_id, "row", number, position, off_centre, x, y, kind,
                           restricted_view)
    SELECT * FROM unnest(CAST(:section_ids AS bigint[]), CAST(:rows AS text[]),
                         CAST(:numbers AS text[]), CAST(:positions AS bigint[]),
                         CAST(:off_centres AS smallint[]), CAST(:xs AS float8[]),
                         CAST(:ys AS float8[]), CAST(:kinds AS text[]),
                         CAST(:restricted AS boolean[]))
    """
)
SORTS = {"name": SeatMap.name, "created_at": SeatMap.created_at}


def visible_to(_caller: Caller) -> Select[SeatMap]:
    """The maps of every venue that is there, each with what its current version holds."""
    current = SeatMapVersion.seat_map_id == SeatMap.id, SeatMapVersion.replaced_at.is_(None)
    version = select(SeatMapVersion.number).where(*current).scalar_subquery()
    seated = Section.kind != SectionKind.STANDING
    seats = func.coalesce(func.sum(Section.capacity).filter(seated), 0)

    def of_sections(counted: ColumnElement[Any]) -> ScalarSelect[Any]:
        there = Section.seat_map_version_id == SeatMapVersion.id
        found = select(cast(counted, BigInteger)).select_from(Section).join(SeatMapVersion, there)
        return found.where(*current).scalar_subquery()

    facts = {
        SeatMap.current_version: version,
        SeatMap.sections: of_sections(func.count(Section.id)),
        SeatMap.seats: of_sections(seats),
        SeatMap.capacity: of_sections(func.sum(Section.capacity)),
    }
    return (
        select(SeatMap)
        .join(SeatMap.venue)
        .options(
            contains_eager(SeatMap.venue),
            *(with_expression(column, value) for column, value in facts.items()),
        )
        .where(SeatMap.deleted_at.is_(None), Venue.deleted_at.is_(None))
    )


def of_venue(venue: Venue, wanted: dict[str, Any], *, caller: Caller) -> Select[SeatMap]:
    """A venue's maps, in the order asked for."""
    query = visible_to(caller).where(SeatMap.venue_id == venue.id)
    return query.order_by(*ordered(wanted["sort"], SORTS, SeatMap.id))


def find(seat_map_id: int, *, caller: Caller) -> SeatMap:
    """One map that `caller` may see."""
    query = visible_to(caller).where(SeatMap.id == seat_map_id)
    seat_map = db.session.scalar(query.execution_options(populate_existing=True))
    if seat_map is None:
        raise NotFound(f"There is no seat map {seat_map_id}.")
    return seat_map


def is_gone(seat_map_id: int, *, caller: Caller) -> bool:
    """Whether the map was deleted, for those who could have done it."""
    gone = select(SeatMap.id).join(SeatMap.venue)
    gone = gone.where(SeatMap.id == seat_map_id, SeatMap.deleted_at.is_not(None))
    if not caller.is_admin:
        mine = caller.organisers_as(MemberRole.OWNER, MemberRole.MANAGER)
        gone = gone.where(Venue.organiser_id.in_(mine))
    return db.session.scalar(gone) is not None


def create(venue: Venue, wanted: WantedMap, *, caller: Caller) -> SeatMap:
    """Another map of a venue, with its first version; the default one where there was none.

    Raises NameTaken, and Invalid where it holds more than the venue.
    """
    seats = list(seats_of(wanted.sections))
    with transaction():
        if lock(venue).deleted_at is not None:
            raise NotFound(f"There is no venue {venue.id}.")
        require_fit(venue, wanted.sections)
        _require_free_name(venue, wanted.name)
        has_default = select(SeatMap.id).where(SeatMap.venue_id == venue.id, SeatMap.is_default)
        is_first = db.session.scalar(has_default) is None
        seat_map = SeatMap(venue_id=venue.id, name=wanted.name, is_default=is_first)
        db.session.add(seat_map)
        db.session.flush()
        _add_version(seat_map, wanted, seats)
        audit_service.record("seat_map.create", seat_map, after={"capacity": wanted.capacity})
    return find(seat_map.id, caller=caller)


def lay_out_anew(seat_map: SeatMap, wanted: WantedMap) -> SeatMapVersion:
    """The next version of a map; shows that pin another one keep it.

    Raises Invalid where it holds more than the venue.
    """
    seats = list(seats_of(wanted.sections))
    with transaction():
        venue = lock(seat_map.venue)
        _still_there(lock(seat_map))
        require_fit(venue, wanted.sections)
        version = _add_version(seat_map, wanted, seats)
        seat_map.touch()
        if seat_map.is_default:
            venue.touch()  # its sections are the venue's
        after = {"seat_map_version": version.number, "capacity": wanted.capacity}
        audit_service.record("seat_map.lay_out", seat_map, after=after)
    return version


def edit(seat_map: SeatMap, changes: dict[str, Any], *, caller: Caller) -> SeatMap:
    """Rename a map, or make it the one that new shows get.

    Raises NameTaken, and Invalid where it holds more than the venue does by now.
    """
    with transaction():
        venue = lock(seat_map.venue)
        _still_there(lock(seat_map))
        name = changes.get("name", seat_map.name)
        if name != seat_map.name:
            _require_free_name(venue, name)
            seat_map.name = name
        if changes.get("is_default") and not seat_map.is_default:
            _make_default(venue, seat_map)
    return find(seat_map.id, caller=caller)


def delete(seat_map: SeatMap) -> None:
    """Mark a map as deleted; past shows keep their version. Raises MapInUse and DefaultMap."""
    with transaction():
        venue = lock(seat_map.venue)
        if lock(seat_map).deleted_at is not None:
            return
        if seat_map.is_default:
            raise DefaultMap(f"New shows at {venue.name} get {seat_map.name}.")
        versions = select(SeatMapVersion.id).where(SeatMapVersion.seat_map_id == seat_map.id)
        pinned = select(func.count()).select_from(Show)
        pinned = pinned.where(Show.seat_map_version_id.in_(versions), to_come())
        if shows := db.session.scalar(pinned):
            raise MapInUse(f"{shows} shows to come have {seat_map.name}.", shows=shows)
        seat_map.deleted_at = db.session.scalar(select(now()))
        audit_service.record("seat_map.delete", seat_map, before={"name": seat_map.name})


def current_sections(venue: Venue) -> list[Section]:
    """The sections of the map that new shows at a venue get, in order."""
    query = select(Section).join(SeatMapVersion, SeatMapVersion.id == Section.seat_map_version_id)
    query = query.join(SeatMap, SeatMap.id == SeatMapVersion.seat_map_id)
    current = SeatMap.venue_id == venue.id, SeatMap.is_default, SeatMapVersion.replaced_at.is_(None)
    return list(db.session.scalars(query.where(*current).order_by(Section.position)))


def is_laid_out(venue: Venue, wanted: Sequence[WantedSection]) -> bool:
    """Whether the venue's default map is what is wanted already, seat by seat."""
    sections = current_sections(venue)
    if [(s.name, s.kind, s.capacity) for s in sections] != [
        (s.name, s.kind, s.capacity) for s in wanted
    ]:
        return False
    like = MapSeat.row, MapSeat.number, MapSeat.position, MapSeat.kind, MapSeat.restricted_view
    seats = (
        select(Section.position, *like)
        .join(Section, Section.id == MapSeat.section_id)
        .where(Section.id.in_([section.id for section in sections]))
        .order_by(Section.position, MapSeat.position)
    )
    there = [tuple(seat) for seat in db.session.execute(seats)]
    return there == [
        (s.section, s.row, s.number, s.position, s.kind, s.restricted_view)
        for s in seats_of(wanted)
    ]


def lay_out(
    venue: Venue, wanted: Sequence[WantedSection], *, stage: dict[str, Any] | None = None
) -> SeatMapVersion:
    """The next version of a venue's default map; shows that pin the one before keep it.

    Runs in the caller's transaction, the venue locked or new. Raises Invalid where the sections
    hold more than the venue.
    """
    query = select(SeatMap).where(SeatMap.venue_id == venue.id, SeatMap.is_default)
    seat_map = db.session.scalar(query)
    if seat_map is None:
        seat_map = SeatMap(venue_id=venue.id, name="Main", is_default=True)
        db.session.add(seat_map)
        db.session.flush()
    else:
        seat_map.touch()
    require_fit(venue, wanted)
    whole = WantedMap(seat_map.name, None, stage, tuple(wanted))
    return _add_version(seat_map, whole, list(seats_of(wanted)))


def require_fit(venue: Venue, wanted: Sequence[WantedSection]) -> None:
    """Refuse sections that hold more than the venue."""
    held = sum(section.capacity for section in wanted)
    if held > venue.capacity:
        told = f"They hold {held}, which is more than the venue's {venue.capacity}."
        raise Invalid.at("sections", told)


def _add_version(seat_map: SeatMap, wanted: WantedMap, seats: list[PlacedSeat]) -> SeatMapVersion:
    """Write the next version of a map, in the caller's transaction, the venue locked or new."""
    versions = select(SeatMapVersion).where(SeatMapVersion.seat_map_id == seat_map.id)
    last = db.session.scalar(versions.order_by(SeatMapVersion.number.desc()).limit(1))
    if last is not None:
        last.replaced_at = db.session.scalar(select(now()))
    version = SeatMapVersion(
        seat_map_id=seat_map.id,
        venue_id=seat_map.venue_id,
        number=last.number + 1 if last else 1,
        name=wanted.name,
        note=wanted.note,
        stage=wanted.stage,
    )
    version.sections = [
        Section(
            name=section.name,
            kind=section.kind,
            capacity=section.capacity,
            position=position,
            outline=section.outline,
        )
        for position, section in enumerate(wanted.sections)
    ]
    db.session.add(version)
    db.session.flush()
    section_ids = [section.id for section in version.sections]
    for first in range(0, len(seats), AT_ONCE):
        _write_seats(section_ids, seats[first : first + AT_ONCE])
    return version


def _make_default(venue: Venue, seat_map: SeatMap) -> None:
    if (seat_map.capacity or 0) > venue.capacity:
        told = f"It holds {seat_map.capacity}, which is more than the venue's {venue.capacity}."
        raise Invalid.at("is_default", told)
    query = select(SeatMap).where(SeatMap.venue_id == venue.id, SeatMap.is_default)
    before = db.session.scalar(query)
    if before is not None:
        lock(before).is_default = False
        db.session.flush()  # there is one at most, at any moment
    seat_map.is_default = True
    venue.touch()
    audit_service.record(
        "seat_map.make_default",
        seat_map,
        before={"seat_map_id": before.id if before else None},
        after={"seat_map_id": seat_map.id},
    )


def _require_free_name(venue: Venue, name: str) -> None:
    same = SeatMap.venue_id == venue.id, SeatMap.name == name, SeatMap.deleted_at.is_(None)
    seat_map_id = db.session.scalar(select(SeatMap.id).where(*same))
    if seat_map_id is not None:
        raise NameTaken(f"The venue has a map called {name} already.", seat_map_id=seat_map_id)


def _still_there(seat_map: SeatMap) -> None:
    if seat_map.deleted_at is not None:
        raise NotFound(f"There is no seat map {seat_map.id}.")


def _write_seats(section_ids: list[int], seats: list[PlacedSeat]) -> None:
    """Write seats of a new version in one statement."""
    facts = {
        "section_ids": [section_ids[seat.section] for seat in seats],
        "rows": [seat.row for seat in seats],
        "numbers": [seat.number for seat in seats],
        "positions": [seat.position for seat in seats],
        "off_centres": [seat.off_centre for seat in seats],
        "xs": [seat.x for seat in seats],
        "ys": [seat.y for seat in seats],
        "kinds": [seat.kind for seat in seats],
        "restricted": [seat.restricted_view for seat in seats],
    }
    db.session.execute(WRITE_SEATS, facts)
