"""Seat map use cases: the ways to lay out a venue, and their numbered versions."""

from collections.abc import Sequence

from sqlalchemy import select, text

from init import db
from models import MapSeat, SeatMap, SeatMapVersion, Section, Venue
from models.layout import PlacedSeat, WantedSection, seats_of
from utils.clock import now
from utils.errors import Invalid

# One statement, because a stadium's 200,000 seats would take half a minute one by one.
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
    seats = (
        select(Section.position, MapSeat.row, MapSeat.number, MapSeat.position)
        .join(Section, Section.id == MapSeat.section_id)
        .where(Section.id.in_([section.id for section in sections]))
        .order_by(Section.position, MapSeat.position)
    )
    there = [tuple(seat) for seat in db.session.execute(seats)]
    return there == [(s.section, s.row, s.number, s.position) for s in seats_of(wanted)]


def lay_out(venue: Venue, wanted: Sequence[WantedSection]) -> SeatMapVersion:
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
    if sum(section.capacity for section in wanted) > venue.capacity:
        raise Invalid.at("sections", f"They hold more than the venue's {venue.capacity}.")
    versions = select(SeatMapVersion).where(SeatMapVersion.seat_map_id == seat_map.id)
    last = db.session.scalar(versions.order_by(SeatMapVersion.number.desc()).limit(1))
    if last is not None:
        last.replaced_at = db.session.scalar(select(now()))
    version = SeatMapVersion(
        seat_map_id=seat_map.id, venue_id=venue.id, number=last.number + 1 if last else 1
    )
    version.sections = [
        Section(
            name=section.name,
            kind=section.kind,
            capacity=section.capacity,
            position=position,
            outline=section.outline,
        )
        for position, section in enumerate(wanted)
    ]
    db.session.add(version)
    db.session.flush()
    _write_seats([section.id for section in version.sections], list(seats_of(wanted)))
    return version


def _write_seats(section_ids: list[int], seats: list[PlacedSeat]) -> None:
    """Write the seats of a new version in one statement, however many."""
    if seats:
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
