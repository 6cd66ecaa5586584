"""Moving a show's places to another hall as a plan says, all at once.

It runs in a transaction that has the show and its live bookings locked, so that nobody claims,
frees or confirms meanwhile. A place that somebody has stays the same row, which tickets and names
refer to; free ones are removed, and made anew from the new map.
"""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import select, text

from init import db
from models import SectionLimit, Show
from services.relocation_hall import Move, Plan
from services.relocation_plan import Seat

REMOVE_FREE = text(
    "DELETE FROM places WHERE show_id = :show_id AND key IS NOT NULL AND booking_id IS NULL"
)
# Two steps, because no two places of a show have one key, not even while they change seats.
LIFT = text("UPDATE places SET key = NULL, number = NULL WHERE id = ANY(:place_ids)")
PUT_DOWN = text(
    """
    UPDATE places p
       SET key = moved.key, "row" = m."row", number = m.number, ordinal = m.position,
           off_centre = m.off_centre, seat_kind = m.kind, changed_in = pg_current_xact_id()
      FROM unnest(CAST(:place_ids AS bigint[]), CAST(:seat_ids AS bigint[]),
                  CAST(:keys AS text[])) AS moved(place_id, seat_id, key)
      JOIN map_seats m ON m.id = moved.seat_id
     WHERE p.id = moved.place_id
    """
)
ADD_FREE = text(
    """
    INSERT INTO places (show_id, stock_id, ordinal, "row", number, key, off_centre, seat_kind)
    SELECT :show_id, free.stock_id, m.position, m."row", m.number, free.key, m.off_centre, m.kind
      FROM unnest(CAST(:seat_ids AS bigint[]), CAST(:stock_ids AS bigint[]),
                  CAST(:keys AS text[])) AS free(seat_id, stock_id, key)
      JOIN map_seats m ON m.id = free.seat_id
     ORDER BY free.stock_id, m.position
    """
)
TOUCH_BOOKINGS = text(
    """
    UPDATE bookings SET version = version + 1, updated_at = clock_timestamp()
     WHERE id = ANY(:booking_ids)
    """
)
TOUCH_TIERS = text(
    """
    UPDATE tiers SET version = version + 1, updated_at = clock_timestamp()
     WHERE show_id = :show_id AND deleted_at IS NULL
    """
)


def write(show: Show, decided: Plan) -> None:
    """Put everybody and everything where the plan says; nobody is left whom it does not place."""
    going = [
        (person.place_id, seat)
        for each in decided.placed
        for person, seat in zip(each.party.people, each.seats, strict=True)
    ]
    db.session.execute(REMOVE_FREE, {"show_id": show.id})
    place_ids = [place_id for place_id, _ in going]
    db.session.execute(LIFT, {"place_ids": place_ids})
    _put_down(going)
    _add_free(show, decided.free)
    _move_stocks(decided.moves)
    _move_limits(show, decided.limits)
    db.session.execute(TOUCH_TIERS, {"show_id": show.id})
    booking_ids = sorted({each.party.booking_id for each in decided.changed if each.seats})
    db.session.execute(TOUCH_BOOKINGS, {"booking_ids": booking_ids})


def _put_down(going: Sequence[tuple[int, Seat]]) -> None:
    facts = {
        "place_ids": [place_id for place_id, _ in going],
        "seat_ids": [seat.id for _, seat in going],
        "keys": [seat.key for _, seat in going],
    }
    db.session.execute(PUT_DOWN, facts)


def _add_free(show: Show, free: Sequence[tuple[Seat, int]]) -> None:
    facts = {
        "show_id": show.id,
        "seat_ids": [seat.id for seat, _ in free],
        "stock_ids": [stock_id for _, stock_id in free],
        "keys": [seat.key for seat, _ in free],
    }
    db.session.execute(ADD_FREE, facts)


def _move_stocks(moves: Iterable[Move]) -> None:
    for move in moves:
        move.stock.change(
            {
                "section_id": move.part.id,
                "section_name": move.part.name,
                "kind": move.part.kind,
                "capacity": move.capacity,
            }
        )
        move.stock.touch()
    db.session.flush()


def _move_limits(show: Show, limits: Mapping[int, tuple[int | None, int | None]]) -> None:
    for limit in db.session.scalars(select(SectionLimit).where(SectionLimit.show_id == show.id)):
        db.session.delete(limit)
    db.session.flush()
    for section_id, (places, per_buyer) in limits.items():
        if (places, per_buyer) != (None, None):
            facts = {"show_id": show.id, "section_id": section_id}
            limit = SectionLimit(max_places=places, max_per_buyer=per_buyer, **facts)
            db.session.add(limit)
    db.session.flush()
