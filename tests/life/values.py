"""The things that the model is made of, and the one show that it has."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


class Refused(Exception):
    """The answer must be this status and code, with these facts beside them."""

    def __init__(self, status: int, code: str, **facts: Any) -> None:
        super().__init__(status, code, facts)
        self.status, self.code, self.facts = status, code, facts


class Replayed(Exception):
    """The answer must be, byte for byte, one that was given before."""

    def __init__(self, answer: Any) -> None:
        super().__init__("answered before")
        self.answer = answer


def refuse_if(wrong: Any, status: int, code: str, **facts: Any) -> None:
    if wrong:
        raise Refused(status, code, **facts)


@dataclass(frozen=True)
class Tier:
    """An offer; `stocks` in selling order, `most` in one booking, `limit` for one buyer."""

    stocks: tuple[str, ...]
    prices: dict[str, int]
    least: int = 1
    most: int = 6
    limit: int = 6
    then: str | None = None  # who sells its stocks once it has closed


TIERS = {
    "Early": Tier(("Early",), {"Early": 1500}, limit=2, then="Regular"),
    "Free": Tier(("Floor",), {"Free": 0}, most=3, limit=3),
    "Regular": Tier(("Floor", "Back"), {"Adult": 2000, "Child": 900}, least=2),
    "Stalls": Tier(("Stalls",), {"Seat": 5000}, limit=3),
}
ROOM = {"Early": 5, "Floor": 9, "Back": 6, "Stalls": 6}  # what each section could hold
LICENCE = 20
SEATS = tuple(f"STALLS/A-{number}" for number in range(1, ROOM["Stalls"] + 1))
STAFF = ("owner", "door")
NOBODY = ("stranger", "wrong secret")
DESK = ("desk", "comp")


@dataclass(frozen=True)
class Wanted:
    """A line of a request: a quantity or seats."""

    tier: str | None
    quantity: int = 0
    seats: tuple[str, ...] = ()
    price: str | None = None
    stock: str | None = None


@dataclass
class Line:
    tier: str | None
    price: str | None
    quantity: int
    unit: int
    stocks: tuple[str, ...]
    seats: tuple[str, ...] = ()


@dataclass(frozen=True)
class Place:
    stock: str
    key: str | None
    line: int  # which of the booking's lines


@dataclass
class Ticket:
    code: str
    name: str | None  # None: the booking's holder
    status: str = "valid"


@dataclass
class Booking:
    buyer: str | None  # who may see and change it besides the organiser's people
    mailbox: str | None  # whom the limits count
    channel: str
    holder: str
    lines: list[Line]
    note: str | None = None
    status: str = "held"
    minutes: int = 15  # that it is held
    places: dict[int, Place] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)  # of who comes, while it is held
    tickets: dict[int, Ticket] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(line.quantity * line.unit for line in self.lines)

    @property
    def paid(self) -> bool:
        return not self.total or bool(self.tickets)

    @property
    def lives(self) -> bool:
        return self.status in ("held", "confirmed")


def by_tier(lines: Iterable[Line]) -> Counter[str | None]:
    """How many places of each tier."""
    counted: Counter[str | None] = Counter()
    for line in lines:
        counted[line.tier] += line.quantity
    return counted
