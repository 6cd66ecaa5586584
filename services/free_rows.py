"""Which rows of a show are worth reading for a party of some size.

In a hall that is half sold most rows hold no party of four any more, and reading them all to find
the first that does would cost a stadium each time. So this process remembers of each row what it
last held: a block that strands nobody, only one that strands a seat, or none. That is never
believed: `places.changed_in` tells which seats have changed since, whoever changed them. A row is
read anew when a seat of it was freed, or was taken while it held nothing but blocks that strand:
such a run may be shorter by just that seat now. Once the show has another version all are read
anew. What a search finds is what it would find by reading every seat.
"""

import re
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from threading import Lock
from typing import Any, NamedTuple

from services.seat_runs import Seat, best_block, runs_of
from utils.statement import Statement
from utils.transaction import lock_key

UNKNOWN, NONE, STRANDS, FITS = range(4)
WORTH_READING = re.compile(b"[\x00\x03]")  # UNKNOWN, or FITS
FIRST_ROWS, WIDER = 1, 3
TRIED_AT_ONCE = 32  # rows, of which somebody else may be at work in some
MOST_CHANGES = 2_000
REMEMBERED = 200  # halls, each for each size of a party

# The rows of a hall by its map: reading all places for them would cost the whole table. Seats that
# are of no map count by those that are free; a row that is met later has all of it learned anew.
ROWS = Statement(
    "rows_of_hall",
    """
    WITH k AS (
        SELECT k.id, k.section, s.section_id
          FROM unnest(CAST(:stock_ids AS bigint[]), CAST(:sections AS int[])) AS k(id, section)
          JOIN stocks s ON s.id = k.id)
    SELECT part.section, min(m.position) AS first, max(m.position) AS last
      FROM (SELECT DISTINCT section, section_id FROM k) AS part
      JOIN map_seats m ON m.section_id = part.section_id
     GROUP BY part.section, m."row"
    UNION ALL
    SELECT k.section, min(p.ordinal), max(p.ordinal)
      FROM k JOIN places p ON p.stock_id = k.id AND p.booking_id IS NULL
     WHERE k.section_id IS NULL
     GROUP BY k.section, p."row"
     ORDER BY 1, 2
    """,
)

# Whatever is not in this statement's snapshot is of a transaction from this one's xmin on: asking
# for those next time misses no commit. Seats that leave a stock, or lie elsewhere on another map,
# tell nobody; but then the show has another version.
CHANGED = Statement(
    "changed_seats",
    """
    SELECT seen.xmin, seen.version, changed.stock_id, changed.ordinal, changed.is_free,
           changed.changed_in
      FROM (SELECT CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS xmin,
                   (SELECT version FROM shows WHERE id = :show_id) AS version) AS seen
      LEFT JOIN (
        SELECT stock_id, ordinal, booking_id IS NULL AS is_free,
               CAST(changed_in AS text) AS changed_in FROM places
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

# The free seats of the first rows that nobody else is choosing in; those stay ours until we commit.
# They are as they were before they were ours: the claim looks again.
ROWS_ALONE = Statement(
    "rows_alone",
    """
    WITH r AS MATERIALIZED (
        SELECT * FROM unnest(CAST(:keys AS bigint[]), CAST(:of_sections AS int[]),
                             CAST(:firsts AS int[]), CAST(:lasts AS int[]))
                      WITH ORDINALITY AS tried(key, section, first, last, n)
         WHERE pg_try_advisory_xact_lock(tried.key) LIMIT :rows)
    SELECT CAST(r.n AS int), p.*
      FROM r
      LEFT JOIN LATERAL (
        SELECT seat.id, seat.stock_id, k.section, seat."row", seat.ordinal,
               coalesce(seat.off_centre, 0), seat.seat_kind, seat.key
          FROM unnest(CAST(:stock_ids AS bigint[]), CAST(:sections AS int[])) AS k(id, section)
         CROSS JOIN LATERAL (
            SELECT * FROM places
             WHERE stock_id = k.id AND booking_id IS NULL AND ordinal BETWEEN r.first AND r.last
             ORDER BY ordinal OFFSET 0) AS seat
         WHERE k.section = r.section) AS p ON true
     ORDER BY r.n, p.ordinal
    """,
)


class Row(NamedTuple):
    """A row of seats: its section, its first and last ordinal, and what its choosers lock."""

    section: int
    first: int
    last: int
    key: int


class _Known:
    """What all threads know of a hall: the most that each row can hold, in the order of sale.

    What a search reads of a row holds good up to the oldest transaction that was under way when it
    began (`as_of`); a change that is no older than that may not have been in it.
    """

    def __init__(self, rows: list[Row], version: int) -> None:
        self.rows, self.version = rows, version
        self.levels = bytearray(len(rows))
        self.seen_before = 0  # every change that is older is in here
        self._learned = [0] * len(rows)
        self._freed = [0] * len(rows)  # by which transaction a seat of it last was
        self._taken = [0] * len(rows)
        self._lock = Lock()

    def learn(self, row: int, level: int, as_of: int) -> None:
        """Remember what a row was read to hold, unless it has changed meanwhile."""
        with self._lock:
            changed = self._freed[row]
            if level == STRANDS:  # seats that were taken meanwhile may have made it fit
                changed = max(changed, self._taken[row])
            if changed < as_of and self._learned[row] <= as_of:
                self.levels[row], self._learned[row] = level, as_of

    def change(self, changes: Iterable[tuple[int, int, bool]], as_of: int) -> None:
        """Forget what (row, transaction, is free now) made uncertain; `as_of` begins what is next.

        A row whose seats were taken holds no more than before, unless it held but what strands.
        """
        with self._lock:
            for row, changed_in, is_free in changes:
                seen = self._freed if is_free else self._taken
                seen[row] = max(seen[row], changed_in)
                may_hold_more = is_free or self.levels[row] == STRANDS
                if may_hold_more and self._learned[row] <= changed_in:
                    self.levels[row] = UNKNOWN
            self.seen_before = max(self.seen_before, as_of)


_known: OrderedDict[object, _Known] = OrderedDict()
_loading = Lock()


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
        self._known, self._as_of = self._brought_up_to_date(show_id)
        self._levels = bytearray(self._known.levels)
        self.were_left = False  # whether somebody else was at work in a row

    def worth_reading(self) -> Iterator[list[Seat]]:
        """Seats of the rows that may hold the party and strand nobody, ever more rows at a time.

        The best rows come first.
        """
        wanted, rows = self._wanted(), FIRST_ROWS
        while chunk := list(islice(wanted, rows)):
            yield self._seats_of(chunk)
            rows = FIRST_ROWS if any(self._levels[row] == FITS for row in chunk) else rows * WIDER

    def alone(self) -> Iterator[list[Seat]]:
        """The same, but for the rows that somebody else is choosing in.

        Nobody waits: buyers who come together go to as many rows.
        """
        wanted, rows = self._wanted(), FIRST_ROWS
        chunk: list[int] = []
        while chunk := chunk or list(islice(wanted, TRIED_AT_ONCE)):
            found = ROWS_ALONE.all(
                keys=[self._known.rows[row].key for row in chunk],
                rows=rows,
                **self._facts(chunk),
                **self._stocks,
            )
            ours = list(dict.fromkeys(row[0] for row in found))  # counted from 1
            tried = ours[-1] if len(ours) == rows else len(chunk)
            self.were_left |= tried > len(ours)
            if ours:
                seats = [Seat(*row[1:]) for row in found if row[1] is not None]
                self._learn([chunk[n - 1] for n in ours], seats)
                yield seats
                rows *= WIDER
            chunk = chunk[tried:]

    def first_that_strands(self) -> list[Seat]:
        """Seats of the first row that holds the party though it strands a seat, if there is one."""
        while (row := self._levels.find(STRANDS)) >= 0:
            seats = self._seats_of([row])
            if self._levels[row] >= STRANDS:
                return seats
        return []

    def _wanted(self) -> Iterator[int]:
        return (match.start() for match in WORTH_READING.finditer(bytes(self._levels)))

    def _facts(self, rows: Sequence[int]) -> dict[str, Any]:
        known = [self._known.rows[row] for row in rows]
        return {
            "of_sections": [row.section for row in known],
            "firsts": [row.first for row in known],
            "lasts": [row.last for row in known],
        }

    def _seats_of(self, rows: Sequence[int]) -> list[Seat]:
        found = FREE_IN_ROWS.all(**self._facts(rows), **self._stocks)
        seats = [Seat(*row) for row in found]
        self._learn(rows, seats)
        return seats

    def _learn(self, rows: Sequence[int], seats: Sequence[Seat]) -> None:
        """What rows hold, of which `seats` are all that is free."""
        for row in rows:
            self._levels[row] = NONE
        for (section, _row), of_row in groupby(seats, lambda seat: (seat.section, seat.row)):
            free = list(of_row)
            block = best_block(runs_of(free), self._size)
            if block is not None:
                row = _row_at(self._known.rows, section, free[0].ordinal)
                self._levels[row] = STRANDS if block.cost[0] else FITS
        if self._remember:
            for row in rows:
                self._known.learn(row, self._levels[row], self._as_of)

    def _brought_up_to_date(self, show_id: int) -> tuple[_Known, int]:
        """What is known, and from which transaction on a change may not be in what is read next."""
        known = _known.get(self._key)
        since = str(known.seen_before) if known else NEVER
        changes = CHANGED.all(show_id=show_id, since=since, at_most=MOST_CHANGES)
        as_of, version = int(changes[0][0]), changes[0][1]
        if known is not None and known.version == version and len(changes) < MOST_CHANGES:
            in_rows = self._in_rows(known, changes)
            if in_rows is not None:
                known.change(in_rows, as_of)
                _known.pop(self._key, None)
                _known[self._key] = known  # now the last to be forgotten
                return known, as_of
        with _loading:  # a morning's first buyers come together, and one of them reads the hall
            if _known.get(self._key) is known:
                _known[self._key] = fresh = _Known(self._rows(show_id), version)
                fresh.seen_before = as_of
                if len(_known) > REMEMBERED:
                    _known.popitem(last=False)
                return fresh, as_of
        return self._brought_up_to_date(show_id)

    def _rows(self, show_id: int) -> list[Row]:
        stock_of = dict(zip(self._stocks["sections"], self._stocks["stock_ids"], strict=True))
        return [
            Row(section, first, last, lock_key("choosing", show_id, stock_of[section], first))
            for section, first, last in ROWS.all(**self._stocks)
        ]

    def _in_rows(self, known: _Known, changes: Iterable[Any]) -> list[tuple[int, int, bool]] | None:
        """Changes by the row that they are in; None where one is in no known row."""
        section_of = dict(zip(self._stocks["stock_ids"], self._stocks["sections"], strict=True))
        found: list[tuple[int, int, bool]] = []
        for _xmin, _version, stock_id, ordinal, is_free, changed_in in changes:
            section = section_of.get(stock_id)
            if section is not None:
                row = _row_at(known.rows, section, ordinal)
                if row < 0:
                    return None
                found.append((row, int(changed_in), is_free))
        return found


def _row_at(rows: Sequence[Row], section: int, ordinal: int) -> int:
    """The number of the row that a seat is in, or -1."""
    row = bisect_right(rows, (section, ordinal, 2**31)) - 1
    inside = row >= 0 and rows[row].section == section and ordinal <= rows[row].last
    return row if inside else -1
