"""Guards switched off: in each of these the explorer has to find an ordering that goes wrong."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

from init import db
from models import Booking, BookingStatus
from services import booking_service, inventory_service, ticket_service
from tests.explore import wire
from tests.explore.operations import operation
from tests.explore.scenarios import Scenario
from tests.explore.wire import Rewriting
from tests.explore.worlds import Layout, World
from utils.transaction import lock, transaction


@dataclass(frozen=True)
class Control:
    """A scenario in which one guard is missing."""

    name: str
    scenario: Scenario
    without: tuple[Rewriting, ...] = ()
    instead: tuple[tuple[Any, str, Callable[..., Any]], ...] = ()

    @contextmanager
    def on(self) -> Iterator[None]:
        """Take the guard out of what the product does or sends."""
        with ExitStack() as stack:
            stack.enter_context(wire.sabotage.on(self.without))
            for owner, name, other in self.instead:
                stack.enter_context(mock.patch.object(owner, name, other))
            yield

    @property
    def applied(self) -> bool:
        """Whether each rewriting has met a statement; else the control controls nothing."""
        return all(wire.sabotage.met)


@operation
def cancel_backwards(world: World, _who: int) -> str:
    """The places first and then their booking: against the order in which all others lock."""
    with transaction():
        inventory_service.release([world.hold_id])
        booking = lock(db.session.get_one(Booking, world.hold_id))
        booking.move(BookingStatus.CANCELLED)
        db.session.flush()
        ticket_service.void([booking.id])
    return "cancel: cancelled"


def _scenario(one: str, other: str, layout: Layout, *, strikes: bool = False) -> Scenario:
    return Scenario((one, other), layout, strikes)


CLAIMING = r"UPDATE places SET booking_id = %\(booking_id\)s"
ONE_FREE = Layout(free=1)
NO_LOCK = r"\bFOR (NO KEY )?(UPDATE|SHARE)\b( SKIP LOCKED)?( OF \w+)?"
NO_TURN = Rewriting("xact_lock_shared", r"pg_advisory_xact_lock_shared\(%\(turn_key\)s\)", "true")
NO_KEYS = Rewriting("pg_advisory_xact_lock", r"pg_advisory_xact_lock\(key\)", "key")

CONTROLS = (
    Control(
        "a claim that reads, and then writes",
        _scenario("claim", "claim", ONE_FREE),
        without=(Rewriting(CLAIMING, NO_LOCK),),
    ),
    Control(
        "a claim that does not stop at the gate",
        _scenario("claim", "cancel show", ONE_FREE),
        without=(NO_TURN, Rewriting(r"JOIN shows s\b", NO_LOCK)),
    ),
    Control(
        "a limit counted without waiting for the same buyer",
        _scenario("claim at the limit", "claim at the limit", Layout(free=4, limit=3)),
        without=(NO_KEYS,),
    ),
    Control(
        "a key looked up without waiting for its duplicate",
        _scenario("claim with key", "claim with key", Layout(free=2)),
        without=(NO_KEYS,),
    ),
    Control(
        "a confirmation that does not look whether the hold lives",
        _scenario("claim", "confirm", Layout(), strikes=True),
        instead=((booking_service, "require_held", lambda _status: None),),
    ),
    Control(
        "a confirmation that reads its booking, and then writes",
        _scenario("confirm", "cancel", Layout()),
        without=(Rewriting(r"FROM bookings\b", NO_LOCK),),
    ),
    Control(
        "a reaper that does not look again",
        _scenario("reap", "extend", Layout(), strikes=True),
        without=(Rewriting("SET status = 'expired'", NO_LOCK),),
    ),
    Control(
        "a door that reads, and then writes",
        _scenario("check in", "check in", Layout()),
        without=(
            Rewriting(r"FROM bookings\b", NO_LOCK),
            Rewriting("UPDATE tickets", r" AND status = 'valid'"),
        ),
    ),
    Control(
        "a capacity written as a number that was read",
        _scenario("raise capacity", "lower capacity", ONE_FREE),
        without=(
            NO_KEYS,
            Rewriting(r"FROM (shows|stocks)\b", NO_LOCK),
            Rewriting("UPDATE stocks", r" AND stocks\.version = %\(\w+\)s"),
        ),
    ),
    Control(
        "a lock taken against the order",
        _scenario("cancel", "cancel backwards", Layout()),
    ),
)
