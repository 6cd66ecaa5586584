"""Rows, tables and seats of a seat map document, read into values."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from models.layout import WantedRow, WantedSeat, round_table
from models.seat_map import SeatKind
from models.venue import LARGEST_VENUE
from schemas import seat_labels
from schemas.seat_labels import LONGEST_LABEL, Labels, NotDescribed, is_description, is_label
from schemas.seat_map_mistakes import Mistakes

MOST_ROWS, MOST_IN_ROW, MOST_AT_TABLE = 1000, 1000, 100
FARTHEST = 100_000
MISSING: Any = object()
NOT_A_LABEL = (
    f"Must be 1 to {LONGEST_LABEL} characters, with no slash, no control character, and no space "
    "at either end."
)
NOT_A_DESCRIPTION = (
    "Is no description such as 1-40, 39-1 odd | 2-40 even, A-T without I, or 2, 4, 6."
)
SEAT = {
    "number",
    "gap_before",
    "x",
    "y",
    "accessible",
    "companion",
    "restricted_view",
}
FLAGS = ("gap_before", "accessible", "companion", "restricted_view")


@dataclass(slots=True)
class Row:
    """A row as it was read; `exact` where each seat has a path of its own."""

    path: str
    label: str
    seats: list[WantedSeat]
    exact: bool = False
    after: tuple[tuple[str, str], ...] | None = None  # its own aisles, if it says

    def path_of(self, number: int) -> str:
        return f"{self.path}.seats.{number}" if self.exact else self.path

    @property
    def value(self) -> WantedRow:
        return WantedRow(self.label, tuple(self.seats))


@dataclass(slots=True)
class Reading:
    """What has been read so far of a document: its mistakes, and how many places it has."""

    mistakes: Mistakes = field(default_factory=Mistakes)
    places: int = 0
    excepted: int = 0

    def count(self, more: int) -> None:
        """Take so many places more, if a map may have them: before anything is made of them."""
        self.places += more
        if self.places > LARGEST_VENUE:
            self.mistakes.at("sections", f"A map holds {LARGEST_VENUE:,} places at most.")
            self.mistakes.end()

    def count_excepted(self, more: int, path: str) -> None:
        """Take so many rows or seats more of exceptions: no map has more of them than places."""
        self.excepted += more
        if self.excepted > 2 * LARGEST_VENUE:
            told = f"Exceptions are longer than those of {LARGEST_VENUE:,} places can be."
            self.mistakes.at(path, told)
            self.mistakes.end()


@dataclass(frozen=True, slots=True)
class Usual:
    """What a section says of all its rows that say nothing else."""

    seats: Labels | None
    aisles: tuple[tuple[str, str], ...]  # the path of each, and the number that it is after
    exceptions: dict[str, "Usual"]
    path: str = ""


def is_number(value: Any) -> bool:
    """Whether a value is a number that a drawing can have."""
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and abs(value) <= FARTHEST  # no infinity is, and what is no number neither
    )


def whole(value: Any, smallest: int, largest: int) -> int | None:
    """A whole number of JSON in these bounds, if that is what it is."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if smallest <= value <= largest else None


def members(
    value: Any, path: str, names: set[str], mistakes: Mistakes, *, required: tuple[str, ...] = ()
) -> bool:
    """Whether a value is an object with these names, and no others."""
    if not isinstance(value, dict):
        mistakes.at(path, "Must be an object.")
        return False
    for name in value.keys() - names:
        mistakes.at(f"{path}.{name[:100]}", "Unknown field.")
    for name in required:
        if name not in value:
            mistakes.at(f"{path}.{name}", "Missing data for required field.")
    return True


def is_list(value: Any, path: str, smallest: int, largest: int, mistakes: Mistakes) -> bool:
    """Whether a value is a list of so many."""
    if not isinstance(value, list):
        mistakes.at(path, "Must be a list.")
        return False
    if not smallest <= len(value) <= largest:
        mistakes.at(path, f"Must have {smallest} to {largest:,} items.")
        return False
    return True


def described(value: Any, path: str, mistakes: Mistakes) -> Labels | None:
    """The seats that a description names."""
    if not is_description(value):
        mistakes.at(path, NOT_A_DESCRIPTION)
        return None
    try:
        labels = seat_labels.seats(value)
    except NotDescribed as wrong:
        mistakes.at(path, str(wrong))
        return None
    if len(labels.names) > MOST_IN_ROW:
        mistakes.at(path, f"A row has {MOST_IN_ROW:,} seats at most.")
        return None
    return labels if _are_labels(labels.names, path, mistakes) else None


def described_rows(value: Any, path: str, mistakes: Mistakes) -> tuple[str, ...]:
    """The rows that a description names."""
    if not is_description(value):
        mistakes.at(path, NOT_A_DESCRIPTION)
        return ()
    try:
        labels = seat_labels.rows(value)
    except NotDescribed as wrong:
        mistakes.at(path, str(wrong))
        return ()
    if len(labels) > MOST_ROWS:
        mistakes.at(path, f"A section has {MOST_ROWS:,} rows at most.")
        return ()
    return labels if _are_labels(labels, path, mistakes) else ()


def _are_labels(labels: tuple[str, ...], path: str, mistakes: Mistakes) -> bool:
    for label in labels:
        if not is_label(label):
            mistakes.at(path, f"{label[:20]}: {NOT_A_LABEL}")
            return False
    return True


def aisles(value: Any, path: str, mistakes: Mistakes) -> tuple[tuple[str, str], ...]:
    """The printed numbers after which there is an aisle, each with its path."""
    if not is_list(value, path, 0, 100, mistakes):
        return ()
    named = []
    for n, each in enumerate(value):
        number = whole(each, 0, 10**9)
        if number is not None:
            named.append((f"{path}.{n}", str(number)))
        elif is_label(each):
            named.append((f"{path}.{n}", each))
        else:
            mistakes.at(f"{path}.{n}", "Must be the number of the seat before the aisle.")
    return tuple(named)


def with_aisles(
    row: Row, after: tuple[tuple[str, str], ...], mistakes: Mistakes, *, strict: bool
) -> set[str]:
    """Put aisles into a row; the paths of those that it has. `strict`: it must have each."""
    if not after:
        return set()
    numbers = {seat.number: n for n, seat in enumerate(row.seats)}
    used = set()
    for path, number in after:
        at = numbers.get(number)
        if at is not None and at + 1 < len(row.seats):
            row.seats[at + 1] = _with(row.seats[at + 1], after_gap=True)
            used.add(path)
        elif strict and at is None:
            mistakes.at(path, f"There is no seat {number} in row {row.label}.")
        elif strict:
            mistakes.at(path, f"{number} is the last seat of row {row.label}.")
    return used


def _with(seat: WantedSeat, **changes: Any) -> WantedSeat:
    return WantedSeat(
        **{name: getattr(seat, name) for name in WantedSeat.__slots__} | changes  # quick
    )


def plain(labels: Labels) -> list[WantedSeat]:
    """Ordinary seats with these numbers."""
    return [WantedSeat(name, n in labels.gaps) for n, name in enumerate(labels.names)]


def listed_seats(value: Any, path: str, mistakes: Mistakes) -> list[WantedSeat]:
    """Seats one by one: a number as printed, or an object with all that is known."""
    if not is_list(value, path, 1, MOST_IN_ROW, mistakes):
        return []
    seats = []
    for n, each in enumerate(value):
        if is_label(each):
            seats.append(WantedSeat(each))
        elif isinstance(each, dict):
            seats.append(_seat(each, path, n, mistakes))
        else:
            mistakes.at(f"{path}.{n}", NOT_A_LABEL if isinstance(each, str) else "Must be a seat.")
    return seats


def _seat(seat: dict[str, Any], path: str, n: int, mistakes: Mistakes) -> WantedSeat:
    number = seat.get("number")
    x, y = seat.get("x", MISSING), seat.get("y", MISSING)
    flags = [seat.get(name, False) for name in FLAGS]
    if (
        not is_label(number)
        or not seat.keys() <= SEAT
        or (x is MISSING) != (y is MISSING)
        or (x is not MISSING and not (is_number(x) and is_number(y)))
        or not all(flag is True or flag is False for flag in flags)
        or (flags[1] and flags[2])
    ):
        _tell_seat(seat, f"{path}.{n}", mistakes)
        return WantedSeat("?")
    return WantedSeat(
        number,  # type: ignore[arg-type]
        flags[0],
        SeatKind.ACCESSIBLE if flags[1] else SeatKind.COMPANION if flags[2] else None,
        flags[3],
        None if x is MISSING else float(x),
        None if y is MISSING else float(y),
    )


def _tell_seat(seat: dict[str, Any], path: str, mistakes: Mistakes) -> None:
    """Say all that is wrong with a seat."""
    members(seat, path, SEAT, mistakes, required=("number",))
    if "number" in seat and not is_label(seat["number"]):
        mistakes.at(f"{path}.number", NOT_A_LABEL)
    point(seat, path, mistakes)
    for name in FLAGS:
        if not isinstance(seat.get(name, False), bool):
            mistakes.at(f"{path}.{name}", "Must be true or false.")
    if seat.get("accessible") is True and seat.get("companion") is True:
        mistakes.at(f"{path}.companion", "An accessible seat is nobody's companion seat.")


def point(value: dict[str, Any], path: str, mistakes: Mistakes) -> tuple[float, float] | None:
    """Where something is drawn, if it says so: both numbers or none."""
    for name, other in (("x", "y"), ("y", "x")):
        if name in value and not is_number(value[name]):
            mistakes.at(f"{path}.{name}", f"Must be a number from -{FARTHEST:,} to {FARTHEST:,}.")
        elif name in value and other not in value:
            mistakes.at(f"{path}.{other}", f"Goes with {name}.")
    if is_number(value.get("x")) and is_number(value.get("y")):
        return float(value["x"]), float(value["y"])
    return None


def at_table(seats: list[WantedSeat], centre: tuple[float, float]) -> list[WantedSeat]:
    """The seats of a table that stands there; those that say where they are stay."""
    drawn = zip(seats, round_table(len(seats), centre), strict=True)
    return [seat if seat.x is not None else _with(seat, x=x, y=y) for seat, (x, y) in drawn]


def marked(rows: list[Row], marks: dict[str, dict[str, Any]]) -> None:
    """Make named seats of a section what it says of them."""
    for row in rows:
        for n, seat in enumerate(row.seats):
            changes = marks.get(f"{row.label}-{seat.number}")
            if changes is not None:
                row.seats[n] = _with(seat, **changes)


def neighbours(row: Row) -> Iterator[list[int]]:
    """The seats of a row, in blocks without a gap."""
    block: list[int] = []
    for n, seat in enumerate(row.seats):
        if n and seat.after_gap:
            yield block
            block = []
        block.append(n)
    yield block
