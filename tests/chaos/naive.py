"""The seller that everybody writes first, for the controls: the checks must see what it does.

It speaks as much of the API as a sale needs, on the same tables. The header `Naive` chooses what
is wrong with it; whatever happens to its database is a 500, and it knows no Idempotency-Key.
"""

import json
import os
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import psycopg2
from psycopg2.extensions import cursor as Cursor  # noqa: N812 (it is a class)

THINKS = 0.03  # seconds between looking and writing, as long as an ORM and a network may take
COMPANY = 5.0  # seconds until an unlocked look no longer waits for a second one beside it
DAWDLES = 0.2  # seconds between committing and answering

PICK = "SELECT id FROM places WHERE stock_id = %s AND booking_id IS NULL ORDER BY ordinal LIMIT %s"
PICK_SEATS = "SELECT id FROM places WHERE stock_id = %s AND booking_id IS NULL AND key = ANY(%s)"
SKIP = " FOR UPDATE SKIP LOCKED"
WAIT = " FOR UPDATE"
HOLD = """
    INSERT INTO bookings (reference, show_id, status, channel, payment_status, ticket_holder_id,
                          email, email_key, total_amount, currency, held_at, held_until)
    VALUES (%s, %s, 'held', 'web', 'paid', %s, %s, %s, 0, 'KES', clock_timestamp(),
            clock_timestamp() + interval '15 minutes')
    RETURNING id
"""
LINE = """
    INSERT INTO booking_lines (booking_id, show_id, tier_id, quantity, unit_amount, currency)
    VALUES (%s, %s, %s, %s, 0, 'KES') RETURNING id
"""
_of_this_thread = threading.local()
_looking = threading.Condition()
_looks: Counter[int] = Counter()


class SoldOut(Exception):
    """The places of `tier_id` do not suffice."""

    def __init__(self, tier_id: int) -> None:
        super().__init__("sold out")
        self.tier_id = tier_id


def seller() -> Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]:
    """The WSGI application."""

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        status, body = 200, {}
        if environ["REQUEST_METHOD"] == "POST":
            sent = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            status, body = _sell(json.loads(sent), environ.get("HTTP_NAIVE", ""))
        text = json.dumps(body).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(text)))]
        start_response(f"{status} {'OK' if status < 400 else 'No'}", headers)
        return [text]

    return serve


def _sell(order: dict[str, Any], wrong: str) -> tuple[int, dict[str, Any]]:
    try:
        cursor = _connection().cursor()
        booking = _hold(cursor, order, wrong)
        cursor.connection.commit()
    except SoldOut as refusal:
        cursor.connection.rollback()
        return 409, {"code": "sold-out", "tier_id": refusal.tier_id, "left": 0}
    except psycopg2.Error as error:
        with suppress(psycopg2.Error, AttributeError):
            _of_this_thread.connection.rollback()
        return 500, {"code": "internal-error", "detail": str(error)}
    if wrong == "dawdling":
        time.sleep(DAWDLES)
    return 201, booking


def _connection() -> Any:
    """This thread's connection; a new one only where it is known to be lost."""
    known = getattr(_of_this_thread, "connection", None)
    if known is None or known.closed:
        uri = os.environ["DATABASE_URI"].replace("+psycopg2", "")
        known = _of_this_thread.connection = psycopg2.connect(uri, application_name="naive")
    return known


def _hold(cursor: Cursor, order: dict[str, Any], wrong: str) -> dict[str, Any]:
    show_id, buyer = order["show_id"], order["buyer"]
    picked = [(line, _pick(cursor, line, wrong)) for line in order["items"]]
    if wrong == "unlocked":
        _wait_for_company(show_id)
        time.sleep(THINKS)
    cursor.execute(
        "INSERT INTO ticket_holders (name, email) VALUES (%s, %s) RETURNING id",
        [buyer["name"], buyer["email"]],
    )
    holder_id = cursor.fetchone()[0]
    reference, email = secrets.token_hex(8).upper(), buyer["email"]
    cursor.execute(HOLD, [reference, show_id, holder_id, email, email])
    booking_id = cursor.fetchone()[0]
    for line, places in picked:
        cursor.execute(LINE, [booking_id, show_id, line["tier_id"], len(places)])
        line_id = cursor.fetchone()[0]
        cursor.execute(
            "UPDATE places SET booking_id = %s, line_id = %s WHERE id = ANY(%s)",
            [booking_id, line_id, places],
        )
    places = [{"id": place} for _line, some in picked for place in some]
    return {"id": booking_id, "status": "held", "places": places}


def _wait_for_company(show_id: int) -> None:
    """Return once a second buyer has looked as well, so that a slow machine shows it too."""
    with _looking:
        _looks[show_id] += 1
        _looking.notify_all()
        _looking.wait_for(lambda: _looks[show_id] > 1, COMPANY)


def _pick(cursor: Cursor, line: dict[str, Any], wrong: str) -> list[int]:
    """Free places for a line; a hold that has run out counts as taken for ever."""
    cursor.execute("SELECT stock_id FROM tier_stocks WHERE tier_id = %s", [line["tier_id"]])
    stock_id = cursor.fetchone()[0]
    seats = line.get("seats")
    quantity = len(seats) if seats else line["quantity"]
    pick = PICK_SEATS if seats else PICK
    how = {"unlocked": "", "crosswise": WAIT}.get(wrong, SKIP)
    cursor.execute(pick + how, [stock_id, seats or quantity])
    places = [row[0] for row in cursor.fetchall()]
    if wrong == "crosswise":
        time.sleep(THINKS)
    if len(places) < quantity:
        raise SoldOut(line["tier_id"])
    return places
