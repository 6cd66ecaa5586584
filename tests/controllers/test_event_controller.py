"""/events, seen from outside."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from init import db
from models import (
    Booking,
    BookingStatus,
    Event,
    EventStatus,
    MemberRole,
    Moderation,
    OutboxMessage,
    Show,
    ShowStatus,
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

TOUR = {"title": "Midnight Train Live", "artist": "Sauti Sol"}
TODAY = datetime.now(UTC).replace(microsecond=0)
LAST_WEEK = TODAY - timedelta(days=7)
DRAFT = {"status": EventStatus.DRAFT, "published_at": None}


@pytest.fixture
def organiser(session):
    return OrganiserFactory(name="Sol Generation")


@pytest.fixture
def manager(organiser, as_user):
    return as_user(member(organiser, MemberRole.MANAGER))


@pytest.fixture
def door(organiser, as_user):
    return as_user(member(organiser, MemberRole.DOOR))


@pytest.fixture
def stranger(session, as_user):
    return as_user(UserFactory())


@pytest.fixture
def draft(organiser):
    return EventFactory(organiser=organiser, **DRAFT)


@pytest.fixture
def event(organiser):
    return EventFactory(organiser=organiser, title="Midnight Train Live")


def published_topics():
    return db.session.scalars(select(OutboxMessage.topic).order_by(OutboxMessage.id)).all()


def code(response):
    return response.status_code, response.json["code"]


class TestCreate:
    def test_makes_a_draft_of_the_callers_organiser(self, client, manager, organiser):
        facts = TOUR | {"tags": ["Afropop", "live"], "duration_minutes": 150, "age_limit": 18}

        response = client.post("/events/", json=facts, headers=manager)

        assert response.status_code == 201
        assert response.json["organiser"] == {"id": organiser.id, "name": "Sol Generation"}
        assert (response.json["status"], response.json["published_at"]) == ("draft", None)
        assert {name: response.json[name] for name in facts} == facts
        shown = client.get(response.headers["Location"], headers=manager)
        assert shown.json == response.json
        assert shown.headers["ETag"] == response.headers["ETag"]

    def test_an_admins_is_to_be_determined(self, client, as_user):
        response = client.post("/events/", json=TOUR, headers=as_user(AdminFactory()))

        assert response.json["organiser"] == {"id": None, "name": "To Be Determined"}

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("title", None),
            ("title", "   "),
            ("title", "x" * 201),
            ("artist", "a\x00"),
            ("tags", "rock"),
            ("tags", ["rock", "ROCK"]),
            ("tags", ["x"] * 21),
            ("duration_minutes", 0),
            ("duration_minutes", 10**18),
            ("age_limit", 17.5),
            ("age_limit", True),
            ("image_url", "javascript:alert(1)"),
            ("status", "published"),
            ("published_at", "2020-01-01T00:00:00Z"),
            ("moderation", "approved"),
            ("id", 1),
            ("organiser_id", "1"),
            ("organiser_id", 999_999),
        ],
    )
    def test_names_the_field_that_is_wrong(self, client, manager, field, value):
        response = client.post("/events/", json=TOUR | {field: value}, headers=manager)

        assert response.status_code == 400
        named = {error["field"].partition(".")[0] for error in response.json["errors"]}
        assert named == {field}
        assert db.session.scalar(select(Event)) is None

    def test_is_not_for_everyone(self, client, manager, door, stranger):
        elsewhere = TOUR | {"organiser_id": OrganiserFactory().id}

        assert client.post("/events/", json=TOUR).status_code == 401
        for headers in (door, stranger):
            assert client.post("/events/", json=TOUR, headers=headers).status_code == 403
        assert client.post("/events/", json=elsewhere, headers=manager).status_code == 403
        assert db.session.scalar(select(Event)) is None


class TestVisibility:
    @pytest.mark.parametrize("method", ["get", "patch", "put", "delete"])
    def test_a_draft_does_not_exist_for_others(self, client, draft, stranger, as_user, method):
        elsewhere = as_user(member(OrganiserFactory()))
        body = {} if method in ("get", "delete") else {"json": TOUR}
        for headers in (stranger, elsewhere):
            response = client.open(
                f"/events/{draft.id}", method=method.upper(), headers=headers, **body
            )
            assert response.status_code == 404

    def test_a_draft_exists_for_those_who_work_on_it(self, client, draft, manager, door, as_user):
        for headers in (manager, door, as_user(AdminFactory())):
            assert client.get(f"/events/{draft.id}", headers=headers).status_code == 200
        assert client.get(f"/events/{draft.id}").status_code == 404

    @pytest.mark.parametrize("status", ["published", "cancelled", "completed"])
    def test_everyone_sees_what_was_ever_announced(self, client, status):
        event = EventFactory(status=EventStatus(status))

        assert client.get(f"/events/{event.id}").json["status"] == status

    @pytest.mark.parametrize("moderation", ["pending", "rejected"])
    def test_nobody_else_sees_what_awaits_approval(self, client, organiser, manager, moderation):
        event = EventFactory(organiser=organiser, moderation=Moderation(moderation))

        assert client.get(f"/events/{event.id}").status_code == 404
        assert client.get("/events/").json["items"] == []
        assert client.get(f"/events/{event.id}", headers=manager).status_code == 200

    def test_who_sees_it_may_still_not_touch_it(self, client, event, door, stranger, as_user):
        elsewhere = as_user(member(OrganiserFactory()))
        path = f"/events/{event.id}"
        for headers in (door, stranger, elsewhere):
            assert client.patch(path, json={"title": "X"}, headers=headers).status_code == 403
            assert client.put(path, json=TOUR, headers=headers).status_code == 403
            assert client.delete(path, headers=headers).status_code == 403
            for verb in ("publish", "unpublish", "cancel", "complete"):
                assert client.post(f"{path}/{verb}", headers=headers).status_code == 403
        assert client.patch(path, json={"title": "X"}).status_code == 401
        assert client.get(path).json["title"] == "Midnight Train Live"

    def test_lists_show_published_ones_unless_asked(
        self, client, draft, event, organiser, manager, stranger
    ):
        EventFactory(title="Gone", status=EventStatus.CANCELLED)
        EventFactory(title="Somebody else's draft", **DRAFT)

        def titles(path="/events/", headers=None, **query):
            items = client.get(path, query_string=query, headers=headers).json["items"]
            return {item["title"] for item in items}

        assert titles() == {event.title}
        assert titles(headers=manager) == {event.title}
        assert titles(status="cancelled") == {"Gone"}
        assert titles(status="draft") == titles(status="draft", headers=stranger) == set()
        assert titles(status="draft", headers=manager) == {draft.title}
        assert titles("/events/mine", manager) == {event.title, draft.title}
        assert titles("/events/mine", manager, status="draft") == {draft.title}
        assert titles("/events/mine", stranger) == set()
        assert client.get("/events/mine").status_code == 401

    def test_an_admins_are_all(self, client, draft, event, as_user):
        EventFactory(status=EventStatus.CANCELLED)

        mine = client.get("/events/mine", headers=as_user(AdminFactory()))
        assert mine.json["pagination"]["total"] == 3


class TestSearch:
    @pytest.fixture
    def world(self, session):
        def show(title, days, city="Nairobi", zone="Africa/Nairobi", **facts):
            event = EventFactory(title=title, **facts)
            hall = VenueFactory(
                name=f"{city} Arena", city=city, address="1 Main St", time_zone=zone
            )
            return ShowFactory(
                event=event,
                venue=hall,
                time_zone=zone,
                starts_at=TODAY.replace(hour=23, minute=30) + timedelta(days=days),
            )

        TierFactory(
            show=show(
                "Live in Kasarani",
                20,
                artist="Nyashinski",
                tour_name="Shin City",
                category="Hip-hop",
                tags=["Kenya", "Rap, live"],
            )
        )
        osaka = show(
            "大阪公演", 10, "大阪", "Asia/Tokyo", artist="李小龙", description="Une soirée"
        )
        TierFactory(show=osaka, on_sale_at=TODAY + timedelta(days=1))
        return show

    def titles(self, client, **query):
        response = client.get("/events/", query_string=query)
        assert response.status_code == 200, response.json
        return [item["title"] for item in response.json["items"]]

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("q", "KASARANI"),
            ("q", "nyashi"),
            ("q", "shin city"),
            ("artist", "nyash"),
            ("tour_name", "city"),
            ("venue", "nairobi arena"),
            ("city", "nai"),
            ("location", "nairobi"),
            ("category", "hip-HOP"),
            ("tag", "kenya"),
            ("tag", "rap, LIVE"),
            ("on_sale", "true"),
        ],
    )
    def test_finds_by_what_people_look_for(self, client, world, name, value):
        assert self.titles(client, **{name: value}) == ["Live in Kasarani"]

    @pytest.mark.parametrize(
        ("name", "value"),
        [("q", "SOIRÉE"), ("artist", "李小龙"), ("location", "大阪"), ("on_sale", "false")],
    )
    def test_finds_in_every_script(self, client, world, name, value):
        assert self.titles(client, **{name: value}) == ["大阪公演"]

    @pytest.mark.parametrize("value", ["%", "_", "\\", "' OR 1=1 --"])
    def test_takes_words_literally(self, client, world, value):
        for name in ("q", "artist", "city", "venue", "organiser", "tag", "category"):
            assert self.titles(client, **{name: value}) == []

    def test_a_day_is_one_of_the_shows_own_calendar(self, client, world):
        # 23:30 UTC is the next morning in Tokyo, and in Nairobi.
        utc_day = (TODAY + timedelta(days=10)).date()
        there = utc_day + timedelta(days=1)

        assert self.titles(client, date=utc_day) == []
        assert self.titles(client, date=there) == ["大阪公演"]
        assert self.titles(client, date_from=there, date_to=there) == ["大阪公演"]
        assert self.titles(client, date_to=utc_day) == []
        assert self.titles(client, date_from=there + timedelta(days=1)) == ["Live in Kasarani"]

    def test_place_and_day_must_fit_the_same_show(self, client, world):
        there = (TODAY + timedelta(days=11)).date()

        assert self.titles(client, city="大阪", date=there) == ["大阪公演"]
        assert self.titles(client, city="Nairobi", date=there) == []

    def test_a_cancelled_show_is_no_reason_to_come(self, client, world):
        show = world("Off", 15, "Mombasa")
        show.status, show.occupies_venue = ShowStatus.CANCELLED, False
        db.session.commit()

        assert self.titles(client, city="Mombasa") == []

    def test_orders_by_the_next_show_first(self, client, world):
        EventFactory(title="No show yet")

        assert self.titles(client) == ["大阪公演", "Live in Kasarani", "No show yet"]
        assert self.titles(client, sort="title")[0] == "Live in Kasarani"
        assert self.titles(client, sort="-title")[0] == "大阪公演"
        for sort in ("artist", "-artist", "created_at", "-starts_at"):
            assert len(self.titles(client, sort=sort)) == 3

    def test_filters_by_organiser_and_venue(self, client, event, organiser, world):
        show = ShowFactory(event=event)

        assert self.titles(client, organiser="sol gen") == [event.title]
        assert self.titles(client, organiser_id=organiser.id) == [event.title]
        assert self.titles(client, venue_id=show.venue_id) == [event.title]

    @pytest.mark.parametrize(
        "query",
        [
            {"sort": "password"},
            {"q": "x" * 10_240},
            {"date": "31.12.2030"},
            {"date": "0001-01-01"},
            {"date_to": "9999-12-31"},
            {"venue_id": 2**63},
            {"venue_id": 0},
            {"on_sale": "perhaps"},
            {"status": "secret"},
            {"colour": "red"},
            {"per_page": 10**9},
            {"per_page": 0},
            {"page": 10**18},
        ],
    )
    def test_refuses_what_is_not_offered(self, client, query):
        response = client.get("/events/", query_string=query)

        assert response.status_code == 400
        assert [error["field"] for error in response.json["errors"]] == list(query)

    def test_costs_the_same_whatever_the_page(self, client, count_statements):
        everything = {
            "per_page": 100,
            "q": "concert",
            "city": "nairobi",
            "on_sale": "true",
            "organiser": "organiser",
            "date_from": TODAY.date(),
            "category": "rock",
            "tag": "live",
        }

        def cost():
            count_statements.clear()
            listed = client.get("/events/", query_string=everything).json
            return len(count_statements), len(listed["items"])

        def make(number):
            for _ in range(number):
                event = EventFactory(category="Rock", tags=["live"])
                TierFactory(show=ShowFactory(event=event), capacity=1)

        make(3)
        few = cost()
        make(27)
        many = cost()

        assert (few[1], many[1]) == (3, 30)
        assert few[0] == many[0] == 3


class TestEdit:
    def test_patch_changes_only_what_is_named(self, client, manager):
        facts = TOUR | {"tags": ["live"], "age_limit": 18}
        before = client.post("/events/", json=facts, headers=manager)

        path = before.headers["Location"]
        response = client.patch(path, json={"tour_name": "Farewell"}, headers=manager)

        changed = {"tour_name": "Farewell", "updated_at": response.json["updated_at"]}
        assert response.json == before.json | changed

    def test_put_resets_what_is_left_out(self, client, manager, organiser):
        path = client.post(
            "/events/", json=TOUR | {"tags": ["live"], "age_limit": 18}, headers=manager
        ).headers["Location"]

        response = client.put(path, json={"title": "B"}, headers=manager)

        kept = [response.json[name] for name in ("title", "artist", "tags", "age_limit")]
        assert kept == ["B", None, [], None]
        assert response.json["organiser_id"] == organiser.id
        assert client.put(path, json={"artist": "A"}, headers=manager).status_code == 400

    def test_a_stale_edit_is_refused(self, client, draft, manager):
        path = f"/events/{draft.id}"
        etag = client.get(path, headers=manager).headers["ETag"]
        stale = manager | {"If-Match": etag}
        assert client.patch(path, json={"title": "B"}, headers=stale).status_code == 200

        assert client.patch(path, json={"title": "C"}, headers=stale).status_code == 412
        assert client.put(path, json=TOUR, headers=stale).status_code == 412
        assert client.delete(path, headers=stale).status_code == 412
        assert client.get(path, headers=manager).json["title"] == "B"

    def test_not_modified(self, client, event):
        path = f"/events/{event.id}"
        etag = client.get(path).headers["ETag"]

        assert client.get(path, headers={"If-None-Match": etag}).status_code == 304
        event.organiser.name = "Renamed"
        db.session.commit()
        assert client.get(path, headers={"If-None-Match": etag}).status_code == 200

    @pytest.mark.parametrize("state", ["held", "confirmed"])
    @pytest.mark.parametrize("change", [{"title": "B"}, {"artist": None}, {"age_limit": 21}])
    def test_what_people_bought_stays_promised(self, client, event, manager, state, change):
        booked(ShowFactory(event=event), state)

        path = f"/events/{event.id}"
        response = client.patch(path, json=change, headers=manager)

        assert code(response) == (409, "has-sales")
        assert response.json["bookings"] == 1
        assert client.get(path).json["title"] == event.title
        same = {"title": event.title, "artist": event.artist, "description": "Doors at six"}
        assert client.put(path, json=same, headers=manager).json["description"] == "Doors at six"

    @pytest.mark.parametrize("state", ["dead", "cancelled"])
    def test_what_nobody_has_any_more_may_change(self, client, event, manager, state):
        booked(ShowFactory(event=event), state)

        response = client.patch(f"/events/{event.id}", json={"title": "B"}, headers=manager)

        assert response.json["title"] == "B"

    def test_is_given_only_to_whom_one_acts_for(self, client, event, manager):
        for organiser_id in (OrganiserFactory().id, None):
            change = {"organiser_id": organiser_id}
            response = client.patch(f"/events/{event.id}", json=change, headers=manager)
            assert response.status_code == 403

    def test_a_cancelled_event_can_still_be_described(self, client, organiser, manager):
        event = EventFactory(organiser=organiser, status=EventStatus.CANCELLED)

        change = {"description": "Sorry."}
        response = client.patch(f"/events/{event.id}", json=change, headers=manager)

        assert response.json["description"] == "Sorry."


class TestPublish:
    def test_announces_and_takes_the_venue(self, client, draft, manager):
        show = TierFactory(show=ShowFactory(event=draft)).show
        unplaced = ShowFactory(event=draft, venue=None)
        versions = {one.id: one.version for one in (show, unplaced)}

        response = client.post(f"/events/{draft.id}/publish", headers=manager)

        assert (response.status_code, response.json["status"]) == (200, "published")
        assert response.json["published_at"] is not None
        assert client.get(f"/events/{draft.id}").status_code == 200
        assert db.session.get(Show, show.id).occupies_venue
        assert not db.session.get(Show, unplaced.id).occupies_venue
        assert all(db.session.get(Show, key).version > old for key, old in versions.items())
        assert published_topics() == ["event.published"]

    @pytest.mark.parametrize("lacking", ["show", "tier", "places", "price", "happening", "future"])
    def test_needs_something_to_sell(self, client, draft, manager, lacking):
        if lacking != "show":
            show = ShowFactory(event=draft)
        if lacking == "places":
            TierFactory(show=show, stocks=[StockFactory(show=show, capacity=0)])
        if lacking in ("price", "happening", "future"):
            tier = TierFactory(show=show)
        if lacking == "price":
            tier.prices[0].deleted_at = TODAY
        if lacking == "happening":
            show.status = ShowStatus.CANCELLED
        if lacking == "future":
            show.starts_at, show.ends_at = LAST_WEEK, LAST_WEEK + timedelta(hours=1)
        db.session.commit()

        response = client.post(f"/events/{draft.id}/publish", headers=manager)

        assert code(response) == (409, "nothing-to-sell")
        assert client.get(f"/events/{draft.id}").status_code == 404

    def test_is_refused_where_another_show_is(self, client, draft, manager):
        there = ShowFactory()
        TierFactory(show=ShowFactory(event=draft, venue=there.venue, starts_at=there.starts_at))

        response = client.post(f"/events/{draft.id}/publish", headers=manager)

        assert code(response) == (409, "venue-taken")
        assert response.json["show_id"] == there.id
        assert db.session.get(Event, draft.id).status == EventStatus.DRAFT

    def test_one_show_may_follow_the_other(self, client, draft, manager):
        there = ShowFactory()
        after = ShowFactory(event=draft, venue=there.venue, starts_at=there.ends_at)
        TierFactory(show=after)

        assert client.post(f"/events/{draft.id}/publish", headers=manager).status_code == 200

    def test_two_shows_of_its_own_do_not_overlap(self, client, draft, manager):
        show = TierFactory(show=ShowFactory(event=draft)).show
        ShowFactory(event=draft, venue=show.venue, starts_at=show.starts_at)

        response = client.post(f"/events/{draft.id}/publish", headers=manager)

        assert code(response) == (409, "venue-taken")
        assert not db.session.get(Show, show.id).occupies_venue

    def test_happens_once(self, client, event, manager):
        response = client.post(f"/events/{event.id}/publish", headers=manager)

        assert code(response) == (409, "event-moved-on")


class TestUnpublish:
    def test_makes_it_a_draft_again(self, client, event, manager):
        show = ShowFactory(event=event)
        booked(show, "dead")
        assert show.occupies_venue

        response = client.post(f"/events/{event.id}/unpublish", headers=manager)

        assert (response.json["status"], response.json["published_at"]) == ("draft", None)
        assert client.get(f"/events/{event.id}").status_code == 404
        assert not db.session.get(Show, show.id).occupies_venue

    @pytest.mark.parametrize("state", ["held", "confirmed"])
    def test_is_refused_after_the_first_sale(self, client, event, manager, state):
        booked(ShowFactory(event=event), state)

        response = client.post(f"/events/{event.id}/unpublish", headers=manager)

        assert code(response) == (409, "has-sales")
        assert client.get(f"/events/{event.id}").json["status"] == "published"

    def test_a_draft_is_one_already(self, client, draft, manager):
        response = client.post(f"/events/{draft.id}/unpublish", headers=manager)

        assert code(response) == (409, "event-moved-on")


class TestCancel:
    def test_ends_shows_and_bookings_and_frees_the_venue(self, client, event, manager):
        show = ShowFactory(event=event)
        over = ShowFactory(event=event, status=ShowStatus.CANCELLED, occupies_venue=False)
        booking = booked(show)

        why = {"reason": "The singer is ill."}
        response = client.post(f"/events/{event.id}/cancel", json=why, headers=manager)

        assert (response.status_code, response.json["status"]) == (200, "cancelled")
        assert response.json["cancelled_at"] is not None
        ended = db.session.get(Show, show.id)
        assert (ended.status, ended.occupies_venue) == (ShowStatus.CANCELLED, False)
        assert ended.cancel_reason == "The singer is ill."
        assert db.session.get(Show, over.id).cancel_reason is None
        assert db.session.get(Booking, booking.id).status == BookingStatus.CANCELLED
        assert published_topics().count("show.cancelled") == 1
        assert client.get(f"/events/{event.id}").json["status"] == "cancelled"

    def test_delete_may_be_repeated_with_the_same_answer(self, client, event, manager):
        ShowFactory(event=event)
        path = f"/events/{event.id}"
        headers = manager | {"If-Match": client.get(path).headers["ETag"]}

        answers = [client.delete(path, headers=headers)]
        db.session.expunge_all()  # outside of tests no row outlives its request
        answers.append(client.delete(path, headers=headers))
        answers.append(client.post(f"{path}/cancel", headers=manager))

        assert [answer.status_code for answer in answers] == [200] * 3
        assert answers[0].json == answers[1].json == answers[2].json
        assert published_topics() == ["show.cancelled", "event.cancelled"]

    def test_a_dry_run_says_what_would_end(self, client, event, manager):
        booked(ShowFactory(event=event))
        booked(ShowFactory(event=event), "dead")
        path = f"/events/{event.id}"

        response = client.delete(path, query_string={"dry_run": "true"}, headers=manager)

        assert response.json == {"shows": 2, "bookings": 1, "places": 0}
        assert client.get(path).json["status"] == "published"
        assert published_topics() == []

    def test_a_draft_without_shows_can_be_cancelled(self, client, draft, manager):
        response = client.delete(f"/events/{draft.id}", headers=manager)

        assert response.json["status"] == "cancelled"
        assert client.get(f"/events/{draft.id}").status_code == 404

    def test_a_completed_event_is_history(self, client, organiser, manager):
        event = EventFactory(organiser=organiser, status=EventStatus.COMPLETED)

        assert code(client.delete(f"/events/{event.id}", headers=manager)) == (
            409,
            "event-moved-on",
        )

    @pytest.mark.parametrize("body", [b"[1]", b"null", b'"x"', b"{", b'{"reason":1}', b'{"x":1}'])
    def test_refuses_a_body_that_says_something_else(self, client, event, manager, body):
        response = client.post(
            f"/events/{event.id}/cancel",
            data=body,
            headers=manager | {"Content-Type": "application/json"},
        )

        assert response.status_code == 400
        assert client.get(f"/events/{event.id}").json["status"] == "published"


class TestComplete:
    def test_closes_the_book_when_all_is_over(self, client, event, manager):
        ShowFactory(event=event, starts_at=LAST_WEEK)
        ShowFactory(event=event, status=ShowStatus.CANCELLED, occupies_venue=False)

        response = client.post(f"/events/{event.id}/complete", headers=manager)

        assert (response.status_code, response.json["status"]) == (200, "completed")

    @pytest.mark.parametrize(
        "facts",
        [
            {},
            {"starts_at": TODAY - timedelta(hours=1)},
            {"starts_at": None, "ends_at": None, "status": ShowStatus.POSTPONED},
        ],
    )
    def test_is_refused_while_there_are_shows_to_come(self, client, event, manager, facts):
        ShowFactory(event=event, **facts)

        response = client.post(f"/events/{event.id}/complete", headers=manager)

        assert code(response) == (409, "shows-to-come")
        assert response.json["shows"] == 1
        assert client.get(f"/events/{event.id}").json["status"] == "published"
