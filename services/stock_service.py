"""Stock use cases: pools of a show's places, made, resized and given up.

Whoever changes what a show offers goes through `lock_show`: makers of stocks come one after the
other, and no claim is under way meanwhile, since claims share the same lock.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import BigInteger, Select, select, text
from sqlalchemy import delete as delete_rows
from sqlalchemy.orm import contains_eager, with_expression

from init import db
from models import (
    Booking,
    BookingStatus,
    Event,
    MemberRole,
    Section,
    SectionKind,
    Show,
    Stock,
    Tier,
    TierStock,
    Venue,
)
from models.permissions import Permission, allowed
from models.values import Caller
from models.venue import CapacityInUse
from services import (
    audit_service,
    inventory_service,
    show_service,
    stock_places,
    stock_room,
    stock_seats,
)
from services.sale_service import COUNTS
from services.stock_places import SeatsWanted
from utils.clock import now
from utils.errors import Busy, Conflict, Invalid, NotFound, constraint
from utils.transaction import lock, lock_all, transaction

SEAT_FIELDS = ("remove_seats", "add_seats", "take_rows", "take_seats")


class NameTaken(Conflict):
    """Another stock, or another tier, beside it has this name."""

    code, title = "name-taken", "That name is taken"


constraint("uq_stocks_show_id_name", NameTaken("Another stock of the show has this name."))


def find_show(show_id: int, *, caller: Caller) -> Show:
    """A show whose stocks `caller` may see; to anyone else they do not exist."""
    show = show_service.find(show_id, caller=caller)
    if not allowed(caller, Permission.STOCK_READ, show):
        raise NotFound(f"There are no stocks of a show {show_id}.")
    return show


def of_show(show: Show) -> Select[Stock]:
    """A show's stocks with what is free, held and sold, oldest first."""
    return _counted(show.id).order_by(Stock.id)


def find(stock_id: int, *, caller: Caller) -> Stock:
    """One stock of an organiser that `caller` works for; to anyone else it does not exist."""
    query = _live().with_only_columns(Stock.show_id).where(Stock.id == stock_id)
    if not caller.is_admin:
        query = query.where(Event.organiser_id.in_(caller.sees_drafts_of))
    show_id = db.session.scalar(query)
    if show_id is None:
        raise NotFound(f"There is no stock {stock_id}.")
    return fresh(stock_id, show_id)


def is_gone(stock_id: int, *, caller: Caller) -> bool:
    """Whether the stock was deleted, for those who could have done it."""
    gone = (
        select(Stock.id)
        .join(Stock.show)
        .join(Show.event)
        .where(Stock.id == stock_id, Stock.deleted_at.is_not(None))
    )
    if not caller.is_admin:
        mine = caller.organisers_as(MemberRole.OWNER, MemberRole.MANAGER)
        gone = gone.where(Event.organiser_id.in_(mine))
    return db.session.scalar(gone) is not None


def create(show: Show, facts: dict[str, Any]) -> Stock:
    """A new stock with all its places, free; `make` says what of, and what it refuses."""
    if facts.get("take"):
        reap(show)
    with transaction():
        lock_show(show)
        show.touch()  # sheets that were read before are out of date
        stock = make(show, **facts)
    return fresh(stock.id, show.id)


def make(
    show: Show,
    *,
    name: str,
    section: str | None = None,
    capacity: int | None = None,
    seats: Sequence[str] | None = None,
    rows: Sequence[str] | None = None,
    take: bool = False,
) -> Stock:
    """A new stock of a show that the caller has locked, in the caller's transaction.

    Of a standing section it has `capacity` places; of a seated one the named seats or rows, else
    `capacity` seats in the order of the map, else all that no stock has yet. It may `take` what it
    names from other stocks. Raises NameTaken, CapacityExceeded, SeatInStock or CapacityInUse, and
    Invalid for sections, rows and seats that are not there.
    """
    part = find_section(show, section)
    _require_free_name(show, name)
    stock = Stock(
        show_id=show.id,
        name=name,
        section_id=part.id if part else None,
        section_name=part.name if part else section or name,
        kind=part.kind if part else SectionKind.STANDING,
        capacity=0,
    )
    db.session.add(stock)
    db.session.flush()
    if part is not None and part.kind.has_seats:
        if capacity is not None and (seats is not None or rows is not None):
            raise Invalid.at("capacity", "Seats and rows say how many there are.")
        wanted = SeatsWanted(part, seats=seats, rows=rows, at_most=capacity)
        if take:
            _touch_tiers(stock_seats.take(show, stock, wanted))
        else:
            stock_seats.add(show, stock, wanted)
    else:
        for field, value in (("seats", seats), ("rows", rows)):
            if value is not None:
                raise Invalid.at(field, f"{stock.section_name} is a standing section.")
        if capacity is None:
            raise Invalid.at("capacity", "Say how many places a standing section gives.")
        stock_room.require_room(show, part, capacity)
        stock.capacity += stock_places.add_standing(stock, capacity)
    db.session.flush()
    audit_service.record("stock.create", stock, after={"capacity": stock.capacity})
    return stock


def edit(stock: Stock, changes: dict[str, Any]) -> Stock:
    """Rename or resize a stock; seat by seat with `add_seats`, `remove_seats` and `take_seats`.

    What is taken comes from whichever stock has it. Raises what `make` does, and CapacityInUse
    for places that somebody has.
    """
    facts = dict(changes)
    capacity = facts.pop("capacity", None)
    seats = {field: facts.pop(field) for field in SEAT_FIELDS if field in facts}
    show = stock.show
    reap(show)
    with transaction():
        lock_show(show)
        before = still_there(lock(stock)).capacity
        if stock.kind.has_seats or "name" in facts:
            show.touch()  # how many stand somewhere is on no sheet and no plan of the hall
        if facts.get("name", stock.name) != stock.name:
            _require_free_name(show, facts["name"])
            _touch_tiers([stock.id])
        stock.change(facts)
        for field in seats:
            _change_seats(show, stock, field, seats[field])
        if capacity is not None:
            _resize(show, stock, capacity)
        stock.touch()
        _record("stock.edit", stock, before)
    return fresh(stock.id, show.id)


def _change_seats(show: Show, stock: Stock, field: str, names: Sequence[str]) -> None:
    section = stock_seats.section_of(stock, field)
    if field == "remove_seats":
        stock_seats.remove(stock, names)
    elif field == "add_seats":
        stock_seats.add(show, stock, SeatsWanted(section, seats=names, verb="add_"))
    elif field == "take_seats":
        wanted = SeatsWanted(section, seats=names, verb="take_")
        _touch_tiers([stock.id, *stock_seats.take(show, stock, wanted)])
    else:
        wanted = SeatsWanted(section, rows=names, verb="take_")
        _touch_tiers([stock.id, *stock_seats.take(show, stock, wanted)])


def resize(show: Show, stock: Stock, capacity: int) -> None:
    """Give a stock of a locked show as many places as `capacity` says, in the caller's transaction.

    More places come behind the last, or in the order of the map; fewer take free ones from the
    end. Raises CapacityExceeded or CapacityInUse.
    """
    before = stock.capacity
    _resize(show, stock, capacity)
    _record("stock.edit", stock, before)


def _resize(show: Show, stock: Stock, capacity: int) -> None:
    more = capacity - stock.capacity
    part = db.session.get(Section, stock.section_id) if stock.section_id else None
    if more > 0 and part is not None and part.kind.has_seats:
        stock_seats.add(show, stock, SeatsWanted(part, at_most=more))
    elif more > 0:
        stock_room.require_room(show, part, more)
        stock.capacity += stock_places.add_standing(stock, more)
    elif more < 0:
        if stock.kind.has_seats:
            show.touch()  # rows that go leave no word to whoever follows the seats
        removed = stock_places.remove_last(stock, -more)
        if removed < -more:
            in_use = stock.capacity - removed
            raise CapacityInUse(f"{in_use} places of {stock.name} are in use.", in_use=in_use)
        stock.capacity -= removed
    stock.touch()
    db.session.flush()


def delete(stock: Stock) -> None:
    """Give a stock up with its places; tiers sell from it no more. Raises CapacityInUse."""
    show = stock.show
    reap(show)
    with transaction():
        lock_show(show)
        if lock(stock).deleted_at is not None:
            return
        before = stock.capacity
        _resize(show, stock, 0)
        show.touch()  # sheets that name it are out of date
        _touch_tiers([stock.id])
        db.session.execute(delete_rows(TierStock).where(TierStock.stock_id == stock.id))
        stock.release_tier_id = stock.release_at = None
        stock.deleted_at = db.session.scalar(select(now()))
        audit_service.record(
            "stock.delete", stock, before={"capacity": before}, after={"capacity": 0}
        )


def _record(action: str, stock: Stock, before: int) -> None:
    """Write down that a stock has another capacity than before, if it has."""
    db.session.flush()
    if stock.capacity != before:
        after = {"capacity": stock.capacity}
        audit_service.record(action, stock, before={"capacity": before}, after=after)


def lock_show(show: Show) -> None:
    """Lock a show to change what it offers.

    The venue comes first, shared: its capacity stays as it is until the change is made.
    """
    venue_id = show.venue_id
    db.session.execute(select(Venue.id).where(Venue.id == venue_id).with_for_update(read=True))
    if lock(show).venue_id != venue_id:
        raise Busy("The show was given another venue at this moment; try again.")


def reap(show: Show) -> None:
    """Clear dead holds out of the way, waiting for who has one locked: they will find it dead."""
    dead = Booking.status == BookingStatus.HELD, Booking.held_until <= now()
    with transaction():
        lock_all(select(Booking).where(Booking.show_id == show.id, *dead))
        inventory_service.reap(show.id)


def find_section(show: Show, name: str | None) -> Section | None:
    """The named section of a show's map, or its only one; None where there is no map.

    Raises Invalid where there is no such section, or several to choose from.
    """
    if show.seat_map_version_id is None:
        return None
    known = sections(show)
    if name is None and len(known) == 1:
        return known[0]
    for part in known:
        if part.name == name:
            return part
    names = ", ".join(part.name for part in known)
    raise Invalid.at("section", f"Name one of this map's sections: {names}.")


def sections(show: Show) -> list[Section]:
    """The sections of the map version that a show has, in order."""
    query = select(Section).where(Section.seat_map_version_id == show.seat_map_version_id)
    return list(db.session.scalars(query.order_by(Section.position, Section.id)))


def _require_free_name(show: Show, name: str) -> None:
    same = Stock.show_id == show.id, Stock.name == name, Stock.deleted_at.is_(None)
    stock_id = db.session.scalar(select(Stock.id).where(*same))
    if stock_id is not None:
        raise NameTaken(f"The show has a stock called {name} already.", stock_id=stock_id)


def _touch_tiers(stock_ids: Iterable[int]) -> None:
    """What tiers show of their stocks changes with them."""
    sellers = select(TierStock.tier_id).where(TierStock.stock_id.in_(stock_ids))
    released = select(Stock.release_tier_id).where(Stock.id.in_(stock_ids))
    for tier in db.session.scalars(select(Tier).where(Tier.id.in_(sellers.union(released)))):
        tier.touch()


def still_there(stock: Stock) -> Stock:
    """A stock just locked, unless somebody deleted it meanwhile."""
    if stock.deleted_at is not None:
        raise NotFound(f"There is no stock {stock.id}.")
    return stock


def _live() -> Select[Stock]:
    return select(Stock).join(Stock.show).join(Show.event).where(Stock.deleted_at.is_(None))


def _counted(show_id: int) -> Select[Stock]:
    """A show's stocks with their counts, in one statement however many places there are."""
    counted = text(COUNTS).bindparams(show_id=show_id)
    names = ("free", "held", "sold")
    counts = counted.columns(**dict.fromkeys(("stock_id", *names), BigInteger)).cte("counts")
    of_it = counts.c.stock_id == Stock.id
    return (
        _live()
        .options(
            contains_eager(Stock.show).contains_eager(Show.event),
            *(
                with_expression(
                    getattr(Stock, name),
                    select(counts.c[name]).where(of_it).correlate(Stock).scalar_subquery(),
                )
                for name in names
            ),
        )
        .where(Stock.show_id == show_id)
        .execution_options(populate_existing=True)
    )


def fresh(stock_id: int, show_id: int) -> Stock:
    """A stock read anew, with its counts."""
    return db.session.scalars(_counted(show_id).where(Stock.id == stock_id)).one()
