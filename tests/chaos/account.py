"""What every buyer was told, held against what the database has afterwards."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from tests.chaos.client import Answer, Request
from tests.chaos.server import Postgres

FOR_EVER = inf
FUZZ = 0.002  # seconds by which two readings of one clock may disagree

BOOKINGS = """
    SELECT b.id, b.email, b.status, extract(epoch FROM b.held_at),
           extract(epoch FROM CASE b.status WHEN 'confirmed' THEN NULL
                                            WHEN 'cancelled' THEN b.cancelled_at
                                            ELSE b.held_until END),
           ARRAY(SELECT ARRAY[tier_id, quantity] FROM booking_lines WHERE booking_id = b.id),
           ARRAY(SELECT id FROM places WHERE booking_id = b.id)
      FROM bookings b
"""
CAPACITIES = """
    SELECT ts.tier_id, sum(k.capacity)
      FROM tier_stocks ts JOIN stocks k ON k.id = ts.stock_id GROUP BY 1
"""


@dataclass
class Order:
    """One thing that a buyer wants once, by an e-mail address that no other order has."""

    email: str
    request: Request
    lines: Mapping[int, int]  # how many of which tier
    seats: tuple[str, ...] = ()
    answers: list[Answer] = field(default_factory=list)
    confirmations: list[Answer] = field(default_factory=list)

    @property
    def acknowledged(self) -> list[Answer]:
        """The answers that said yes, with the booking in them; of a retry there are several."""
        return [answer for answer in (*self.answers, *self.confirmations) if answer.ok]


class Booked(NamedTuple):
    """A booking as the database has it; it has its places from `since` until `until`."""

    id: int
    email: str
    status: str
    since: float
    until: float
    lines: Mapping[int, int]
    places: frozenset[int]


class Books(NamedTuple):
    """All bookings, and how many places each tier has, read at one instant."""

    read_at: float
    bookings: Sequence[Booked]
    capacities: Mapping[int, int]


@dataclass
class Account:
    """How the two compare. What is `lost` and below has to be 0."""

    acknowledged: int = 0
    unknown: int = 0  # orders one of whose requests was never answered
    unknown_committed: int = 0
    unavailable_committed: int = 0  # orders whose bookings were made, and that were told 503
    lost: int = 0
    doubled: int = 0
    oversold: int = 0
    refused_while_free: int = 0


def read(postgres: Postgres) -> Books:
    """The books as they are now."""
    rows = postgres.run(BOOKINGS)
    bookings = [
        Booked(
            id_,
            email,
            status,
            float(since),
            FOR_EVER if until is None else float(until),
            dict(map(tuple, lines)),
            frozenset(places),
        )
        for id_, email, status, since, until, lines, places in rows
    ]
    ((now,),) = postgres.run("SELECT extract(epoch FROM clock_timestamp())")
    capacities = {tier: int(capacity) for tier, capacity in postgres.run(CAPACITIES)}
    return Books(float(now), bookings, capacities)


def settle(orders: Sequence[Order], books: Books) -> Account:
    """The account of all orders; a booking that is nobody's counts as doubled."""
    account = Account()
    by_id = {booked.id: booked for booked in books.bookings}
    by_email: dict[str, list[Booked]] = defaultdict(list)
    for booked in books.bookings:
        by_email[booked.email].append(booked)
    nobodys = by_email.keys() - {order.email for order in orders}
    account.doubled = sum(len(by_email[email]) for email in nobodys)
    taken = {
        tier: Timeline((b.since, b.until, b.lines.get(tier, 0)) for b in books.bookings)
        for tier in books.capacities
    }
    for order in orders:
        told = {answer.json["id"]: answer.json for answer in order.acknowledged}
        account.acknowledged += len(told)
        account.lost += sum(_is_lost(said, by_id.get(id_), books) for id_, said in told.items())
        account.doubled += max(0, len(told.keys() | {b.id for b in by_email[order.email]}) - 1)
        _count_unknown(order, account, by_email[order.email])
        account.refused_while_free += sum(
            _was_free(order, answer, taken, books) for answer in order.answers
        )
    account.oversold = _sold_twice(orders, by_id, books)
    return account


class Timeline:
    """How many places were taken at every moment, from spans of (since, until, how many)."""

    def __init__(self, spans: Iterable[tuple[float, float, int]]) -> None:
        changes: dict[float, int] = defaultdict(int)
        for since, until, quantity in spans:
            if until > since:
                changes[since] += quantity
                changes[until] -= quantity
        self._moments = sorted(changes)
        self._taken: list[int] = []
        total = 0
        for moment in self._moments:
            total += changes[moment]
            self._taken.append(total)

    def peak(self, since: float, until: float) -> int:
        """The most that were taken at any moment from `since` to `until`."""
        first = bisect_right(self._moments, since)
        last = bisect_right(self._moments, until)
        before = self._taken[first - 1] if first else 0
        return max([before, *self._taken[first:last]])


def _is_lost(said: Mapping, booked: Booked | None, books: Books) -> bool:
    """Whether a booking is not what its buyer was told, unless its time has run out since."""
    if booked is None:
        return True
    if said["status"] == "held" and booked.status in ("held", "expired"):
        if booked.until <= books.read_at:
            return False
        if booked.status == "expired":
            return True
    elif booked.status != "confirmed":
        return True
    return booked.places != {place["id"] for place in said["places"]}


def _count_unknown(order: Order, account: Account, booked: Sequence[Booked]) -> None:
    """Whether what seemed to fail had committed: it was replayed, or is there and nobody knows."""
    committed = any(answer.replayed for answer in order.answers) or bool(
        booked and not order.acknowledged
    )
    if any(answer.died for answer in order.answers):
        account.unknown += 1
        account.unknown_committed += committed
    elif any(answer.status == 503 for answer in order.answers):
        account.unavailable_committed += committed


def _was_free(order: Order, answer: Answer, taken: Mapping[int, Timeline], books: Books) -> bool:
    """Whether a refusal was wrong: what it says was gone was free from its asking to its answer."""
    if answer.status != 409:
        return False
    since, until = answer.sent_at - FUZZ, answer.at + FUZZ
    facts = answer.json
    if facts["code"] == "sold-out":
        tier = facts["tier_id"]
        return books.capacities[tier] - taken[tier].peak(since, until) >= order.lines[tier]
    if facts["code"] == "seat-taken":  # seats are never given back here: who has one has a booking
        return all(taken[tier].peak(since, until) == 0 for tier in order.lines)
    return False


def _sold_twice(orders: Sequence[Order], by_id: Mapping[int, Booked], books: Books) -> int:
    """How many places more than there are, or than one of each, buyers believed at once to have.

    They do from their answer on, until their hold dies. `since` would not do: it is read before
    the place is claimed, and so perhaps before the place's last holder has lost it.
    """
    places: dict[int, list[tuple[float, float, int]]] = defaultdict(list)
    tiers: dict[int, list[tuple[float, float, int]]] = defaultdict(list)
    for order in orders:
        told = {answer.json["id"]: answer for answer in reversed(order.acknowledged)}
        for id_, first in told.items():
            until = by_id[id_].until if id_ in by_id else FOR_EVER
            for place in first.json["places"]:
                places[place["id"]].append((first.at, until, 1))
            for tier, quantity in order.lines.items():
                tiers[tier].append((first.at, until, quantity))
    twice = sum(max(0, Timeline(spans).peak(0, FOR_EVER) - 1) for spans in places.values())
    beyond = sum(
        max(0, Timeline(spans).peak(0, FOR_EVER) - books.capacities[tier])
        for tier, spans in tiers.items()
    )
    return max(twice, beyond)
