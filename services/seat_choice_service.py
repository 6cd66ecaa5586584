"""The best free seats for a party, found in the database and claimed there.

A search reads free seats in the order in which they are sold, row by row, until what it has read
holds the best choice (`best_seats`); rows that are known to hold no such party it passes over
(`free_rows`), and for accessible seats all rows that have none. Reading locks nothing, so many
buyers find the same seats; only the claim decides. Whoever loses takes the next best of what was
read already, at once, and where that has happened lately buyers are sent apart from the start:
each goes to the first row that nobody else is choosing in. Left to itself a search gives exactly
the best.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from models.sale import SaleStock
from models.seat_map import SeatKind
from services.best_seats import Party, can_take, choose
from services.free_rows import FreeRows
from services.seat_runs import Seat, best_block, runs_of, stranded
from utils.statement import Statement
from utils.transaction import lock_key
from utils.ttl_cache import Lately

CONTENTION_REMEMBERED = 2.0  # seconds
WHOLE = 1_000_000  # more seats than a show has

lately_contended: Lately[int] = Lately(CONTENTION_REMEMBERED, largest=1_000)

# Section after section, in each by ordinal. Each stock of a section is read in the order of its
# index, and no further than needed.
WINDOW = """
      FROM unnest(CAST(:firsts AS int[]), CAST(:lasts AS int[]))
           WITH ORDINALITY AS section(first, last, n)
     CROSS JOIN LATERAL (
        SELECT seat.*
          FROM unnest((CAST(:stock_ids AS bigint[]))[section.first:section.last]) AS k(id)
         CROSS JOIN LATERAL (
            SELECT id, stock_id, "row", ordinal, off_centre, seat_kind, key FROM places
             WHERE stock_id = k.id AND booking_id IS NULL
             ORDER BY ordinal LIMIT :at_most) AS seat
         ORDER BY seat.ordinal LIMIT :at_most) AS p
"""
SEAT = 'p.id, p.stock_id, CAST(section.n AS int), p."row", p.ordinal, coalesce(p.off_centre, 0)'
FREE_SEATS = Statement(
    "free_seats",
    f"""
    SELECT {SEAT}, p.seat_kind, p.key {WINDOW} ORDER BY section.n, p.ordinal LIMIT :at_most
    """,
)

# The free seats of rows in which an accessible one is free: what is free is read once.
ACCESSIBLE_ROWS = Statement(
    "accessible_rows",
    f"""
    WITH free AS MATERIALIZED (
        SELECT {SEAT}, p.seat_kind, p.key {WINDOW})
    SELECT * FROM free AS seat(id, stock_id, section, "row", ordinal, off_centre, kind, key)
     WHERE (section, "row") IN (
           SELECT section, "row"
             FROM free AS seat(id, stock_id, section, "row", ordinal, off_centre, kind, key)
            WHERE kind = 'accessible')
     ORDER BY section, ordinal
    """,  # noqa: S608 (every part is a constant)
)

# All that is free, what a booking has itself, and whether holds are dead, at one instant.
LOOK_CLOSELY = Statement(
    "look_closely",
    f"""
    SELECT dead.are_there, seat.*
      FROM (SELECT EXISTS (SELECT FROM bookings WHERE show_id = :show_id AND status = 'held'
                              AND held_until <= (SELECT clock_timestamp()))) AS dead(are_there)
      LEFT JOIN (
        SELECT {SEAT}, p.seat_kind, p.key {WINDOW}
        UNION ALL
        SELECT {SEAT}, p.seat_kind, p.key
          FROM unnest(CAST(:firsts AS int[]), CAST(:lasts AS int[]))
               WITH ORDINALITY AS section(first, last, n)
          JOIN places p ON p.booking_id = :booking_id
           AND p.stock_id = ANY((CAST(:stock_ids AS bigint[]))[section.first:section.last])
           ) AS seat(id, stock_id, section, "row", ordinal, off_centre, kind, key) ON true
     ORDER BY seat.section, seat.ordinal
    """,  # noqa: S608 (every part is a constant)
)

# All of them, or none: then the answer is which of them could be locked.
CLAIM_SEATS = Statement(
    "claim_seats",
    """
    WITH locked AS MATERIALIZED (
        SELECT id FROM places WHERE id = ANY(:ids) AND booking_id IS NULL
         ORDER BY id FOR UPDATE SKIP LOCKED),
    claimed AS (
        UPDATE places SET booking_id = :booking_id, changed_in = pg_current_xact_id(),
                          line_id = (CAST(:line_ids AS bigint[]))[
                              array_position(CAST(:ids AS bigint[]), id)]
         WHERE id = ANY(ARRAY(SELECT id FROM locked))
           AND (SELECT count(*) FROM locked) = cardinality(CAST(:ids AS bigint[]))
        RETURNING id, line_id, stock_id, "row", number, key, seat_kind)
    SELECT * FROM claimed
    UNION ALL
    SELECT id, NULL, NULL, NULL, NULL, NULL, NULL FROM locked WHERE NOT EXISTS (SELECT FROM claimed)
    """,
)


TRY_ROWS = Statement(
    "try_rows",
    """
    SELECT coalesce(bool_and(pg_try_advisory_xact_lock(key)), true)
      FROM unnest(CAST(:keys AS bigint[])) AS key
    """,
)
STILL_FREE = Statement(
    "still_free", "SELECT id FROM places WHERE id = ANY(:ids) AND booking_id IS NULL"
)


@dataclass(frozen=True)
class Need:
    """How many seats a line of a party wants, and how many of them are to be accessible."""

    line_id: int
    quantity: int
    accessible: int


class Hall:
    """The stocks with seats that a party may sit in, section by section in their order."""

    def __init__(self, stocks: Iterable[SaleStock]) -> None:
        sections: dict[str, list[int]] = {}
        for stock in stocks:
            if stock.kind.has_seats:
                sections.setdefault(stock.section, []).append(stock.id)
        self.sections = list(sections)
        self.stock_ids = list(sections.values())

    def read(self, at_most: int) -> list[Seat]:
        """The first free seats, at most so many."""
        return [Seat(*row) for row in FREE_SEATS.all(at_most=at_most, **self._facts())]

    def read_accessible(self) -> list[Seat]:
        """The free seats of all rows in which an accessible one is free."""
        return [Seat(*row) for row in ACCESSIBLE_ROWS.all(at_most=WHOLE, **self._facts())]

    def look_closely(self, show_id: int, booking_id: int) -> tuple[bool, list[Seat]]:
        """Whether the show has dead holds, and all free seats with those of a booking."""
        facts = self._facts() | {"show_id": show_id, "booking_id": booking_id}
        rows = LOOK_CLOSELY.all(at_most=WHOLE, **facts)
        return rows[0][0], [Seat(*row[1:]) for row in rows if row[1] is not None]

    def section(self, number: int) -> "Hall":
        """One section alone; its seats keep its number."""
        return _OneSection(self, number)

    def by_stock(self) -> dict[str, list[int]]:
        """Every stock with the number of its section, as parameters."""
        pairs = [(id_, n) for n, ids in enumerate(self.stock_ids, start=1) for id_ in ids]
        return {"stock_ids": [id_ for id_, _ in pairs], "sections": [n for _, n in pairs]}

    def _facts(self) -> dict[str, Any]:
        firsts: list[int] = []
        lasts: list[int] = []
        stock_ids: list[int] = []
        for ids in self.stock_ids:
            firsts.append(len(stock_ids) + 1)
            stock_ids += ids
            lasts.append(len(stock_ids))
        return {"firsts": firsts, "lasts": lasts, "stock_ids": stock_ids}


class _OneSection(Hall):
    def __init__(self, hall: Hall, number: int) -> None:
        self.sections = hall.sections[number - 1 : number]
        self.stock_ids = hall.stock_ids[number - 1 : number]
        self._number = number

    def read(self, at_most: int) -> list[Seat]:
        """The first free seats of the section, at most so many."""
        return [seat._replace(section=self._number) for seat in super().read(at_most)]

    def read_accessible(self) -> list[Seat]:
        """The free seats of its rows in which an accessible one is free."""
        return [seat._replace(section=self._number) for seat in super().read_accessible()]

    def by_stock(self) -> dict[str, list[int]]:
        """Every stock of the section with its number, as parameters."""
        stocks = super().by_stock()
        return stocks | {"sections": [self._number] * len(stocks["stock_ids"])}


class Search:
    """One party's search for seats in a hall, which can go on after seats were lost.

    `remember` what rows are like only if nothing of the transaction's own is seen in them.
    """

    def __init__(
        self, show_id: int, hall: Hall, *, spread: bool = False, remember: bool = False
    ) -> None:
        self.show_id, self.hall = show_id, hall
        self.seats: list[Seat] = []
        self._spread, self._remember = spread, remember
        self._lost: set[int] = set()
        self._more: Iterator[list[Seat]] | None = None
        self._free_rows: FreeRows | None = None
        self._is_all = False

    def best(self, party: Party) -> list[Seat] | None:
        """The best seats that are left, or any of the best few; None if nothing holds the party."""
        if self._more is None:
            self._more = self._accessible() if party.accessible else self._rows(party.quantity)
        while not self._is_all and self.hall.sections:
            choice = self._chosen(party)
            if choice is not None:
                return choice
            more = next(self._more, None)
            if more is None:
                choice = self._one_that_strands(party)
                if choice is not None or self._cannot_be(party):
                    return choice
                self.read_all()
            else:
                # Whole rows that hold no such party need not be looked at again.
                self.seats = [seat for seat in more if seat.id not in self._lost]
        return choose(self.seats, party)

    def lose(self, seats: Iterable[Seat]) -> None:
        """Look no more at seats that somebody else has."""
        self._lost |= {seat.id for seat in seats}
        self.seats = [seat for seat in self.seats if seat.id not in self._lost]

    def read_all(self) -> list[Seat]:
        """All seats that are left."""
        if not self._is_all:
            seats = self.hall.read(WHOLE) if self.hall.sections else []
            self.seats = [seat for seat in seats if seat.id not in self._lost]
            self._is_all = True
        return self.seats

    def _chosen(self, party: Party) -> list[Seat] | None:
        """What no seat that is read later can better."""
        return choose(self.seats, party, is_all=False, has_whole_rows=True)

    def _one_that_strands(self, party: Party) -> list[Seat] | None:
        """The best block, once it is known that each would leave a single seat alone."""
        if party.accessible:
            return choose(self.seats, replace(party, together=True))
        if self._free_rows is None or self._lost or self._free_rows.were_left:
            return None
        block = best_block(runs_of(self._free_rows.first_that_strands()), party.quantity)
        return block.seats if block else None

    def _rows(self, size: int) -> Iterator[list[Seat]]:
        stocks = self.hall.by_stock()
        self._free_rows = FreeRows(self.show_id, stocks, size, remember=self._remember)
        if not self._spread:
            yield from self._free_rows.worth_reading()
            return
        for row in self._free_rows.alone():
            if self._free_rows.were_left:
                lately_contended.add(self.show_id)
            yield row

    def _accessible(self) -> Iterator[list[Seat]]:
        yield self.hall.read_accessible()

    def _cannot_be(self, party: Party) -> bool:
        """Whether the other rows need not be read, now that none holds the party in one block."""
        if party.accessible:
            return party.together or can_take(self.seats, party) < party.accessible
        were_left = self._free_rows is not None and self._free_rows.were_left
        return party.together and not self._lost and not were_left


def take(
    show_id: int,
    booking_id: int,
    search: Search,
    party: Party,
    needs: Sequence[Need],
    *,
    strict: bool = False,
) -> list[Any]:
    """Claim the best seats for a party: rows of places by line; none if it cannot be seated.

    Where single seats are to be avoided, `strict`ly, nobody else is at work in its rows; and what
    would be worse than one block that strands nobody is not taken while others are in better rows.
    """
    rows = _Rows(show_id, search) if strict else None
    while (choice := search.best(party)) is not None:
        if rows is not None:
            if rows.were_left and not _is_clean(search.seats, choice):
                return []
            if not rows.has(choice):
                continue
        line_of = _shared_out(choice, needs)
        claimed = CLAIM_SEATS.all(
            booking_id=booking_id, ids=list(line_of), line_ids=list(line_of.values())
        )
        if len(claimed) == len(choice) and claimed[0][1] is not None:
            return claimed
        locked = {row[0] for row in claimed}
        search.lose(seat for seat in choice if seat.id not in locked)
        lately_contended.add(show_id)
    return []


def row_key(show_id: int, section: str, row: str) -> int:
    """What choices in the same row of a show wait for each other on, where it avoids orphans."""
    return lock_key("row", show_id, section, row)


class _Rows:
    """The rows that a search has to itself until its transaction ends.

    It waits for none, since it comes after other locks: a row that somebody else is at work in is
    left to them.
    """

    def __init__(self, show_id: int, search: Search) -> None:
        self._show_id, self._search = show_id, search
        self._have: set[tuple[int, str]] = set()
        self.were_left = False

    def has(self, choice: Sequence[Seat]) -> bool:
        """Whether a choice is all in such rows, and as good there as it was when it was found."""
        missing = {(seat.section, seat.row) for seat in choice} - self._have
        if not missing:
            return True
        names = self._search.hall.sections
        keys = [row_key(self._show_id, names[section - 1], row) for section, row in missing]
        in_rows = [seat for seat in self._search.seats if (seat.section, seat.row) in missing]
        if not TRY_ROWS.scalar(keys=sorted(keys)):
            lately_contended.add(self._show_id)
            self.were_left = True
            self._search.lose(in_rows)
            return False
        self._have |= missing
        alone = len(stranded(in_rows, choice))
        free = {row[0] for row in STILL_FREE.all(ids=[seat.id for seat in in_rows])}
        self._search.lose(seat for seat in in_rows if seat.id not in free)
        left = [seat for seat in in_rows if seat.id in free]
        return all(seat.id in free for seat in choice) and len(stranded(left, choice)) <= alone


def _is_clean(seats: Sequence[Seat], choice: Sequence[Seat]) -> bool:
    """Whether a choice is one block that strands nobody."""
    return len(runs_of(choice, any_kind=True)) == 1 and not stranded(seats, choice)


def _shared_out(choice: Collection[Seat], needs: Iterable[Need]) -> dict[int, int]:
    """The line of each seat: line after line, each with its accessible seats first."""
    accessible = [seat.id for seat in choice if seat.kind == SeatKind.ACCESSIBLE]
    others = [seat.id for seat in choice if seat.kind != SeatKind.ACCESSIBLE]
    line_of: dict[int, int] = {}
    for need in needs:
        own = accessible[: need.accessible]
        del accessible[: need.accessible]
        rest = need.quantity - len(own)
        own += others[:rest]
        del others[:rest]
        line_of.update(dict.fromkeys(own, need.line_id))
    return line_of
