"""Who moves to another hall, and which of its seats are whose to sell: plain values."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from models.relocation import Outcome
from models.seat_map import SeatKind


@dataclass(frozen=True, slots=True)
class Seat:
    """A seat of the new hall; neighbours' positions differ by one, and the best come first."""

    id: int
    key: str
    row: str
    position: int
    off_centre: int
    kind: SeatKind | None


@dataclass(frozen=True, slots=True)
class Person:
    """A place that somebody has in the old hall; `same` is what its seat is called in the new."""

    place_id: int
    booking_id: int
    stock_id: int
    key: str
    same: str
    depth: float  # of its row in the stock: 0 is the first, 1 the last
    position: int
    off_centre: int
    kind: SeatKind | None


@dataclass(frozen=True, slots=True)
class Party:
    """The places that a booking has in a stock, in the order in which people sit."""

    people: tuple[Person, ...]

    @property
    def booking_id(self) -> int:
        return self.people[0].booking_id

    @property
    def stock_id(self) -> int:
        return self.people[0].stock_id

    @property
    def depth(self) -> float:
        return self.people[0].depth

    @property
    def off_centre(self) -> float:
        return (self.people[0].off_centre + self.people[-1].off_centre) / 2

    @property
    def is_special(self) -> bool:
        return any(person.kind == SeatKind.ACCESSIBLE for person in self.people)


@dataclass(frozen=True, slots=True)
class Placed:
    """A party and its seats, person by person; no seats where there is no room for all of it."""

    party: Party
    seats: tuple[Seat, ...]
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Share:
    """A stock of a section and what it had there, by kind of seat: all of it, and what is sold."""

    stock_id: int
    middle: float  # the mean of its old positions
    capacity: Mapping[SeatKind | None, int]
    sold: Mapping[SeatKind | None, int]


def parties_of(people: Iterable[Person]) -> list[Party]:
    """The parties of all who have places, by booking and stock."""

    def party(person: Person) -> tuple[int, int]:
        return person.booking_id, person.stock_id

    ordered = sorted(people, key=lambda person: (*party(person), person.position))
    return [Party(tuple(group)) for _, group in groupby(ordered, key=party)]


def blocks(positions: Iterable[int]) -> int:
    """Into how many groups of neighbours these positions fall."""
    ordered = sorted(positions)
    return 1 + sum(after - before != 1 for before, after in pairwise(ordered))


def share_out(
    seats: Sequence[Seat], stocks: Sequence[Share], before: Mapping[str, int | None]
) -> dict[int, int]:
    """Which stock gets which seat of a section of the new hall: stock by seat id.

    A seat that the old hall had, too, stays in the stock it was `before` in, or in none. Of the new
    ones, each stock gets as many as it loses, the better ones who had the better ones; if they are
    too few, what is sold comes first. What is left over goes to the largest stock.
    """
    shared: dict[int, int] = {}
    if not stocks:
        return shared
    kept: Counter[tuple[int, SeatKind | None]] = Counter()
    fresh: list[Seat] = []
    for seat in seats:
        if seat.key not in before:
            fresh.append(seat)
        elif (stock_id := before[seat.key]) is not None:
            shared[seat.id] = stock_id
            kept[stock_id, seat.kind] += 1
    largest = max(stocks, key=lambda stock: (sum(stock.capacity.values()), -stock.stock_id))
    ordered = sorted(stocks, key=lambda stock: (stock.middle, stock.stock_id))
    for kind in {seat.kind for seat in fresh}:
        of_kind = [seat for seat in fresh if seat.kind == kind]
        has = {stock.stock_id: kept[stock.stock_id, kind] for stock in ordered}
        lost = {
            stock.stock_id: max(stock.capacity.get(kind, 0) - has[stock.stock_id], 0)
            for stock in ordered
        }
        needed = {
            stock.stock_id: min(
                max(stock.sold.get(kind, 0) - has[stock.stock_id], 0), lost[stock.stock_id]
            )
            for stock in ordered
        }
        counts = _portions(len(of_kind), lost, needed, largest.stock_id)
        at = 0
        for stock_id, count in counts.items():
            shared |= {seat.id: stock_id for seat in of_kind[at : at + count]}
            at += count
    return shared


def _portions(
    available: int, lost: Mapping[int, int], needed: Mapping[int, int], largest: int
) -> dict[int, int]:
    """How many of the new seats each stock gets, in the order of `lost`."""
    counts = dict.fromkeys(lost, 0)
    for wanted in (needed, lost):
        missing = {stock_id: wanted[stock_id] - counts[stock_id] for stock_id in lost}
        total = sum(missing.values())
        give = min(available, total)
        for stock_id, count in missing.items():
            part = count * give // total if total else 0
            counts[stock_id] += part
            available -= part
        for stock_id in lost:  # what rounding down left
            if sum(counts.values()) < sum(wanted.values()) and available > 0:
                more = min(available, wanted[stock_id] - counts[stock_id])
                counts[stock_id] += more
                available -= more
    counts[largest] += available
    return counts
