"""Puts the demo programme on stage: accounts, companies, halls, events, shows and their offers."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from config import settings
from init import bcrypt, db
from models import (
    Event,
    EventStatus,
    MemberRole,
    Organiser,
    OrganiserMember,
    Show,
    Stock,
    TicketHolder,
    User,
    Venue,
)
from models.sale import WantedPrice
from models.values import Caller
from services import (
    event_life_service,
    event_service,
    invitation_service,
    organiser_service,
    show_edit_service,
    stock_release,
    stock_service,
    tier_service,
    venue_service,
    verification_service,
)
from services.demo_programme import GIGS, Gig, Lot, Night, Offer
from services.demo_world import ADMIN, BUYERS, COMPANIES, HALLS, LOOKERS, Company, Person
from utils.clock import now
from utils.money import Money

# A show of the past is put on so much later, because nothing is sold for one that is over; when
# its bookings are made it is moved back.
SPAN = timedelta(weeks=520)
DOORS = timedelta(hours=1)


@dataclass(frozen=True)
class Staged:
    """A show as it was planned, and who sells it."""

    gig: Gig
    night: Night
    show: Show
    seller: Caller

    @property
    def is_moved(self) -> bool:
        """Whether it stands SPAN later than it should."""
        return self.night.day < 0 or self.night.begun is not None


@dataclass(frozen=True)
class Stage:
    """Everything that was put on, in order, and how its people ask; `at` is the day of it."""

    at: datetime
    shows: list[Staged]
    callers: dict[Person, Caller]


def stage(password: str) -> Stage:
    """Make the whole catalogue in the caller's transaction; every account has this password."""
    at = db.session.scalars(select(now())).one().replace(minute=0, second=0, microsecond=0)
    password_hash = bcrypt.generate_password_hash(password, settings.bcrypt_rounds).decode()
    callers = {person: _account(person, password_hash) for person in (ADMIN, *BUYERS)}
    sellers: dict[str | None, Caller] = {None: callers[ADMIN]}
    for name, company in COMPANIES.items():
        sellers[name] = _company(company, password_hash, callers)
    callers |= {person: _account(person, password_hash) for person in LOOKERS}
    halls = {name: venue_service.create(callers[ADMIN], **vars(HALLS[name])) for name in HALLS}
    shows = [staged for gig in GIGS for staged in _put_on(gig, sellers[gig.company], halls, at)]
    return Stage(at, shows, callers)


def start_of(night: Night, zone: str, at: datetime) -> datetime:
    """When a show starts, or started, by the clocks of its hall."""
    if night.begun is not None:
        return at - timedelta(hours=night.begun)
    return on_day(night.day, night.at, zone, at)


def on_day(day: int, clock: str, zone: str, at: datetime) -> datetime:
    """A time of day, so many days after `at`, in a zone."""
    local = at.astimezone(ZoneInfo(zone))
    day_of_it = local.date() + timedelta(days=day)
    return datetime.combine(day_of_it, time.fromisoformat(clock), ZoneInfo(zone))


def _account(person: Person, password_hash: str) -> Caller:
    user = User(
        email=person.email,
        password_hash=password_hash,
        name=person.name,
        user_name=person.user_name,
        phone=person.phone,
        role=person.role,
        email_verified_at=now() if person.verified else None,
        banned_at=now() if person.banned else None,
    )
    db.session.add(user)
    db.session.flush()
    contact = {"name": person.name, "email": person.email, "phone": person.phone}
    holder = TicketHolder(user_id=user.id, is_self=True, **contact)
    db.session.add(holder)
    db.session.flush()
    return Caller(
        user_id=user.id,
        email=person.email,
        name=person.name,
        role=person.role,
        ticket_holder_id=holder.id,
    )


def _company(company: Company, password_hash: str, callers: dict[Person, Caller]) -> Caller:
    """An organiser with its people; who sells for it."""
    staff = {
        company.owner: MemberRole.OWNER,
        company.manager: MemberRole.MANAGER,
        company.door: MemberRole.DOOR,
    }
    people = {person: _account(person, password_hash) for person in staff}
    about = ("name", "email", "phone", "website", "description")
    organiser = organiser_service.create(
        people[company.owner], **{name: getattr(company, name) for name in about}
    )
    for person, role in staff.items():
        if role != MemberRole.OWNER:
            user_id = people[person].user_id
            db.session.add(OrganiserMember(organiser_id=organiser.id, user_id=user_id, role=role))
    db.session.flush()
    if company.applies_with:
        verification_service.apply(organiser, note=company.applies_with)
    else:
        verification_service.verify(organiser)
    db.session.flush()  # a row that is locked again is read again
    if company.invites:
        invitation_service.invite(
            people[company.owner], organiser, email=company.invites, role=MemberRole.DOOR
        )
    for person, role in staff.items():
        callers[person] = _working_for(organiser, people[person], role)
    return callers[company.manager]


def _working_for(organiser: Organiser, caller: Caller, role: MemberRole) -> Caller:
    return Caller(**{**vars(caller), "memberships": {organiser.id: role}})


def _put_on(gig: Gig, seller: Caller, halls: dict[str, Venue], at: datetime) -> list[Staged]:
    event = event_service.create(
        seller,
        title=gig.title,
        artist=gig.artist,
        tour_name=gig.tour_name,
        description=gig.description,
        category=gig.category,
        tags=list(gig.tags),
        duration_minutes=gig.minutes,
        age_limit=gig.age_limit,
    )
    db.session.flush()
    for position, plan in enumerate(gig.plans):
        tier_service.plan(event, _facts(plan, position, gig.nights[0].currency, at, {}))
    shows: list[Staged] = []
    for night in gig.nights:
        staged = Staged(gig, night, Show(), seller)
        if night.copies_first:
            zone = shows[0].show.time_zone
            show = show_edit_service.copy(
                shows[0].show, starts_at=start_of(night, zone, at), doors_at=None, ends_at=None
            )
        else:
            show = _show(event, staged, halls.get(night.hall or ""), at)
        shows.append(Staged(gig, night, show, seller))
    if gig.becomes != EventStatus.DRAFT:
        event_life_service.publish(event)
    return shows


def _show(event: Event, staged: Staged, hall: Venue | None, at: datetime) -> Show:
    night = staged.night
    zone = hall.time_zone if hall else night.time_zone or "UTC"
    starts_at = start_of(night, zone, at).astimezone(UTC)
    if staged.is_moved:
        starts_at += SPAN
    show = show_edit_service.create(
        event,
        caller=staged.seller,
        venue_id=hall.id if hall else None,
        starts_at=starts_at,
        doors_at=starts_at - DOORS,
        ends_at=None,
        time_zone=zone,
        currency=night.currency,
        licensed_capacity=night.licensed,
        availability_display=night.display,
    )
    lots = {lot.name: _lot(show, lot) for lot in night.lots}
    tiers: dict[str, int] = {}
    for position, offer in enumerate(night.offers):
        facts = _facts(offer, position, night.currency, at, lots)
        tiers[offer.name] = tier_service.create(show, facts).id
    for offer in night.offers:
        if offer.then:
            tier = tier_service.find(tiers[offer.name], caller=staged.seller)
            tier_service.edit(tier, {"then_tier_id": tiers[offer.then]})
    for lot in night.lots:
        if lot.released_to:
            on = in_days(lot.released_on, at)
            stock_release.release(lots[lot.name], tier_id=tiers[lot.released_to], at=on)
    return show


def _lot(show: Show, lot: Lot) -> Stock:
    facts: dict[str, Any] = {"name": lot.name, "section": lot.section}
    facts |= {"rows": lot.rows} if lot.rows else {"capacity": lot.capacity}
    return stock_service.create(show, facts)


def _facts(
    offer: Offer, position: int, currency: str, at: datetime, lots: dict[str, Stock]
) -> dict[str, Any]:
    """What a request would say of a tier; one that has closed is closed when all is sold."""
    prices = [
        WantedPrice(
            name, Money(amount, currency), Money(fee, currency), **offer.terms.get(name, {})
        )
        for name, amount, fee in offer.prices
    ]
    places: dict[str, Any] = {"section": offer.section, "capacity": offer.capacity}
    if offer.lots:
        places = {"stocks": [lots[name].id for name in offer.lots]}
    return {
        "name": offer.name,
        "description": offer.description,
        "position": position,
        "on_sale_at": in_days(offer.opens, at),
        "off_sale_at": in_days(offer.closes, at) if (offer.closes or 0) > 0 else None,
        "min_per_booking": 1,
        "max_per_buyer": offer.most,
        "prices": prices,
        **places,
    }


def in_days(days: int | None, at: datetime) -> datetime | None:
    """So many days after `at`, if any are told."""
    return at + timedelta(days=days) if days is not None else None
