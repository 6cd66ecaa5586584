"""What it costs to show the seats of a stadium, beside what PostgreSQL alone takes for the same."""

import random
import statistics
import time
from collections.abc import Callable
from typing import Any

import orjson
import psycopg2
import psycopg2.extras
from flask import Flask
from sqlalchemy import text

from benchmarks import world
from config import settings
from init import db
from models import Venue
from models.layout import WantedSection, plain_row, seated
from models.values import STRANGER, Caller, WantedBuyer, WantedLine, WantedPlaces
from services import (
    hold_service,
    layout_service,
    seat_drawing_service,
    seat_map_service,
    seat_status_service,
    seen_show_service,
    stock_service,
)
from tests.factories import EventFactory, OrganiserFactory, ShowFactory, TierFactory, VenueFactory
from utils.transaction import transaction

NAME = "seating"
BLOCKS, ROWS, SEATS_IN_A_ROW = 40, 50, 40  # 80,000 seats
PARTY = 4
BOOKINGS_SINCE = 100  # of two seats each, between one look and the next
TIMES = 15
STATUS_BAR = 2.5  # of the time that PostgreSQL alone takes
CHANGES_BAR_MS = 3.0
PICTURE_BAR_MS, PICTURE_BAR_BYTES = 300.0, 2_000_000

# The same words about the same seats as the answer of GigMate has, and nothing else.
BARE = """
    SELECT json_object_agg(p.key, 'taken') FROM places p JOIN bookings b ON b.id = p.booking_id
     WHERE p.show_id = %s AND p.key IS NOT NULL
       AND (b.status = 'confirmed' OR b.held_until > statement_timestamp())
"""
# Parties sit together, as far as those before them have left them room.
SELL_HALF = (
    """
    CREATE TEMPORARY TABLE parties ON COMMIT DROP AS
    SELECT row_number() OVER () AS n, array_agg(id) AS ids
      FROM (SELECT id, stock_id, (ordinal - 1) / :party AS party FROM places
             WHERE show_id = :show_id) AS seats
     GROUP BY stock_id, party HAVING random() < 0.5
    """,
    """
    INSERT INTO bookings (reference, show_id, status, channel, payment_status, ticket_holder_id,
                          total_amount, currency, held_at, held_until, confirmed_at)
    SELECT 'STADIUM' || n, :show_id, 'confirmed', 'web', 'paid', :holder_id, 0, 'KES', now(), now(),
           now()
      FROM parties
    """,
    """
    INSERT INTO booking_lines (booking_id, show_id, tier_id, price_id, quantity, unit_amount,
                               currency)
    SELECT b.id, :show_id, :tier_id, :price_id, cardinality(p.ids), 0, 'KES'
      FROM parties p JOIN bookings b ON b.reference = 'STADIUM' || p.n
    """,
    """
    UPDATE places p SET booking_id = l.booking_id, line_id = l.id
      FROM parties JOIN bookings b ON b.reference = 'STADIUM' || parties.n
      JOIN booking_lines l ON l.booking_id = b.id
     WHERE p.id = ANY(parties.ids)
    """,
)


def measured(app: Flask, address: str) -> dict[str, Any]:
    """Milliseconds and ratios, as medians of short runs that take turns."""
    with app.app_context():
        settings.update(availability_seconds=0.0)
        show_id, tier_id = _stadium()
        world.analyze()
        db.session.remove()
        found = {
            **_status(show_id, address),
            **_changes(show_id, tier_id),
            **_pictures(show_id),
        }
        settings.update(availability_seconds=1.0)
        return found


def lines(found: dict[str, Any]) -> list[str]:
    """What a person reads of it."""
    return [
        "",
        f"a stadium of {found['seats']:,} seats, {found['taken']:,} of them taken",
        f"  seat status, whole        {found['status_ms']:7.1f} ms, PostgreSQL alone "
        f"{found['bare_ms']:.1f} ms: {found['status_ratio']:.2f} (at most {STATUS_BAR})",
        f"  seat status, {found['changes']:>3} changes  {found['changes_ms']:7.2f} ms "
        f"(at most {CHANGES_BAR_MS})",
        f"  seat status, no change    {found['no_changes_ms']:7.2f} ms",
        f"  picture                   {found['picture_ms']:7.1f} ms (at most {PICTURE_BAR_MS:.0f}),"
        f" {found['picture_bytes']:,} bytes",
        f"  map, when first read      {found['map_ms']:7.1f} ms, {found['map_bytes']:,} bytes,"
        f" {found['map_gzipped']:,} compressed",
    ]


def missed(found: dict[str, Any]) -> list[str]:
    """A sentence for each bar that is not reached."""
    told = []
    if found["status_ratio"] > STATUS_BAR:
        told.append(f"seat status: {found['status_ratio']} times what PostgreSQL alone takes")
    if found["changes_ms"] > CHANGES_BAR_MS:
        told.append(f"changes of seats: {found['changes_ms']} ms")
    if found["picture_ms"] > PICTURE_BAR_MS or found["picture_bytes"] > PICTURE_BAR_BYTES:
        told.append(f"picture: {found['picture_ms']} ms, {found['picture_bytes']:,} bytes")
    return told


def stadium_sections() -> list[WantedSection]:
    """Blocks side by side, each with rows of its own."""
    numbers = [str(n) for n in range(1, SEATS_IN_A_ROW + 1)]
    return [
        seated(f"Block {n:02}", [plain_row(str(r), numbers) for r in range(1, ROWS + 1)])
        for n in range(1, BLOCKS + 1)
    ]


def _stadium() -> tuple[int, int]:
    """A show in a stadium, half sold, and the tier that sells it."""
    capacity = BLOCKS * ROWS * SEATS_IN_A_ROW
    venue: Venue = VenueFactory(name="Stadium", capacity=capacity)
    with transaction():
        seat_map_service.lay_out(venue, stadium_sections())
    show = ShowFactory(event=EventFactory(organiser=OrganiserFactory()), venue=venue)
    with transaction():
        stock_service.lock_show(show)
        stocks = [
            stock_service.make(show, name=f"Block {n:02}", section=f"Block {n:02}")
            for n in range(1, BLOCKS + 1)
        ]
    tier = TierFactory(show=show, stocks=stocks, max_per_buyer=world.NO_LIMIT)
    facts = {"show_id": show.id, "party": PARTY, "tier_id": tier.id, "price_id": tier.prices[0].id}
    facts["holder_id"] = world.buyers()[0].facts["ticket_holder_id"]
    with db.engine.begin() as connection:
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SELECT setseed(0.5)"))
        for statement in SELL_HALF:
            connection.execute(text(statement), facts)
    return show.id, tier.id


def _status(show_id: int, address: str) -> dict[str, Any]:
    connection = psycopg2.connect(address)
    connection.autocommit = True
    cursor = connection.cursor()

    def bare() -> Any:
        cursor.execute(BARE, [show_id])
        [(seats,)] = cursor.fetchall()
        return seats

    def ours() -> Any:
        return seat_status_service.of_show(show_id, caller=STRANGER).body

    psycopg2.extras.register_default_json(connection, loads=str)
    assert orjson.loads(bare()) == orjson.loads(ours())["seats"]
    theirs_ms, ours_ms = _in_turn(bare, ours)
    taken = len(orjson.loads(bare()))
    connection.close()
    return {
        "taken": taken,
        "bare_ms": theirs_ms,
        "status_ms": ours_ms,
        "status_ratio": round(ours_ms / theirs_ms, 2),
    }


def _changes(show_id: int, tier_id: int) -> dict[str, Any]:
    def cursor() -> str:
        answer = seat_status_service.of_show(show_id, caller=STRANGER).body
        return str(orjson.loads(answer)["cursor"])

    first = cursor()
    free = _free_seats(show_id)
    dice = random.Random(7)
    for number in range(BOOKINGS_SINCE):
        seats = tuple(free.pop(dice.randrange(len(free))) for _ in range(2))
        line = WantedLine(quantity=2, tier_id=tier_id, seats=seats)
        buyer = WantedBuyer("Buyer", f"stadium{number}@example.com")
        hold_service.place(Caller(), WantedPlaces(show_id, (line,), buyer), once=None)
        db.session.rollback()
    db.session.remove()
    last = cursor()

    def asked(since: str) -> Callable[[], Any]:
        return lambda: seat_status_service.of_show(show_id, caller=STRANGER, since=since).body

    found = orjson.loads(asked(first)())
    assert found["whole"] is False
    many, none = _in_turn(asked(first), asked(last), times=20 * TIMES)
    return {"changes": len(found["seats"]), "changes_ms": many, "no_changes_ms": none}


def _pictures(show_id: int) -> dict[str, Any]:
    show = seen_show_service.read(show_id)
    assert show is not None

    def read_map() -> Any:
        layout_service._kept.forget((show.map_id or 0, show.map_made_at))
        return layout_service.of_show(show)

    def picture() -> Any:
        return seat_drawing_service.of_show(show_id, caller=STRANGER).body

    map_ms, picture_ms = _in_turn(read_map, read_map, times=3)[0], _in_turn(picture, picture)[0]
    layout = layout_service.of_show(show)
    return {
        "seats": layout.seat_count,
        "map_ms": map_ms,
        "map_bytes": len(layout.text.body),
        "map_gzipped": len(layout.text.gzipped),
        "picture_ms": picture_ms,
        "picture_bytes": len(picture()),
    }


def _free_seats(show_id: int) -> list[str]:
    query = "SELECT key FROM places WHERE show_id = :id AND booking_id IS NULL ORDER BY id"
    with db.engine.connect() as connection:
        return [row[0] for row in connection.execute(text(query), {"id": show_id})]


def _in_turn(
    one: Callable[[], Any], other: Callable[[], Any], *, times: int = TIMES
) -> tuple[float, float]:
    """The medians of both, in milliseconds."""
    took: tuple[list[float], list[float]] = ([], [])
    for number in range(times + 2):
        for deed, into in ((one, took[0]), (other, took[1])):
            began = time.perf_counter()
            deed()
            if number > 1:  # the first ones warm up
                into.append((time.perf_counter() - began) * 1000)
    return round(statistics.median(took[0]), 2), round(statistics.median(took[1]), 2)
