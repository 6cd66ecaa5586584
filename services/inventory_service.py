"""Having places or being refused: a claim tried again for as long as that can help.

`claim_service` takes places; here is what goes on around it: what is said when there are too few,
the dead holds that are cleared away first, and the places that bookings give back.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy.exc import OperationalError

from config import settings
from models.values import Once
from services import idempotency_service
from services.best_seats import Party, can_take, choose, largest
from services.claim_service import Claim, Short, parties_of, party_of
from services.seat_choice_service import Hall
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


class NoAdjacentSeats(Conflict):
    """No seats beside each other are left for all; `largest` says for how many there are.

    Ask without `together`, and the party is seated in as few groups as can be.
    """

    code, title = "no-adjacent-seats", "No seats beside each other for all"


class SeatTaken(Conflict):
    """Somebody else has these seats; `seats` names them."""

    code, title = "seat-taken", "Somebody else has that seat"


class SheetOutdated(Exception):
    """The show, or the booking, changed between reading it and locking it."""


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
    SELECT key, stock_id, booking_id IS NULL OR booking_id = :booking_id, id FROM places
     WHERE show_id = :show_id AND key = ANY(:seats)
    """,
)


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
        has_dead_holds, refusal = _look(show_id, claims, version, 0, once, closely=False)
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
    *,
    closely: bool = True,
) -> tuple[bool, ApiError | None]:
    """Whether holds are dead, and why the lines cannot be had with what is free, if they cannot.

    Unless it looks `closely`, it only counts where a party wants the best seats.
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
    look = _Look(show_id, booking_id, has_dead_holds, dict(zip(stock_ids, counts, strict=True)))
    refusal = _refusal(look, claims, closely=closely)
    return look.has_dead_holds, refusal


@dataclass
class _Look:
    """What a look has found, and what of it the lines looked at so far would take."""

    show_id: int
    booking_id: int
    has_dead_holds: bool
    free: dict[int, int]
    seats: set[str] = field(default_factory=set)


def _refusal(look: _Look, claims: Sequence[Claim], *, closely: bool) -> ApiError | None:
    free = look.free
    for party in parties_of(claims):
        wanted = party[0]
        if wanted.seats:
            refusal = _seat_refusal(look, wanted)
            if refusal is not None:
                return refusal
            look.seats.update(wanted.seats)
            continue
        if wanted.is_for_best:
            people = sum(each.quantity for each in party)
            if closely or sum(free.get(id_, 0) for id_ in wanted.stock_ids) < people:
                refusal = _best_refusal(look, party)
                if refusal is not None:
                    return refusal
            continue
        left = sum(free.get(stock_id, 0) for stock_id in wanted.stock_ids)
        if left < wanted.quantity:
            some = f"{left} left" if left else "Nothing left"
            return SoldOut(f"{some} of {wanted.name}.", left=left, tier_id=wanted.tier_id)
        _take_from(free, wanted.stock_ids, wanted.quantity)
    return None


def require_known(show_id: int, claims: Iterable[Claim]) -> None:
    """Raise Invalid for seats that are not there, or that their tier does not sell."""
    for wanted in claims:
        if wanted.seats:
            _known_seats(show_id, wanted, booking_id=0)


def _known_seats(show_id: int, wanted: Claim, booking_id: int) -> dict[str, tuple[int, bool]]:
    """The chosen seats by key: the stock of each, and whether it is free. Raises Invalid."""
    rows = SEATS.all(show_id=show_id, seats=list(wanted.seats), booking_id=booking_id)
    known = {key: (stock_id, is_free) for key, stock_id, is_free, _id in rows}
    sold = {row[0] for row in rows if row[1] in wanted.stock_ids or row[3] in wanted.kept}
    unknown = [seat for seat in wanted.seats if seat not in sold]
    if unknown:
        raise Invalid.at("items", f"{wanted.name} does not sell {', '.join(unknown)}.")
    return known


def _best_refusal(look: _Look, party: Sequence[Claim]) -> ApiError | None:
    """Why a party cannot have the best seats: too few are left, or none beside each other."""
    first, people = party[0], party_of(party)
    has_dead_holds, seats = Hall(first.stocks).look_closely(look.show_id, look.booking_id)
    look.has_dead_holds |= has_dead_holds
    seats = [seat for seat in seats if seat.key not in look.seats]
    choice = choose(seats, people)
    facts = {"tier_id": first.tier_id}
    if choice is None:
        standing = {k.id: look.free.get(k.id, 0) for k in first.stocks if not k.kind.has_seats}
        may_stand = sum(standing.values())
        seated = can_take(seats, people)
        if seated < people.accessible:
            some = f"{seated} accessible left" if seated else "Nothing accessible left"
            return SoldOut(f"{some} of {first.name}.", left=seated, **facts)
        left = seated + may_stand
        if left < people.quantity:
            some = f"{left} left" if left else "Nothing left"
            return SoldOut(f"{some} of {first.name}.", left=left, **facts)
        if people.together and (people.accessible or may_stand < people.quantity):
            count = largest(seats, people)
            some = f"{count} seats" if count > 1 else "no two seats"
            return NoAdjacentSeats(
                f"{first.name} has {some} beside each other.", largest=count, **facts
            )
        seated = 0 if people.together else seated
        choice = choose(seats, Party(seated, accessible=people.accessible)) if seated else []
        _take_from(look.free, standing, people.quantity - seated)
    look.seats.update(seat.key for seat in choice or ())
    return None


def _take_from(free: dict[int, int], stock_ids: Iterable[int], needed: int) -> None:
    for stock_id in stock_ids:
        taken = min(needed, free.get(stock_id, 0))
        free[stock_id] = free.get(stock_id, 0) - taken
        needed -= taken


def _seat_refusal(look: _Look, wanted: Claim) -> ApiError | None:
    known = _known_seats(look.show_id, wanted, look.booking_id)
    taken = [seat for seat in wanted.seats if not known[seat][1]]
    if taken:
        return SeatTaken(f"Taken: {', '.join(taken)}.", seats=taken, tier_id=wanted.tier_id)
    for seat in wanted.seats:
        look.free[known[seat][0]] = look.free.get(known[seat][0], 0) - 1
    return None


def _gave_up_waiting(error: OperationalError) -> bool:
    return getattr(error.orig, "pgcode", None) in (QUERY_CANCELED, LOCK_NOT_AVAILABLE)
