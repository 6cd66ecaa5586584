"""POST /bookings/<id>/swap: other seats at the same price, all of them or none."""

import pytest
from sqlalchemy import select, text

from init import db
from models import AuditEntry, MemberRole, OutboxMessage, Place, Role
from services import swap_service, verify_service
from tests.controllers.test_booking_controller import age
from tests.factories import (
    ApiKeyFactory,
    ShowFactory,
    StockFactory,
    TierFactory,
    UserFactory,
    member,
)
from utils.errors import Invalid


@pytest.fixture
def show(session):
    return ShowFactory(venue__layout=[("Stalls", {"A": 6, "B": 6}), ("Box", {"X": 2})])


@pytest.fixture
def stalls(show):
    return TierFactory(show=show, section="Stalls")


@pytest.fixture
def buyer(as_user):
    return as_user(UserFactory())


@pytest.fixture
def desk(as_user, show):
    return as_user(member(show.event.organiser, MemberRole.MANAGER))


@pytest.fixture
def place(client, buyer):
    """A booking of seats by their keys; confirmed by the desk if one is given."""

    def booked(tier, *seats, by=None, confirmed_by=None):
        body = {"show_id": tier.show_id, "items": [{"tier_id": tier.id, "seats": list(seats)}]}
        answer = client.post("/bookings/", json=body, headers=by or buyer)
        assert answer.status_code == 201, answer.text
        if confirmed_by:
            here = f"/bookings/{answer.json['id']}/confirm"
            answer = client.post(here, headers=confirmed_by)
            assert answer.status_code == 200, answer.text
        return answer.json

    return booked


@pytest.fixture
def swap(client, buyer):
    def swapped(booking, seats, by=None, **headers):
        body = {"seats": [{"from": left, "to": taken} for left, taken in seats.items()]}
        here = f"/bookings/{booking['id']}/swap"
        return client.post(here, json=body, headers={**(by or buyer), **headers})

    return swapped


def keys_of(booking):
    return sorted(place["key"] for place in booking["places"])


def changed_in_one(session, *keys):
    """Whether the same, latest transaction changed all of these seats."""
    query = select(Place.changed_in).where(Place.key.in_(keys))
    latest = session.scalar(text("SELECT max(changed_in) FROM places"))
    return set(session.scalars(query)) == {latest}


class TestHold:
    def test_has_other_seats_at_the_same_price_and_until_the_same_moment(
        self, place, stalls, swap, session
    ):
        booking = place(stalls, "STALLS/A-1", "STALLS/A-2")

        answer = swap(booking, {"STALLS/A-1": "STALLS/B-4", "STALLS/A-2": "STALLS/B-5"})

        assert answer.status_code == 200, answer.text
        assert keys_of(answer.json) == ["STALLS/B-4", "STALLS/B-5"]
        for same in ("total", "held_until", "status", "lines"):
            assert answer.json[same] == booking[same]
        free = select(Place.key).where(Place.booking_id.is_(None), Place.row == "A")
        assert {"STALLS/A-1", "STALLS/A-2"} <= set(session.scalars(free))
        assert changed_in_one(session, "STALLS/A-1", "STALLS/A-2", "STALLS/B-4", "STALLS/B-5")
        assert verify_service.broken() == []

    def test_counts_its_version_up_and_reads_back_the_same(
        self, client, place, stalls, swap, buyer
    ):
        booking = place(stalls, "STALLS/A-1")
        before = client.get(f"/bookings/{booking['id']}", headers=buyer)

        answer = swap(booking, {"STALLS/A-1": "STALLS/B-4"})

        after = client.get(f"/bookings/{booking['id']}", headers=buyer)
        assert after.json == answer.json
        assert after.headers["ETag"] == answer.headers["ETag"] != before.headers["ETag"]

    def test_keeps_the_names_of_those_who_come(self, client, place, stalls, swap, buyer):
        booking = place(stalls, "STALLS/A-1", "STALLS/A-2")
        ids = {seat["key"]: seat["id"] for seat in booking["places"]}
        named = [
            {"place_id": ids["STALLS/A-1"], "name": "Nia"},
            {"place_id": ids["STALLS/A-2"], "name": "Omar"},
        ]
        here = f"/bookings/{booking['id']}"
        client.patch(here, json={"attendees": named}, headers=buyer)

        answer = swap(booking, {"STALLS/A-1": "STALLS/B-1"})

        keys = {seat["id"]: seat["key"] for seat in answer.json["places"]}
        who = {keys[each["place_id"]]: each["name"] for each in answer.json["attendees"]}
        assert who == {"STALLS/B-1": "Nia", "STALLS/A-2": "Omar"}

    def test_may_move_along_by_one(self, place, stalls, swap):
        booking = place(stalls, "STALLS/A-1", "STALLS/A-2")

        answer = swap(booking, {"STALLS/A-1": "STALLS/A-2", "STALLS/A-2": "STALLS/A-3"})

        assert keys_of(answer.json) == ["STALLS/A-2", "STALLS/A-3"]
        assert verify_service.broken() == []

    def test_takes_the_seats_of_a_hold_that_has_died(self, place, stalls, swap, as_user, session):
        booking = place(stalls, "STALLS/A-1")
        dead = place(stalls, "STALLS/B-1", by=as_user(UserFactory()))
        age(session, dead["id"], 20)

        answer = swap(booking, {"STALLS/A-1": "STALLS/B-1"})

        assert keys_of(answer.json) == ["STALLS/B-1"]
        assert verify_service.broken() == []

    def test_that_has_died_is_told_so(self, place, stalls, swap, session):
        booking = place(stalls, "STALLS/A-1")
        age(session, booking["id"], 20)

        answer = swap(booking, {"STALLS/A-1": "STALLS/B-1"})

        assert (answer.status_code, answer.json["code"]) == (409, "hold-expired")

    def test_that_was_cancelled_is_told_so(self, client, place, stalls, swap, buyer):
        booking = place(stalls, "STALLS/A-1")
        client.delete(f"/bookings/{booking['id']}", headers=buyer)

        answer = swap(booking, {"STALLS/A-1": "STALLS/B-1"})

        assert (answer.status_code, answer.json["code"]) == (409, "booking-moved-on")

    def test_that_is_cancelled_while_it_is_read_is_told_so(
        self, client, place, stalls, swap, buyer, monkeypatch
    ):
        """Its seats, read after it was held, are gone: that is not the buyer's mistake."""
        booking = place(stalls, "STALLS/A-1")
        plan = swap_service._plan

        def cancelled_first(*_facts):
            monkeypatch.setattr(swap_service, "_plan", plan)
            client.delete(f"/bookings/{booking['id']}", headers=buyer)
            raise Invalid.at("seats.0.from", "STALLS/A-1 is not in this booking.")

        monkeypatch.setattr(swap_service, "_plan", cancelled_first)

        answer = swap(booking, {"STALLS/A-1": "STALLS/B-1"})

        assert (answer.status_code, answer.json["code"]) == (409, "booking-moved-on")

    def test_leaves_no_word_and_no_entry(self, place, stalls, swap, session):
        swap(place(stalls, "STALLS/A-1"), {"STALLS/A-1": "STALLS/B-1"})

        assert list(session.scalars(select(OutboxMessage.topic))) == []
        assert list(session.scalars(select(AuditEntry.action))) == []


class TestSale:
    def test_keeps_codes_and_holders_of_its_tickets(self, client, place, stalls, swap, buyer, desk):
        booking = place(stalls, "STALLS/A-1", "STALLS/A-2", confirmed_by=desk)
        keys = {seat["id"]: seat["key"] for seat in booking["places"]}
        codes = {keys[ticket["place_id"]]: ticket["code"] for ticket in booking["tickets"]}
        first = next(seat["id"] for seat in booking["places"] if seat["key"] == "STALLS/A-1")
        named = [{"place_id": first, "name": "Nia"}]
        here = f"/bookings/{booking['id']}"
        client.patch(here, json={"attendees": named}, headers=buyer)

        answer = swap(booking, {"STALLS/A-1": "STALLS/B-6"})

        assert answer.status_code == 200, answer.text
        keys = {seat["id"]: seat["key"] for seat in answer.json["places"]}
        tickets = {keys[t["place_id"]]: t for t in answer.json["tickets"]}
        assert tickets["STALLS/B-6"]["code"] == codes["STALLS/A-1"]
        assert tickets["STALLS/B-6"]["ticket_holder"]["name"] == "Nia"
        assert tickets["STALLS/A-2"]["code"] == codes["STALLS/A-2"]
        assert {t["status"] for t in answer.json["tickets"]} == {"valid"}
        assert verify_service.broken() == []

    def test_exchanges_the_seats_of_two_prices(self, client, stalls, swap, buyer, desk, session):
        other = TierFactory(show=stalls.show, stocks=stalls.stocks, price=1_000_00)
        items = [
            {"tier_id": stalls.id, "seats": ["STALLS/A-1"]},
            {"tier_id": other.id, "seats": ["STALLS/A-2"]},
        ]
        body = {"show_id": stalls.show_id, "items": items}
        booking = client.post("/bookings/", json=body, headers=buyer).json
        booking = client.post(f"/bookings/{booking['id']}/confirm", headers=desk).json
        line = {seat["key"]: seat["line_id"] for seat in booking["places"]}

        answer = swap(booking, {"STALLS/A-1": "STALLS/A-2", "STALLS/A-2": "STALLS/A-1"})

        assert answer.status_code == 200, answer.text
        now = {seat["key"]: seat["line_id"] for seat in answer.json["places"]}
        assert now == {"STALLS/A-1": line["STALLS/A-2"], "STALLS/A-2": line["STALLS/A-1"]}
        assert {(t["line_id"], t["code"]) for t in answer.json["tickets"]} == {
            (t["line_id"], t["code"]) for t in booking["tickets"]
        }
        assert verify_service.broken() == []

    def test_leaves_word_and_an_entry(self, place, stalls, swap, desk, session):
        booking = place(stalls, "STALLS/A-1", confirmed_by=desk)

        swap(booking, {"STALLS/A-1": "STALLS/B-1"})

        told = session.scalars(select(OutboxMessage).order_by(OutboxMessage.id.desc())).first()
        assert (told.topic, told.payload) == ("booking.changed", {"booking_id": booking["id"]})
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry.action == "booking.swap"
        assert entry.target_id == booking["id"]
        assert (entry.before, entry.after) == (
            {"seats": ["STALLS/A-1"]},
            {"seats": ["STALLS/B-1"]},
        )

    def test_of_a_show_that_has_started_is_the_desks_to_move(
        self, place, stalls, swap, desk, session
    ):
        booking = place(stalls, "STALLS/A-1", confirmed_by=desk)
        session.execute(
            text(
                "UPDATE shows SET starts_at = clock_timestamp() - interval '1 minute',"
                " version = version + 1 WHERE id = :id"
            ),
            {"id": stalls.show_id},
        )
        session.execute(text("UPDATE tiers SET off_sale_at = now() + interval '1 hour'"))
        session.commit()

        refused = swap(booking, {"STALLS/A-1": "STALLS/B-1"})
        moved = swap(booking, {"STALLS/A-1": "STALLS/B-1"}, by=desk)

        assert (refused.status_code, refused.json["code"]) == (409, "booking-moved-on")
        assert moved.status_code == 200

    def test_somebody_who_is_inside_is_the_desks_to_move(
        self, client, place, stalls, swap, desk, session
    ):
        booking = place(stalls, "STALLS/A-1", confirmed_by=desk)
        code = booking["tickets"][0]["code"]
        door = f"/shows/{stalls.show_id}/check_ins"
        assert client.post(door, json={"code": code}, headers=desk).status_code == 201

        refused = swap(booking, {"STALLS/A-1": "STALLS/B-1"})
        assert (refused.status_code, refused.json["code"]) == (409, "booking-moved-on")
        assert verify_service.broken() == []

        moved = swap(booking, {"STALLS/A-1": "STALLS/B-1"}, by=desk)
        assert moved.status_code == 200
        assert [t["status"] for t in moved.json["tickets"]] == ["used"]
        again = client.post(door, json={"code": code}, headers=desk)
        assert again.json["code"] == "already-used"
        assert verify_service.broken() == []


class TestRefuses:
    def test_seats_that_somebody_has_and_changes_nothing(
        self, client, place, stalls, swap, as_user, buyer
    ):
        booking = place(stalls, "STALLS/A-1", "STALLS/A-2")
        place(stalls, "STALLS/B-2", by=as_user(UserFactory()))

        answer = swap(booking, {"STALLS/A-1": "STALLS/B-1", "STALLS/A-2": "STALLS/B-2"})

        assert (answer.status_code, answer.json["code"]) == (409, "seat-taken")
        assert answer.json["seats"] == ["STALLS/B-2"]
        now = client.get(f"/bookings/{booking['id']}", headers=buyer).json
        assert now == booking | {"next": now["next"]}
        assert verify_service.broken() == []

    @pytest.mark.parametrize(
        ("seats", "field"),
        [
            ({"STALLS/B-6": "STALLS/B-1"}, "seats.0.from"),
            ({"STALLS/A-1": "STALLS/Z-1"}, "seats.0.to"),
            ({"STALLS/A-1": "BOX/X-1"}, "seats.0.to"),
            ({"STALLS/A-1": "STALLS/A-2"}, "seats.0.to"),
            ({"STALLS/A-1": "STALLS/A-1"}, "seats"),
            ({"STALLS/A-1": "STALLS/B-1", "STALLS/A-2": "STALLS/B-1"}, "seats"),
            ({}, "seats"),
        ],
        ids=["not mine", "unknown", "another tier's", "mine", "itself", "twice", "nothing"],
    )
    def test_what_makes_no_sense_by_its_field(self, place, show, stalls, swap, seats, field):
        TierFactory(show=show, section="Box")
        booking = place(stalls, "STALLS/A-1", "STALLS/A-2")

        answer = swap(booking, seats)

        assert answer.status_code == 400
        assert [error["field"] for error in answer.json["errors"]] == [field]

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ("UPDATE shows SET sales_paused = true, version = version + 1", "sale-paused"),
            ("UPDATE tiers SET off_sale_at = now() - interval '1 hour'", "sale-ended"),
        ],
    )
    def test_a_buyer_while_the_sale_is_closed_and_not_the_desk(
        self, place, stalls, swap, desk, session, change, code
    ):
        booking = place(stalls, "STALLS/A-1")
        session.execute(text(change))
        session.commit()

        refused = swap(booking, {"STALLS/A-1": "STALLS/B-1"})
        moved = swap(booking, {"STALLS/A-1": "STALLS/B-1"}, by=desk)

        assert (refused.status_code, refused.json["code"]) == (409, code)
        assert moved.status_code == 200

    def test_house_seats_to_buyers_and_gives_them_at_the_desk(
        self, place, show, stalls, swap, desk
    ):
        StockFactory(show=show, section_name="Box", name="House")
        booking = place(stalls, "STALLS/A-1")

        refused = swap(booking, {"STALLS/A-1": "BOX/X-1"})
        moved = swap(booking, {"STALLS/A-1": "BOX/X-1"}, by=desk)

        assert refused.status_code == 400
        assert keys_of(moved.json) == ["BOX/X-1"]
        assert moved.json["total"] == booking["total"]

    def test_places_that_have_no_number(self, client, show, swap, buyer):
        floor = TierFactory(show=ShowFactory(venue__layout=[("Floor", 10), ("Stalls", {"A": 3})]))
        body = {"show_id": floor.show_id, "items": [{"tier_id": floor.id, "quantity": 1}]}
        booking = client.post("/bookings/", json=body, headers=buyer).json

        assert swap(booking, {"STALLS/A-1": "STALLS/A-2"}).status_code == 400

    def test_somebody_else(self, place, stalls, swap, as_user, show):
        booking = place(stalls, "STALLS/A-1")
        seats = {"STALLS/A-1": "STALLS/B-1"}
        organiser = show.event.organiser
        assert swap(booking, seats, by=as_user(UserFactory())).status_code == 404
        assert swap(booking, seats, by=as_user(UserFactory(role=Role.ORGANISER))).status_code == 404
        door = as_user(member(organiser, MemberRole.DOOR))
        assert swap(booking, seats, by=door).status_code == 403
        key = {"X-API-Key": ApiKeyFactory(organiser_id=organiser.id).secret, "Authorization": ""}
        assert swap(booking, seats, by=key).status_code in (401, 403, 404)


class TestSingleSeats:
    """Where the show asks for it, a buyer's swap leaves nobody's neighbour alone."""

    @pytest.fixture(autouse=True)
    def avoided(self, show, session):
        show.avoid_single_seats = True
        session.commit()

    def test_a_swap_that_would_leave_one_alone_is_refused_to_a_buyer(
        self, place, stalls, swap, desk
    ):
        booking = place(stalls, "STALLS/A-1")

        refused = swap(booking, {"STALLS/A-1": "STALLS/B-2"})
        moved = swap(booking, {"STALLS/A-1": "STALLS/B-2"}, by=desk)

        assert (refused.status_code, refused.json["code"]) == (409, "would-strand-a-seat")
        assert refused.json["seats"] == ["STALLS/B-1"]
        assert moved.status_code == 200

    def test_the_seat_that_is_left_counts_as_free(self, place, stalls, swap):
        booking = place(stalls, "STALLS/A-1", "STALLS/A-2")

        answer = swap(booking, {"STALLS/A-2": "STALLS/A-3", "STALLS/A-1": "STALLS/A-4"})

        assert answer.status_code == 200, answer.text


def test_a_retry_gets_the_same_answer(place, stalls, swap):
    booking = place(stalls, "STALLS/A-1")
    seats = {"STALLS/A-1": "STALLS/B-1"}

    first = swap(booking, seats, Idempotency_Key="one")
    again = swap(booking, seats, Idempotency_Key="one")

    assert first.status_code == 200
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.data == first.data
    assert db.session.scalar(text("SELECT count(*) FROM places WHERE booking_id > 0")) == 1
