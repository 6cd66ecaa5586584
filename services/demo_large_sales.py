"""Who books what in a large demo world: planned show by show, then put in order of time.

A million bookings are a few arrays of numbers here, some fifty bytes for each booking, and no
objects; demo_large_bookings writes them out.
"""

import random
from array import array
from enum import IntEnum
from itertools import accumulate
from math import gcd

from models.booking import Channel
from services.demo_large_catalogue import rng_of
from services.demo_large_world import HOUR, Catalogue, Night, Offer, WorldDoesNotFit
from utils.bulk import Tell

MEAN = 2.2  # places in a booking of a show that is sold out
WALK_UP = -1
CHANNELS = tuple(Channel)
MARGIN = HOUR // 4  # nobody buys in the last minutes, so that they confirm in time
HOT_SHARE = 0.4  # of the hot show is sold

Line = tuple[int, int, int]  # offer, fare, quantity: positions in the show and in the offer


class Fate(IntEnum):
    """What became of a booking."""

    CONFIRMED = 0
    ADMITTED = 1
    CANCELLED = 2
    GIVEN_UP = 3
    EXPIRED = 4
    HELD = 5


FATES = tuple(Fate)
LIVING = (Fate.CONFIRMED, Fate.ADMITTED, Fate.HELD)
WITH_TICKETS = (Fate.CONFIRMED, Fate.ADMITTED, Fate.CANCELLED)


class Sales:
    """Every booking by number: planned in order of show, and numbered again in `order` of time."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.nights = catalogue.nights
        self.accounts = catalogue.world.accounts
        self.first_of_night = array("I")  # a show's bookings lie together
        self.held_at = array("q")
        self.night = array("I")
        self.kind = array("B")
        self.buyer = array("i")
        self.lines = array("I")
        self.place = array("I")  # the first of its places, which lie together; counted from 0
        self.order = array("I")
        self.rank = array("I")
        self.line = array("I")  # the first of its lines, and so on, all counted from 0
        self.holder = array("I")
        self.ticket = array("I")
        self.people = 0
        self.totals: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.held_at)

    def add(
        self, night: int, held_at: int, fate: Fate, channel: int, lines: list[Line], place: int
    ) -> None:
        packed = 0
        for offer, fare, quantity in reversed(lines):
            packed = packed << 12 | offer << 8 | fare << 4 | quantity
        self.night.append(night)
        self.held_at.append(held_at)
        self.kind.append(fate << 2 | channel)
        self.lines.append(packed)
        self.place.append(place)

    def fate(self, number: int) -> Fate:
        return FATES[self.kind[number] >> 2]

    def channel(self, number: int) -> Channel:
        return CHANNELS[self.kind[number] & 3]

    def lines_of(self, number: int) -> list[Line]:
        packed, lines = self.lines[number], []
        while packed:
            lines.append((packed >> 8 & 15, packed >> 4 & 15, packed & 15))
            packed >>= 12
        return lines

    def is_account(self, number: int) -> bool:
        """Whether who bought signs in."""
        is_one = 0 <= self.buyer[number] < self.accounts
        return is_one and self.channel(number) in (Channel.WEB, Channel.API)

    def number(self) -> None:
        """Put the bookings in order of time, and number all that belongs to them in that order."""
        self.order = array("I", sorted(range(len(self)), key=self.held_at.__getitem__))
        nothing = array("I", bytes(4 * len(self)))
        self.rank, self.line, self.holder, self.ticket = (nothing[:] for _ in range(4))
        lines = holders = tickets = 0
        for rank, number in enumerate(self.order):
            self.rank[number], self.line[number] = rank, lines
            self.holder[number], self.ticket[number] = holders, tickets
            wanted = self.lines_of(number)
            lines += len(wanted)
            holders += not self.is_account(number)
            if self.fate(number) in WITH_TICKETS:
                tickets += sum(quantity for _, _, quantity in wanted)
        self.totals = {"lines": lines, "holders": holders, "tickets": tickets}


def plan(catalogue: Catalogue, *, now: int, tell: Tell) -> Sales:
    """Every booking of a catalogue; raises WorldDoesNotFit where there are not enough places."""
    sales = Sales(catalogue)
    wanted = _allot(catalogue, sales.nights)
    sales.people = max(catalogue.world.bookings // 10, max(wanted) * 3 // 2 + 20)
    starts = accumulate((night.places for night in sales.nights), initial=0)
    for number, (night, place) in enumerate(zip(sales.nights, starts, strict=False)):
        if not number % 100:
            tell("sales planned", number, len(sales.nights))
        rng = rng_of(catalogue.world, "sales", number)
        sales.first_of_night.append(len(sales))
        _sell(sales, rng, number, night, wanted[number], place, now)
        _name_buyers(sales, rng)
    sales.first_of_night.append(len(sales))
    sales.number()
    tell("sales planned", len(sales), len(sales))
    return sales


def _on_sale(night: Night) -> list[tuple[int, Offer]]:
    """The offers that have been sold from so far; the house's own apart."""
    return [
        (position, offer)
        for position, offer in enumerate(night.offers)
        if offer.id is not None and _window(night, offer)[1] - offer.opens >= HOUR
    ]


def _window(night: Night, offer: Offer) -> tuple[int, int]:
    return offer.opens, min(offer.closes, night.until) - MARGIN


def _allot(catalogue: Catalogue, nights: list[Night]) -> list[int]:
    """How many confirmed bookings each show has; together as many as are asked for."""
    rng = rng_of(catalogue.world, "demand")
    most: list[int] = []
    wish: list[float] = []
    for number, night in enumerate(nights):
        places = sum(offer.lot.capacity for _, offer in _on_sale(night))
        if night.called_off_at is not None:
            places = 0
        demand = rng.uniform(0.5, 1.3) if night.starts_at < catalogue.at else rng.uniform(0.1, 1.1)
        is_hot = not number
        most.append(int(places * (HOT_SHARE if is_hot else 1) / MEAN))
        wish.append(places * (HOT_SHARE if is_hot else demand) / MEAN)
    bookings = catalogue.world.bookings
    if sum(most) < bookings:
        raise WorldDoesNotFit(
            f"At most {sum(most):,} confirmed bookings fit into these {len(nights):,} shows."
        )
    low, high = 0.0, 1_000.0
    for _ in range(60):
        share = (low + high) / 2
        allotted = [min(top, int(some * share)) for top, some in zip(most, wish, strict=True)]
        low, high = (share, high) if sum(allotted) <= bookings else (low, share)
    allotted = [min(top, int(some * low)) for top, some in zip(most, wish, strict=True)]
    missing = bookings - sum(allotted)
    while missing:
        for number, top in enumerate(most):
            if missing and allotted[number] < top:
                allotted[number] += 1
                missing -= 1
    return allotted


def _sell(
    sales: Sales, rng: random.Random, number: int, night: Night, wanted: int, place: int, now: int
) -> None:
    """Plan a show's bookings, tier by tier; its places are counted from `place`."""
    starts = list(accumulate((offer.lot.capacity for offer in night.offers), initial=place))
    on_sale = _on_sale(night)
    left, places = wanted, sum(offer.lot.capacity for _, offer in on_sale)
    if wanted and night.offers[-1].id is None:
        comps = min(night.offers[-1].lot.capacity // 2, wanted // 40)
        _give_away(sales, rng, number, night, comps, starts[-2])
        left -= comps
    for position, offer in on_sale:
        quota = min(round(left * offer.lot.capacity / places), offer.lot.capacity)
        left, places = left - quota, places - offer.lot.capacity
        _sell_offer(sales, rng, number, position, quota, starts[position], now)


def _sell_offer(
    sales: Sales, rng: random.Random, number: int, position: int, quota: int, first: int, now: int
) -> None:
    """Plan the bookings of a tier: so many that are confirmed, and some that came to nothing."""
    night = sales.nights[number]
    offer = night.offers[position]
    capacity, at = offer.lot.capacity, sales.catalogue.at
    if night.called_off_at is not None:
        quantities, failed = [], capacity // 5
    else:
        quantities, failed = _quantities(rng, quota, capacity, offer.most), quota // 16
        failed += rng.random() < quota % 16 / 16
    is_over = night.starts_at < at
    scans = is_over and night.id % 2 == 0
    blocks = _scattered(rng, quantities, capacity)
    for quantity, at_place in zip(quantities, blocks, strict=True):
        came = scans and rng.random() < 0.9
        chance = rng.random()
        channel = 0 if chance < 0.8 else 1 if chance < 0.93 else 2
        sales.add(
            number,
            _moment(rng, night, offer),
            Fate.ADMITTED if came else Fate.CONFIRMED,
            channel,
            _lines(rng, offer, position, quantity),
            first + at_place,
        )
    for _ in range(failed):
        quantity = min(rng.randint(1, 4), capacity, offer.most)
        chance = rng.random()
        fate = Fate.EXPIRED if chance < 0.4 else Fate.GIVEN_UP if chance < 0.6 else Fate.CANCELLED
        if night.called_off_at is not None:
            fate = Fate.CANCELLED
        lines = _lines(rng, offer, position, quantity)
        at_place = first + rng.randint(0, capacity - quantity)
        sales.add(number, _moment(rng, night, offer), fate, 0, lines, at_place)
    is_small = capacity < 1_000
    sells = not is_over and not night.paused and offer.closes > now and night.called_off_at is None
    if is_small and sells and rng.random() < 0.02:
        free = _free_place(quantities, blocks, capacity)
        if free is not None:
            held_at = now - rng.randint(0, 300)
            sales.add(number, held_at, Fate.HELD, 0, [(position, 0, 1)], first + free)


def _give_away(
    sales: Sales, rng: random.Random, number: int, night: Night, comps: int, first: int
) -> None:
    """Comps from what the house keeps, one or two places each."""
    position = len(night.offers) - 1
    offer = night.offers[position]
    place = first
    for _ in range(comps):
        quantity = rng.randint(1, 2)
        moment = _moment(rng, night, offer)
        lines = [(position, 0, quantity)]
        sales.add(number, moment, Fate.CONFIRMED, CHANNELS.index(Channel.COMP), lines, place)
        place += quantity


def _quantities(rng: random.Random, bookings: int, places: int, most: int) -> list[int]:
    """How many places each booking has; where nearly all are sold, all are."""
    quantities: list[int] = []
    left = places
    for done in range(bookings):
        chance = rng.random()
        wanted = 1 if chance < 0.3 else 2 if chance < 0.76 else 3 if chance < 0.86 else 4
        quantity = min(wanted, most, left - (bookings - done - 1))
        quantities.append(quantity)
        left -= quantity
    if bookings * MEAN > 0.97 * places:
        for done, quantity in enumerate(quantities):
            if left and quantity < most:
                quantities[done] += 1
                left -= 1
    return quantities


def _scattered(rng: random.Random, quantities: list[int], places: int) -> list[int]:
    """Where in a stock each booking's places begin: in any order, with gaps between them."""
    order = list(range(len(quantities)))
    rng.shuffle(order)
    gap = (places - sum(quantities)) / (len(quantities) + 1)
    starts = [0] * len(quantities)
    taken = 0
    for done, booking in enumerate(order, 1):
        starts[booking] = int(gap * done) + taken
        taken += quantities[booking]
    return starts


def _free_place(quantities: list[int], blocks: list[int], places: int) -> int | None:
    """The first place of a stock that nobody has."""
    expected = 0
    for start, quantity in sorted(zip(blocks, quantities, strict=True)):
        if start > expected:
            return expected
        expected = start + quantity
    return expected if expected < places else None


def _moment(rng: random.Random, night: Night, offer: Offer) -> int:
    """When somebody books: most soon after the sale opens."""
    opens, closes = _window(night, offer)
    chance = rng.random()
    return opens + int(max(closes - opens, 1) * (chance * chance if rng.random() < 0.7 else chance))


def _lines(rng: random.Random, offer: Offer, position: int, quantity: int) -> list[Line]:
    """One fare, or some of them children."""
    if len(offer.fares) > 1 and quantity > 1 and rng.random() < 0.35:
        children = rng.randint(1, quantity - 1)
        return [(position, 0, quantity - children), (position, 1, children)]
    return [(position, 0, quantity)]


def _name_buyers(sales: Sales, rng: random.Random) -> None:
    """Give the bookings of the show just planned to people, to each person one at most."""
    people = sales.people
    step, start = rng.randrange(1, people), rng.randrange(people)
    while gcd(step, people) > 1:
        step += 1
    for number in range(sales.first_of_night[-1], len(sales)):
        start = (start + step) % people
        is_walk_up = sales.channel(number) == Channel.DESK and rng.random() < 0.6
        sales.buyer.append(WALK_UP if is_walk_up else start)
