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
from models.seat_map import SeatKind
from services.best_seats import Party, can_take
from services.seat_choice_service import Hall, Need, Search, lately_contended, take
from services.seat_runs import Seat
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
    kept: tuple[int, ...] = ()  # places that the booking had: of its `seats`, else to take first
    together: bool = False
    accessible: int = 0

    @property
    def stock_ids(self) -> list[int]:
        return [stock.id for stock in self.stocks]

    @property
    def is_for_best(self) -> bool:
        """Whether it wants the best seats that are free, rather than any places or chosen ones."""
        return not self.seats and any(stock.kind.has_seats for stock in self.stocks)

    @property
    def party(self) -> object:
        """What lines of people who come together have in common: children beside their parents."""
        return self.tier_id, self.stocks

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
    kind: str | None = None


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
    RETURNING id, line_id, stock_id, "row", number, key, seat_kind
    """,
)

CLAIM_CHOSEN = Statement(
    "claim_chosen",
    """
    UPDATE places SET booking_id = :booking_id, line_id = :line_id,
                      changed_in = pg_current_xact_id()
     WHERE id = ANY(ARRAY(
        SELECT id FROM places
         WHERE show_id = :show_id AND key = ANY(:seats)
           AND (stock_id = ANY(:stock_ids) OR id = ANY(CAST(:kept AS bigint[])))
           AND booking_id IS NULL
         ORDER BY id FOR UPDATE SKIP LOCKED))
    RETURNING id, line_id, stock_id, "row", number, key, seat_kind
    """,
)

CLAIM_KEPT = Statement(
    "claim_kept",
    """
    UPDATE places SET booking_id = :booking_id, line_id = :line_id,
                      changed_in = pg_current_xact_id()
     WHERE id = ANY(:kept) AND booking_id IS NULL
    RETURNING id, line_id, stock_id, "row", number, key, seat_kind
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
    show_id: int,
    booking_id: int,
    claims: Iterable[tuple[int, Claim]],
    *,
    spread: bool = True,
    avoid_singles: bool = False,
    has_changed_places: bool = False,
) -> list[ClaimedPlace]:
    """The places of every (line id, claim) for a booking. Raises Short when any falls short.

    `spread` starts anywhere in a stock, and takes any of the best few choices where buyers have
    met lately; after `wait_for` the first places are the ones to take. `avoid_singles` is what
    the show says. Say whether the transaction `has_changed_places` before.
    Runs inside the caller's transaction, which Short must end: what was claimed goes back with it.
    """
    places: list[ClaimedPlace] = []
    for unit in _units(claims):
        line_id, wanted = unit[0]
        owner = {"booking_id": booking_id, "line_id": line_id}
        if wanted.is_for_best:
            first = not places and not has_changed_places
            got = _claim_best(show_id, booking_id, unit, spread, avoid_singles, remember=first)
        elif wanted.seats:
            got = _claim_chosen(show_id, owner, wanted)
        else:
            got = _claim_any(owner, wanted, spread)
        if len(got) < sum(each.quantity for _line_id, each in unit):
            raise Short
        places += got
    return places


def parties_of(claims: Iterable[Claim]) -> list[list[Claim]]:
    """The claims as they are met: each alone, but for those of one party for the best seats."""
    return [[wanted for _, wanted in unit] for unit in _units(enumerate(claims))]


def party_of(claims: Iterable[Claim]) -> Party:
    """The people whom claims of one party are for."""
    claims = list(claims)
    return Party(
        sum(wanted.quantity for wanted in claims),
        together=any(wanted.together for wanted in claims),
        accessible=sum(wanted.accessible for wanted in claims),
    )


def wait_for(show_id: int, claims: Sequence[Claim], *, at_most_ms: int) -> None:
    """Lock the first free places that the lines could take, waiting for those who hold them.

    Runs before the caller's transaction holds any place. When the time is up the database
    cancels the statement, and with it the transaction (OperationalError).
    """
    any_place: Counter[int] = Counter()
    seats = [seat for wanted in claims for seat in wanted.seats]
    for party in parties_of(claims):
        best = _best_now(show_id, party) if party[0].is_for_best else None
        if best is not None:
            seats += [seat.key for seat in best]
        elif not party[0].seats:
            people = sum(wanted.quantity for wanted in party)
            any_place.update(dict.fromkeys(party[0].stock_ids, people))
    db.session.execute(text(f"SET LOCAL statement_timeout = {at_most_ms:d}"))
    WAIT.run(
        show_id=show_id,
        stock_ids=list(any_place.keys()),
        quantities=list(any_place.values()),
        seats=seats,
    )
    db.session.execute(text(f"SET LOCAL statement_timeout = {settings.statement_timeout_ms:d}"))


def _units(claims: Iterable[tuple[int, Claim]]) -> list[list[tuple[int, Claim]]]:
    units: dict[object, list[tuple[int, Claim]]] = {}
    for line_id, wanted in claims:
        same = wanted.party if wanted.is_for_best else line_id
        units.setdefault(same, []).append((line_id, wanted))
    return sorted(units.values(), key=lambda unit: unit[0][1].choice)


def _best_now(show_id: int, party: Sequence[Claim]) -> list[Seat] | None:
    return Search(show_id, Hall(party[0].stocks)).best(party_of(party))


def _claim_best(
    show_id: int,
    booking_id: int,
    unit: Sequence[tuple[int, Claim]],
    spread: bool,
    strict: bool,
    *,
    remember: bool,
) -> list[ClaimedPlace]:
    """The best seats for a party, and standing places for whom there are no more.

    Whoever wants to be `together` where nobody can sit so, stands, if the tier sells that, too.
    """
    got: list[ClaimedPlace] = []
    party = party_of(wanted for _line_id, wanted in unit)
    needs = []
    for line_id, wanted in unit:
        kept = [] if party.together else _claim_kept(booking_id, line_id, wanted)
        accessible = sum(place.kind == SeatKind.ACCESSIBLE for place in kept)
        got += kept
        needs.append(
            Need(line_id, wanted.quantity - len(kept), max(0, wanted.accessible - accessible))
        )
    wanting = sum(need.quantity for need in needs)
    if not wanting:
        return got
    party = Party(wanting, party.together, sum(need.accessible for need in needs))
    stocks = unit[0][1].stocks
    apart = spread and show_id in lately_contended
    search = Search(show_id, Hall(stocks), spread=apart, remember=remember and not got)
    rows = take(show_id, booking_id, search, party, needs, strict=strict)
    standing = [stock for stock in stocks if not stock.kind.has_seats]
    if standing and not rows and not party.together:
        seated = can_take(search.read_all(), party)
        if party.accessible <= seated < wanting:
            some = Party(seated, accessible=party.accessible)
            if seated:
                rows = take(show_id, booking_id, search, some, needs, strict=strict)
    places = [ClaimedPlace(*row) for row in rows]
    if standing and (places or not party.accessible):
        have = Counter(place.line_id for place in places)
        for need in needs:
            owner = {"booking_id": booking_id, "line_id": need.line_id}
            places += _any_of(standing, owner, need.quantity - have[need.line_id], spread)
    return got + places


def _claim_any(owner: dict[str, int], wanted: Claim, spread: bool) -> list[ClaimedPlace]:
    kept = _claim_kept(owner["booking_id"], owner["line_id"], wanted)
    return kept + _any_of(wanted.stocks, owner, wanted.quantity - len(kept), spread)


def _claim_kept(booking_id: int, line_id: int, wanted: Claim) -> list[ClaimedPlace]:
    if not wanted.kept:
        return []
    rows = CLAIM_KEPT.all(kept=list(wanted.kept), booking_id=booking_id, line_id=line_id)
    return [ClaimedPlace(*row) for row in rows]


def _any_of(
    stocks: Iterable[SaleStock], owner: dict[str, int], quantity: int, spread: bool
) -> list[ClaimedPlace]:
    got: list[ClaimedPlace] = []
    for stock in stocks:
        if len(got) == quantity:
            break
        rows = CLAIM_ANY.all(
            stock_id=stock.id,
            start=random.randint(1, stock.capacity + 1) if spread else 1,  # noqa: S311
            quantity=quantity - len(got),
            **owner,
        )
        got += [ClaimedPlace(*row) for row in rows]
    return got


def _claim_chosen(show_id: int, owner: dict[str, int], wanted: Claim) -> list[ClaimedPlace]:
    rows = CLAIM_CHOSEN.all(
        show_id=show_id,
        seats=list(wanted.seats),
        stock_ids=wanted.stock_ids,
        kept=list(wanted.kept),
        **owner,
    )
    return [ClaimedPlace(*row) for row in rows]
