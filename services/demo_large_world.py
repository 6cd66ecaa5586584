"""A large demo world in numbers, and the things of which its catalogue is made.

Instants are seconds since 1970 here, and money is minor units.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from models.event import EventStatus
from models.seat_map import SectionKind
from models.show import ShowStatus
from models.stock import seat_prefix
from services.demo_maps import ROWS
from services.demo_words import City

HOUR, DAY = 3_600, 86_400
Ids = Mapping[str, Iterator[int]]  # those that are still free, by table


class WorldDoesNotFit(ValueError):
    """The numbers asked for do not go together; the message is one line that says why."""


@dataclass(frozen=True)
class LargeWorld:
    """How much is made: events with their shows, confirmed bookings, and the big shows' places."""

    events: int = 2_000
    shows: int = 10_000
    bookings: int = 1_000_000
    big: tuple[int, ...] = (80_000, *(20_000,) * 10)
    seed: int = 1

    def __post_init__(self) -> None:
        if not len(self.big) < self.events <= self.shows:
            raise WorldDoesNotFit(
                f"Make at least {len(self.big) + 1} events, and as many shows or more."
            )
        if self.bookings < 1:
            raise WorldDoesNotFit("Make at least one booking.")

    @property
    def organisers(self) -> int:
        return -(-self.events // 9)

    @property
    def halls(self) -> int:
        """Halls for 100 to 500; the big shows have one each besides."""
        return -(-self.shows // 31)

    @property
    def accounts(self) -> int:
        """Buyers who sign in."""
        return max(self.bookings // 25, 5)


@dataclass(frozen=True, slots=True)
class Part:
    """A section of a hall; a seated one has rows of `width`."""

    id: int
    name: str
    kind: SectionKind
    capacity: int
    width: int = 1

    def position(self, number: int) -> int:
        """Where a seat is in its section: the end of a row is a gap. Counted from 1."""
        return number + number // self.width + 1

    def off_centre(self, number: int) -> int:
        """How far a seat is from the middle of its row, in half seats."""
        first = number - number % self.width
        last = min(first + self.width, self.capacity) - 1
        return 2 * number - first - last

    def seat(self, number: int) -> tuple[str, str]:
        """The row and the number of a seat, counted from 0 as the map counts."""
        row, place = divmod(number, self.width)
        letters = self.capacity <= self.width * len(ROWS)
        return ROWS[row] if letters else str(row + 1), str(place + 1)


@dataclass(frozen=True, slots=True)
class Hall:
    id: int
    version_id: int
    name: str
    city: City
    capacity: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Company:
    """An organiser and who works for it; one of the small world has its people already."""

    id: int
    manager_id: int
    door_id: int
    name: str
    owner_id: int | None = None


@dataclass(frozen=True, slots=True)
class Lot:
    """A stock: so many places of a part, from the `first` seat on."""

    id: int
    name: str
    part: Part
    capacity: int
    first: int = 0

    def seats(self) -> Iterator[tuple[int, str, str, str, int]]:
        """The ordinal, row, number, key and distance from the middle of each seat."""
        prefix = seat_prefix(self.part.name)
        for number in range(self.first, self.first + self.capacity):
            row, place = self.part.seat(number)
            at = self.part.position(number)
            yield at, row, place, f"{prefix}{row}-{place}", self.part.off_centre(number)


@dataclass(frozen=True, slots=True)
class Fare:
    """A price, all-in, in minor units."""

    id: int
    name: str
    amount: int


@dataclass(frozen=True, slots=True)
class Offer:
    """A tier with its window; without an id it is the house's own lot, given away as comps."""

    id: int | None
    name: str
    lot: Lot
    fares: tuple[Fare, ...]
    opens: int
    closes: int
    tells_close: bool = False
    most: int = 6
    then_id: int | None = None


@dataclass(frozen=True, slots=True)
class Night:
    """A show, and `until` when it has sold so far; a postponed one remembers its old date."""

    id: int
    hall: Hall
    company: Company
    starts_at: int
    minutes: int
    status: ShowStatus
    paused: bool
    occupies: bool
    offers: tuple[Offer, ...]
    until: int
    called_off_at: int | None

    @property
    def ends_at(self) -> int:
        return self.starts_at + self.minutes * 60

    @property
    def doors_at(self) -> int:
        return self.starts_at - HOUR

    @property
    def places(self) -> int:
        return sum(offer.lot.capacity for offer in self.offers)


@dataclass(frozen=True, slots=True)
class Gig:
    """An event."""

    id: int
    company: Company
    title: str
    artist: str
    tour_name: str | None
    minutes: int
    category: str
    tags: tuple[str, ...]
    description: str
    age_limit: int | None
    status: EventStatus
    published_at: int | None
    written_at: int
    cancelled_at: int | None
    nights: tuple[Night, ...]


@dataclass
class Catalogue:
    """Everything that is put on; `at` is the hour of seeding, `firsts` the first id of each table.

    Every account has the password with this hash, and one ticket holder, in the same order.
    """

    world: LargeWorld
    at: int
    firsts: Mapping[str, int]
    password_hash: str
    ids: Ids
    companies: list[Company]
    halls: list[Hall] = field(default_factory=list)
    gigs: list[Gig] = field(default_factory=list)

    @property
    def nights(self) -> list[Night]:
        """All shows, in order of id."""
        return [night for gig in self.gigs for night in gig.nights]

    @property
    def first_account(self) -> int:
        """The first buyer's id as a user; those who work for organisers come before."""
        return self.firsts["users"] + 3 * self.world.organisers

    @property
    def first_guest_holder(self) -> int:
        """The first id of a ticket holder who is nobody's account."""
        return self.holder_of(self.first_account + self.world.accounts)

    def holder_of(self, user_id: int) -> int:
        """The ticket holder that stands for an account."""
        return user_id - self.firsts["users"] + self.firsts["ticket_holders"]
