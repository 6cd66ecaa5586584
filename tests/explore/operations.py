"""What meets: each operation does what its endpoint does, by the product's own services.

A booking is found with its show alone: what is in it is read under its lock, or by the service.
"""

from collections.abc import Callable

from models.values import STRANGER, Caller, Once, WantedBuyer, WantedLine, WantedPlaces
from services import (
    basket_service,
    booking_service,
    check_in_service,
    hold_service,
    inventory_service,
    organiser_service,
    show_life_service,
    show_service,
    stock_service,
    ticket_holder_service,
)
from services.idempotency_service import Replay
from tests.explore.worlds import World

Operation = Callable[[World, int], str]
"""Called with the world and which of the two sessions it is (0 or 1); a word of success."""

OPERATIONS: dict[str, Operation] = {}


def operation(deed: Operation) -> Operation:
    """Make `deed` known by its name."""
    OPERATIONS[deed.__name__.replace("_", " ")] = deed
    return deed


@operation
def claim(world: World, who: int) -> str:
    return _place(world, world.rivals[who])


@operation
def claim_as_guest(world: World, who: int) -> str:
    return _place(world, STRANGER, buyer=WantedBuyer("Guest", f"guest{who}@example.com"))


@operation
def claim_at_the_limit(world: World, _who: int) -> str:
    """Both sessions are the same buyer, who may have one place fewer than they ask for."""
    return _place(world, world.rivals[0], quantity=2)


@operation
def claim_with_key(world: World, _who: int) -> str:
    """Both sessions send the same request with the same Idempotency-Key."""
    buyer = world.rivals[0]
    once = Once("key", buyer.key, b"same", lambda _placed: (201, None, b"{}"))
    try:
        return _place(world, buyer, once=once)
    except Replay:
        return "held, as answered before"


@operation
def reap(world: World, _who: int) -> str:
    inventory_service.reap(world.show_id)
    return "reaped"


@operation
def confirm(world: World, _who: int) -> str:
    booking = booking_service.find_hold(world.hold_id, caller=world.buyer)
    booking_service.confirm(world.buyer, booking, once=None)
    return "confirmed"


@operation
def extend(world: World, _who: int) -> str:
    booking = booking_service.find_hold(world.hold_id, caller=world.buyer)
    hold_service.extend(world.buyer, booking, once=None)
    return "extended"


@operation
def change(world: World, _who: int) -> str:
    """One place more."""
    return _change(world, 3)


@operation
def shrink(world: World, _who: int) -> str:
    """One place fewer."""
    return _change(world, 1)


@operation
def cancel(world: World, _who: int) -> str:
    return _cancel(world.hold_id, world.buyer)


@operation
def cancel_sold(world: World, _who: int) -> str:
    return _cancel(world.sold_id, world.buyer)


@operation
def cancel_show(world: World, _who: int) -> str:
    show = show_service.find(world.show_id, caller=world.owner)
    show_life_service.cancel(show, reason="Rain")
    return "cancelled"


@operation
def raise_capacity(world: World, _who: int) -> str:
    return _resize(world, world.capacity + 1)


@operation
def lower_capacity(world: World, _who: int) -> str:
    return _resize(world, world.capacity - 1)


@operation
def check_in(world: World, who: int) -> str:
    show = show_service.find(world.show_id, caller=world.owner)
    gate = ("North", "South")[who]
    check_in_service.admit(world.owner, show, ticket_code=world.code, gate=gate, once=None)
    return "admitted"


@operation
def delete_organiser(world: World, _who: int) -> str:
    organiser = organiser_service.find(world.organiser_id, caller=world.owner)
    organiser_service.delete(organiser)
    return "deleted"


@operation
def rename_holder(world: World, _who: int) -> str:
    holder = ticket_holder_service.find(world.holder_id, caller=world.buyer)
    ticket_holder_service.edit(holder, {"name": "Wanjiru"})
    return "renamed"


def _place(
    world: World,
    caller: Caller,
    *,
    quantity: int = 1,
    buyer: WantedBuyer | None = None,
    once: Once | None = None,
) -> str:
    line = WantedLine(quantity, tier_id=world.tier_id)
    hold_service.place(caller, WantedPlaces(world.show_id, (line,), buyer=buyer), once=once)
    return "held"


def _change(world: World, quantity: int) -> str:
    booking = booking_service.find_hold(world.hold_id, caller=world.buyer)
    line = WantedLine(quantity, tier_id=world.tier_id)
    basket_service.replace_items(world.buyer, booking, [line])
    return "changed"


def _cancel(booking_id: int, caller: Caller) -> str:
    booking = booking_service.find_hold(booking_id, caller=caller)
    return f"cancel: {booking_service.cancel(caller, booking).status}"


def _resize(world: World, capacity: int) -> str:
    stock = stock_service.find(world.stock_id, caller=world.owner)
    stock_service.edit(stock, {"capacity": capacity})
    return "resized"
