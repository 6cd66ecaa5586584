"""The small worlds in which operations meet: a show, a few places, and a booking of each kind."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, text

from init import db
from models import Stock, Ticket, User
from models.values import Caller, WantedLine, WantedPlaces
from services import auth_service, booking_service, hold_service
from services.auth_service import Identity
from tests.explore.footprints import Row
from tests.factories import (
    EventFactory,
    OrganiserFactory,
    ShowFactory,
    SignInFactory,
    TierFactory,
    UserFactory,
    VenueFactory,
    member,
)

FOREVER, SOON = timedelta(minutes=14), timedelta(minutes=1)
NAMED = text(
    "UPDATE bookings SET reference = :name, held_until = (SELECT clock_timestamp()) + :left"
    " WHERE id = :id"
)
HOLD = """
    SELECT json_object_agg(key, value) FROM bookings b, jsonb_each_text(to_jsonb(b))
     WHERE reference = 'HOLD'
"""
END_OF_TIME = 2**40  # in seconds since 1970: no token runs out


@dataclass(frozen=True)
class Layout:
    """What a world has besides a living hold of two places and a confirmed booking of one."""

    free: int = 0  # places
    dead: bool = False  # a hold of one place that has run out, and nobody has cleared away
    limit: int = 10  # of places for one buyer

    @property
    def name(self) -> str:
        return f"free_{self.free}{'_dead' if self.dead else ''}_limit_{self.limit}"


@dataclass(frozen=True)
class World:
    """Who and what there is, by id."""

    organiser_id: int
    show_id: int
    tier_id: int
    stock_id: int
    capacity: int
    hold_id: int
    sold_id: int
    hold: Row
    holder_id: int
    code: str
    buyer: Caller
    rivals: tuple[Caller, Caller]
    owner: Caller


def build(layout: Layout) -> World:
    """A show whose places all belong to somebody but `layout.free`; committed."""
    organiser = OrganiserFactory()
    owner = member(organiser)
    show = ShowFactory(
        event=EventFactory(organiser=organiser),
        venue=VenueFactory(organiser_id=organiser.id, capacity=100),
    )
    capacity = 3 + layout.free + layout.dead
    tier = TierFactory(show=show, price=0, capacity=capacity, max_per_buyer=layout.limit)
    buyer, late = _caller(UserFactory(name="Buyer")), _caller(UserFactory(name="Late"))
    rivals = tuple(_caller(UserFactory(name=name)) for name in ("Rival A", "Rival B"))

    def booked(name: str, by: Caller, quantity: int, left: timedelta) -> int:
        line = WantedLine(quantity, tier_id=tier.id)
        placed = hold_service.place(by, WantedPlaces(show.id, (line,)), once=None)
        db.session.execute(NAMED, {"name": name, "left": left, "id": placed.id})
        db.session.commit()
        return placed.id

    sold = booked("SOLD", buyer, 1, FOREVER)
    booking_service.confirm(buyer, booking_service.find(sold, caller=buyer), once=None)
    hold = booked("HOLD", buyer, 2, SOON)
    if layout.dead:
        booked("DEAD", late, 1, -SOON)
    world = World(
        organiser_id=organiser.id,
        show_id=show.id,
        tier_id=tier.id,
        stock_id=db.session.scalars(select(Stock.id)).one(),
        capacity=capacity,
        hold_id=hold,
        sold_id=sold,
        hold=db.session.scalars(text(HOLD)).one(),
        holder_id=buyer.ticket_holder_id or 0,
        code=db.session.scalars(select(Ticket.code)).one(),
        buyer=buyer,
        rivals=(rivals[0], rivals[1]),
        owner=_caller(owner),
    )
    db.session.remove()
    return world


def _caller(user: User) -> Caller:
    sign_in = SignInFactory(user_id=user.id)
    return auth_service.caller_of(Identity(user.id, sign_in.id, END_OF_TIME))
