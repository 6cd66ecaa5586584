"""Rows to test with. Each factory makes something complete and sensible; name what matters.

`ShowFactory()` is a published event's show at a venue with one standing floor;
`TierFactory(capacity=2)` is on sale there with two places and one price.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import factory
from factory.alchemy import SQLAlchemyModelFactory
from sqlalchemy import insert, select

from init import db
from models import (
    ApiKey,
    Event,
    EventStatus,
    KeyMode,
    MapSeat,
    MemberRole,
    Organiser,
    OrganiserInvitation,
    OrganiserMember,
    Place,
    Price,
    Role,
    Scope,
    SeatMap,
    SeatMapVersion,
    Section,
    SectionKind,
    Show,
    SignIn,
    Stock,
    TicketHolder,
    Tier,
    TierStock,
    User,
    Venue,
)
from models.layout import PlacedSeat, WantedSection, plain_row, seated, seats_of
from utils.tokens import digest, readable

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class Factory(SQLAlchemyModelFactory):
    class Meta:
        abstract = True
        sqlalchemy_session = db.session
        sqlalchemy_session_persistence = "commit"


class UserFactory(Factory):
    """An attendee, with the ticket holder that stands for them."""

    class Meta:
        model = User

    email = factory.Sequence(lambda n: f"user{n}@example.com")
    name = factory.Sequence(lambda n: f"Person {n}")
    # what Flask-Bcrypt makes, at four rounds, of "correct horse battery"
    password_hash = "$2b$04$i84kNri60aGBD8q9od0Yl.MMzMgZMn23ckPmor.hbVoMF//4P0zW6"
    role = Role.ATTENDEE

    @factory.post_generation
    def holder(self, create: bool, extracted: Any, **_kwargs: Any) -> None:
        TicketHolderFactory(user_id=self.id, is_self=True, name=self.name, email=self.email)


class AdminFactory(UserFactory):
    role = Role.ADMIN


class TicketHolderFactory(Factory):
    class Meta:
        model = TicketHolder

    name = "Asha Mwangi"
    email = "asha@example.com"


class SignInFactory(Factory):
    class Meta:
        model = SignIn

    user_id = factory.LazyFunction(lambda: UserFactory().id)


class OrganiserFactory(Factory):
    class Meta:
        model = Organiser

    name = factory.Sequence(lambda n: f"Organiser {n}")
    email = "office@example.com"


class OrganiserMemberFactory(Factory):
    class Meta:
        model = OrganiserMember

    user = factory.SubFactory(UserFactory)
    organiser_id = factory.LazyFunction(lambda: OrganiserFactory().id)
    role = MemberRole.OWNER


class InvitationFactory(Factory):
    """An open offer to work for `organiser_id` at the door."""

    class Meta:
        model = OrganiserInvitation

    organiser_id = factory.LazyFunction(lambda: OrganiserFactory().id)
    email = "otieno@example.com"
    role = MemberRole.DOOR
    expires_at = factory.LazyFunction(lambda: datetime.now(UTC) + timedelta(days=7))


def member(organiser: Organiser, role: MemberRole = MemberRole.OWNER) -> User:
    """A user who works for `organiser`."""
    return OrganiserMemberFactory(
        organiser_id=organiser.id, role=role, user__role=Role.ORGANISER
    ).user


class ApiKeyFactory(Factory):
    """A live key that may do everything; its `secret` is what a program shows."""

    class Meta:
        model = ApiKey

    organiser_id = factory.LazyFunction(lambda: OrganiserFactory().id)
    name = "Web shop"
    mode = KeyMode.LIVE
    scopes = factory.LazyFunction(lambda: list(Scope))

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> ApiKey:
        secret = f"gm_{kwargs['mode']}_{readable(40)}"
        facts = {"prefix": secret[:16], "secret_hash": digest(secret), **kwargs}
        key = super()._create(model_class, *args, **facts)
        key.secret = secret
        return key


class VenueFactory(Factory):
    """A shared hall in Nairobi whose map has one standing section, Floor, for everyone."""

    class Meta:
        model = Venue

    name = factory.Sequence(lambda n: f"Hall {n}")
    city = "Nairobi"
    country = "KE"
    time_zone = "Africa/Nairobi"
    capacity = 5000

    @factory.post_generation
    def layout(self, create: bool, extracted: Any, **_kwargs: Any) -> None:
        """`layout=[("Stalls", {"A": 10, "B": 12}), ("Floor", 300)]`, or WantedSections."""
        seat_map = SeatMap(venue_id=self.id, name="Main", is_default=True)
        db.session.add(seat_map)
        db.session.flush()
        version = SeatMapVersion(seat_map_id=seat_map.id, venue_id=self.id, number=1)
        db.session.add(version)
        for position, part in enumerate(extracted or [("Floor", self.capacity)]):
            wanted = part if isinstance(part, WantedSection) else wanted_section(*part)
            section = Section(
                name=wanted.name, kind=wanted.kind, capacity=wanted.capacity, position=position
            )
            version.sections.append(section)
            db.session.flush()
            for seat in seats_of([wanted]):
                facts = {n: getattr(seat, n) for n in PlacedSeat.__slots__ if n != "section"}
                db.session.add(MapSeat(section_id=section.id, **facts))
        db.session.commit()


def wanted_section(name: str, size: int | dict[str, int]) -> WantedSection:
    """A floor for so many, or rows with so many seats each."""
    if isinstance(size, int):
        return WantedSection(name, SectionKind.STANDING, size)
    return seated(name, (plain_row(label, map(str, range(1, n + 1))) for label, n in size.items()))


class EventFactory(Factory):
    class Meta:
        model = Event

    organiser = factory.SubFactory(OrganiserFactory)
    title = factory.Sequence(lambda n: f"Concert {n}")
    artist = "Sauti Sol"
    status = EventStatus.PUBLISHED
    published_at = LONG_AGO


class ShowFactory(Factory):
    class Meta:
        model = Show

    event = factory.SubFactory(EventFactory)
    venue = factory.SubFactory(VenueFactory)
    starts_at = factory.LazyFunction(
        lambda: datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
    )
    ends_at = factory.LazyAttribute(lambda o: o.starts_at and o.starts_at + timedelta(hours=4))
    time_zone = "Africa/Nairobi"
    currency = "KES"
    occupies_venue = factory.LazyAttribute(lambda o: o.event.status == EventStatus.PUBLISHED)
    seat_map_version_id = factory.LazyAttribute(
        lambda o: (
            o.venue
            and db.session.scalar(
                select(SeatMapVersion.id).where(
                    SeatMapVersion.venue_id == o.venue.id, SeatMapVersion.replaced_at.is_(None)
                )
            )
        )
    )


class StockFactory(Factory):
    """A pool with `capacity` places of a section; a seated one takes all its seats."""

    class Meta:
        model = Stock

    show = factory.SubFactory(ShowFactory)
    name = factory.Sequence(lambda n: f"Pool {n}")
    section_name = "Floor"
    kind = SectionKind.STANDING
    capacity = 10

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> Stock:
        show = kwargs["show"]
        db.session.flush()
        section = db.session.scalar(
            select(Section).where(
                Section.seat_map_version_id == show.seat_map_version_id,
                Section.name == kwargs["section_name"],
            )
        )
        seats: list[MapSeat] = []
        if section is not None:
            kwargs |= {"section_id": section.id, "kind": section.kind}
            if section.kind.has_seats:
                query = select(MapSeat).where(MapSeat.section_id == section.id)
                seats = list(db.session.scalars(query.order_by(MapSeat.position)))
                kwargs["capacity"] = len(seats)
        stock = super()._create(model_class, *args, show_id=show.id, **kwargs)
        places = [
            {
                "show_id": show.id,
                "stock_id": stock.id,
                "ordinal": n + 1,
                "row": None,
                "number": None,
                "key": None,
                "off_centre": None,
                "seat_kind": None,
            }
            for n in range(stock.capacity)
        ]
        for place, seat in zip(places, seats, strict=False):
            key = f"{stock.section_name.upper()}/{seat.row}-{seat.number}"
            place |= {"row": seat.row, "number": seat.number, "key": key}
            place |= {"ordinal": seat.position, "off_centre": seat.off_centre}
            place["seat_kind"] = seat.kind
        if places:
            db.session.execute(insert(Place), places)
            db.session.commit()
        return stock


class TierFactory(Factory):
    """On sale with `capacity` places of its own and one price; `stocks=[…]` shares some instead."""

    class Meta:
        model = Tier

    show = factory.SubFactory(ShowFactory)
    name = factory.Sequence(lambda n: f"Tier {n}")
    max_per_booking = 10
    max_per_buyer = 10

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> Tier:
        show = kwargs.pop("show")
        capacity = kwargs.pop("capacity", 10)
        section = kwargs.pop("section", "Floor")
        amount = kwargs.pop("price", 2_500_00)
        stocks = kwargs.pop("stocks", None)
        db.session.flush()
        tier = super()._create(
            model_class, *args, show_id=show.id, event_id=show.event_id, **kwargs
        )
        db.session.add(
            Price(tier_id=tier.id, name="Regular", amount=amount, currency=show.currency)
        )
        if stocks is None:
            stocks = [
                StockFactory(show=show, name=tier.name, section_name=section, capacity=capacity)
            ]
        for position, stock in enumerate(stocks):
            db.session.add(
                TierStock(tier_id=tier.id, stock_id=stock.id, show_id=show.id, position=position)
            )
        db.session.commit()
        db.session.expire(tier)
        return tier
