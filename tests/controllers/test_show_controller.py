"""/shows, seen from outside."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from init import db
from models import (
    Booking,
    BookingStatus,
    EventStatus,
    MemberRole,
    OutboxMessage,
    Place,
    Price,
    SeatMapVersion,
    Show,
    ShowStatus,
    Stock,
    Tier,
    Venue,
)
from tests.factories import (
    AdminFactory,
    EventFactory,
    OrganiserFactory,
    ShowFactory,
    StockFactory,
    TierFactory,
    UserFactory,
    VenueFactory,
    member,
)
from tests.factories.sales import booked

NOW = datetime.now(UTC).replace(microsecond=0)
SOON = NOW + timedelta(days=40)
LAST_WEEK = NOW - timedelta(days=7)
DRAFT = {"status": EventStatus.DRAFT, "published_at": None}
SEATED = [("Stalls", {"A": 4, "B": 4}), ("Floor", 100)]


@pytest.fixture
def organiser(session):
    return OrganiserFactory()


@pytest.fixture
def manager(organiser, as_user):
    return as_user(member(organiser, MemberRole.MANAGER))


@pytest.fixture
def event(organiser):
    return EventFactory(organiser=organiser)


@pytest.fixture
def draft(organiser):
    return EventFactory(organiser=organiser, **DRAFT)


@pytest.fixture
def show(event):
    return ShowFactory(event=event)


@pytest.fixture
def wanted(event):
    return {
        "event_id": event.id,
        "venue_id": VenueFactory().id,
        "starts_at": SOON.isoformat(),
        "currency": "KES",
    }


def code(response):
    return response.status_code, response.json["code"]


def wrong(response):
    assert response.status_code == 400, response.json
    return [error["field"] for error in response.json["errors"]]


def instant(text):
    return datetime.fromisoformat(text) if text else None


def published_topics():
    return db.session.scalars(select(OutboxMessage.topic).order_by(OutboxMessage.id)).all()


class TestCreate:
    def test_puts_an_event_on_for_four_hours_unless_told(self, client, manager, wanted, event):
        response = client.post("/shows/", json=wanted, headers=manager)

        assert response.status_code == 201
        shown = client.get(response.headers["Location"])
        assert response.json == shown.json | {"warnings": []}
        assert shown.headers["ETag"] == response.headers["ETag"]
        assert instant(shown.json["ends_at"]) == SOON + timedelta(hours=4)
        assert shown.json["starts_at"].endswith("+03:00")
        assert shown.json["time_zone"] == "Africa/Nairobi"
        assert shown.json["event"]["title"] == event.title
        assert shown.json["venue"]["city"] == "Nairobi"
        assert (shown.json["status"], shown.json["availability_display"]) == ("confirmed", "number")
        show = db.session.get(Show, shown.json["id"])
        assert show.occupies_venue
        assert db.session.get(SeatMapVersion, show.seat_map_version_id).venue_id == show.venue_id

    def test_takes_the_events_usual_length(self, client, manager, wanted, event):
        event.duration_minutes = 90
        db.session.commit()

        response = client.post("/shows/", json=wanted, headers=manager)

        assert instant(response.json["ends_at"]) == SOON + timedelta(minutes=90)

    def test_copies_the_price_list(self, client, manager, wanted, event):
        plan = Tier(
            event_id=event.id,
            name="Early Bird",
            max_per_booking=10,
            max_per_buyer=10,
            section="Floor",
            capacity=20,
        )
        plan.prices = [Price(name="Adult", amount=150_000, currency="KES")]
        db.session.add(plan)
        db.session.commit()

        show_id = client.post("/shows/", json=wanted, headers=manager).json["id"]

        tier = db.session.scalars(select(Tier).where(Tier.show_id == show_id)).one()
        assert (tier.name, tier.prices[0].amount) == ("Early Bird", 150_000)
        assert db.session.scalars(select(Stock.capacity)).all() == [20]
        assert client.get("/shows/?on_sale=true").json["pagination"]["total"] == 1

    def test_without_a_venue_it_is_to_be_announced(self, client, manager, wanted):
        unplaced = wanted | {"venue_id": None, "time_zone": "Europe/Lisbon"}

        response = client.post("/shows/", json=unplaced, headers=manager)

        assert response.json["venue"] == {"id": None, "name": "To Be Announced"}
        assert response.json["time_zone"] == "Europe/Lisbon"
        unzoned = unplaced | {"time_zone": None}
        assert wrong(client.post("/shows/", json=unzoned, headers=manager)) == ["time_zone"]

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("starts_at", LAST_WEEK.isoformat()),
            ("starts_at", "2030-01-01T20:00:00"),
            ("starts_at", "tomorrow"),
            ("starts_at", None),
            ("starts_at", "0001-01-01T00:00:00Z"),
            ("starts_at", "9999-12-31T23:59:59Z"),
            ("doors_at", (SOON + timedelta(hours=1)).isoformat()),
            ("ends_at", SOON.isoformat()),
            ("ends_at", (SOON + timedelta(days=15)).isoformat()),
            ("currency", "XXX"),
            ("currency", "kes"),
            ("licensed_capacity", 0),
            ("licensed_capacity", "5"),
            ("time_zone", "EAT"),
            ("availability_display", "both"),
            ("event_id", 999_999),
            ("event_id", True),
            ("venue_id", 999_999),
            ("venue_id", 2**63),
            ("status", "cancelled"),
            ("occupies_venue", False),
            ("sales_paused", True),
            ("tiers", []),
        ],
    )
    def test_names_the_field_that_is_wrong(self, client, manager, wanted, field, value):
        response = client.post("/shows/", json=wanted | {field: value}, headers=manager)

        assert wrong(response) == [field]
        assert db.session.scalar(select(Show)) is None

    def test_refuses_a_venue_that_is_taken(self, client, manager, wanted):
        there = client.post("/shows/", json=wanted, headers=manager).json
        later = (SOON + timedelta(hours=4)).isoformat()

        response = client.post("/shows/", json=wanted, headers=manager)

        assert code(response) == (409, "venue-taken")
        assert response.json["show_id"] == there["id"]
        after = wanted | {"starts_at": later}
        assert client.post("/shows/", json=after, headers=manager).status_code == 201
        elsewhere = wanted | {"venue_id": VenueFactory().id}
        assert client.post("/shows/", json=elsewhere, headers=manager).status_code == 201

    def test_warns_a_draft_of_a_venue_that_is_taken(self, client, manager, wanted, draft):
        there = client.post("/shows/", json=wanted, headers=manager).json
        planned = wanted | {"event_id": draft.id}

        response = client.post("/shows/", json=planned, headers=manager)

        assert response.status_code == 201
        (warning,) = response.json["warnings"]
        assert (warning["code"], warning["show_id"]) == ("venue-taken", there["id"])
        assert not db.session.get(Show, response.json["id"]).occupies_venue
        again = client.post("/shows/", json=planned, headers=manager).json["warnings"]
        assert [other["show_id"] for other in again] == [there["id"], response.json["id"]]

    def test_does_not_tell_of_other_peoples_drafts(self, client, manager, wanted, draft):
        venue = db.session.get(Venue, wanted["venue_id"])
        ShowFactory(event=EventFactory(**DRAFT), venue=venue, starts_at=SOON)

        response = client.post("/shows/", json=wanted | {"event_id": draft.id}, headers=manager)

        assert response.json["warnings"] == []

    @pytest.mark.parametrize("status", ["cancelled", "completed"])
    def test_an_event_that_is_over_gets_no_more(self, client, manager, wanted, organiser, status):
        event = EventFactory(organiser=organiser, status=EventStatus(status))

        response = client.post("/shows/", json=wanted | {"event_id": event.id}, headers=manager)

        assert code(response) == (409, "event-moved-on")

    def test_is_not_for_everyone(self, client, manager, wanted, organiser, draft, as_user):
        door = as_user(member(organiser, MemberRole.DOOR))
        elsewhere = as_user(member(OrganiserFactory()))

        assert client.post("/shows/", json=wanted).status_code == 401
        for headers in (door, elsewhere, as_user(UserFactory())):
            assert client.post("/shows/", json=wanted, headers=headers).status_code == 403
        hidden = wanted | {"event_id": draft.id}
        assert wrong(client.post("/shows/", json=hidden, headers=elsewhere)) == ["event_id"]
        assert db.session.scalar(select(Show)) is None

    def test_another_organisers_own_hall_is_theirs(self, client, manager, wanted, organiser):
        theirs = wanted | {"venue_id": VenueFactory(organiser_id=OrganiserFactory().id).id}
        ours = wanted | {"venue_id": VenueFactory(organiser_id=organiser.id).id}

        assert client.post("/shows/", json=theirs, headers=manager).status_code == 403
        assert client.post("/shows/", json=ours, headers=manager).status_code == 201


class TestDaylightSaving:
    """Times carry their offset, so that an hour that comes twice is never ambiguous."""

    def test_both_of_the_hours_that_repeat_are_told_apart(self, client, manager, wanted):
        unplaced = wanted | {"venue_id": None, "time_zone": "Europe/Berlin"}
        year = NOW.year + 1
        day = max(d for d in range(25, 32) if datetime(year, 10, d, tzinfo=UTC).weekday() == 6)
        starts = [f"{year}-10-{day}T02:30:00+02:00", f"{year}-10-{day}T02:30:00+01:00"]

        answers = [
            client.post("/shows/", json=unplaced | {"starts_at": start}, headers=manager).json
            for start in starts
        ]

        assert [answer["starts_at"] for answer in answers] == starts
        lasting = instant(answers[0]["ends_at"]) - instant(answers[0]["starts_at"])
        assert lasting == timedelta(hours=4)


class TestList:
    def titles(self, client, headers=None, **query):
        response = client.get("/shows/", query_string=query, headers=headers)
        assert response.status_code == 200, response.json
        return [item["event"]["title"] for item in response.json["items"]]

    @pytest.fixture
    def world(self, organiser):
        public = EventFactory(organiser=organiser, title="Public", artist="Nyashinski")
        hall = VenueFactory(name="Bomas", city="Mombasa", address="Forest Road")
        TierFactory(show=ShowFactory(event=public, venue=hall, starts_at=SOON))
        ShowFactory(
            event=public,
            venue=None,
            starts_at=SOON + timedelta(days=1),
            status=ShowStatus.CANCELLED,
            occupies_venue=False,
        )
        ShowFactory(event=EventFactory(organiser=organiser, title="Planned", **DRAFT))
        gone = EventFactory(title="Gone", status=EventStatus.CANCELLED)
        ShowFactory(event=gone, status=ShowStatus.CANCELLED, occupies_venue=False)
        ShowFactory(event=EventFactory(title="Secret", **DRAFT))
        return public

    def test_shows_what_takes_place_unless_asked(self, client, world, manager, as_user):
        admin = as_user(AdminFactory())

        assert self.titles(client) == ["Public"]
        assert self.titles(client, manager) == self.titles(client, admin) == ["Public"]
        assert sorted(self.titles(client, status="cancelled")) == ["Gone", "Public"]
        assert self.titles(client, manager, status="confirmed") == ["Planned", "Public"]
        assert self.titles(client, event_id=world.id) == ["Public"]
        assert self.titles(client, manager, event_id=world.id) == ["Public"] * 2
        assert self.titles(client, admin, event_id=world.id) == ["Public"] * 2

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("q", "public"),
            ("q", "bomas"),
            ("artist", "nyash"),
            ("city", "momb"),
            ("location", "forest"),
            ("on_sale", "true"),
            ("date_from", SOON.date()),
            ("date_to", SOON.date() + timedelta(days=2)),
        ],
    )
    def test_finds_by_what_people_look_for(self, client, world, name, value):
        other = EventFactory(title="Other", artist=None)
        beyond = SOON - timedelta(days=3) if name == "date_from" else SOON + timedelta(days=9)
        ShowFactory(event=other, starts_at=beyond)

        assert self.titles(client, **{name: value}) == ["Public"]

    def test_finds_by_venue_and_organiser(self, client, world, organiser):
        ShowFactory()
        venue = db.session.scalars(select(Show).where(Show.event_id == world.id)).first().venue_id

        assert self.titles(client, venue_id=venue) == ["Public"]
        assert self.titles(client, organiser_id=organiser.id) == ["Public"]
        assert len(self.titles(client, on_sale="false")) == 1

    @pytest.mark.parametrize(
        "query",
        [
            {"sort": "event_id"},
            {"date": "soon"},
            {"q": "x" * 10_240},
            {"status": "gone"},
            {"event_id": 10**40},
            {"title": "x"},
        ],
    )
    def test_refuses_what_is_not_offered(self, client, query):
        assert wrong(client.get("/shows/", query_string=query)) == list(query)

    def test_costs_the_same_whatever_the_page(self, client, count_statements):
        def cost():
            count_statements.clear()
            items = client.get("/shows/?per_page=100&on_sale=true&city=nairobi").json["items"]
            return len(count_statements), len(items)

        def make(number):
            for _ in range(number):
                TierFactory(show=ShowFactory(), capacity=1)

        make(3)
        few = cost()
        make(27)

        assert (few, cost()) == ((2, 3), (2, 30))


class TestVisibility:
    def test_a_drafts_show_does_not_exist_for_others(self, client, draft, manager, as_user):
        path = f"/shows/{ShowFactory(event=draft).id}"
        elsewhere = as_user(member(OrganiserFactory()))

        assert client.get(path).status_code == 404
        assert client.get(path, headers=elsewhere).status_code == 404
        assert client.patch(path, json={}, headers=elsewhere).status_code == 404
        assert client.delete(path, headers=elsewhere).status_code == 404
        assert client.get(path, headers=manager).status_code == 200

    def test_who_sees_it_may_still_not_touch_it(self, client, show, organiser, as_user):
        path, date = f"/shows/{show.id}", {"starts_at": SOON.isoformat()}
        door = as_user(member(organiser, MemberRole.DOOR))
        for headers in (door, as_user(member(OrganiserFactory())), as_user(UserFactory())):
            assert client.patch(path, json={}, headers=headers).status_code == 403
            full = date | {"currency": "KES"}
            assert client.put(path, json=full, headers=headers).status_code == 403
            assert client.delete(path, headers=headers).status_code == 403
            for verb in ("postpone", "pause", "resume"):
                assert client.post(f"{path}/{verb}", headers=headers).status_code == 403
            for verb in ("reschedule", "copy"):
                refused = client.post(f"{path}/{verb}", json=date, headers=headers)
                assert refused.status_code == 403
        assert client.post(f"{path}/pause").status_code == 401
        assert db.session.get(Show, show.id).version == show.version


class TestEdit:
    def test_patch_changes_only_what_is_named(self, client, show, manager):
        path = f"/shows/{show.id}"
        before = client.get(path).json

        response = client.patch(path, json={"licensed_capacity": 900}, headers=manager)

        changed = {
            "licensed_capacity": 900,
            "updated_at": response.json["updated_at"],
            "warnings": [],
        }
        assert response.json == before | changed

    def test_put_resets_what_is_left_out(self, client, show, manager):
        path = f"/shows/{show.id}"
        more = {"licensed_capacity": 900, "availability_display": "word"}
        assert client.patch(path, json=more, headers=manager).status_code == 200

        facts = {"starts_at": SOON.isoformat(), "currency": "KES", "venue_id": show.venue_id}
        response = client.put(path, json=facts, headers=manager)

        assert response.json["licensed_capacity"] is None
        assert response.json["availability_display"] == "number"
        assert instant(response.json["ends_at"]) == SOON + timedelta(hours=4)
        assert wrong(client.put(path, json={"currency": "KES"}, headers=manager)) == ["starts_at"]

    def test_put_of_what_was_read_changes_nothing(self, client, show, manager):
        path = f"/shows/{show.id}"
        before = client.get(path)
        names = (
            "event_id venue_id starts_at doors_at ends_at time_zone currency licensed_capacity"
            " availability_display"
        )
        same = {name: before.json[name] for name in names.split()}

        response = client.put(path, json=same, headers=manager)

        assert response.json == before.json | {"warnings": []}
        assert response.headers["ETag"] == before.headers["ETag"]

    def test_a_show_stays_with_its_event(self, client, show, manager, draft):
        change = {"event_id": draft.id}
        response = client.patch(f"/shows/{show.id}", json=change, headers=manager)

        assert wrong(response) == ["event_id"]

    @pytest.mark.parametrize(
        ("field", "change"),
        [
            ("starts_at", {"starts_at": None}),
            ("starts_at", {"starts_at": LAST_WEEK.isoformat()}),
            ("ends_at", {"ends_at": LAST_WEEK.isoformat()}),
            ("doors_at", {"doors_at": (SOON + timedelta(days=30)).isoformat()}),
            ("ends_at", {"ends_at": (SOON + timedelta(days=30)).isoformat()}),
            ("venue_id", {"venue_id": 999_999}),
        ],
    )
    def test_names_the_field_that_is_wrong(self, client, show, manager, field, change):
        assert wrong(client.patch(f"/shows/{show.id}", json=change, headers=manager)) == [field]
        assert db.session.get(Show, show.id).version == show.version

    def test_a_stale_edit_is_refused(self, client, show, manager):
        path = f"/shows/{show.id}"
        stale = manager | {"If-Match": client.get(path).headers["ETag"]}
        change = {"licensed_capacity": 900}
        assert client.patch(path, json=change, headers=stale).status_code == 200

        assert client.patch(path, json={"licensed_capacity": 1}, headers=stale).status_code == 412
        assert client.delete(path, headers=stale).status_code == 412
        assert client.get(path).json["licensed_capacity"] == 900

    def test_the_version_knows_of_event_and_venue(self, client, show):
        path = f"/shows/{show.id}"
        etag = client.get(path).headers["ETag"]
        assert client.get(path, headers={"If-None-Match": etag}).status_code == 304

        show.venue.name = "Renamed"
        db.session.commit()

        assert client.get(path, headers={"If-None-Match": etag}).status_code == 200

    @pytest.mark.parametrize("state", ["held", "confirmed"])
    @pytest.mark.parametrize(
        "change", [{"starts_at": SOON.isoformat(), "ends_at": None}, {"currency": "EUR"}]
    )
    def test_what_people_bought_stays(self, client, show, manager, state, change):
        booked(show, state)

        response = client.patch(f"/shows/{show.id}", json=change, headers=manager)

        assert code(response) == (409, "has-sales")
        assert response.json["bookings"] == 1
        assert db.session.get(Show, show.id).version == show.version

    def test_a_currency_in_which_tiers_are_priced_stays(self, client, show, manager):
        path = f"/shows/{show.id}"
        tier = TierFactory(show=show)

        response = client.patch(path, json={"currency": "EUR"}, headers=manager)
        assert code(response) == (409, "has-prices")
        tier.deleted_at = NOW
        db.session.commit()
        assert client.patch(path, json={"currency": "EUR"}, headers=manager).status_code == 200

    def test_the_licence_stays_above_what_is_offered(self, client, show, manager):
        path = f"/shows/{show.id}"
        StockFactory(show=show, capacity=30)

        response = client.patch(path, json={"licensed_capacity": 29}, headers=manager)

        assert code(response) == (409, "capacity-in-use")
        assert response.json["in_use"] == 30
        fits = client.patch(path, json={"licensed_capacity": 30}, headers=manager)
        assert fits.status_code == 200

    def test_another_venue_brings_its_map_and_its_clocks(self, client, show, manager):
        there = VenueFactory(time_zone="Africa/Accra", layout=SEATED)

        change = {"venue_id": there.id}
        response = client.patch(f"/shows/{show.id}", json=change, headers=manager)

        assert response.json["time_zone"] == "Africa/Accra"
        moved = db.session.get(Show, show.id)
        assert db.session.get(SeatMapVersion, moved.seat_map_version_id).venue_id == there.id
        assert "show.moved" in published_topics()

    def test_another_venue_must_have_room_for_what_is_offered(self, client, show, manager):
        StockFactory(show=show, capacity=30)
        small, large = VenueFactory(capacity=29), VenueFactory(capacity=30)
        path = f"/shows/{show.id}"

        response = client.patch(path, json={"venue_id": small.id}, headers=manager)

        assert code(response) == (409, "capacity-in-use")
        assert db.session.get(Show, show.id).venue_id == show.venue_id
        moved = client.patch(path, json={"venue_id": large.id}, headers=manager)
        assert moved.json["venue_id"] == large.id
        booked(show)
        back = client.patch(path, json={"venue_id": None, "time_zone": "UTC"}, headers=manager)
        assert code(back) == (409, "has-sales")

    @pytest.mark.parametrize("venue", ["another", None])
    def test_sold_seats_stay_in_their_hall(self, client, event, manager, venue):
        show = ShowFactory(event=event, venue=VenueFactory(layout=SEATED))
        StockFactory(show=show, section_name="Stalls")
        booked(show)

        change = {"venue_id": VenueFactory().id if venue else None}
        response = client.patch(f"/shows/{show.id}", json=change, headers=manager)

        assert code(response) == (409, "has-sales")
        assert db.session.get(Show, show.id).venue_id == show.venue_id

    def test_is_refused_where_another_show_is(self, client, show, manager):
        there = ShowFactory(venue=show.venue, starts_at=SOON)
        path = f"/shows/{show.id}"

        change = {"starts_at": (SOON + timedelta(hours=3)).isoformat(), "ends_at": None}
        response = client.patch(path, json=change, headers=manager)

        assert code(response) == (409, "venue-taken")
        assert response.json["show_id"] == there.id
        assert db.session.get(Show, show.id).starts_at == show.starts_at

    def test_a_cancelled_show_can_still_be_edited_as_far_as_it_matters(
        self, client, event, manager
    ):
        show = ShowFactory(event=event, status=ShowStatus.CANCELLED, occupies_venue=False)
        path = f"/shows/{show.id}"

        change = {"availability_display": "word", "licensed_capacity": 5}
        assert client.patch(path, json=change, headers=manager).status_code == 200
        for sale in ({"starts_at": SOON.isoformat()}, {"venue_id": None}, {"currency": "EUR"}):
            response = client.patch(path, json=sale, headers=manager)
            assert code(response) == (409, "show-cancelled")

    def test_a_past_show_can_still_be_edited(self, client, event, manager):
        show = ShowFactory(event=event, starts_at=LAST_WEEK)
        booked(show)

        change = {"ends_at": (LAST_WEEK + timedelta(hours=5)).isoformat()}
        response = client.patch(f"/shows/{show.id}", json=change, headers=manager)

        assert response.status_code == 200


class TestCancel:
    def test_ends_its_bookings_and_frees_the_venue(self, client, show, manager):
        booking_id, show_id = booked(show).id, show.id
        path = f"/shows/{show_id}"
        headers = manager | {"If-Match": client.get(path).headers["ETag"]}

        answers = [client.delete(path, headers=headers)]
        db.session.expunge_all()  # outside of tests no row outlives its request
        answers.append(client.delete(path, headers=headers))

        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[0].json == answers[1].json == client.get(path).json
        assert answers[0].json["status"] == "cancelled"
        assert db.session.get(Booking, booking_id).status == BookingStatus.CANCELLED
        assert not db.session.get(Show, show_id).occupies_venue
        assert published_topics().count("show.cancelled") == 1

    def test_a_dry_run_says_what_would_end(self, client, show, manager):
        booked(show)
        path = f"/shows/{show.id}"

        response = client.delete(path, query_string={"dry_run": "true"}, headers=manager)

        assert response.json == {"shows": 1, "bookings": 1, "places": 0}
        assert client.get(path).json["status"] == "confirmed"
        assert wrong(client.delete(path, query_string={"dry": 1}, headers=manager)) == ["dry"]

    @pytest.mark.parametrize("verb", ["postpone", "pause", "resume", "reschedule"])
    def test_stays_cancelled(self, client, event, manager, verb):
        show = ShowFactory(event=event, status=ShowStatus.CANCELLED, occupies_venue=False)

        body = {"json": {"starts_at": SOON.isoformat()}} if verb == "reschedule" else {}
        response = client.post(f"/shows/{show.id}/{verb}", headers=manager, **body)

        assert code(response) == (409, "show-cancelled")


class TestPostpone:
    def test_takes_the_date_away_and_keeps_the_bookings(self, client, show, manager):
        booking, then = booked(show), show.starts_at
        TierFactory(show=show)
        path = f"/shows/{show.id}"

        response = client.post(f"{path}/postpone", headers=manager)

        facts = [response.json[name] for name in ("status", "starts_at", "doors_at", "ends_at")]
        assert facts == ["postponed", None, None, None]
        assert db.session.get(Booking, booking.id).status == BookingStatus.CONFIRMED
        assert client.get("/shows/?on_sale=true").json["items"] == []
        ShowFactory(venue=show.venue, starts_at=then)  # the venue is free
        assert published_topics() == ["show.postponed"]
        again = client.post(f"{path}/postpone", headers=manager)
        assert code(again) == (409, "show-moved-on")

    def test_its_new_date_comes_by_reschedule_alone(self, client, show, manager):
        path = f"/shows/{show.id}"
        client.post(f"{path}/postpone", headers=manager)

        change = {"starts_at": SOON.isoformat()}
        response = client.patch(path, json=change, headers=manager)
        assert code(response) == (409, "show-moved-on")
        same = {"starts_at": None, "currency": "KES", "venue_id": show.venue_id}
        assert client.put(path, json=same, headers=manager).status_code == 200
        dated = client.post(f"{path}/reschedule", json=change, headers=manager)
        assert dated.json["status"] == "rescheduled"
        assert instant(dated.json["ends_at"]) == SOON + timedelta(hours=4)


class TestReschedule:
    def test_keeps_bookings_length_and_the_time_between_doors_and_start(
        self, client, event, manager
    ):
        starts_at = NOW + timedelta(days=3)
        show = ShowFactory(
            event=event,
            starts_at=starts_at,
            doors_at=starts_at - timedelta(hours=1),
            ends_at=starts_at + timedelta(hours=2),
        )
        booking = booked(show)

        date = {"starts_at": SOON.isoformat()}
        response = client.post(f"/shows/{show.id}/reschedule", json=date, headers=manager)

        times = [instant(response.json[name]) for name in ("doors_at", "starts_at", "ends_at")]
        assert times == [SOON - timedelta(hours=1), SOON, SOON + timedelta(hours=2)]
        assert response.json["status"] == "rescheduled"
        assert db.session.get(Booking, booking.id).status == BookingStatus.CONFIRMED
        assert db.session.get(Show, show.id).occupies_venue
        assert published_topics() == ["show.rescheduled"]

    @pytest.mark.parametrize("postponed", [False, True])
    def test_moves_to_another_venue_if_asked(self, client, show, manager, postponed):
        there = VenueFactory(time_zone="Africa/Lagos")
        if postponed:
            client.post(f"/shows/{show.id}/postpone", headers=manager)

        date = {"starts_at": SOON.isoformat(), "venue_id": there.id}
        response = client.post(f"/shows/{show.id}/reschedule", json=date, headers=manager)

        assert response.json["venue"]["id"] == there.id
        assert response.json["starts_at"].endswith("+01:00")

    def test_is_refused_where_another_show_is(self, client, show, manager):
        there = ShowFactory(venue=show.venue, starts_at=SOON)

        date = {"starts_at": SOON.isoformat()}
        response = client.post(f"/shows/{show.id}/reschedule", json=date, headers=manager)

        assert code(response) == (409, "venue-taken")
        assert response.json["show_id"] == there.id
        same = db.session.get(Show, show.id)
        assert (same.status, same.starts_at) == (ShowStatus.CONFIRMED, show.starts_at)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("starts_at", LAST_WEEK.isoformat()),
            ("starts_at", None),
            ("ends_at", SOON.isoformat()),
            ("doors_at", (SOON + timedelta(minutes=1)).isoformat()),
            ("venue_id", 999_999),
            ("currency", "EUR"),
        ],
    )
    def test_names_the_field_that_is_wrong(self, client, show, manager, field, value):
        date = {"starts_at": SOON.isoformat()} | {field: value}

        response = client.post(f"/shows/{show.id}/reschedule", json=date, headers=manager)

        assert wrong(response) == [field]
        assert db.session.get(Show, show.id).version == show.version

    def test_a_completed_events_shows_are_history(self, client, organiser, manager):
        event = EventFactory(organiser=organiser, status=EventStatus.COMPLETED)
        path = f"/shows/{ShowFactory(event=event, starts_at=LAST_WEEK).id}"

        date = {"starts_at": SOON.isoformat()}
        for response in (
            client.post(f"{path}/reschedule", json=date, headers=manager),
            client.post(f"{path}/postpone", headers=manager),
            client.post(f"{path}/copy", json=date, headers=manager),
            client.delete(path, headers=manager),
        ):
            assert code(response) == (409, "event-moved-on")


def test_pause_and_resume_may_be_repeated(client, show, manager):
    TierFactory(show=show)
    path = f"/shows/{show.id}"

    for verb, paused in (("pause", True), ("pause", True), ("resume", False), ("resume", False)):
        response = client.post(f"{path}/{verb}", headers=manager)
        assert (response.status_code, response.json["sales_paused"]) == (200, paused)
        on_sale = client.get("/shows/?on_sale=true").json["pagination"]["total"]
        assert on_sale == (0 if paused else 1)


class TestCopy:
    def test_is_a_second_night_with_places_of_its_own(self, client, event, manager):
        venue = VenueFactory(layout=SEATED)
        show = ShowFactory(event=event, venue=venue, avoid_single_seats=True)
        TierFactory(show=show, section="Stalls")
        TierFactory(show=show, section="Floor", capacity=30)
        booked(show)

        date = {"starts_at": SOON.isoformat()}
        response = client.post(f"/shows/{show.id}/copy", json=date, headers=manager)

        assert response.status_code == 201
        assert response.headers["Location"] == f"/shows/{response.json['id']}"
        assert response.json["id"] != show.id
        assert response.json["venue_id"] == show.venue_id
        places = select(Place).where(Place.show_id == response.json["id"])
        copied = db.session.scalars(places).all()
        assert len(copied) == 38
        assert all(place.booking_id is None for place in copied)
        night = db.session.get(Show, response.json["id"])
        assert night.seat_map_version_id == show.seat_map_version_id
        assert night.avoid_single_seats

    def test_a_cancelled_night_can_be_made_up_for(self, client, event, manager):
        show = TierFactory(show=ShowFactory(event=event)).show
        client.delete(f"/shows/{show.id}", headers=manager)

        date = {"starts_at": SOON.isoformat()}
        response = client.post(f"/shows/{show.id}/copy", json=date, headers=manager)

        assert (response.status_code, response.json["status"]) == (201, "confirmed")

    def test_is_refused_at_the_same_time(self, client, show, manager):
        date = {"starts_at": show.starts_at.isoformat()}
        response = client.post(f"/shows/{show.id}/copy", json=date, headers=manager)

        assert code(response) == (409, "venue-taken")
        assert len(db.session.scalars(select(Show)).all()) == 1
