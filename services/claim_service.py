"""Claiming places: the code that could sell something twice, so the code to read slowly.

A place is a row; it is free while its `booking_id` is null. Whoever claims one locks the row with
`FOR UPDATE` and writes their booking into it, so a second claim finds no free row: nothing has to
be counted, and nothing can be counted wrongly.

Lock order, everywhere: advisory locks by key, the show, bookings by id, places by id. Claims pass
over rows that others hold (`SKIP LOCKED`), so they wait for nobody; only `wait_for` waits, for a
fifth of a second at most, and does so before its transaction holds any place.
"""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import text

from config import settings
from init import db
from models.sale import SaleStock
from utils.statement import Statement


class Short(Exception):
    """A claim that found too few places this time; the transaction around it is given up."""


@dataclass(frozen=True)
class Claim:
    """What one line wants: chosen seats by key, else any `quantity` places of `stocks` in order."""

    tier_id: int | None
    name: str
    quantity: int
    stocks: tuple[SaleStock, ...]
    seats: tuple[str, ...] = ()
    kept: tuple[int, ...] = ()  # places that the booking had: any of `stocks`, and these first

    @property
    def stock_ids(self) -> list[int]:
        return [stock.id for stock in self.stocks]

    @property
    def choice(self) -> tuple[bool, int]:
        """How free it is in what to take; who has less choice goes first."""
        return not self.seats, len(self.stocks)


@dataclass(frozen=True)
class ClaimedPlace:
    """A place as it was when it was claimed."""

    id: int
    line_id: int
    stock_id: int
    row: str | None
    number: str | None
    key: str | None


# Any n free places of a stock, from a random position and wrapping round, so that buyers who
# come together look at different rows. `id = ANY(ARRAY(...))` keeps the planner on the key: joined
# to the picked ids it expects a tenth of the table, and scans it.
CLAIM_ANY = Statement(
    "claim_any",
    """
    WITH ahead AS (
        SELECT id FROM places
         WHERE stock_id = :stock_id AND booking_id IS NULL AND ordinal >= :start
         ORDER BY ordinal LIMIT :quantity FOR UPDATE SKIP LOCKED),
    behind AS (
        SELECT id FROM places
         WHERE stock_id = :stock_id AND booking_id IS NULL AND ordinal < :start
         ORDER BY ordinal LIMIT :quantity - (SELECT count(*) FROM ahead) FOR UPDATE SKIP LOCKED)
    UPDATE places SET booking_id = :booking_id, line_id = :line_id,
                      changed_in = pg_current_xact_id()
     WHERE id = ANY(ARRAY(SELECT id FROM ahead UNION ALL SELECT id FROM behind))
    RETURNING id, line_id, stock_id, "row", number, key
    """,
)

CLAIM_CHOSEN = Statement(
    "claim_chosen",
    """
    UPDATE places SET booking_id = :booking_id, line_id = :line_id,
                      changed_in = pg_current_xact_id()
     WHERE id = ANY(ARRAY(
        SELECT id FROM places
         WHERE show_id = :show_id AND key = ANY(:seats) AND stock_id = ANY(:stock_ids)
           AND booking_id IS NULL
         ORDER BY id FOR UPDATE SKIP LOCKED))
    RETURNING id, line_id, stock_id, "row", number, key
    """,
)

CLAIM_KEPT = Statement(
    "claim_kept",
    """
    UPDATE places SET booking_id = :booking_id, line_id = :line_id,
                      changed_in = pg_current_xact_id()
     WHERE id = ANY(:kept) AND booking_id IS NULL
    RETURNING id, line_id, stock_id, "row", number, key
    """,
)

# The first free places of each line, whoever holds them at the moment, in id order over all lines.
WAIT = Statement(
    "wait",
    """
    SELECT id FROM places
     WHERE booking_id IS NULL AND id = ANY(ARRAY(
        SELECT c.id FROM unnest(CAST(:stock_ids AS bigint[]), CAST(:quantities AS bigint[]))
                    AS wanted(stock_id, quantity),
               LATERAL (SELECT id FROM places
                         WHERE stock_id = wanted.stock_id AND booking_id IS NULL
                         ORDER BY ordinal LIMIT wanted.quantity) c
        UNION SELECT id FROM places
               WHERE show_id = :show_id AND key = ANY(:seats) AND booking_id IS NULL))
     ORDER BY id FOR UPDATE
    """,
)


def claim(
    show_id: int, booking_id: int, claims: Iterable[tuple[int, Claim]], *, spread: bool = True
) -> list[ClaimedPlace]:
    """The places of every (line id, claim) for a booking. Raises Short when any falls short.

    `spread` starts anywhere in a stock; after `wait_for` the first places are the ones to take.
    Runs inside the caller's transaction, which Short must end: what was claimed goes back with it.
    """
    places: list[ClaimedPlace] = []
    for line_id, wanted in sorted(claims, key=lambda claim: claim[1].choice):
        owner = {"booking_id": booking_id, "line_id": line_id}
        got = (
            _claim_chosen(show_id, owner, wanted)
            if wanted.seats
            else _claim_any(owner, wanted, spread)
        )
        if len(got) < wanted.quantity:
            raise Short
        places += got
    return places


def wait_for(show_id: int, claims: Sequence[Claim], *, at_most_ms: int) -> None:
    """Lock the first free places that the lines could take, waiting for those who hold them.

    Runs before the caller's transaction holds any place. When the time is up the database
    cancels the statement, and with it the transaction (OperationalError).
    """
    any_place: Counter[int] = Counter()
    for wanted in claims:
        if not wanted.seats:
            any_place.update(dict.fromkeys(wanted.stock_ids, wanted.quantity))
    db.session.execute(text(f"SET LOCAL statement_timeout = {at_most_ms:d}"))
    WAIT.run(
        show_id=show_id,
        stock_ids=list(any_place.keys()),
        quantities=list(any_place.values()),
        seats=[seat for wanted in claims for seat in wanted.seats],
    )
    db.session.execute(text(f"SET LOCAL statement_timeout = {settings.statement_timeout_ms:d}"))


def _claim_any(owner: dict[str, int], wanted: Claim, spread: bool) -> list[ClaimedPlace]:
    got: list[ClaimedPlace] = []
    if wanted.kept:
        got += [ClaimedPlace(*row) for row in CLAIM_KEPT.all(kept=list(wanted.kept), **owner)]
    for stock in wanted.stocks:
        if len(got) == wanted.quantity:
            break
        rows = CLAIM_ANY.all(
            stock_id=stock.id,
            start=random.randint(1, stock.capacity + 1) if spread else 1,  # noqa: S311
            quantity=wanted.quantity - len(got),
            **owner,
        )
        got += [ClaimedPlace(*row) for row in rows]
    return got


def _claim_chosen(show_id: int, owner: dict[str, int], wanted: Claim) -> list[ClaimedPlace]:
    rows = CLAIM_CHOSEN.all(
        show_id=show_id, seats=list(wanted.seats), stock_ids=wanted.stock_ids, **owner
    )
    return [ClaimedPlace(*row) for row in rows]
