"""Which rows of a show are worth reading for a party of some size.

In a hall that is half sold most rows hold no party of four any more, and reading them all to find
the first that does would cost a stadium each time. So this process remembers of each row what it
last held: a block that strands nobody, only one that strands a seat, or none. That is never
believed: `places.changed_in` tells which seats have changed since, whoever changed them, and their
rows are read anew. What a search finds is what it would find by reading every seat.
"""

import random
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby, takewhile
from typing import Any

from services.seat_runs import Seat, best_block, runs_of
from utils.statement import Statement

UNKNOWN, NONE, STRANDS, FITS = range(4)  # FITS and above: one block, two, and so on
FIRST_ROWS, WIDER = 1, 2
MOST_COUNTED, GUESSED = 6, 3  # blocks of one row
STALE = 64  # and how many blocks it had, of a row that has changed since
WORTH_READING = {
    UNKNOWN,
    *range(FITS, FITS + MOST_COUNTED),
    *range(STALE, STALE + MOST_COUNTED + 1),
}
MOST_CHANGES = 2_000
REMEMBERED = 200  # halls, each for each size of a party

ROWS = Statement(
    "rows_of_hall",
    """
    SELECT k.section, min(p.ordinal), max(p.ordinal)
      FROM unnest(CAST(:stock_ids AS bigint[]), CAST(:sections AS int[])) AS k(id, section)
      JOIN places p ON p.stock_id = k.id AND p.key IS NOT NULL
     GROUP BY k.section, p."row" ORDER BY k.section, min(p.ordinal)
    """,
)

# Whatever is not in this statement's snapshot is of a transaction from this one's xmin on: asking
# for those next time misses no commit.
CHANGED = Statement(
    "changed_seats",
    """
    SELECT seen.xmin, changed.stock_id, changed.ordinal
      FROM (SELECT CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS xmin) AS seen
      LEFT JOIN (
        SELECT stock_id, ordinal FROM places
         WHERE show_id = :show_id AND key IS NOT NULL AND changed_in >= CAST(:since AS xid8)
         LIMIT :at_most) AS changed ON true
    """,
)
NEVER = str(2**64 - 1)

FREE_IN_ROWS = Statement(
    "free_in_rows",
    """
    SELECT p.id, p.stock_id, r.section, p."row", p.ordinal, coalesce(p.off_centre, 0),
           p.seat_kind, p.key
      FROM unnest(CAST(:of_sections AS int[]), CAST(:firsts AS int[]), CAST(:lasts AS int[]))
           WITH ORDINALITY AS r(section, first, last, n)
      JOIN unnest(CAST(:stock_ids AS bigint[]), CAST(:sections AS int[])) AS k(id, section)
        ON k.section = r.section
     CROSS JOIN LATERAL (
        SELECT * FROM places
         WHERE stock_id = k.id AND booking_id IS NULL AND ordinal BETWEEN r.first AND r.last
         ORDER BY ordinal OFFSET 0) AS p
     ORDER BY r.n, p.ordinal
    """,
)


@dataclass(frozen=True)
class _Known:
    """Rows in the order in which they are sold, (section, first, last), and what each held."""

    rows: list[tuple[int, int, int]]
    xmin: str
    levels: bytes


_known: OrderedDict[object, _Known] = OrderedDict()


def forget() -> None:
    """Know nothing, as after a start."""
    _known.clear()


class FreeRows:
    """The free seats of a hall, row by row, without those that hold no party of a size.

    Unless it is to be remembered, what is read may be what only this transaction sees.
    """

    def __init__(
        self, show_id: int, stocks: dict[str, list[int]], size: int, *, remember: bool
    ) -> None:
        self._stocks, self._size, self._remember = stocks, size, remember
        self._key = (show_id, *stocks["stock_ids"], *stocks["sections"], size)
        self._known = self._brought_up_to_date(show_id)
        self._levels = bytearray(self._known.levels)

    def worth_reading(self, *, among: int = 1) -> Iterator[list[Seat]]:
        """Seats of the rows that may hold the party and strand nobody, ever more rows at a time.

        The best rows come first; of those that hold the first blocks, `among` so many, any.
        """
        wanted = [n for n, level in enumerate(self._levels) if level in WORTH_READING]
        if among > 1:
            blocks = accumulate(self._blocks(row) for row in wanted)
            rows_among = 1 + sum(1 for _ in takewhile(lambda have: have < among, blocks))
            first = wanted[:rows_among]
            random.shuffle(first)
            wanted[:rows_among] = first
        begin, rows = 0, FIRST_ROWS
        while begin < len(wanted):
            chunk = wanted[begin : begin + rows]
            yield self._seats_of(chunk)
            begin += rows
            rows = FIRST_ROWS if any(self._levels[row] >= FITS for row in chunk) else rows * WIDER

    def _blocks(self, row: int) -> int:
        level = self._levels[row]
        if level >= STALE:
            return level - STALE
        return GUESSED if level == UNKNOWN else level - FITS + 1

    def first_that_strands(self) -> list[Seat]:
        """Seats of the first row that holds the party though it strands a seat, if there is one."""
        while (row := self._levels.find(STRANDS)) >= 0:
            seats = self._seats_of([row])
            if self._levels[row] >= STRANDS:
                return seats
        return []

    def _seats_of(self, rows: Sequence[int]) -> list[Seat]:
        known = self._known.rows
        facts: dict[str, Any] = {
            "of_sections": [known[row][0] for row in rows],
            "firsts": [known[row][1] for row in rows],
            "lasts": [known[row][2] for row in rows],
        }
        seats = [Seat(*row) for row in FREE_IN_ROWS.all(**facts, **self._stocks)]
        for row in rows:
            self._levels[row] = NONE
        for (section, _row), of_row in groupby(seats, lambda seat: (seat.section, seat.row)):
            self._learn(section, list(of_row))
        if self._remember:
            _remember(self._key, replace(self._known, levels=bytes(self._levels)))
        return seats

    def _learn(self, section: int, seats: Sequence[Seat]) -> None:
        runs = runs_of(seats)
        block = best_block(runs, self._size)
        if block is not None:
            row = _row_at(self._known.rows, section, seats[0].ordinal)
            blocks = sum(len(run.seats) // self._size for run in runs)
            more = min(blocks, MOST_COUNTED) - 1
            self._levels[row] = STRANDS if block.cost[0] else FITS + more

    def _brought_up_to_date(self, show_id: int) -> _Known:
        """What is known, with the rows that have changed since as unknown again."""
        known = _known.get(self._key)
        since = known.xmin if known else NEVER
        changes = CHANGED.all(show_id=show_id, since=since, at_most=MOST_CHANGES)
        xmin = changes[0][0]
        if known is not None and len(changes) < MOST_CHANGES:
            levels = bytearray(known.levels)
            if self._mark(known, levels, changes):
                return replace(known, xmin=xmin, levels=bytes(levels))
        rows = [tuple(row) for row in ROWS.all(**self._stocks)]
        return _Known(rows, xmin, bytes(len(rows)))

    def _mark(self, known: _Known, levels: bytearray, changes: Iterable[Any]) -> bool:
        """Mark the rows of changed seats; whether all of them are known rows."""
        section_of = dict(zip(self._stocks["stock_ids"], self._stocks["sections"], strict=True))
        for _xmin, stock_id, ordinal in changes:
            section = section_of.get(stock_id)
            if section is not None:
                row = _row_at(known.rows, section, ordinal)
                if row < 0:
                    return False
                if FITS <= levels[row] < STALE:
                    levels[row] += STALE - FITS + 1
                elif NONE <= levels[row] <= STRANDS:
                    levels[row] = STALE + 1
        return True


def _row_at(rows: Sequence[tuple[int, int, int]], section: int, ordinal: int) -> int:
    """The number of the row that a seat is in, or -1."""
    row = bisect_right(rows, (section, ordinal, 2**31)) - 1
    inside = row >= 0 and rows[row][0] == section and ordinal <= rows[row][2]
    return row if inside else -1


def _remember(key: object, known: _Known) -> None:
    _known[key] = known
    if len(_known) > REMEMBERED:
        _known.popitem(last=False)
