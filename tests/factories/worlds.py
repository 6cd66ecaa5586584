"""One small world with everything in it, for tests that call every endpoint."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from controllers.callers import tokens_for
from init import db
from models import (
    EventStatus,
    KeyMode,
    MemberRole,
    Outcome,
    Place,
    Relocation,
    RelocationMove,
    RelocationStatus,
    Role,
    Scope,
    SeatMap,
    SignIn,
    Ticket,
    User,
    Venue,
)
from models.values import STRANGER, Caller, WantedBuyer, WantedLine, WantedPlaces
from services import booking_service, hold_service
from services.auth_service import SignedIn
from tests.factories import (
    AdminFactory,
    ApiKeyFactory,
    EventFactory,
    InvitationFactory,
    OrganiserFactory,
    ShowFactory,
    StockFactory,
    TicketHolderFactory,
    TierFactory,
    UserFactory,
    VenueFactory,
    member,
)

Headers = dict[str, str]
KEYS = {
    "catalogue_key": Scope.CATALOGUE,
    "shop_key": Scope.SELL,
    "door_key": Scope.DOOR,
    "reports_key": Scope.REPORTS,
}
COUNTED = ("kept", "split", "unplaced", "unplaced_bookings", "unplaced_places")


@dataclass(frozen=True)
class World:
    """Who is there, as the headers that each sends, and the ids of what is there."""

    callers: dict[str, Headers]
    ids: dict[str, list[int]]  # by the name that a path or a body calls them: show_id
    seats: list[str]
    email: str  # of the attendee
    code: str  # of a ticket that is valid


def build() -> World:
    """An organiser with a public show, a draft, and a booking in every state.

    The first id of each list is the public one, the second the draft's; of ticket holders, the
    attendee's and the organiser's; of bookings, a hold of the attendee's. The last booking, holder
    and place are the guest's, those before them what the shop's key has sold.
    """
    organiser = OrganiserFactory()
    people = {
        "attendee": UserFactory(),
        "other_owner": member(OrganiserFactory()),
        "door": member(organiser, MemberRole.DOOR),
        "owner": member(organiser),
        "admin": AdminFactory(),
        "manager": member(organiser, MemberRole.MANAGER),
    }
    venue = VenueFactory(
        organiser_id=organiser.id, layout=[("Stalls", {"A": 12, "B": 12}), ("Floor", 300)]
    )
    shared_venue = VenueFactory()
    event = EventFactory(organiser=organiser, category="Concert", tags=["live"])
    draft = EventFactory(organiser=organiser, status=EventStatus.DRAFT, published_at=None)
    show = ShowFactory(event=event, venue=venue)
    draft_show = ShowFactory(event=draft, venue=venue, starts_at=show.starts_at + timedelta(days=1))
    standing = TierFactory(show=show, capacity=40, price=0, max_per_buyer=1000)
    seated = TierFactory(show=show, section="Stalls", max_per_buyer=1000)
    drafted = TierFactory(show=draft_show, capacity=20)
    house = StockFactory(show=show, name="House", capacity=5)
    own = TicketHolderFactory(user_id=people["attendee"].id, name="Achieng")
    invitation = InvitationFactory(organiser_id=organiser.id, email=people["attendee"].email)
    staff_holder = TicketHolderFactory(organiser_id=organiser.id)

    buyer = _caller(people["attendee"])

    def held(caller: Caller, quantity: int, *seats: str, **more: Any) -> Any:
        tier = seated if seats else standing
        line = WantedLine(quantity=quantity, tier_id=tier.id, seats=seats)
        wanted = WantedPlaces(show_id=show.id, lines=(line,), **more)
        return hold_service.place(caller, wanted, once=None)

    hold = held(buyer, 2, "STALLS/A-1", "STALLS/A-2", ticket_holder_id=own.id)
    free = held(buyer, 2)
    booking = held(buyer, 2)
    booking_service.confirm(buyer, booking_service.find(booking.id, caller=buyer), once=None)
    gone = held(buyer, 1)
    booking_service.cancel(buyer, booking_service.find(gone.id, caller=buyer))
    guest = held(
        STRANGER, 2, "STALLS/A-3", "STALLS/A-4", buyer=WantedBuyer("Guest", "guest@example.com")
    )

    keys = {
        who: ApiKeyFactory(organiser_id=organiser.id, name=who, scopes=[scope])
        for who, scope in KEYS.items()
    }
    through_shop = held(
        Caller(
            api_key_id=keys["shop_key"].id,
            api_key_organiser_id=organiser.id,
            api_key_mode=KeyMode.LIVE,
            scopes=frozenset({Scope.SELL}),
        ),
        2,
        "STALLS/A-11",
        "STALLS/A-12",
        buyer=WantedBuyer("Customer", "customer@example.com"),
    )
    shown = {who: {"X-API-Key": key.secret} for who, key in keys.items()}

    relocation = Relocation(
        show_id=show.id,
        to_version_id=show.seat_map_version_id,
        to_venue_id=venue.id,
        status=RelocationStatus.APPLIED,
        summary=dict.fromkeys(COUNTED, 0)
        | {"bookings": 1, "places": 2, "parties": 1, "together": 1},
    )
    db.session.add(relocation)
    db.session.flush()
    move = RelocationMove(
        relocation_id=relocation.id,
        booking_id=hold.id,
        outcome=Outcome.TOGETHER,
        place_ids=[place.id for place in hold.places],
        from_seats=["STALLS/B-1", "STALLS/B-2"],
        to_seats=[place.key for place in hold.places],
    )
    db.session.add(move)
    db.session.commit()

    db.session.expire_all()
    seats = select(Place).where(Place.key.is_not(None), Place.show_id == show.id)
    places = list(db.session.scalars(seats.order_by(Place.id)))
    tickets = list(db.session.scalars(select(Ticket).where(Ticket.booking_id == booking.id)))
    callers = {"stranger": {}, **{who: _signed_in(user) for who, user in people.items()}}
    callers |= {"guest": {"Booking-Secret": guest.secret}, **shown}
    return World(
        callers=callers,
        ids={
            "organiser_id": [organiser.id],
            "key_id": [key.id for key in keys.values()],
            "user_id": [people["door"].id],
            "invitation_id": [invitation.id],
            "venue_id": [venue.id, shared_venue.id],
            "seat_map_id": [_map_of(venue), _map_of(shared_venue)],
            "number": [1, 1],
            "event_id": [event.id, draft.id],
            "show_id": [show.id, draft_show.id],
            "tier_id": [standing.id, drafted.id, seated.id],
            "price_id": [standing.prices[0].id, seated.prices[0].id],
            "relocation_id": [relocation.id],
            "stock_id": [house.id, standing.stocks[0].id],
            "place_id": [places[n].id for n in (0, 1, 10, 3)],
            "booking_id": [hold.id, free.id, booking.id, gone.id, through_shop.id, guest.id],
            "holder_id": [
                own.id,
                staff_holder.id,
                through_shop.ticket_holder.id,
                guest.ticket_holder.id,
            ],
        },
        seats=[place.key for place in places],
        email=people["attendee"].email,
        code=tickets[0].code,
    )


def _signed_in(user: User) -> Headers:
    sign_in = SignIn(user_id=user.id)
    db.session.add(sign_in)
    db.session.commit()
    token = tokens_for(SignedIn(user, sign_in.id))["access_token"]
    return {"Authorization": f"Bearer {token}"}


def _caller(user: User) -> Caller:
    return Caller(user_id=user.id, email=user.email, name=user.name, role=Role.ATTENDEE)


def _map_of(venue: Venue) -> int:
    return db.session.scalars(select(SeatMap.id).where(SeatMap.venue_id == venue.id)).one()
