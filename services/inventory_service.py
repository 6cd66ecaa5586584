"""Claiming places: the code that could sell something twice, so the code to read slowly.

A place is a row; it is free while its `booking_id` is null. Whoever claims one locks the row with
`FOR UPDATE` and writes their booking into it, so a second claim finds no free row: nothing has to
be counted, and nothing can be counted wrongly.

Lock order, everywhere: advisory locks by key, the show, bookings by id, places by id. Claims pass
over rows that others hold (`SKIP LOCKED`), so they wait for nobody; only `wait_for` waits, for a
fifth of a second at most, and does so before its transaction holds any place.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from config import settings
from init import db
from models.sale import SaleStock
from models.values import Once
from services import idempotency_service
from utils.errors import ApiError, Busy, Conflict, Invalid
from utils.statement import Statement
from utils.transaction import abandon, transaction
from utils.ttl_cache import Lately

Made = TypeVar("Made")
QUERY_CANCELED, LOCK_NOT_AVAILABLE = "57014", "55P03"
REAPED_AT_ONCE = 500
MOMENT = 0.01  # seconds
SHORT_REMEMBERED = 10.0  # seconds


lately_short: Lately[int] = Lately(SHORT_REMEMBERED, largest=1_000)


class SoldOut(Conflict):
    """There are fewer places than asked for; `left` says how many there are."""

    code, title = "sold-out", "Not enough places left"


class SeatTaken(Conflict):
    """Somebody else has these seats; `seats` names them."""

    code, title = "seat-taken", "Somebody else has that seat"


class Short(Exception):
    """A claim that found too few places this time; the transaction around it is given up."""


class SheetOutdated(Exception):
    """The show, or the booking, changed between reading it and locking it."""


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

FREE = Statement(
    "free",
    """
    UPDATE places SET booking_id = NULL, line_id = NULL, changed_in = pg_current_xact_id()
     WHERE id = ANY(ARRAY(
        SELECT id FROM places WHERE booking_id = ANY(:booking_ids) ORDER BY id FOR UPDATE))
    """,
)

# A hold that somebody has locked is being paid or extended at this moment: leave it to them.
EXPIRE = Statement(
    "expire",
    """
    UPDATE bookings SET status = 'expired', version = version + 1, updated_at = clock_timestamp()
     WHERE id = ANY(ARRAY(
        SELECT id FROM bookings
         WHERE show_id = :show_id AND status = 'held'
           AND held_until <= (SELECT clock_timestamp())
         ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED))
    RETURNING id
    """,
)

# Both at one instant: a hold that somebody reaps meanwhile counts as dead or as free. No further
# than `at_most`: a refusal must not count 80,000 free seats. It is `ORDER BY ordinal` that keeps
# the planner on the index of free places; without it, it reads other shows' places.
LOOK = Statement(
    "look",
    """
    SELECT (SELECT version FROM shows WHERE id = :show_id),
           EXISTS (SELECT FROM bookings WHERE show_id = :show_id AND status = 'held'
                      AND held_until <= (SELECT clock_timestamp())),
           ARRAY(SELECT (SELECT count(*)
                           FROM (SELECT FROM places WHERE stock_id = k.id AND booking_id IS NULL
                                  ORDER BY ordinal LIMIT :at_most) AS free)
                        + (SELECT count(*) FROM places
                            WHERE booking_id = :booking_id AND stock_id = k.id)
                   FROM unnest(CAST(:stock_ids AS bigint[])) WITH ORDINALITY AS k(id, n)
                  ORDER BY k.n),
           EXISTS (SELECT FROM idempotency_keys WHERE scope = :scope AND key = :key)
    """,
    alone=True,
)

SEATS = Statement(
    "seats",
    """
    SELECT key, stock_id, booking_id IS NULL OR booking_id = :booking_id FROM places
     WHERE show_id = :show_id AND key = ANY(:seats)
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


def until_claimed(
    show_id: int,
    claims: Sequence[Claim],
    attempt: Callable[[int], Made],
    *,
    version: int,
    booking_id: int = 0,
    once: Once | None = None,
) -> Made:
    """What `attempt` makes, tried again as long as that can help.

    `attempt(wait_ms)` is one whole transaction that calls `claim`, and `wait_for` before it if
    `wait_ms` is not 0. Falling short, it is tried again after dead holds are reaped, and then
    with waiting, until settings.claim_wait_ms are over. No lock is held between attempts. The
    places that `booking_id` has already count as free for it.
    Raises SoldOut, SeatTaken, Invalid for seats that are not there, or Busy when places are free
    and others hold on to them. Nobody is told "sold out" while a place is free. Where others were
    told so lately, it looks before it tries: for a sold-out show a refusal is one statement.
    Raises SheetOutdated instead when the show is not of this `version` any more, and Replay when
    `once` was answered before.
    """
    if show_id in lately_short and len(claims) == 1 and not booking_id:
        has_dead_holds, refusal = _look(show_id, claims, version, 0, once)
        abandon()
        if refusal is not None and not has_dead_holds:
            raise refusal
    wait_ms = 0
    deadline: float | None = None
    while True:
        try:
            return attempt(wait_ms)
        except Short:
            pass
        except OperationalError as error:
            if not _gave_up_waiting(error):
                raise
        has_dead_holds, refusal = _look(show_id, claims, version, booking_id, once)
        abandon()
        if refusal is not None and not has_dead_holds:
            lately_short.add(show_id)
            raise refusal
        deadline = deadline or time.monotonic() + settings.claim_wait_ms / 1000
        left_ms = int((deadline - time.monotonic()) * 1000)
        if left_ms <= 0:
            raise Busy("Others are taking these places at this moment; try again.")
        if has_dead_holds:
            if not reap(show_id):
                time.sleep(MOMENT)  # whoever has them locked is about to find them dead
        else:
            wait_ms = left_ms


def release(booking_ids: Sequence[int]) -> None:
    """Free all places of bookings that the caller has locked."""
    FREE.run(booking_ids=list(booking_ids))


def reap(show_id: int) -> int:
    """Expire a show's dead holds and free their places; how many holds went.

    Anyone may run this at any time; a hold that is being paid or extended is left alone.
    """
    reaped = 0
    while True:
        with transaction():
            dead = [row[0] for row in EXPIRE.all(show_id=show_id, limit=REAPED_AT_ONCE)]
            if dead:
                release(dead)
        reaped += len(dead)
        if len(dead) < REAPED_AT_ONCE:
            return reaped


def _look(
    show_id: int,
    claims: Sequence[Claim],
    version: int,
    booking_id: int = 0,
    once: Once | None = None,
) -> tuple[bool, ApiError | None]:
    """Whether holds are dead, and why the lines cannot be had with what is free, if they cannot.

    Raises Replay when this very request was answered before.
    """
    stock_ids = sorted({stock_id for wanted in claims for stock_id in wanted.stock_ids})
    now_is, has_dead_holds, counts, was_answered = LOOK.one(
        show_id=show_id,
        stock_ids=stock_ids,
        booking_id=booking_id,
        at_most=sum(wanted.quantity for wanted in claims),
        scope=once.scope if once else "",
        key=once.key if once else "",
    )
    if was_answered:
        idempotency_service.replay_if_answered(once)
    if now_is != version:
        abandon()
        raise SheetOutdated
    free = dict(zip(stock_ids, counts, strict=True))
    return has_dead_holds, _refusal(show_id, claims, booking_id, free)


def _refusal(
    show_id: int, claims: Sequence[Claim], booking_id: int, free: dict[int, int]
) -> ApiError | None:
    for wanted in sorted(claims, key=lambda claim: claim.choice):
        if wanted.seats:
            refusal = _seat_refusal(show_id, wanted, free, booking_id)
            if refusal is not None:
                return refusal
            continue
        left = sum(free.get(stock_id, 0) for stock_id in wanted.stock_ids)
        if left < wanted.quantity:
            some = f"{left} left" if left else "Nothing left"
            return SoldOut(f"{some} of {wanted.name}.", left=left, tier_id=wanted.tier_id)
        needed = wanted.quantity
        for stock_id in wanted.stock_ids:
            taken = min(needed, free.get(stock_id, 0))
            free[stock_id] = free.get(stock_id, 0) - taken
            needed -= taken
    return None


def require_known(show_id: int, claims: Iterable[Claim]) -> None:
    """Raise Invalid for seats that are not there, or that their tier does not sell."""
    for wanted in claims:
        if wanted.seats:
            _known_seats(show_id, wanted, booking_id=0)


def _known_seats(show_id: int, wanted: Claim, booking_id: int) -> dict[str, tuple[int, bool]]:
    """The chosen seats by key: the stock of each, and whether it is free. Raises Invalid."""
    rows = SEATS.all(show_id=show_id, seats=list(wanted.seats), booking_id=booking_id)
    known = {key: (stock_id, is_free) for key, stock_id, is_free in rows}
    unknown = [seat for seat in wanted.seats if known.get(seat, (0,))[0] not in wanted.stock_ids]
    if unknown:
        raise Invalid.at("items", f"{wanted.name} does not sell {', '.join(unknown)}.")
    return known


def _seat_refusal(
    show_id: int, wanted: Claim, free: dict[int, int], booking_id: int
) -> ApiError | None:
    known = _known_seats(show_id, wanted, booking_id)
    taken = [seat for seat in wanted.seats if not known[seat][1]]
    if taken:
        return SeatTaken(f"Taken: {', '.join(taken)}.", seats=taken, tier_id=wanted.tier_id)
    for seat in wanted.seats:
        free[known[seat][0]] = free.get(known[seat][0], 0) - 1
    return None


def _gave_up_waiting(error: OperationalError) -> bool:
    return getattr(error.orig, "pgcode", None) in (QUERY_CANCELED, LOCK_NOT_AVAILABLE)


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
