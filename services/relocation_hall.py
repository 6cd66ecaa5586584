"""Another hall for a show, as a plan: which stock gets which seats, and who sits where."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from sqlalchemy import select, text

from init import db
from models import Section, SectionLimit, Show, Stock, Venue
from models.relocation import Outcome
from models.seat_map import SeatKind
from models.stock import seat_prefix
from services import relocation_plan, relocation_seating
from services.relocation_plan import Party, Person, Placed, Seat, Share
from services.stock_room import CapacityExceeded
from utils.errors import Invalid

# Of a booking that is over, or a hold that has run out, nobody moves: its places are free.
PLACES = text(
    """
    SELECT p.id, p.stock_id, CASE WHEN b.id IS NOT NULL THEN p.booking_id END AS booking_id,
           p.key, p."row", p.number, p.ordinal, coalesce(p.off_centre, 0) AS off_centre,
           p.seat_kind
      FROM places p
      LEFT JOIN bookings b ON b.id = p.booking_id
                          AND (b.status = 'confirmed' OR b.status = 'held'
                               AND (:is_locked OR b.held_until > (SELECT clock_timestamp())))
     WHERE p.show_id = :show_id AND p.key IS NOT NULL
     ORDER BY p.stock_id, p.ordinal, p.id
    """
)
SEATS = text(
    """
    SELECT id, "row", number, position, off_centre, kind FROM map_seats
     WHERE section_id = :section_id ORDER BY position
    """
)


@dataclass(frozen=True)
class Move:
    """A stock and the section of the new hall that it is of from now on."""

    stock: Stock
    part: Section
    capacity: int


@dataclass(frozen=True)
class Plan:
    """What becomes of every stock, party and free seat of a show."""

    moves: Sequence[Move]
    placed: Sequence[Placed]
    free: Sequence[tuple[Seat, int]] = ()  # a seat and the stock that it is in
    limits: Mapping[int, tuple[int | None, int | None]] = field(default_factory=dict)

    @property
    def unplaced(self) -> list[Party]:
        return [each.party for each in self.placed if each.outcome == Outcome.UNPLACED]

    @property
    def changed(self) -> list[Placed]:
        """The parties whose seats have other names from now on, or who have none."""
        return [
            each
            for each in self.placed
            if [seat.key for seat in each.seats] != [person.key for person in each.party.people]
        ]

    @property
    def summary(self) -> dict[str, int]:
        """How many there are, and how many parties go which way."""
        counts = Counter(each.outcome for each in self.placed)
        return {
            "bookings": len({each.party.booking_id for each in self.placed}),
            "places": sum(len(each.party.people) for each in self.placed),
            "parties": len(self.placed),
            **{outcome.value: counts[outcome] for outcome in Outcome},
            "unplaced_bookings": len({party.booking_id for party in self.unplaced}),
            "unplaced_places": sum(len(party.people) for party in self.unplaced),
        }


def plan(
    show: Show,
    venue: Venue,
    version_id: int,
    sections: Mapping[str, str],
    *,
    known: Mapping[int, str] = MappingProxyType({}),
    is_locked: bool = False,
) -> Plan:
    """Where everything of a show goes in another hall.

    `sections` are names there by names here, `known` are places with the seats that a former plan
    gave them. With the bookings locked and the dead ones reaped (`is_locked`), a hold lives,
    whatever the clock says meanwhile. Raises Invalid for sections that are not there or are of
    another kind, and CapacityExceeded where the hall, a floor of it or the licence is too small.
    """
    parts = _sections(version_id)
    stocks = _stocks(show.id)
    _require_known(show, stocks, parts, sections)
    to = {stock.id: _part(stock, parts, sections) for stock in stocks}
    places = db.session.execute(PLACES, {"show_id": show.id, "is_locked": is_locked}).all()
    people = _people(places, to)
    seats = {part.id: _seats(part) for part in parts if part.kind.has_seats}
    shared = _shared(show, stocks, to, seats, places, people, sections, venue.id)
    pools: dict[int, list[Seat]] = defaultdict(list)
    for seat in (seat for of_part in seats.values() for seat in of_part):
        if seat.id in shared:
            pools[shared[seat.id]].append(seat)
    placed: list[Placed] = []
    parties: dict[int, list[Party]] = defaultdict(list)
    for party in relocation_plan.parties_of(people):
        parties[party.stock_id].append(party)
    for stock_id, of_stock in sorted(parties.items()):
        placed += relocation_seating.settle(of_stock, pools[stock_id], known)
    taken = {seat.id for each in placed for seat in each.seats}
    free = [(seat, k) for k, pool in sorted(pools.items()) for seat in pool if seat.id not in taken]
    moves = [
        Move(stock, to[stock.id], len(pools[stock.id]) if stock.kind.has_seats else stock.capacity)
        for stock in stocks
    ]
    _require_room(show, venue, moves)
    return Plan(moves, placed, free, _limits(show, parts, sections))


def _sections(version_id: int | None) -> list[Section]:
    query = select(Section).where(Section.seat_map_version_id == version_id)
    return list(db.session.scalars(query.order_by(Section.position)))


def _stocks(show_id: int) -> list[Stock]:
    query = select(Stock).where(Stock.show_id == show_id, Stock.deleted_at.is_(None))
    again = query.order_by(Stock.id).execution_options(populate_existing=True)
    return list(db.session.scalars(again))


def _require_known(
    show: Show, stocks: Iterable[Stock], parts: Iterable[Section], sections: Mapping[str, str]
) -> None:
    """Refuse to hear of sections that the show does not have, or that are not there."""
    here = {part.name for part in _sections(show.seat_map_version_id)}
    here |= {stock.section_name for stock in stocks}
    there = {part.name for part in parts}
    for name, other in sections.items():
        if name not in here:
            raise Invalid.at("sections", f"The show has no section {name}.")
        if other not in there:
            raise Invalid.at("sections", f"The new map has no section {other}.")


def _part(stock: Stock, parts: Sequence[Section], sections: Mapping[str, str]) -> Section:
    """The section of the new hall for a stock; what is said by name holds for all of its kind."""
    name = sections.get(stock.section_name, stock.section_name)
    part = next((part for part in parts if part.name == name), None)
    if part is None:
        known = ", ".join(part.name for part in parts)
        what = f"The new map has no section {name} for {stock.name}; it has {known}."
        raise Invalid.at("sections", what)
    if part.kind.has_seats != stock.kind.has_seats:
        raise Invalid.at("sections", f"{stock.name} is {stock.kind}, and {name} is {part.kind}.")
    return part


def _seats(part: Section) -> list[Seat]:
    prefix = seat_prefix(part.name)
    return [
        Seat(
            id=seat.id,
            key=f"{prefix}{seat.row}-{seat.number}",
            row=seat.row,
            position=seat.position,
            off_centre=seat.off_centre,
            kind=_kind(seat.kind),
        )
        for seat in db.session.execute(SEATS, {"section_id": part.id})
    ]


def _kind(word: str | None) -> SeatKind | None:
    return SeatKind(word) if word else None


def _people(places: Sequence[Any], to: Mapping[int, Section]) -> list[Person]:
    """Everybody who has a seat; `depth` is their row's among all rows of the stock."""
    rows: dict[int, dict[str, int]] = defaultdict(dict)
    for place in places:
        rows[place.stock_id].setdefault(place.row, len(rows[place.stock_id]))
    return [
        Person(
            place_id=place.id,
            booking_id=place.booking_id,
            stock_id=place.stock_id,
            key=place.key,
            same=f"{seat_prefix(to[place.stock_id].name)}{place.row}-{place.number}",
            depth=rows[place.stock_id][place.row] / max(len(rows[place.stock_id]) - 1, 1),
            position=place.ordinal,
            off_centre=place.off_centre,
            kind=_kind(place.seat_kind),
        )
        for place in places
        if place.booking_id is not None
    ]


def _shared(
    show: Show,
    stocks: Sequence[Stock],
    to: Mapping[int, Section],
    seats: Mapping[int, Sequence[Seat]],
    places: Sequence[Any],
    people: Collection[Person],
    sections: Mapping[str, str],
    to_venue_id: int,
) -> dict[int, int]:
    """Which stock each seat of the new hall is in."""
    before: dict[str, int | None] = {}
    same_hall = to_venue_id == show.venue_id  # in another one, such a seat is nobody's choice
    for part in _sections(show.seat_map_version_id) if same_hall else ():
        if part.kind.has_seats:
            prefix = seat_prefix(sections.get(part.name, part.name))
            for seat in db.session.execute(SEATS, {"section_id": part.id}):
                before.setdefault(f"{prefix}{seat.row}-{seat.number}", None)
    capacity: dict[int, Counter[SeatKind | None]] = defaultdict(Counter)
    positions: dict[int, list[int]] = defaultdict(list)
    for place in places:
        key = f"{seat_prefix(to[place.stock_id].name)}{place.row}-{place.number}"
        if before.get(key) is None:  # where two sections become one, the first has its way
            before[key] = place.stock_id
        capacity[place.stock_id][_kind(place.seat_kind)] += 1
        positions[place.stock_id].append(place.ordinal)
    sold: dict[int, Counter[SeatKind | None]] = defaultdict(Counter)
    for person in people:
        sold[person.stock_id][person.kind] += 1
    shared: dict[int, int] = {}
    for part_id, of_part in seats.items():
        shares = [
            Share(
                stock_id=stock.id,
                middle=sum(positions[stock.id]) / max(len(positions[stock.id]), 1),
                capacity=capacity[stock.id],
                sold=sold[stock.id],
            )
            for stock in stocks
            if to[stock.id].id == part_id
        ]
        shared |= relocation_plan.share_out(of_part, shares, before)
    return shared


def _require_room(show: Show, venue: Venue, moves: Iterable[Move]) -> None:
    """Refuse a floor, a licence or a hall that holds less than the stocks would have."""
    floors: Counter[int] = Counter()
    parts = {}
    for move in moves:
        floors[move.part.id] += move.capacity
        parts[move.part.id] = move.part
    limits = [(parts[part_id].capacity, used, "section") for part_id, used in floors.items()]
    total = floors.total()
    if show.licensed_capacity is not None:
        limits.append((show.licensed_capacity, total, "licence"))
    limits.append((venue.capacity, total, "venue"))
    for limit, used, scope in limits:
        if used > limit:
            raise CapacityExceeded(
                f"The {scope} allows {limit} places, and the stocks would have {used}.",
                limit=limit,
                left=0,
                scope=scope,
            )


def _limits(
    show: Show, parts: Sequence[Section], sections: Mapping[str, str]
) -> dict[int, tuple[int | None, int | None]]:
    """The limits of sections by the new ones; where two become one, it may hold what both did."""
    by_name = {part.name: part.id for part in parts}
    query = select(Section.name, SectionLimit).join(Section, Section.id == SectionLimit.section_id)
    limits: dict[int, list[SectionLimit]] = defaultdict(list)
    for name, limit in db.session.execute(query.where(SectionLimit.show_id == show.id)):
        section_id = by_name.get(sections.get(name, name))
        if section_id is not None:
            limits[section_id].append(limit)
    return {
        section_id: (
            _sum([limit.max_places for limit in of_part]),
            min((x.max_per_buyer for x in of_part if x.max_per_buyer is not None), default=None),
        )
        for section_id, of_part in limits.items()
    }


def _sum(numbers: Sequence[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None
