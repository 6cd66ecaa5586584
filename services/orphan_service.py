"""No orphans: where a show asks for it, nobody chooses seats so that a single one is left alone.

A seat is stranded when it loses its last free neighbour, among the seats that the same tier may
sell. Two buyers in one row could strand one together, so whoever changes a row of such a show
first takes its advisory lock: with `keys_of` and the other advisory keys before the transaction
takes anything else, or, like a search for the best seats, only if nobody has it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from models import Booking
from models.sale import SaleSheet
from services import inventory_service, sale_service
from services.best_seats import Party, choose
from services.claim_service import Claim, Short
from services.seat_choice_service import WHOLE, Hall, Search, row_key
from services.seat_runs import Seat, runs_of, stranded, without
from utils.errors import Conflict
from utils.statement import Statement

MOST_CHOICES = 3
REACH = (-2, -1, 0, 1, 2)  # whose neighbours a seat may be, and theirs


class WouldStrandASeat(Conflict):
    """The choice would leave single seats alone: `seats` says which.

    `choices` are up to three others of as many seats that would not, the nearest first. Where
    there are none, nothing is refused.
    """

    code, title = "would-strand-a-seat", "The choice leaves a single seat alone"


CHOSEN = Statement(
    "chosen_seats",
    """
    SELECT p.key, p."row", p.ordinal, k.section_name
      FROM places p JOIN stocks k ON k.id = p.stock_id
     WHERE p.show_id = :show_id AND p.key = ANY(:seats)
    """,
)

# What is free around chosen seats, and what dead holds have there: that is free, too, once
# somebody has cleared it away.
AROUND = Statement(
    "around_seats",
    """
    SELECT p.id, p.stock_id, k.section, p."row", p.ordinal, coalesce(p.off_centre, 0),
           p.seat_kind, p.key, false AS is_dead
      FROM unnest(CAST(:stock_ids AS bigint[]), CAST(:sections AS int[])) AS k(id, section)
      JOIN places p ON p.stock_id = k.id AND p.booking_id IS NULL AND p.ordinal = ANY(:ordinals)
    UNION ALL
    SELECT p.id, p.stock_id, 0, p."row", p.ordinal, 0, p.seat_kind, p.key, true
      FROM bookings b JOIN places p ON p.booking_id = b.id
     WHERE b.show_id = :show_id AND b.status = 'held'
       AND b.held_until <= (SELECT clock_timestamp())
       AND p.stock_id = ANY(:stock_ids) AND p.ordinal = ANY(:ordinals)
     ORDER BY section, ordinal
    """,
)


# What a booking had a moment ago, before all that it has was given back.
HAVE_AGAIN = Statement(
    "have_again",
    """
    UPDATE places p SET booking_id = :booking_id, line_id = own.line_id,
                        changed_in = pg_current_xact_id()
      FROM unnest(CAST(:place_ids AS bigint[]), CAST(:line_ids AS bigint[]))
           AS own(place_id, line_id)
     WHERE p.id = own.place_id
    """,
)


def keys_of(show_id: int, seats: Iterable[str]) -> list[int]:
    """The advisory keys of the rows that chosen seats are in."""
    rows = CHOSEN.all(show_id=show_id, seats=sorted(set(seats)))
    return sorted({row_key(show_id, section, row) for _key, row, _ordinal, section in rows})


def require_none(
    show_id: int, claims: Sequence[Claim], *, of: Collection[str] | None = None
) -> None:
    """Raise WouldStrandASeat where seats chosen by key would, and other seats would not.

    Runs in the transaction that will claim them, with the locks of `keys_of`, and after what the
    booking had before is given back. Seats that are not among `of`, if told, may be left alone.
    Raises Short where dead holds are to be cleared away first.
    """
    chosen = {seat for wanted in claims for seat in wanted.seats}
    if not chosen:
        return
    ordinals = {row[0]: row[2] for row in CHOSEN.all(show_id=show_id, seats=sorted(chosen))}
    for wanted in claims:
        if not wanted.seats or not ordinals.keys() >= set(wanted.seats):
            continue
        hall = Hall(wanted.stocks)
        near = {ordinals[seat] + step for seat in wanted.seats for step in REACH}
        rows = AROUND.all(show_id=show_id, ordinals=sorted(near), **hall.by_stock())
        if any(row[-1] for row in rows):
            raise Short
        free = [Seat(*row[:-1]) for row in rows]
        taken = [seat for seat in free if seat.key in chosen]
        own = [seat for seat in taken if seat.key in wanted.seats]
        left_alone = [seat for seat in stranded(free, taken) if of is None or seat.key in of]
        if len(own) < len(wanted.seats) or not left_alone:
            continue  # what is taken is refused by its own name
        others = [seat for seat in taken if seat not in own]
        choices = _choices(show_id, hall, own, others)
        if choices:
            seats = [seat.key for seat in left_alone]
            raise WouldStrandASeat(
                f"It would leave {', '.join(seats)} alone.",
                seats=seats,
                choices=[[seat.key for seat in choice] for choice in choices],
                tier_id=wanted.tier_id,
            )


def require_none_of(
    left: Collection[str], sheet: SaleSheet, booking: Booking, seats: Mapping[int, Sequence[str]]
) -> None:
    """Free what a booking leaves, or raise WouldStrandASeat where that would be alone beside it.

    `seats` are those that it keeps and takes, by line; those of tiers that are not on sale may do
    what they like. Runs with the booking locked, and the locks of `keys_of` for what is left.
    """
    claims = []
    for line in booking.lines:
        tier = sheet.tiers.get(line.tier_id) if line.tier_id else None
        own = tuple(seats.get(line.id, ()))
        if tier is not None and own and sale_service.refusal(sheet, tier) is None:
            stocks = tuple(sheet.stocks_for(tier))
            claims.append(Claim(tier.id, tier.name, len(own), stocks, own))
    kept = [place for place in booking.places if place.key not in left]
    inventory_service.release([booking.id])
    require_none(booking.show_id, claims, of=left)
    HAVE_AGAIN.run(
        booking_id=booking.id,
        place_ids=[place.id for place in kept],
        line_ids=[place.line_id for place in kept],
    )


def leaving_none(booking: Booking, claims: Sequence[Claim]) -> list[Claim]:
    """The claims; those by quantity keep nothing that would leave a seat alone that is given back.

    Runs as `require_none` does, with the locks of `keys_of` for all that the booking had.
    """
    seats = {place.id: place.key for place in booking.places if place.key}
    left = set(seats.values()) - {seats.get(id_) for wanted in claims for id_ in wanted.kept}
    found = []
    for wanted in claims:
        kept = tuple(seats[id_] for id_ in wanted.kept if id_ in seats)
        if kept and not wanted.seats and len(wanted.kept) == wanted.quantity:
            try:
                chosen = replace(wanted, quantity=len(kept), seats=kept)
                require_none(booking.show_id, [chosen], of=left)
            except WouldStrandASeat:
                wanted = replace(wanted, kept=())
        found.append(wanted)
    return found


def _choices(
    show_id: int, hall: Hall, own: Sequence[Seat], others: Sequence[Seat]
) -> list[list[Seat]]:
    """Up to three choices of as many seats that strand nobody, the nearest first.

    A choice in several groups may be answered with one in no more groups than it has.
    """
    accessible = sum(seat.kind is not None for seat in own)
    party = Party(len(own), together=True, accessible=accessible)
    here = without(hall.section(own[0].section).read(WHOLE), others)
    if accessible:
        best = choose(here, party)
        return [best] if best and not stranded(here, best) else []
    found = _nearest(here, own)
    for section in range(1, len(hall.sections) + 1):
        if section == own[0].section:
            continue
        search = Search(show_id, hall.section(section))
        search.lose(others)
        while len(found) < MOST_CHOICES and (choice := search.best(party)) is not None:
            if stranded(search.seats, choice):
                break
            found.append(choice)
            search.lose(choice)
    groups = len(runs_of(own))
    if not found and groups > 1:
        everywhere = without(hall.read(WHOLE), others)
        parted = choose(everywhere, Party(len(own)))
        if parted and len(runs_of(parted)) <= groups and not stranded(everywhere, parted):
            found = [parted]
    return found


def _nearest(seats: Sequence[Seat], own: Sequence[Seat]) -> list[list[Seat]]:
    """The blocks of a section that strand nobody, those nearest to a choice in it."""
    size = len(own)
    ranks = {row: rank for rank, row in enumerate(dict.fromkeys(seat.row for seat in seats))}
    blocks = [
        run.seats[begin : begin + size]
        for run in runs_of(seats)
        for begin in range(len(run.seats) - size + 1)
        if begin != 1 and len(run.seats) - size - begin != 1  # a single seat before, or behind
    ]

    def distance(block: Sequence[Seat]) -> tuple[int, int, int]:
        rows = abs(ranks[block[0].row] - ranks[own[0].row])
        return rows, abs(block[0].off_centre - own[0].off_centre), block[0].ordinal

    return sorted(blocks, key=distance)[:MOST_CHOICES]
