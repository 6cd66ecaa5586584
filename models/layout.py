"""How a hall is laid out, as plain values: what a new version of a seat map is written from."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import cos, sin, tau
from typing import Any

from models.seat_map import SeatKind, SectionKind

ROW_APART, SECTION_APART, TABLES_APART = 1.0, 3.0, 1.5  # seats' widths
TABLES_ABREAST = 10


@dataclass(frozen=True, slots=True)
class WantedSeat:
    """A seat as people meet it in its row; `after_gap` where an aisle, or nothing, comes before.

    Without coordinates it is drawn where a plain hall would have it.
    """

    number: str
    after_gap: bool = False
    kind: SeatKind | None = None
    restricted_view: bool = False
    x: float | None = None
    y: float | None = None


@dataclass(frozen=True, slots=True)
class WantedRow:
    """A row, or a table, with its seats in the order in which people sit."""

    label: str
    seats: tuple[WantedSeat, ...]


@dataclass(frozen=True, slots=True)
class WantedSection:
    """A section of a new seat map: its capacity if people stand, its rows, best first, if not."""

    name: str
    kind: SectionKind
    capacity: int
    rows: tuple[WantedRow, ...] = ()
    outline: tuple[tuple[float, float], ...] | None = None


@dataclass(frozen=True, slots=True)
class WantedMap:
    """A seat map as somebody describes it; `stage` is drawn, in seats' widths."""

    name: str
    note: str | None
    stage: dict[str, Any] | None
    sections: tuple[WantedSection, ...]

    @property
    def capacity(self) -> int:
        """How many it holds."""
        return sum(section.capacity for section in self.sections)


@dataclass(frozen=True, slots=True)
class PlacedSeat:
    """A seat with all that its row in the database says; see models.seat_map.MapSeat."""

    section: int  # the position of its section
    row: str
    number: str
    position: int
    off_centre: int
    x: float
    y: float
    kind: SeatKind | None
    restricted_view: bool


def plain_row(label: str, numbers: Iterable[str], *, gaps_after: Iterable[int] = ()) -> WantedRow:
    """A plain row: seats in the order given, with a gap after so many of them."""
    gaps = set(gaps_after)
    return WantedRow(label, tuple(WantedSeat(each, n in gaps) for n, each in enumerate(numbers)))


def seated(name: str, rows: Iterable[WantedRow]) -> WantedSection:
    """A section of rows."""
    rows = tuple(rows)
    return WantedSection(name, SectionKind.SEATED, sum(len(row.seats) for row in rows), rows)


def seats_of(sections: Sequence[WantedSection]) -> Iterator[PlacedSeat]:
    """Every seat of a map, section by section in order, with coordinates for those without."""
    top = 0.0
    for number, section in enumerate(sections):
        position, lowest = -1, top
        plain = _round_tables if section.kind == SectionKind.TABLES else _in_rows
        drawn = plain(section.rows, top)
        for of_row in section.rows:
            position += 2  # the end of a row is a gap, too
            placed = list(_in_row(of_row, position))
            middle = placed[0][1] + placed[-1][1]
            for seat, at in placed:
                x, y = next(drawn)
                if seat.x is not None and seat.y is not None:
                    x, y = seat.x, seat.y
                lowest = max(lowest, y)
                yield PlacedSeat(
                    number,
                    of_row.label,
                    seat.number,
                    at,
                    2 * at - middle,
                    x,
                    y,
                    seat.kind,
                    seat.restricted_view,
                )
            position = placed[-1][1]
        top = lowest + SECTION_APART


def _in_rows(rows: Sequence[WantedRow], top: float) -> Iterator[tuple[float, float]]:
    """Where the seats of a plain hall are: row behind row, each in the middle."""
    for depth, of_row in enumerate(rows):
        placed = [at for _, at in _in_row(of_row, 0)]
        middle = placed[-1] / 2
        for at in placed:
            yield at - middle, top + depth * ROW_APART


def _round_tables(rows: Sequence[WantedRow], top: float) -> Iterator[tuple[float, float]]:
    """Where the seats of plain tables are: round each, ten tables side by side."""
    radius = max(table_radius(len(of_row.seats)) for of_row in rows)
    apart = 2 * radius + TABLES_APART
    abreast = min(len(rows), TABLES_ABREAST)
    for number, of_row in enumerate(rows):
        line, place = divmod(number, TABLES_ABREAST)
        centre = (place - (abreast - 1) / 2) * apart, top + radius + line * apart
        yield from round_table(len(of_row.seats), centre)


def table_radius(seats: int) -> float:
    """How far from its middle those at a table sit, with an elbow's room."""
    return max(0.9, seats * 1.1 / tau)


def round_table(seats: int, centre: tuple[float, float]) -> Iterator[tuple[float, float]]:
    """Where those at a table sit, clockwise from who is nearest to the top."""
    radius = table_radius(seats)
    for number in range(seats):
        angle = tau * number / seats
        x, y = centre[0] + radius * sin(angle), centre[1] - radius * cos(angle)
        yield round(x, 3), round(y, 3)


def _in_row(of_row: WantedRow, position: int) -> Iterator[tuple[WantedSeat, int]]:
    """The seats of a row with their positions, counted on from `position`."""
    for number, seat in enumerate(of_row.seats):
        if number:
            position += 2 if seat.after_gap else 1
        yield seat, position
