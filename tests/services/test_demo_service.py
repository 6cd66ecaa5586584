"""The demo world: sound, dated from today, and as the guides say."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from config import settings
from init import db
from models import (
    Booking,
    BookingStatus,
    CheckIn,
    Event,
    EventStatus,
    Organiser,
    OrganiserInvitation,
    Role,
    Section,
    SectionKind,
    Show,
    ShowStatus,
    Stock,
    Tier,
    TierStock,
    User,
    Venue,
)
from models.booking import Channel
from services import demo_service, report_service, sale_service, verify_service
from services.demo_bookings import SALES
from services.demo_world import HALLS
from utils.clock import now

GUEST = {"name": "Rosalía Ibarra", "email": "rosalia@example.com"}


@pytest.fixture(scope="module")
def world(app):
    """Seeded once, for real; what the tests do on top is rolled back."""
    with app.app_context():
        made = demo_service.seed()
        db.session.remove()
    yield made
    with app.app_context():
        tables = ", ".join(f'"{table.name}"' for table in db.metadata.sorted_tables)
        with db.engine.begin() as connection:
            connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))


@pytest.fixture
def seeded(world, client, session):
    return world


def every(column):
    return set(db.session.scalars(select(column)))


def test_every_invariant_holds(seeded):
    assert verify_service.broken() == []


def test_what_one_sale_gets_at_random_is_never_what_another_chooses():
    """Or seeding would fail once in a few hundred times, with `seat-taken`."""
    lines = [(sale.show, line) for sale in SALES for line in sale.lines]
    chosen = {(show, line.tier or line.lot) for show, line in lines if line.seats}
    at_random = {(show, line.tier or line.lot) for show, line in lines if not line.seats}

    assert not chosen & at_random


def test_it_counts_what_it_made(seeded):
    assert seeded["shows"] == db.session.scalar(select(func.count()).select_from(Show))
    assert seeded["places"] < 30_000


def test_it_is_made_once(seeded):
    assert not demo_service.is_empty()
    assert demo_service.seed() == {}


def test_a_database_without_accounts_is_empty(app, session):
    session.execute(text("TRUNCATE users CASCADE"))

    assert demo_service.is_empty()


def test_production_has_no_demo(app, session, monkeypatch):
    monkeypatch.setattr(settings, "env", "production")

    with pytest.raises(demo_service.NoDemoHere):
        demo_service.seed()


def test_everything_that_can_become_of_things_is_there(seeded):
    assert every(Booking.status) == set(BookingStatus)
    assert every(Booking.current_status) == set(BookingStatus)
    assert every(Booking.channel) == {Channel.WEB, Channel.DESK, Channel.COMP}
    assert every(Event.status) == set(EventStatus)
    assert every(Show.status) == set(ShowStatus)
    assert every(Show.sales_paused) == {True, False}
    assert every(Show.currency) == {"AUD", "GBP", "KES", "USD", "JPY", "BRL", "EUR"}
    assert None in every(Event.organiser_id)
    assert None in every(Show.venue_id)


def test_there_is_an_account_of_every_kind(seeded):
    assert every(User.role) == set(Role)
    assert every(User.banned_at.is_not(None)) == {True, False}
    assert every(User.email_verified_at.is_not(None)) == {True, False}


def test_a_search_for_part_of_a_name_finds_tommy_and_amy(seeded, client):
    login = {"email": "admin@gigmate.example", "password": demo_service.PASSWORD}
    tokens = client.post("/auth/login", json=login).json
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}

    found = client.get("/users/?q=my&sort=name", headers=bearer).json["items"]

    assert [user["user_name"] for user in found] == ["amy", "tommy"]


def test_admins_have_something_to_look_at(seeded, client):
    verified = select(Organiser.id, Organiser.verification).order_by(Organiser.id)
    assert [row.verification for row in db.session.execute(verified)] == ["verified"] * 4 + [
        "applied"
    ]
    invitation = db.session.scalars(select(OrganiserInvitation)).one()
    assert (invitation.organiser_id, invitation.email) == (1, "stagehand@gigmate.example")
    assert invitation.expires_at > db.session.scalar(select(now()))


def test_its_days_are_counted_from_today(seeded):
    today = db.session.scalar(select(now()))
    days = {
        (starts_at - today).days for starts_at in every(Show.starts_at) if starts_at is not None
    }

    assert min(days) < -7
    assert any(0 <= day < 7 for day in days)
    assert any(7 <= day < 200 for day in days)
    assert max(days) > 365


def test_bookings_are_no_older_than_their_events_and_no_younger_than_today(seeded):
    early = select(Booking.id).join(Show, Show.id == Booking.show_id).join(Event)

    assert db.session.scalar(early.where(Booking.held_at < Event.published_at)) is None
    assert db.session.scalar(early.where(Booking.held_at > now())) is None
    assert db.session.scalar(early.where(Booking.confirmed_at > Show.ends_at)) is None


def test_holds_are_as_short_as_any(seeded):
    longest = db.session.scalar(select(func.max(Booking.held_until - Booking.held_at)))

    assert longest < settings.hold + timedelta(seconds=1)


def test_halls_hold_what_their_maps_say(seeded):
    held = (
        select(Venue.name, Venue.capacity, func.sum(Section.capacity))
        .join(Venue.seat_map)
        .join(Section)
        .group_by(Venue.id)
    )
    for name, capacity, in_sections in db.session.execute(held):
        assert in_sections <= capacity, name
    assert every(Venue.name) == {hall.name for hall in HALLS.values()}


def test_some_stock_is_sold_by_no_tier_and_some_is_seats(seeded):
    unsold = select(Stock.id).where(Stock.id.not_in(select(TierStock.stock_id)))

    assert db.session.scalar(unsold) is not None
    assert SectionKind.SEATED in every(Stock.kind)


def test_an_early_bird_that_has_closed_gives_to_the_next(seeded, client):
    early, regular = db.session.scalars(
        select(Tier).where(Tier.show_id == 8).order_by(Tier.position).limit(2)
    )
    path = f"/tiers/{regular.id}/availability"

    assert early.then_tier_id == regular.id
    assert client.get(f"/tiers/{early.id}/availability").json["can_purchase"] is False
    assert client.get(path).json["can_purchase"] is True


def test_people_come_in_at_the_show_that_is_on(seeded):
    at = select(CheckIn.admitted_at, Show.doors_at).join(Show, Show.id == CheckIn.show_id)

    assert every(CheckIn.show_id) == {5, 14}
    for admitted_at, doors_at in db.session.execute(at):
        assert admitted_at > doors_at
    assert db.session.scalar(select(func.max(CheckIn.admitted_at) <= now())) is True


@pytest.mark.parametrize("role", demo_service.LOGINS)
def test_somebody_of_every_role_can_sign_in(seeded, client, role):
    credentials = {"email": demo_service.LOGINS[role], "password": demo_service.PASSWORD}

    response = client.post("/auth/login", json=credentials)

    assert response.status_code == 200
    assert response.json["access_token"]


def test_its_keys_are_new_each_time_and_work(seeded, client):
    order = {"show_id": 1, "items": [{"tier_id": 1, "quantity": 2}], "buyer": GUEST}

    first, second = demo_service.hand_out_keys(), demo_service.hand_out_keys()

    assert set(first) == set(second) == {"shop", "door"}
    assert not set(first.values()) & set(second.values())
    response = client.post("/bookings/", json=order, headers={"X-API-Key": first["shop"]})
    assert (response.status_code, response.json["channel"]) == (201, "api")


def test_production_hands_out_no_keys(seeded, monkeypatch):
    monkeypatch.setattr(settings, "env", "production")

    assert demo_service.hand_out_keys() == {}


def test_a_guest_books_as_the_guide_says(seeded, client):
    """The ready `curl` of `make run`."""
    order = {"show_id": 1, "items": [{"tier_id": 1, "quantity": 2}], "buyer": GUEST}

    response = client.post("/bookings/", json=order)

    assert response.status_code == 201, response.json
    assert response.json["total"] == {"amount": 5_000_00, "currency": "KES"}
    assert len(response.json["secret"]) == 32


def test_a_guest_books_seats_as_the_guide_says(seeded, client):
    adult = next(p for p in client.get("/tiers/3").json["prices"] if p["name"] == "Adult")
    seats = {"tier_id": 3, "price_id": adult["id"], "seats": ["STALLS/A-1", "STALLS/A-2"]}

    response = client.post("/bookings/", json={"show_id": 2, "items": [seats], "buyer": GUEST})

    assert response.status_code == 201, response.json
    assert [place["key"] for place in response.json["places"]] == ["STALLS/A-1", "STALLS/A-2"]


def test_house_seats_go_on_sale_a_week_before_the_show(seeded):
    sheet = sale_service.sheet(2)
    house = next(stock for stock in sheet.stocks.values() if stock.name == "House seats")

    assert sheet.tiers[house.release_tier_id].name == "Stalls"
    assert sheet.now < house.release_at < sheet.starts_at
    child = next(price for price in sheet.tiers[3].prices if price.name == "Child")
    assert child.max_per_booking == 4


def test_event_1_has_sold_42(seeded):
    assert report_service.tickets_sold(1) == 42
