"""The rows behind a stock's capacity, written and removed in single statements.

All of this runs in a transaction that has locked the show, so that no claim is under way. Rows
that somebody still holds, such as a cancellation that is freeing them, are passed over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import text

from init import db
from models import Section, Stock
from models.stock import seat_prefix

ADD_STANDING = text(
    """
    WITH top AS (
        SELECT greatest(:capacity, coalesce(max(ordinal), 0)) AS ordinal
          FROM places WHERE stock_id = :stock_id AND booking_id IS NULL)
    INSERT INTO places (show_id, stock_id, ordinal)
    SELECT :show_id, :stock_id, top.ordinal + n FROM top, generate_series(1, :more) AS n
    """
)

# The seats of a section with the stock of the show that each is in, all or those named.
NAMED_SEATS = """
      FROM (SELECT id, "row", number, position, off_centre, kind,
                   :prefix || "row" || '-' || number AS key
              FROM map_seats WHERE section_id = :section_id) m
      LEFT JOIN places p ON p.show_id = :show_id AND p.key = m.key
     WHERE (CAST(:rows AS text[]) IS NULL OR m."row" = ANY(:rows))
       AND (CAST(:seats AS text[]) IS NULL OR m.key = ANY(:seats))
"""
LOOK_AT_SEATS = text(
    f"""
    SELECT m."row", m.key, p.stock_id, p.booking_id IS NOT NULL
    {NAMED_SEATS} ORDER BY m.position
    """
)
COUNT_FREE_SEATS = text(f"SELECT count(*) {NAMED_SEATS} AND p.id IS NULL")

ADD_SEATS = text(
    f"""
    INSERT INTO places (show_id, stock_id, ordinal, "row", number, key, off_centre, seat_kind)
    SELECT :show_id, :stock_id, m.position, m."row", m.number, m.key, m.off_centre, m.kind
    {NAMED_SEATS} AND p.id IS NULL ORDER BY m.position LIMIT :more
    """
)

COPY_SEATS = text(
    """
    INSERT INTO places (show_id, stock_id, ordinal, "row", number, key, off_centre, seat_kind)
    SELECT :show_id, :stock_id, m.position, p."row", p.number, p.key, m.off_centre, m.kind
      FROM places p JOIN map_seats m ON m.section_id = :section_id
                                    AND m."row" = p."row" AND m.number = p.number
     WHERE p.show_id = :from_show_id AND p.key IS NOT NULL AND p.stock_id = :from_stock_id
     ORDER BY m.position LIMIT :at_most
    """
)

# Also the order in which who gives seats back locks them.
MOVE_SEATS = text(
    """
    WITH theirs AS MATERIALIZED (
        SELECT id, stock_id FROM places
         WHERE show_id = :show_id AND key = ANY(:seats) AND stock_id <> :stock_id
           AND booking_id IS NULL
         ORDER BY id FOR UPDATE SKIP LOCKED),
    moved AS (
        UPDATE places SET stock_id = :stock_id, changed_in = pg_current_xact_id()
         WHERE id = ANY(ARRAY(SELECT id FROM theirs)))
    SELECT stock_id, count(*) AS moved FROM theirs GROUP BY stock_id
    """
)

REMOVE_LAST = text(
    """
    DELETE FROM places WHERE id = ANY(ARRAY(
        SELECT id FROM places WHERE stock_id = :stock_id AND booking_id IS NULL
         ORDER BY ordinal DESC LIMIT :fewer FOR UPDATE SKIP LOCKED))
    """
)

REMOVE_SEATS = text(
    """
    DELETE FROM places WHERE id = ANY(ARRAY(
        SELECT id FROM places
         WHERE show_id = :show_id AND key = ANY(:seats) AND stock_id = :stock_id
           AND booking_id IS NULL
         ORDER BY id FOR UPDATE SKIP LOCKED))
    RETURNING key
    """
)


class SeatOfMap(NamedTuple):
    """A seat that a show's map has, the stock that it is in, and whether somebody has it."""

    row: str
    key: str
    stock_id: int | None
    is_claimed: bool


@dataclass(frozen=True)
class SeatsWanted:
    """Seats of a section: by key, by row, or any, and then at most `at_most` of them in order.

    `verb` is what the request's fields begin with that name them: `take_` of take_rows.
    """

    section: Section
    seats: Sequence[str] | None = None
    rows: Sequence[str] | None = None
    at_most: int | None = None
    verb: str = ""

    def at(self, show_id: int) -> dict[str, Any]:
        return {
            "show_id": show_id,
            "section_id": self.section.id,
            "prefix": seat_prefix(self.section.name),
            "seats": list(self.seats) if self.seats is not None else None,
            "rows": list(self.rows) if self.rows is not None else None,
        }


def look_at(show_id: int, wanted: SeatsWanted) -> list[SeatOfMap]:
    """The wanted seats that the map has, in its order."""
    return [SeatOfMap(*row) for row in db.session.execute(LOOK_AT_SEATS, wanted.at(show_id))]


def count_free(show_id: int, wanted: SeatsWanted) -> int:
    """How many of the wanted seats are in no stock yet."""
    return db.session.scalar(COUNT_FREE_SEATS, wanted.at(show_id)) or 0


def add_standing(stock: Stock, more: int) -> int:
    """Write `more` unnumbered places behind the last; how many were written."""
    facts = {"show_id": stock.show_id, "stock_id": stock.id, "capacity": stock.capacity}
    return _count(ADD_STANDING, more=more, **facts)


def add_seats(stock: Stock, wanted: SeatsWanted) -> int:
    """Write the wanted seats that are in no stock yet; how many were written."""
    facts = wanted.at(stock.show_id)
    return _count(ADD_SEATS, stock_id=stock.id, more=wanted.at_most, **facts)


def copy_seats(source: Stock, target: Stock, *, at_most: int) -> int:
    """Write the seats of `source` that the map of `target`'s section has too; how many."""
    return _count(
        COPY_SEATS,
        show_id=target.show_id,
        stock_id=target.id,
        section_id=target.section_id,
        from_show_id=source.show_id,
        from_stock_id=source.id,
        at_most=at_most,
    )


def move_seats(target: Stock, seats: Sequence[str]) -> dict[int, int]:
    """Move those of the seats that are free from other stocks; how many, by the stock they left."""
    facts = {"show_id": target.show_id, "stock_id": target.id, "seats": list(seats)}
    moved = db.session.execute(MOVE_SEATS, facts)
    return {row.stock_id: row.moved for row in moved}


def remove_last(stock: Stock, fewer: int) -> int:
    """Remove free places from the highest ordinal down; how many could be removed."""
    return _count(REMOVE_LAST, stock_id=stock.id, fewer=fewer)


def remove_seats(stock: Stock, seats: Sequence[str]) -> set[str]:
    """Remove those of the seats that are free; the ones removed."""
    facts = {"show_id": stock.show_id, "stock_id": stock.id, "seats": list(seats)}
    return set(db.session.scalars(REMOVE_SEATS, facts))


def _count(statement: Any, **facts: Any) -> int:
    result: Any = db.session.execute(statement, facts)
    return int(result.rowcount)
