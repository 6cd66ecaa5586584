"""The best four seats of a stadium, for 32 buyers at once.

80,000 seats in 16 sections, half of them sold: at random, or as a sale leaves them behind. What is
told: holds per second, beside those of any four standing places in the same run; how long a buyer
waits; and the quality of what was sold. A seat's rank is its number when all seats are listed as
they are sold, row by row, the middle first; the quality is the mean rank of the seats sold, over
the mean rank that as many buyers get one after the other. Bars: 200 a second on two cores, p95
150 ms, 3 % of quality.
"""

import random
from collections.abc import Iterator
from typing import Any

import psycopg2
from flask import Flask
from sqlalchemy import text

from benchmarks import load, machine, world
from benchmarks.server import NO_END, Server
from config import STATE
from init import db
from models.layout import WantedSection, plain_row, seated
from services.best_seats import Party, choose
from services.seat_runs import Seat, stranded, without
from tests.factories import ShowFactory, StockFactory, TierFactory, VenueFactory

NAME = "best_seats"
SECTIONS, ROWS, SEATS = 16, 50, 100
AISLES = (25, 75)
PARTY = 4
CONNECTIONS = 32
HOT = 60_000  # standing places: more than a load sells
WARM_UP = 2  # seconds
RATE, P95_MS, QUALITY = 200, 150, 1.03
SECONDS = 6
SOLD = {"random": "at random", "sale": "by a sale"}

SELL = """
    WITH made AS (
        INSERT INTO bookings (reference, show_id, status, channel, payment_status, user_id,
                              ticket_holder_id, email, email_key, total_amount, currency, held_at,
                              held_until, confirmed_at)
        VALUES ('HALF' || :show, :show, 'confirmed', 'web', 'paid', :user, :holder,
                'sold@example.com', 'sold@example.com', 0, 'KES', now(), now(), now())
        RETURNING id, show_id),
    line AS (
        INSERT INTO booking_lines (booking_id, show_id, tier_id, price_id, quantity, unit_amount,
                                   currency)
        SELECT id, show_id, :tier, :price, cardinality(CAST(:ids AS bigint[])), 0, 'KES' FROM made
        RETURNING id, booking_id)
    UPDATE places p SET booking_id = line.booking_id, line_id = line.id
      FROM line WHERE p.id = ANY(:ids)
"""
ALL_SEATS = """
    SELECT p.id, p.stock_id, s.position, p."row", p.ordinal, p.off_centre, NULL, p.key,
           p.booking_id IS NULL
      FROM places p JOIN stocks k ON k.id = p.stock_id JOIN sections s ON s.id = k.section_id
     WHERE p.show_id = :show ORDER BY s.position, p.ordinal
"""
BOUGHT = """
    SELECT p.id FROM places p JOIN bookings b ON b.id = p.booking_id
     WHERE p.show_id = :show AND b.status = 'held'
"""


def measured(app: Flask, address: str) -> dict[str, Any]:
    """One load on each stadium."""
    return {how: _loaded(app, address, how) for how in SOLD}


def lines(found: dict[str, Any]) -> list[str]:
    """What a person reads of it."""
    return [
        "",
        f"the best four of 80,000 seats, half sold, {CONNECTIONS} buyers at once "
        f"(at least {RATE}/s, p95 {P95_MS} ms, quality at most {QUALITY})",
        *(
            f"  sold {SOLD[how]:<14}{of['rate']:6.0f}/s, {of['share']:.2f} of any four standing, p50 "
            f"{of['p50_ms']:.0f} ms, p95 {of['p95_ms']:.0f} ms (standing {of['standing_p95_ms']:.0f}),"
            f" quality {of['quality']:.3f}"
            for how, of in found.items()
        ),
    ]


def missed(found: dict[str, Any]) -> list[str]:
    """A sentence for each bar that is not reached."""
    told = []
    for how, of in found.items():
        if of["rate"] < RATE:
            told.append(f"best seats, sold {SOLD[how]}: {of['rate']:.0f} holds a second")
        if of["p95_ms"] > P95_MS:
            told.append(f"best seats, sold {SOLD[how]}: p95 of {of['p95_ms']:.0f} ms")
        if of["quality"] > QUALITY:
            told.append(f"best seats, sold {SOLD[how]}: {of['quality']:.3f} times as far back")
        if of["wrong"]:
            told.append(f"best seats, sold {SOLD[how]}: {of['wrong']} unexpected answers")
    return told


def _loaded(app: Flask, address: str, how: str) -> dict[str, Any]:
    with app.app_context():
        people = world.buyers()
        offer = stadium()
        standing = world.offer(HOT)
        seats = all_seats(offer.show_id)
        sold = half_sold([seat for seat, _is_free in seats], how)
        facts = {"show": offer.show_id, "tier": offer.tier_id, "price": offer.price_id}
        facts |= {"user": people[0].facts["user_id"], "ids": [seat.id for seat in sold]}
        facts |= {"holder": people[0].facts["ticket_holder_id"]}
        with db.engine.begin() as connection:
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text(SELL), facts)
        world.analyze()
        db.session.remove()
    postmaster = _postmaster(address)
    variables = {"DATABASE_URI": address, "SECRET_KEY": app.config["SECRET_KEY"]} | NO_END
    with Server("main:create_app()", "/ready", STATE / "bench.log", **variables) as server:
        tokens = [person.token for person in people]
        plain, best = script(standing, tokens, together=False), script(offer, tokens)
        for each in (plain, best):
            load.run(server.address, each, seconds=WARM_UP, connections=CONNECTIONS)
        any_four = load.run(server.address, plain, seconds=SECONDS, connections=CONNECTIONS)
        before = server.cpu(), machine.cpu_of(postmaster)
        outcome = load.run(server.address, best, seconds=SECONDS, connections=CONNECTIONS)
        after = server.cpu(), machine.cpu_of(postmaster)
    with app.app_context():
        bought = list(db.session.scalars(text(BOUGHT), {"show": offer.show_id}))
        db.session.remove()
    free = without([seat for seat, _is_free in seats], sold)
    quality = mean_rank(seats, bought) / mean_rank(seats, one_after_the_other(free, len(bought)))
    server_ms, database_ms = (
        1000 * (b - a) / max(outcome.requests, 1) for a, b in zip(before, after, strict=True)
    )
    return {
        "rate": outcome.rate,
        "share": outcome.rate / any_four.rate,
        "p50_ms": outcome.p50_ms,
        "p95_ms": outcome.p95_ms,
        "standing_p95_ms": any_four.p95_ms,
        "quality": quality,
        "wrong": outcome.refused + outcome.failed,
        "server_ms": server_ms,
        "database_ms": database_ms,
    }


def _postmaster(address: str) -> int:
    with psycopg2.connect(address) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [(backend,)] = cursor.fetchall()
        found = machine.parent(backend)
    connection.close()
    return found


def stadium() -> world.Offer:
    """A show with one tier that sells all seats of a hall, section by section."""
    labels = [str(n) for n in range(1, ROWS + 1)]
    numbers = [str(n) for n in range(1, SEATS + 1)]
    rows = [plain_row(label, numbers, gaps_after=AISLES) for label in labels]
    layout: list[WantedSection] = [seated(f"Block {n}", rows) for n in range(1, SECTIONS + 1)]
    capacity = SECTIONS * ROWS * SEATS
    show = ShowFactory(venue=VenueFactory(capacity=capacity, layout=layout))
    stocks = [StockFactory(show=show, section_name=section.name) for section in layout]
    tier = TierFactory(show=show, stocks=stocks, max_per_booking=10, max_per_buyer=world.NO_LIMIT)
    return world.Offer(show.id, tier.id, stocks[0].id, tier.prices[0].id, capacity)


def all_seats(show_id: int) -> list[tuple[Seat, bool]]:
    """Every seat in the order in which they are sold, and whether it is free."""
    rows = db.session.execute(text(ALL_SEATS), {"show": show_id})
    return [(Seat(*row[:-1]), row[-1]) for row in rows]


def half_sold(seats: list[Seat], how: str) -> list[Seat]:
    """Half of the seats: any, or what parties of one to six chose near the best, less returns."""
    dice = random.Random(5)
    if how == "random":
        return dice.sample(seats, len(seats) // 2)
    sold: list[Seat] = []
    groups = [seats[at : at + 100] for at in range(0, len(seats), 100)]
    rows = iter(groups)
    for left in rows:
        if len(sold) >= len(seats) // 2:
            break
        while dice.random() > 0.1 and left:  # people leave a row before it is full
            choice = choose(left, Party(dice.choice((1, 2, 2, 2, 3, 4, 4, 5, 6))))
            if choice is None:
                break
            sold += [] if dice.random() < 0.05 else choice  # some give theirs back
            left = without(left, choice)
    return sold[: len(seats) // 2]


def one_after_the_other(free: list[Seat], people: int) -> list[int]:
    """The seats that parties of four get who come one by one, as ids."""
    bought: list[int] = []
    for row in _rows(free):
        while len(bought) < people and (choice := choose(row, Party(PARTY, together=True))):
            ids = {seat.id for seat in choice}
            left = [seat for seat in row if seat.id not in ids]
            if _strands(row, left):
                break
            bought += ids
            row = left
    return bought


def mean_rank(seats: list[tuple[Seat, bool]], ids: list[int]) -> float:
    """How far back seats are, on average."""
    listed = sorted(
        (seat for seat, _is_free in seats),
        key=lambda seat: (seat.section, int(seat.row), abs(seat.off_centre)),
    )
    ranks = {seat.id: rank for rank, seat in enumerate(listed, start=1)}
    return sum(ranks[each] for each in ids) / len(ids)


def script(offer: world.Offer, tokens: list[str], *, together: bool = True) -> str:
    """What wrk sends: holds of four, by anybody."""
    listed = "{" + ",".join(f'"{token}"' for token in tokens) + "}"
    item = f'{{"tier_id":{offer.tier_id},"quantity":{PARTY},"together":{str(together).lower()}}}'
    return f"""
local tokens = {listed}
local body = '{{"show_id":{offer.show_id},"items":[{item}]}}'
request = function()
  return wrk.format("POST", "/bookings/", {{["Content-Type"] = "application/json",
    ["Authorization"] = "Bearer " .. tokens[math.random(#tokens)]}}, body)
end
"""


def _rows(seats: list[Seat]) -> Iterator[list[Seat]]:
    row: list[Seat] = []
    for seat in seats:
        if row and (seat.section, seat.row) != (row[0].section, row[0].row):
            yield row
            row = []
        row.append(seat)
    yield row


def _strands(before: list[Seat], after: list[Seat]) -> bool:
    return bool(stranded(before, without(before, after)))
