"""Which seats a stock has: some that none had, some of another one's, and some no more.

All of this runs in a transaction that has locked the show.
"""

from collections.abc import Sequence

from sqlalchemy import select

from init import db
from models import Section, Show, Stock
from models.venue import CapacityInUse
from services import audit_service, stock_places, stock_room
from services.stock_places import SeatOfMap, SeatsWanted
from services.stock_room import CapacityExceeded
from utils.errors import Conflict, Invalid, constraint
from utils.transaction import lock_all


class SeatInStock(Conflict):
    """The show has these seats in a stock already, from which they can be taken; see `seats`."""

    code, title = "seat-in-stock", "These seats are in a stock already"


constraint("uq_places_show_id_key", SeatInStock("Some of the seats are in another stock."))


def add(show: Show, stock: Stock, wanted: SeatsWanted) -> None:
    """Give a stock seats that no stock has. Raises SeatInStock, and CapacityExceeded."""
    if wanted.seats is not None or wanted.rows is not None:
        found = _named(show, wanted)
        if taken := [seat.key for seat in found if seat.stock_id is not None]:
            raise SeatInStock(f"In a stock already: {_some(taken)}.", seats=taken)
        more = len(found)
    else:
        free = stock_places.count_free(show.id, wanted)
        more = free if wanted.at_most is None else wanted.at_most
        if more > free or not free:
            raise CapacityExceeded(
                f"{free} seats of {wanted.section.name} are in no stock yet.",
                limit=wanted.section.capacity,
                left=free,
                scope="section",
            )
    stock_room.require_room(show, wanted.section, more)
    stock.capacity += stock_places.add_seats(stock, wanted)


def take(show: Show, stock: Stock, wanted: SeatsWanted) -> list[int]:
    """Give a stock the named seats, whichever stock has them now; the ids of those that had some.

    Raises CapacityInUse for seats that somebody has, and then none has moved.
    """
    found = _named(show, wanted)
    elsewhere = [seat for seat in found if seat.stock_id not in (None, stock.id)]
    if claimed := [seat.key for seat in elsewhere if seat.is_claimed]:
        _refuse_in_use(claimed)
    moved: dict[int, int] = {}
    if elsewhere:
        keys = [seat.key for seat in elsewhere]
        givers = select(Stock).where(Stock.id.in_({seat.stock_id for seat in elsewhere}))
        before = {giver: giver.capacity for giver in lock_all(givers)}
        moved = stock_places.move_seats(stock, keys)
        if sum(moved.values()) < len(keys):
            _refuse_in_use(keys)  # one of them is locked by whoever is giving it back
        for giver, capacity in before.items():
            giver.capacity = capacity - moved[giver.id]
            audit_service.record(
                "stock.edit",
                giver,
                before={"capacity": capacity},
                after={"capacity": giver.capacity},
            )
        stock.capacity += len(keys)
        db.session.flush()
    if more := sum(seat.stock_id is None for seat in found):
        stock_room.require_room(show, wanted.section, more)
        stock.capacity += stock_places.add_seats(stock, wanted)
    return list(moved)


def remove(stock: Stock, seats: Sequence[str]) -> None:
    """Take seats away from a stock, while they are free. Raises CapacityInUse."""
    require_its_own(stock, SeatsWanted(section_of(stock, "remove_seats"), seats), "remove_seats")
    removed = stock_places.remove_seats(stock, seats)
    if in_use := [seat for seat in seats if seat not in removed]:
        _refuse_in_use(in_use)
    stock.capacity -= len(removed)


def require_its_own(stock: Stock, wanted: SeatsWanted, field: str | None = None) -> None:
    """Raise Invalid for named seats or rows that a stock does not have."""
    found = stock_places.look_at(stock.show_id, wanted)
    here = {seat.key for seat in found if seat.stock_id == stock.id}
    unknown = [seat for seat in wanted.seats or () if seat not in here]
    unknown += [seat.key for seat in found if seat.key not in here and wanted.seats is None]
    known_rows = {seat.row for seat in found}
    unknown += [row for row in wanted.rows or () if row not in known_rows]
    if unknown:
        field = field or ("rows" if wanted.seats is None else "seats")
        raise Invalid.at(field, f"{stock.name} does not have {_some(unknown)}.")


def section_of(stock: Stock, field: str) -> Section:
    """The section of a stock that has seats. Raises Invalid at `field` for a standing one."""
    if not stock.kind.has_seats or stock.section_id is None:
        raise Invalid.at(field, f"{stock.section_name} is a standing section.")
    return db.session.get_one(Section, stock.section_id)


def _named(show: Show, wanted: SeatsWanted) -> list[SeatOfMap]:
    """The seats that were named. Raises Invalid if the map does not have them all."""
    found = stock_places.look_at(show.id, wanted)
    rows, keys = {seat.row for seat in found}, {seat.key for seat in found}
    for field, named, known in (("rows", wanted.rows, rows), ("seats", wanted.seats, keys)):
        if unknown := [name for name in named or () if name not in known]:
            at = f"{wanted.verb}{field}"
            raise Invalid.at(at, f"{wanted.section.name} does not have {_some(unknown)}.")
    return found


def _refuse_in_use(seats: Sequence[str]) -> None:
    raise CapacityInUse(f"Somebody has {_some(seats)}.", in_use=len(seats), seats=list(seats))


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:10])
