"""A large demo world, small enough to test: sound, complete, and as the product would write it."""

from collections import Counter
from itertools import pairwise

import pytest
from sqlalchemy import func, select, text

from init import db
from models import (
    Booking,
    BookingSecret,
    BookingStatus,
    Event,
    EventStatus,
    Organiser,
    Place,
    SectionKind,
    Show,
    ShowStatus,
    Stock,
    Ticket,
    TicketHolder,
    TicketStatus,
    Tier,
    User,
    Venue,
)
from models.booking import Channel
from models.values import email_key
from services import (
    demo_large,
    demo_large_bookings,
    demo_large_catalogue,
    demo_large_sales,
    demo_large_writer,
    demo_service,
    outbox_service,
    verify_service,
)
from services.demo_large_world import Company, LargeWorld, WorldDoesNotFit
from services.demo_programme import GIGS
from utils.bulk import silently
from utils.transaction import transaction

WORLD = LargeWorld(events=6, shows=40, bookings=2_000, big=(600, 200))
EVENTS, SHOWS = len(GIGS), sum(len(gig.nights) for gig in GIGS)  # of the small world
HOT = SHOWS + 1
NOW = 1_800_000_123


def schema():
    return db.session.execute(
        text(
            "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'"
            " UNION ALL SELECT conrelid::regclass || conname || pg_get_constraintdef(oid)"
            " FROM pg_constraint WHERE conrelid <> 0 ORDER BY 1"
        )
    ).all()


def empty():
    tables = ", ".join(f'"{table.name}"' for table in db.metadata.sorted_tables)
    with db.engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))


@pytest.fixture(scope="module")
def world(app):
    """Loaded once, for real; what the tests do on top is rolled back."""
    with app.app_context():
        before = schema()
        db.session.remove()
        made = demo_service.seed(WORLD)
        made["schema"] = before
        db.session.remove()
    yield made
    with app.app_context():
        empty()


@pytest.fixture
def seeded(world, client, session):
    return world


def count(thing, *conditions):
    return db.session.scalar(select(func.count()).select_from(thing).where(*conditions))


def large(column):
    """A column of the bookings at the large world's shows."""
    return db.session.scalars(select(column).where(Booking.show_id >= HOT)).all()


class TestWhatIsMade:
    def test_every_invariant_holds(self, seeded):
        assert verify_service.broken() == []

    def test_there_is_as_much_as_was_asked_for(self, seeded):
        confirmed = Booking.status == BookingStatus.CONFIRMED, Booking.show_id >= HOT

        assert count(Event) == EVENTS + WORLD.events == seeded["events"]
        assert count(Show) == SHOWS + WORLD.shows == seeded["shows"]
        assert count(Booking, *confirmed) == WORLD.bookings
        assert count(Organiser) >= WORLD.organisers
        assert count(Venue) >= WORLD.halls + len(WORLD.big)

    def test_the_big_shows_come_first_and_the_rest_are_small(self, seeded):
        sizes = dict(
            db.session.execute(
                select(Place.show_id, func.count())
                .where(Place.show_id >= HOT)
                .group_by(Place.show_id)
            ).all()
        )

        assert [sizes[HOT], sizes[HOT + 1]] == list(WORLD.big)
        assert all(100 <= size <= 500 for show_id, size in sizes.items() if show_id > HOT + 1)
        assert len(sizes) == WORLD.shows

    def test_the_schema_is_what_it_was(self, seeded):
        assert schema() == seeded["schema"]

    def test_the_small_world_is_there_too_and_its_accounts_are(self, seeded, client):
        login = {"email": demo_service.LOGINS["organiser"], "password": demo_service.PASSWORD}

        assert client.post("/auth/login", json=login).status_code == 200
        assert client.get("/events/1").json["title"] == GIGS[0].title

    def test_everything_that_can_become_of_bookings_is_there(self, seeded):
        assert {BookingStatus.CONFIRMED, BookingStatus.CANCELLED, BookingStatus.EXPIRED} <= set(
            large(Booking.status)
        )
        assert set(large(Booking.channel)) == set(Channel)
        assert set(db.session.scalars(select(Ticket.status))) == set(TicketStatus)

    def test_it_is_made_once(self, seeded):
        assert demo_service.seed(WORLD) == {}

    def test_ids_go_on_where_it_ends(self, seeded, session):
        last = db.session.scalar(select(func.max(Booking.id)))

        assert db.session.scalar(text("SELECT nextval('bookings_id_seq')")) == last + 1
        assert db.session.scalar(text("SELECT nextval('places_id_seq')")) > last
        outbox_service.publish("nothing.much")
        session.flush()


class TestTheHotShow:
    def test_is_on_sale_partly_sold_and_has_numbered_seats(self, seeded, client):
        event = db.session.get(Show, HOT).event
        availability = client.get(f"/shows/{HOT}/availability").json
        sold = count(Place, Place.show_id == HOT, Place.booking_id.is_not(None))

        assert (event.title, event.organiser_id) == (demo_large_catalogue.HOT, 1)
        assert (availability["state"], availability["can_purchase"]) == ("available", True)
        assert 0.1 < sold / WORLD.big[0] < 0.45
        assert count(Place, Place.show_id == HOT, Place.key.is_(None)) == 0
        assert len(availability["tiers"]) == 4

    def test_sells_chosen_seats_and_any(self, seeded, client):
        [tier] = db.session.scalars(select(Tier).where(Tier.show_id == HOT).limit(1))
        key = db.session.scalars(
            select(Place.key)
            .join(Stock, Stock.id == Place.stock_id)
            .where(Place.show_id == HOT, Place.booking_id.is_(None), Stock.name == tier.name)
            .order_by(Place.id)
            .limit(1)
        ).one()
        price_id = tier.prices[0].id
        guest = {"name": "Rosalía Ibarra", "email": "rosalia@example.com"}
        items = [
            {"tier_id": tier.id, "price_id": price_id, "seats": [key]},
            {"tier_id": tier.id, "price_id": price_id, "quantity": 2},
        ]

        booked = client.post("/bookings/", json={"show_id": HOT, "items": items, "buyer": guest})

        assert booked.status_code == 201, booked.json
        assert key in [place["key"] for place in booked.json["places"]]
        assert len(booked.json["places"]) == 3

    def test_its_organiser_reads_its_bookings(self, seeded, client):
        login = {"email": demo_service.LOGINS["organiser"], "password": demo_service.PASSWORD}
        token = client.post("/auth/login", json=login).json["access_token"]
        headers = {"Authorization": f"Bearer {token}"}

        page = client.get(f"/bookings/?show_id={HOT}&after=&per_page=20", headers=headers).json

        assert len(page["items"]) == 20
        for booking in page["items"]:
            places = sum(line["quantity"] for line in booking["lines"])
            if booking["status"] == "confirmed":
                assert len(booking["places"]) == len(booking["tickets"]) == places


class TestAsTheProductWrites:
    def test_a_buyer_signs_in_and_finds_what_they_bought(self, seeded, client):
        users = {user_id for user_id in large(Booking.user_id) if user_id is not None}
        user = db.session.get(User, min(users))
        number = user.id - db.session.scalar(
            select(User.id).where(User.email == demo_large.account_email(0))
        )
        login = {"email": demo_large.account_email(number), "password": demo_service.PASSWORD}
        answer = client.post("/auth/login", json=login).json
        headers = {"Authorization": f"Bearer {answer['access_token']}"}

        page = client.get("/bookings/?after=", headers=headers).json

        assert page["items"]
        for booking in page["items"]:
            assert booking["ticket_holder"]["email"] == user.email

    def test_who_signs_in_has_one_holder_and_a_guest_one_for_each_booking(self, seeded):
        of_bookings = (
            select(Booking, TicketHolder)
            .join(TicketHolder, TicketHolder.id == Booking.ticket_holder_id)
            .where(Booking.show_id >= HOT)
        )
        guests = []
        for booking, holder in db.session.execute(of_bookings):
            assert booking.email == holder.email
            if booking.user_id is not None:
                assert (holder.user_id, holder.is_self) == (booking.user_id, True)
            else:
                assert holder.organiser_id == booking.organiser_id
                guests.append(holder.id)
        assert len(guests) == len(set(guests)) > 0

    def test_mailboxes_count_as_they_do_for_the_limits(self, seeded):
        emails = db.session.execute(
            select(Booking.email, Booking.email_key).where(Booking.show_id >= HOT)
        ).all()

        assert {email is None for email, _ in emails} == {True, False}
        assert all(key == (email_key(email) if email else None) for email, key in emails)

    def test_guests_who_buy_by_themselves_have_a_secret(self, seeded):
        secret = select(BookingSecret.id).where(BookingSecret.booking_id == Booking.id).exists()
        alone = Booking.user_id.is_(None) & Booking.channel.in_((Channel.WEB, Channel.API))

        assert count(Booking, Booking.show_id >= HOT, alone != secret) == 0

    def test_the_desk_says_who_sold_and_comps_say_why(self, seeded):
        over_the_counter = Booking.channel.in_((Channel.DESK, Channel.COMP))
        is_comp = Booking.channel == Channel.COMP
        of = Booking.show_id >= HOT

        assert count(Booking, of, over_the_counter != Booking.sold_by_user_id.is_not(None)) == 0
        assert count(Booking, of, is_comp != Booking.comp_reason.is_not(None)) == 0
        assert count(Booking, of, is_comp, Booking.total_amount > 0) == 0

    def test_times_follow_each_other_and_none_is_to_come(self, seeded):
        wrong = (
            (Booking.held_at < Event.published_at)
            | (Booking.confirmed_at < Booking.held_at)
            | (Booking.confirmed_at > Booking.held_until)
            | (Booking.confirmed_at > Show.starts_at)
            | (Booking.cancelled_at < Booking.held_at)
            | (Booking.updated_at > func.now())
            | (Booking.updated_at < Booking.created_at)
        )
        early = select(Booking.id).join(Show, Show.id == Booking.show_id).join(Event)

        assert db.session.scalars(early.where(Booking.show_id >= HOT, wrong)).all() == []

    def test_ids_are_in_order_of_time(self, seeded):
        held = large(Booking.held_at)
        by_id = db.session.scalars(
            select(Booking.held_at).where(Booking.show_id >= HOT).order_by(Booking.id)
        ).all()

        assert by_id == sorted(held)

    def test_seats_are_those_of_the_map_and_floors_count_from_one(self, seeded):
        strays = text(
            """
            SELECT p.id FROM places p JOIN stocks k ON k.id = p.stock_id
             WHERE k.kind = 'seated' AND p.show_id >= :hot AND NOT EXISTS (
                   SELECT FROM map_seats m WHERE m.section_id = k.section_id
                      AND m."row" = p."row" AND m.number = p.number
                      AND m.position = p.ordinal AND m.off_centre = p.off_centre
                      AND p.key = upper(replace(k.section_name, ' ', '_')) || '/' || m."row"
                                  || '-' || m.number)
            """
        )
        ordinals = select(Stock.capacity, func.min(Place.ordinal), func.max(Place.ordinal))
        ordinals = ordinals.join(Place, Place.stock_id == Stock.id).where(Stock.show_id >= HOT)
        ordinals = ordinals.where(Stock.kind == "standing")

        assert db.session.execute(strays, {"hot": HOT}).all() == []
        for capacity, first, last in db.session.execute(ordinals.group_by(Stock.id)):
            assert (first, last) == (1, capacity)
        assert set(db.session.scalars(select(Stock.kind))) == {
            SectionKind.STANDING,
            SectionKind.SEATED,
        }

    def test_versions_count_the_steps_of_a_life(self, seeded):
        steps = (
            Booking.confirmed_at.is_not(None).cast(db.Integer)
            + (Booking.cancelled_at.is_not(None) | (Booking.status == "expired")).cast(db.Integer)
            + select(func.count())
            .where(Ticket.booking_id == Booking.id, Ticket.status == TicketStatus.USED)
            .scalar_subquery()
        )

        assert count(Booking, Booking.show_id >= HOT, Booking.version != 1 + steps) == 0

    def test_a_show_that_is_over_or_off_sells_no_more(self, seeded):
        off = Show.status == ShowStatus.CANCELLED
        gone = select(Show.id).where(off | (Show.starts_at < func.now()))

        assert count(Booking, Booking.show_id.in_(gone), Booking.status == "held") == 0


class TestBreakingOff:
    @pytest.fixture
    def fresh(self, app):
        with app.app_context():
            empty()
            yield schema()
            db.session.remove()
            empty()

    @staticmethod
    def load(tell=silently, bookings=50):
        world = LargeWorld(events=3, shows=6, bookings=bookings, big=(200,))
        with transaction():
            demo_large.load(db.session.connection(), world, "nobody's", tell)

    def test_it_can_be_loaded_by_itself(self, fresh):
        self.load()

        assert count(Show) == 6

    @pytest.mark.parametrize("step", ["catalogue", "bookings", "places", "indexes and keys"])
    def test_leaves_nothing_wherever_it_is(self, fresh, step):
        def tell(what, done, total):
            if what == step:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            self.load(tell)

        assert demo_service.is_empty()
        assert schema() == fresh
        assert count(Place) == 0

    def test_more_bookings_than_places_are_refused_before_anything_is_made(self, fresh):
        with pytest.raises(WorldDoesNotFit, match=r"At most [0-9,]+ confirmed bookings fit"):
            self.load(bookings=90_000)

        assert demo_service.is_empty()

    @pytest.mark.parametrize(
        "numbers", [{"events": 5}, {"shows": 10}, {"bookings": 0}, {"events": 30, "shows": 20}]
    )
    def test_numbers_that_do_not_go_together_are_refused(self, numbers):
        with pytest.raises(WorldDoesNotFit):
            LargeWorld(**numbers)


@pytest.fixture(scope="module")
def catalogue():
    return planned(LargeWorld())


class TestPlans:
    """What does not need a database, of the world as large as it is by default."""

    def test_the_promise(self, catalogue):
        sizes = [night.places for night in catalogue.nights]

        assert (len(catalogue.gigs), len(sizes)) == (2_000, 10_000)
        assert sizes[:11] == [80_000] + [20_000] * 10
        assert all(100 <= size <= 500 for size in sizes[11:])
        assert sum(sizes) < 5_000_000
        assert len(catalogue.companies) >= 200
        assert len(catalogue.halls) >= 300
        assert len({hall.city.time_zone for hall in catalogue.halls}) > 40
        assert len({hall.city.currency for hall in catalogue.halls}) > 30

    def test_every_show_has_two_to_four_tiers(self, catalogue):
        tiers = Counter(
            sum(offer.id is not None for offer in night.offers) for night in catalogue.nights
        )

        assert set(tiers) == {2, 3, 4}

    def test_no_two_shows_are_in_a_hall_at_a_time(self, catalogue):
        by_hall = sorted(catalogue.nights, key=lambda night: (night.hall.id, night.starts_at))

        for before, after in pairwise(by_hall):
            assert before.hall is not after.hall or before.ends_at < after.starts_at

    def test_events_and_shows_are_in_every_state(self, catalogue):
        assert {gig.status for gig in catalogue.gigs} == set(EventStatus)
        assert {night.status for night in catalogue.nights} == set(ShowStatus)
        assert {night.paused for night in catalogue.nights} == {True, False}

    def test_the_same_seed_makes_the_same_world_and_another_another(self):
        numbers = {"events": 6, "shows": 20, "bookings": 300, "big": (400,)}
        same = [lines_of(LargeWorld(**numbers, seed=seed)) for seed in (1, 1, 2)]

        assert same[0] == same[1]
        assert same[0] != same[2]

    def test_references_and_codes_are_all_different(self):
        references = {demo_large_bookings._reference(rank) for rank in range(50_000)}
        codes = demo_large_bookings._codes(demo_large_catalogue.rng_of(WORLD, "codes"))

        assert len(references) == 50_000
        assert {len(reference) for reference in references} == {10}
        assert len({next(codes) for _ in range(50_000)}) == 50_000


def planned(world):
    return demo_large_catalogue.plan(
        world,
        NOW - NOW % 3600,
        firsts={table.name: 1 for table in db.metadata.sorted_tables},
        known=[Company(1, 2, 3, "Nyota Live")],
        password_hash="nobody's",
    )


def lines_of(world):
    """Everything that would be loaded."""
    catalogue = planned(world)
    sales = demo_large_sales.plan(catalogue, now=NOW, tell=silently)
    records = demo_large_bookings.Records(sales)
    lines = [list(make(catalogue)) for _, make in demo_large_writer.TABLES.values()]
    return lines + [list(make(records)) for _, make in demo_large_bookings.TABLES.values()]
