"""/shows/<id>/seat_status, seen from outside: the whole, and what changed since."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from config import settings
from init import db
from models import Booking, EventStatus, Show, Stock
from services import seat_status_service, seen_show_service
from tests.factories import (
    EventFactory,
    OrganiserFactory,
    ShowFactory,
    StockFactory,
    TierFactory,
    UserFactory,
    VenueFactory,
    member,
)
from tests.factories.claims import claim

LAYOUT = [("Stalls", {"A": 3, "B": 2}), ("Balcony", {"A": 2}), ("Floor", 20)]


@pytest.fixture
def organiser(committed):
    return OrganiserFactory()


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture
def staff(organiser, as_user):
    return as_user(member(organiser))


@pytest.fixture
def buyer(committed, as_user):
    return as_user(UserFactory())


@pytest.fixture
def show(organiser):
    return ShowFactory(event=EventFactory(organiser=organiser), venue=VenueFactory(layout=LAYOUT))


@pytest.fixture
def stalls(show):
    return TierFactory(show=show, name="Stalls", section="Stalls")


@pytest.fixture
def balcony(show):
    return StockFactory(show=show, section_name="Balcony")


def read(client, show, headers=None, **query):
    db.session.rollback()
    response = client.get(f"/shows/{show.id}/seat_status", headers=headers, query_string=query)
    assert response.status_code == 200, response.text
    return response.json


def since(client, show, answer, headers=None):
    return read(client, show, headers, since=answer["cursor"])


def hold(client, tier, *seats, headers=None, **more):
    body = {"show_id": tier.show_id, "items": [{"tier_id": tier.id, "seats": list(seats)}]}
    response = client.post("/bookings/", json=body | more, headers=headers)
    assert response.status_code == 201, response.text
    return response.json


def confirm(client, booking, headers):
    path = f"/bookings/{booking['id']}/confirm"
    assert client.post(path, headers=headers).status_code == 200


def run_out(booking, within=0.0):
    """Age a hold until it has so many seconds left."""
    db.session.execute(
        text("UPDATE bookings SET held_until = clock_timestamp() + :left WHERE id = :id"),
        {"id": booking["id"], "left": timedelta(seconds=within)},
    )
    db.session.commit()


class TestWhole:
    def test_tells_the_public_one_word_and_the_organiser_why(
        self, client, show, stalls, balcony, staff
    ):
        claim(stalls.stocks[0], 1, "confirmed", seats=["STALLS/A-1"])
        claim(stalls.stocks[0], 1, "held", seats=["STALLS/A-2"])
        claim(stalls.stocks[0], 1, "dead", seats=["STALLS/A-3"])
        claim(balcony, 1, "confirmed", seats=["BALCONY/A-1"])

        public, mine = read(client, show), read(client, show, staff)

        named = ["STALLS/A-1", "STALLS/A-2", "BALCONY/A-1", "BALCONY/A-2"]
        assert public["seats"] == dict.fromkeys(named, "taken")
        assert mine["seats"] == dict(zip(named, ("sold", "held", "sold", "house"), strict=True))
        assert public["whole"] is True

    def test_seats_in_no_stock_cannot_be_bought(self, client, show, stalls, staff):
        assert read(client, show)["seats"] == {"BALCONY/A-1": "taken", "BALCONY/A-2": "taken"}
        assert set(read(client, show, staff)["seats"].values()) == {"unassigned"}

    def test_names_the_map_and_the_instant(self, client, show, stalls):
        answer = read(client, show)

        assert answer["show_id"] == show.id
        assert answer["seat_map_version_id"] == show.seat_map_version_id
        assert answer["seat_map"] == f"/shows/{show.id}/seat_map?version={show.seat_map_version_id}"
        assert client.get(answer["seat_map"]).status_code == 200
        as_of = datetime.fromisoformat(answer["as_of"])
        assert as_of.utcoffset() == timedelta(hours=3)
        assert abs(as_of - datetime.now(UTC)) < timedelta(seconds=20)

    def test_a_show_without_a_map_has_no_seats(self, client, committed):
        show = ShowFactory(venue=None)
        TierFactory(show=show, section="Anywhere")

        answer = read(client, show)

        assert answer["seats"] == {}
        assert answer["seat_map_version_id"] is None
        assert since(client, show, answer)["seats"] == {}

    def test_standing_places_are_nobodys_seats(self, client, committed):
        tier = TierFactory(capacity=5)
        claim(tier.stocks[0], 2)
        assert read(client, tier.show)["seats"] == {}

    def test_a_stock_is_sold_from_its_release_on(self, client, show, stalls, balcony, staff):
        release(balcony, stalls, timedelta(seconds=-1))
        assert read(client, show)["seats"] == {}
        release(balcony, stalls, timedelta(hours=1))
        assert set(read(client, show, staff)["seats"].values()) == {"house"}

    def test_keys_are_escaped(self, client, organiser):
        venue = VenueFactory(layout=[('Q"\\', {"A": 1})])
        show = ShowFactory(event=EventFactory(organiser=organiser), venue=venue)
        assert read(client, show)["seats"] == {'Q"\\/A-1': "taken"}

    def test_costs_as_many_statements_however_many_seats(self, client, organiser, count_statements):
        counts = []
        for seats in (2, 60):
            venue = VenueFactory(layout=[("Stalls", {"A": seats})])
            show = ShowFactory(event=EventFactory(organiser=organiser), venue=venue)
            TierFactory(show=show, section="Stalls")
            read(client, show)
            path = f"/shows/{show.id}/seat_status"
            count_statements.clear()
            assert client.get(path).status_code == 200
            counts.append(len(count_statements))
        assert counts[0] == counts[1] <= 2


def release(stock, tier, after):
    at = {"stock": stock.id, "tier": tier.id, "after": after}
    db.session.execute(
        text(
            "UPDATE stocks SET release_tier_id = :tier, release_at = clock_timestamp() + :after"
            " WHERE id = :stock"
        ),
        at,
    )
    db.session.commit()


class TestSince:
    def test_nothing_new_is_nothing(self, client, show, stalls):
        answer = since(client, show, read(client, show))
        assert (answer["whole"], answer["seats"]) == (False, {})
        assert since(client, show, answer)["seats"] == {}

    def test_follows_a_booking_through_its_life(self, client, show, stalls, buyer, staff, balcony):
        public, mine = read(client, show), read(client, show, staff)

        def news():
            nonlocal public, mine
            public, mine = since(client, show, public), since(client, show, mine, staff)
            assert not public["whole"]
            return public["seats"], mine["seats"]

        booking = hold(client, stalls, "STALLS/A-1", "STALLS/A-2", headers=buyer)
        a1, a2, b1 = "STALLS/A-1", "STALLS/A-2", "STALLS/B-1"
        assert news() == ({a1: "taken", a2: "taken"}, {a1: "held", a2: "held"})

        body = {"items": [{"tier_id": stalls.id, "seats": [a1, b1]}]}
        path = f"/bookings/{booking['id']}"
        assert client.put(f"{path}/items", json=body, headers=buyer).status_code == 200
        public_news, staff_news = news()
        assert public_news == {a1: "taken", a2: "free", b1: "taken"}
        assert staff_news == {a1: "held", a2: "free", b1: "held"}

        place = next(p for p in client.get(path, headers=buyer).json["places"] if p["key"] == b1)
        assert client.delete(f"{path}/seats/{place['id']}", headers=buyer).status_code == 200
        assert news() == ({b1: "free"}, {b1: "free"})

        confirm(client, booking, staff)
        assert news() == ({a1: "taken"}, {a1: "sold"})

        assert client.delete(path, headers=staff).status_code == 200
        assert news() == ({a1: "free"}, {a1: "free"})
        assert news() == ({}, {})

    def test_a_hold_that_runs_out_is_free_though_nobody_wrote(self, client, show, stalls, buyer):
        booking = hold(client, stalls, "STALLS/A-1", headers=buyer)
        run_out(booking, within=1.0)
        before = read(client, show)
        assert before["seats"]["STALLS/A-1"] == "taken"
        time.sleep(1.1)

        after = since(client, show, before)

        assert after["seats"] == {"STALLS/A-1": "free"}
        assert since(client, show, after)["seats"] == {}
        assert db.session.get(Booking, booking["id"]).status == "held"

    def test_a_dead_hold_that_somebody_else_takes_is_taken(self, client, show, stalls, buyer):
        booking = hold(client, stalls, "STALLS/A-1", headers=buyer)
        run_out(booking)
        before = read(client, show)
        assert "STALLS/A-1" not in before["seats"]

        hold(client, stalls, "STALLS/A-1", headers=buyer)

        assert since(client, show, before)["seats"] == {"STALLS/A-1": "taken"}

    def test_reaping_frees_nothing_that_was_not_free(self, client, show, stalls, buyer):
        run_out(hold(client, stalls, "STALLS/A-1", headers=buyer))
        before = read(client, show)
        hold(client, stalls, "STALLS/A-1", headers=buyer)
        assert since(client, show, before)["seats"] == {"STALLS/A-1": "taken"}

    def test_who_saw_a_hold_run_out_hears_that_it_was_extended(self, client, show, stalls, buyer):
        """Extended in time, and committed late: a look in between finds it dead."""
        booking = hold(client, stalls, "STALLS/A-1", headers=buyer)
        run_out(booking)
        before = read(client, show)
        assert "STALLS/A-1" not in before["seats"]
        run_out(booking, within=60)

        assert client.post(f"/bookings/{booking['id']}/extend", headers=buyer).status_code == 200

        assert since(client, show, before)["seats"] == {"STALLS/A-1": "taken"}

    def test_who_saw_a_hold_run_out_hears_that_it_was_confirmed(
        self, client, show, stalls, buyer, staff
    ):
        booking = hold(client, stalls, "STALLS/A-1", headers=buyer)
        run_out(booking)
        before = read(client, show)
        assert "STALLS/A-1" not in before["seats"]
        run_out(booking, within=60)

        confirm(client, booking, staff)

        assert since(client, show, before)["seats"] == {"STALLS/A-1": "taken"}

    def test_a_cancelled_show_is_told_as_a_whole(self, client, show, stalls, buyer, staff):
        hold(client, stalls, "STALLS/A-1", headers=buyer)
        before = read(client, show)
        assert client.delete(f"/shows/{show.id}", headers=staff).status_code == 200

        news = since(client, show, before)

        assert news["whole"]
        assert "STALLS/A-1" not in news["seats"]

    def test_a_release_that_comes_frees_a_whole_stock(self, client, show, stalls, balcony, staff):
        claim(balcony, 1, "confirmed", seats=["BALCONY/A-1"])
        release(balcony, stalls, timedelta(seconds=1))
        public, mine = read(client, show), read(client, show, staff)
        assert set(public["seats"]) == {"BALCONY/A-1", "BALCONY/A-2"}
        time.sleep(1.1)

        news = since(client, show, public)

        assert not news["whole"]
        assert news["seats"] == {"BALCONY/A-1": "taken", "BALCONY/A-2": "free"}
        assert since(client, show, mine, staff)["seats"]["BALCONY/A-2"] == "free"

    def test_new_places_are_news(self, client, show, stalls, staff):
        before = read(client, show, staff)
        body = {"name": "Balcony", "section": "Balcony"}
        path = f"/shows/{show.id}/stocks"
        assert client.post(path, json=body, headers=staff).status_code == 201

        news = since(client, show, before, staff)

        assert news["seats"] == {"BALCONY/A-1": "house", "BALCONY/A-2": "house"}

    @pytest.mark.parametrize("change", ["remove_seats", "capacity", "stocks", "delete"])
    def test_a_changed_offer_is_told_as_a_whole(self, client, show, stalls, balcony, staff, change):
        before = read(client, show)
        stock = f"/stocks/{stalls.stocks[0].id}"
        if change == "remove_seats":
            body = {"remove_seats": ["STALLS/A-1"]}
            assert client.patch(stock, json=body, headers=staff).status_code == 200
        elif change == "capacity":
            assert client.patch(stock, json={"capacity": 4}, headers=staff).status_code == 200
        elif change == "stocks":
            body = {"stocks": [balcony.id]}
            path = f"/tiers/{stalls.id}"
            assert client.patch(path, json=body, headers=staff).status_code == 200
        else:
            assert client.delete(f"/tiers/{stalls.id}", headers=staff).status_code == 204

        news = since(client, show, before)

        assert news["whole"]
        assert news["seats"] == read(client, show)["seats"] != before["seats"]

    def test_whoever_comes_to_work_here_reads_the_whole_in_their_words(
        self, client, show, stalls, buyer, staff
    ):
        hold(client, stalls, "STALLS/A-1", headers=buyer)
        public, mine = read(client, show), read(client, show, staff)

        promoted, left = since(client, show, public, staff), since(client, show, mine)

        assert promoted["whole"]
        assert promoted["seats"]["STALLS/A-1"] == "held"
        assert left["whole"]
        assert set(left["seats"].values()) == {"taken"}

    def test_too_many_changes_are_told_as_a_whole(self, client, show, stalls, buyer, monkeypatch):
        monkeypatch.setattr(seat_status_service, "MOST_CHANGES", 2)
        before = read(client, show)
        hold(client, stalls, "STALLS/A-1", "STALLS/A-2", headers=buyer)
        assert since(client, show, before)["whole"] is False
        hold(client, stalls, "STALLS/A-3", headers=buyer)
        assert since(client, show, before)["whole"] is True

    def test_costs_as_many_statements_however_much_changed(
        self, client, show, stalls, buyer, count_statements
    ):
        before = read(client, show)
        counts = []
        for seats in ((), ("STALLS/A-1",), ("STALLS/A-2", "STALLS/A-3", "STALLS/B-1")):
            if seats:
                hold(client, stalls, *seats, headers=buyer)
            since(client, show, before)
            path = f"/shows/{show.id}/seat_status?since={before['cursor']}"
            count_statements.clear()
            assert client.get(path).json["whole"] is False
            counts.append(len(count_statements))
        assert counts == [2, 2, 2]


class TestCursors:
    def test_are_good_for_their_show_alone(self, client, show, stalls):
        other = ShowFactory()
        cursor = read(client, other)["cursor"]
        response = client.get(f"/shows/{show.id}/seat_status?since={cursor}")
        assert response.status_code == 400
        assert response.json["errors"][0]["field"] == "since"

    @pytest.mark.parametrize(
        "garbage",
        ["x", "MQ", "é", "'; DROP TABLE places; --", "A" * 9_999, "A" * 10_001, "%00", "=", "-_-_"],
    )
    def test_garbage_is_refused_by_name(self, client, show, garbage):
        query = {"since": garbage}
        response = client.get(f"/shows/{show.id}/seat_status", query_string=query)
        assert response.status_code == 400
        assert response.json["errors"][0]["field"] == "since"

    def test_forged_ones_are_refused(self, client, show):
        cursor = read(client, show)["cursor"]
        for at in (2, 10, len(cursor) // 2, len(cursor) - 3):
            other = "B" if cursor[at] != "B" else "C"
            forged = cursor[:at] + other + cursor[at + 1 :]
            response = client.get(f"/shows/{show.id}/seat_status?since={forged}")
            assert response.status_code == 400

    def test_from_a_database_that_was_put_back_get_the_whole(
        self, client, show, stalls, monkeypatch
    ):
        kept = seat_status_service.Snapshot.read
        later = staticmethod(
            lambda text, own: seat_status_service.Snapshot(
                kept(text, own).next_xid + 10**6, kept(text, own).under_way
            )
        )
        with monkeypatch.context() as patched:
            patched.setattr(seat_status_service.Snapshot, "read", later)
            before = read(client, show)

        assert since(client, show, before)["whole"] is True

    def test_that_are_old_get_the_whole(self, client, show, stalls, monkeypatch):
        before = read(client, show)
        monkeypatch.setattr(seat_status_service, "OLDEST_CURSOR", timedelta())
        assert since(client, show, before)["whole"] is True


class TestShared:
    @pytest.fixture(autouse=True)
    def a_minute(self, app):
        settings.update(availability_seconds=60.0)
        yield
        settings.update(availability_seconds=0.0)
        seat_status_service._recent._entries.clear()
        seen_show_service._recent._entries.clear()

    def test_whoever_asks_for_the_whole_shares_one_look(self, client, show, stalls, buyer):
        before = read(client, show)
        hold(client, stalls, "STALLS/A-1", headers=buyer)
        assert read(client, show) == before

    def test_a_cursor_is_exact(self, client, show, stalls, buyer):
        before = read(client, show)
        hold(client, stalls, "STALLS/A-1", headers=buyer)
        assert since(client, show, before)["seats"] == {"STALLS/A-1": "taken"}

    def test_nobody_is_sent_back_behind_their_cursor(self, client, show, stalls, buyer, staff):
        first = read(client, show)
        hold(client, stalls, "STALLS/A-1", headers=buyer)
        path = f"/stocks/{stalls.stocks[0].id}"
        body = {"remove_seats": ["STALLS/A-3"]}
        assert client.patch(path, json=body, headers=staff).status_code == 200

        news = since(client, show, first)

        assert news["whole"]
        assert news["seats"]["STALLS/A-1"] == "taken"
        assert since(client, show, news)["whole"] is False

    def test_the_public_never_gets_the_words_of_the_staff(self, client, show, stalls, buyer, staff):
        hold(client, stalls, "STALLS/A-1", headers=buyer)
        assert read(client, show, staff)["seats"]["STALLS/A-1"] == "held"
        assert set(read(client, show)["seats"].values()) == {"taken"}


def test_a_draft_is_its_organisers_to_see(client, organiser, staff, buyer):
    event = EventFactory(organiser=organiser, status=EventStatus.DRAFT, published_at=None)
    show = ShowFactory(event=event, venue=VenueFactory(layout=LAYOUT))
    for part in ("seat_map", "seat_map.svg", "seat_status", "seat_offers"):
        path = f"/shows/{show.id}/{part}"
        assert client.get(path).status_code == 404
        assert client.get(path, headers=buyer).status_code == 404
        assert client.get(path, headers=staff).status_code == 200
    cursor = read(client, show, staff)["cursor"]
    assert client.get(f"/shows/{show.id}/seat_status?since={cursor}").status_code == 404


def test_is_compressed_for_those_who_read_that(client, organiser):
    venue = VenueFactory(layout=[("Stalls", {"A": 100})])
    show = ShowFactory(event=EventFactory(organiser=organiser), venue=venue)
    plain = client.get(f"/shows/{show.id}/seat_status")
    small = client.get(f"/shows/{show.id}/seat_status", headers={"Accept-Encoding": "gzip"})

    assert "Content-Encoding" not in plain.headers
    assert small.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in ", ".join(small.headers.getlist("Vary"))
    assert len(small.data) < len(plain.data) / 3


def test_a_stock_of_seats_that_shrinks_is_another_offer(client, show, stalls, staff):
    before = db.session.get(Show, show.id).version
    floor = StockFactory(show=show, capacity=10)
    client.patch(f"/stocks/{floor.id}", json={"capacity": 5}, headers=staff)
    db.session.expire_all()
    assert db.session.get(Show, show.id).version == before
    assert db.session.get(Stock, floor.id).capacity == 5
