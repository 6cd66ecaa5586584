"""What is put on in a large demo world: companies, events and their shows.

Everything is drawn from `random.Random` of the world's seed, so that the same numbers and the same
hour of seeding make the same world.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from models.event import EventStatus
from models.show import HAPPENING, ShowStatus
from services import demo_words
from services.demo_large_halls import halls
from services.demo_large_offers import offers_of
from services.demo_large_world import (
    DAY,
    HOUR,
    Catalogue,
    Company,
    Gig,
    Hall,
    Ids,
    LargeWorld,
    Night,
)

HOT = "One Night in the Stadium"
BACK, AHEAD = -390, 270  # days
FATES = {
    ShowStatus.CONFIRMED: 0.98,
    ShowStatus.POSTPONED: 0.004,
    ShowStatus.RESCHEDULED: 0.006,
    ShowStatus.CANCELLED: 0.01,
}
FATES_OF_THE_PAST = {ShowStatus.CONFIRMED: 0.99, ShowStatus.CANCELLED: 0.01}
PAUSED = 0.005
DRAFTS, CANCELLED, COMPLETED = 0.05, 0.02, 0.7  # of the events that can be it


def plan(
    world: LargeWorld,
    at: int,
    *,
    firsts: Mapping[str, int],
    known: list[Company],
    password_hash: str,
) -> Catalogue:
    """A world's catalogue, its ids counted from `firsts` by table; nothing is written.

    The companies that are `known` already put on shows, too, and the first of them the hot one.
    """
    ids = {table: count(first) for table, first in firsts.items()}
    companies = [*known, *_companies(world, ids)]
    catalogue = Catalogue(world, at, firsts, password_hash, ids, companies)
    catalogue.halls = halls(world, rng_of(world, "halls"), ids)
    taken: set[tuple[int, int]] = set()
    for number, nights in enumerate(_nights_of_gigs(world)):
        catalogue.gigs.append(_gig(catalogue, number, nights, taken))
    return catalogue


def rng_of(world: LargeWorld, *what: object) -> random.Random:
    """Chance, the same for the same world and thing."""
    return random.Random("/".join(map(str, (world.seed, *what))))  # noqa: S311 (no secret)


def _companies(world: LargeWorld, ids: Ids) -> Iterator[Company]:
    rng = rng_of(world, "companies")
    for number in range(world.organisers):
        first = demo_words.COMPANY_NAMES[number % len(demo_words.COMPANY_NAMES)]
        kind = demo_words.COMPANY_KINDS[(number * 5 + rng.randrange(2)) % 12]
        owner, manager, door = (next(ids["users"]) for _ in range(3))
        yield Company(next(ids["organisers"]), manager, door, f"{first} {kind}", owner)


def _nights_of_gigs(world: LargeWorld) -> list[int]:
    """How many shows each event has: one for the big ones, then a few, now and then many."""
    rng = rng_of(world, "nights")
    nights = [1] * world.events
    small = range(len(world.big), world.events)
    weights = [rng.paretovariate(1.6) for _ in small]
    for number in rng.choices(small, weights, k=world.shows - world.events):
        nights[number] += 1
    return nights


def _gig(catalogue: Catalogue, number: int, nights: int, taken: set[tuple[int, int]]) -> Gig:
    at, ids = catalogue.at, catalogue.ids
    rng = rng_of(catalogue.world, "event", number)
    company = _company_of(catalogue, rng, number)
    artist, tour, minutes = _artist(rng), None, rng.choice((90, 120, 150, 180, 240))
    if number and rng.random() < 0.7:
        tour = rng.choice(demo_words.TOURS)
    slots = _slots(catalogue, rng, number, nights, taken)
    is_big = number < len(catalogue.world.big)
    status = EventStatus.PUBLISHED if is_big else _status_of_gig(rng, slots, minutes, at)
    opens = [start - rng.randint(50, 170) * DAY for _, start in slots]
    if is_big:  # on sale for a while, whatever the season
        opens = [min(day, at - 30 * DAY) for day in opens]
    published_at = min(at - 2 * DAY, *opens) - rng.randint(3, 20) * DAY
    called_off_at = None
    if status == EventStatus.CANCELLED:
        called_off_at = _called_off(rng, at, min(start for _, start in slots))
    shared = _Shared(company, minutes, status, called_off_at, is_big)
    return Gig(
        id=next(ids["events"]),
        company=company,
        title=f"{artist}: {tour}" if tour else artist if number else HOT,
        artist=artist,
        tour_name=tour,
        minutes=minutes,
        category=rng.choice(demo_words.CATEGORIES),
        tags=tuple(rng.sample(demo_words.TAGS, rng.randint(1, 3))),
        description=rng.choice(demo_words.DESCRIPTIONS),
        age_limit=rng.choice((None, None, None, 12, 16, 18)),
        status=status,
        published_at=None if status == EventStatus.DRAFT else published_at,
        written_at=published_at - 30 * DAY,
        cancelled_at=called_off_at,
        nights=tuple(
            _night(catalogue, rng, shared, hall, start, opens_at)
            for (hall, start), opens_at in zip(slots, opens, strict=True)
        ),
    )


@dataclass(frozen=True, slots=True)
class _Shared:
    """What the shows of an event have in common."""

    company: Company
    minutes: int
    status: EventStatus
    called_off_at: int | None
    is_big: bool


def _company_of(catalogue: Catalogue, rng: random.Random, number: int) -> Company:
    """The first puts on the hot show and more than anybody; the others less and less."""
    companies = catalogue.companies
    if not number:
        return companies[0]
    weights = [1 / (rank + 3) for rank in range(len(companies))]
    return rng.choices(companies, weights)[0]


def _artist(rng: random.Random) -> str:
    adjective, noun = rng.choice(demo_words.ADJECTIVES), rng.choice(demo_words.NOUNS)
    return rng.choice(
        (
            f"The {adjective} {noun}",
            f"{adjective} {noun}",
            f"{rng.choice(demo_words.GIVEN)} and the {noun}",
            f"{rng.choice(demo_words.GIVEN)} {rng.choice(demo_words.FAMILIES)}",
        )
    )


Slot = tuple[Hall, int]


def _slots(
    catalogue: Catalogue, rng: random.Random, number: int, nights: int, taken: set[tuple[int, int]]
) -> list[Slot]:
    """Where and when an event's shows are: one a hall and day, and none about now."""
    big = len(catalogue.world.big)
    small = catalogue.halls[big:]
    stays = rng.choice(small) if rng.random() < 0.3 else None
    day = rng.randint(BACK, AHEAD) if number >= big else _day_of_big(number)
    slots: list[Slot] = []
    for _ in range(nights):
        hall = catalogue.halls[number] if number < big else stays or rng.choice(small)
        while (hall.id, day) in taken or abs(day) < 3:
            day += 1
        taken.add((hall.id, day))
        clock = time(rng.randint(18, 21), rng.choice((0, 0, 30)))
        zone = ZoneInfo(hall.city.time_zone)
        date = datetime.fromtimestamp(catalogue.at, UTC).date() + timedelta(days=day)
        slots.append((hall, int(datetime.combine(date, clock, zone).timestamp())))
        day += rng.randint(1, 4)
    return slots


def _day_of_big(number: int) -> int:
    """The hot one is three months away, some of the others are over."""
    return 90 if not number else -150 + number * 45


def _status_of_gig(rng: random.Random, slots: list[Slot], minutes: int, at: int) -> EventStatus:
    """Most are published, also when they are over."""
    chance = rng.random()
    if chance < CANCELLED:
        return EventStatus.CANCELLED
    if all(start > at + 45 * DAY for _, start in slots) and chance > 1 - DRAFTS:
        return EventStatus.DRAFT
    if all(start + minutes * 60 < at for _, start in slots) and chance > 1 - COMPLETED:
        return EventStatus.COMPLETED
    return EventStatus.PUBLISHED


def _called_off(rng: random.Random, at: int, start: int) -> int:
    """When it was: some days before it should have been, or a few days ago."""
    return min(at, start) - rng.randint(1, 4) * DAY


def _night(
    catalogue: Catalogue, rng: random.Random, shared: _Shared, hall: Hall, start: int, opens: int
) -> Night:
    at, ids = catalogue.at, catalogue.ids
    status, called_off_at = ShowStatus.CONFIRMED, shared.called_off_at
    if shared.status == EventStatus.PUBLISHED and not shared.is_big:
        fates = FATES if start > at else FATES_OF_THE_PAST
        status = rng.choices(list(fates), list(fates.values()))[0]
    if status == ShowStatus.CANCELLED:
        called_off_at = _called_off(rng, at, start)
    if called_off_at is not None:
        status = ShowStatus.CANCELLED
    is_draft = shared.status == EventStatus.DRAFT
    return Night(
        id=next(ids["shows"]),
        hall=hall,
        company=shared.company,
        starts_at=start,
        minutes=shared.minutes,
        status=status,
        paused=start > at and not shared.is_big and rng.random() < PAUSED,
        occupies=status in HAPPENING and not is_draft,
        offers=offers_of(rng, ids, hall, opens, start),
        until=0 if is_draft else min(at - HOUR, start, called_off_at or start),
        called_off_at=called_off_at,
    )
