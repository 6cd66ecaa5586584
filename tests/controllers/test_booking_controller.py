"""/bookings, seen from outside."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from models import Booking, MemberRole, OutboxMessage, Place, Ticket
from models.sale import SaleStock
from models.seat_map import SectionKind
from services import inventory_service, mail_service
from services.claim_service import Claim, Short
from services.inventory_service import SheetOutdated
from tests.factories import (
    AdminFactory,
    OrganiserFactory,
    ShowFactory,
    StockFactory,
    TicketHolderFactory,
    TierFactory,
    UserFactory,
    member,
)

GUEST = {"name": "Asha Mwangi", "email": "asha@example.com"}


def order(tier, quantity=1, **more):
    item = {"tier_id": tier.id} | ({"quantity": quantity} if quantity else {})
    return {"show_id": tier.show_id, "items": [item | more.pop("item", {})], **more}


def free_places(session, show_id):
    query = select(func.count()).select_from(Place)
    return session.scalar(query.where(Place.show_id == show_id, Place.booking_id.is_(None)))


def age(session, booking_id, minutes):
    """Let a hold have begun so many minutes earlier."""
    session.execute(
        text(
            "UPDATE bookings SET held_at = held_at - :age, held_until = held_until - :age"
            " WHERE id = :id"
        ),
        {"age": timedelta(minutes=minutes), "id": booking_id},
    )
    session.commit()


@pytest.fixture
def seated():
    show = ShowFactory(venue__layout=[("Stalls", {"A": 4, "B": 4}), ("Floor", 100)])
    return TierFactory(show=show, section="Stalls")


class TestPlaceBooking:
    def test_holds_places_at_the_price_of_the_tier(self, client, as_user, session):
        tier = TierFactory(capacity=3)

        response = client.post("/bookings/", json=order(tier, 2), headers=as_user(UserFactory()))

        booking = response.json
        assert response.status_code == 201
        assert response.headers["Location"] == f"/bookings/{booking['id']}"
        assert booking["status"] == "held"
        assert booking["total"] == {"amount": 5_000_00, "currency": "KES"}
        assert [line["quantity"] for line in booking["lines"]] == [2]
        assert len(booking["places"]) == 2
        assert {step["action"] for step in booking["next"]} == {
            "confirm",
            "extend",
            "change",
            "cancel",
        }
        assert free_places(session, tier.show_id) == 1

    def test_the_answer_is_what_reading_it_back_gives(self, client, as_user):
        headers = as_user(UserFactory())
        placed = client.post(
            "/bookings", json=order(TierFactory(), 2, note="Row 1"), headers=headers
        )

        read = client.get(f"/bookings/{placed.json['id']}", headers=headers)

        assert placed.json == read.json
        assert placed.headers["ETag"] == read.headers["ETag"]

    def test_refuses_more_than_are_left_and_takes_none(self, client, as_user, session):
        tier = TierFactory(capacity=2)

        response = client.post("/bookings/", json=order(tier, 3), headers=as_user(UserFactory()))

        assert response.status_code == 409
        assert response.content_type == "application/problem+json"
        assert response.json["type"] == "/problems/sold-out"
        assert response.json["left"] == 2
        assert free_places(session, tier.show_id) == 2
        assert session.scalar(select(func.count()).select_from(Booking)) == 0

    def test_several_tiers_are_all_or_nothing(self, client, as_user, session):
        show = ShowFactory()
        plenty, none = TierFactory(show=show), TierFactory(show=show, capacity=0)
        items = [{"tier_id": plenty.id, "quantity": 2}, {"tier_id": none.id, "quantity": 1}]

        response = client.post(
            "/bookings/", json={"show_id": show.id, "items": items}, headers=as_user(UserFactory())
        )

        assert (response.status_code, response.json["tier_id"]) == (409, none.id)
        assert free_places(session, show.id) == 10

    def test_two_lines_of_one_pool_cannot_have_the_same_place(self, client, as_user):
        show = ShowFactory()
        pool = StockFactory(show=show, capacity=3)
        one, two = (TierFactory(show=show, stocks=[pool]) for _ in range(2))
        items = [{"tier_id": one.id, "quantity": 2}, {"tier_id": two.id, "quantity": 2}]

        response = client.post(
            "/bookings/", json={"show_id": show.id, "items": items}, headers=as_user(UserFactory())
        )

        assert (response.json["code"], response.json["left"]) == ("sold-out", 1)

    def test_who_has_a_choice_of_stocks_leaves_the_other_its_only_one(self, client, as_user):
        show = ShowFactory()
        early, late = (StockFactory(show=show, capacity=2) for _ in range(2))
        wide = TierFactory(show=show, stocks=[early, late])
        narrow = TierFactory(show=show, stocks=[early])
        items = [{"tier_id": tier.id, "quantity": 2} for tier in (wide, narrow)]

        response = client.post(
            "/bookings/", json={"show_id": show.id, "items": items}, headers=as_user(UserFactory())
        )

        assert response.status_code == 201

    @pytest.mark.parametrize("quantity", [-1, 0, 1.5, "2", True, None, 10**18, 11, [1]])
    def test_refuses_a_quantity_that_makes_no_sense(self, client, as_user, quantity, session):
        tier = TierFactory(capacity=20)
        body = {"show_id": tier.show_id, "items": [{"tier_id": tier.id, "quantity": quantity}]}

        response = client.post("/bookings/", json=body, headers=as_user(UserFactory()))

        assert response.status_code == 400
        assert response.json["errors"][0]["field"] == "items.0.quantity"
        assert free_places(session, tier.show_id) == 20

    @pytest.mark.parametrize("field", ["price", "total", "currency", "discount", "status", "id"])
    def test_prices_and_states_are_not_the_buyers_to_say(self, client, as_user, field):
        body = order(TierFactory()) | {field: 1}

        response = client.post("/bookings/", json=body, headers=as_user(UserFactory()))

        assert (response.status_code, response.json["errors"][0]["field"]) == (400, field)

    def test_a_hold_keeps_its_price(self, client, as_user, session):
        tier, headers = TierFactory(price=1000), as_user(UserFactory())
        booking = client.post("/bookings/", json=order(tier), headers=headers).json
        session.execute(text("UPDATE prices SET amount = 9999"))

        items = {"items": [{"tier_id": tier.id, "quantity": 2}]}
        changed = client.put(f"/bookings/{booking['id']}/items", json=items, headers=headers).json

        assert changed["total"]["amount"] == 2000

    def test_an_unknown_show_is_not_found_and_a_draft_is_only_its_makers(self, client, as_user):
        draft = TierFactory(show__event__status="draft", show__event__published_at=None)
        maker = member(draft.event.organiser)

        assert client.post("/bookings/", json=order(draft, buyer=GUEST)).status_code == 404
        response = client.post("/bookings/", json=order(draft), headers=as_user(maker))
        assert (response.status_code, response.json["code"]) == (409, "not-published")


class TestSeats:
    def test_holds_the_chosen_seats(self, client, as_user, seated):
        seats = ["STALLS/A-1", "STALLS/B-2"]

        booking = client.post(
            "/bookings/",
            json=order(seated, None, item={"seats": seats}),
            headers=as_user(UserFactory()),
        ).json

        assert [place["key"] for place in booking["places"]] == seats
        assert booking["lines"][0]["quantity"] == 2

    def test_a_taken_seat_is_named(self, client, as_user, seated):
        wanted = order(seated, None, item={"seats": ["STALLS/A-1", "STALLS/A-2"]})
        client.post(
            "/bookings/",
            json=order(seated, None, item={"seats": ["STALLS/A-1"]}),
            headers=as_user(UserFactory()),
        )

        response = client.post("/bookings/", json=wanted, headers=as_user(UserFactory()))

        assert (response.status_code, response.json["code"]) == (409, "seat-taken")
        assert response.json["seats"] == ["STALLS/A-1"]

    def test_the_same_seat_in_two_lines_is_a_mistake(self, client, as_user, seated):
        other = TierFactory(show=seated.show, stocks=list(seated.stocks))
        items = [{"tier_id": tier.id, "seats": ["STALLS/A-2"]} for tier in (seated, other)]

        response = client.post(
            "/bookings/",
            json={"show_id": seated.show_id, "items": items},
            headers=as_user(UserFactory()),
        )

        assert (response.status_code, response.json["code"]) == (400, "invalid")

    def test_any_seats_leave_the_chosen_one(self, client, as_user, seated):
        wanted: list[dict] = [{"quantity": 4}, {"seats": ["STALLS/A-1"]}]
        items = [{"tier_id": seated.id} | some for some in wanted]

        response = client.post(
            "/bookings/",
            json={"show_id": seated.show_id, "items": items},
            headers=as_user(UserFactory()),
        )

        assert response.status_code == 201
        assert "STALLS/A-1" in [place["key"] for place in response.json["places"]]

    def test_a_seat_that_is_not_there_is_a_mistake(self, client, as_user, seated):
        body = order(seated, None, item={"seats": ["STALLS/Z-99"]})

        response = client.post("/bookings/", json=body, headers=as_user(UserFactory()))

        assert (response.status_code, response.json["errors"][0]["field"]) == (400, "items")

    def test_seats_come_and_go_one_by_one(self, client, as_user, seated, session):
        headers = as_user(UserFactory())
        body = order(seated, None, item={"seats": ["STALLS/A-1", "STALLS/A-2"]})
        booking = client.post("/bookings/", json=body, headers=headers).json
        here = f"/bookings/{booking['id']}/seats"

        more = {"tier_id": seated.id, "seats": ["STALLS/B-1"]}
        assert len(client.post(here, json=more, headers=headers).json["places"]) == 3
        left = client.delete(f"{here}/{booking['places'][0]['id']}", headers=headers).json

        assert {place["key"] for place in left["places"]} == {"STALLS/A-2", "STALLS/B-1"}
        assert left["total"]["amount"] == 5_000_00
        assert free_places(session, seated.show_id) == 6


class TestGuests:
    def test_buy_without_an_account_and_see_only_that_booking(self, client):
        booking = client.post("/bookings/", json=order(TierFactory(), buyer=GUEST)).json
        other = client.post("/bookings/", json=order(TierFactory(), buyer=GUEST)).json
        secret = {"Booking-Secret": booking["secret"]}

        again = client.get(f"/bookings/{booking['id']}", headers=secret)

        assert again.status_code == 200
        assert "secret" not in again.json
        assert client.get(f"/bookings/{other['id']}", headers=secret).status_code == 404
        assert client.get(f"/bookings/{booking['id']}").status_code == 401
        listed = client.get("/bookings/", headers=secret).json["items"]
        assert [row["id"] for row in listed] == [booking["id"]]

    def test_must_say_who_they_are(self, client):
        response = client.post("/bookings/", json=order(TierFactory()))

        assert (response.status_code, response.json["errors"][0]["field"]) == (400, "buyer")

    def test_a_lost_secret_comes_again_by_mail_and_nobody_else_learns_anything(
        self, client, session
    ):
        booking = client.post("/bookings/", json=order(TierFactory(), buyer=GUEST)).json
        asked = {"email": "ASHA@example.com", "reference": booking["reference"].lower()}

        right = client.post("/bookings/recover", json=asked)
        wrong = client.post("/bookings/recover", json=asked | {"reference": "NOSUCHREF"})

        assert right.status_code == wrong.status_code == 202
        assert right.json == wrong.json
        (mail,) = [queued.letter for queued in mail_service.queued(5)]
        headers = {"Booking-Secret": mail.link.partition("secret=")[2]}
        assert client.get(f"/bookings/{booking['id']}", headers=headers).status_code == 200

    def test_a_new_secret_goes_to_the_address_that_bought(self, client, session):
        booking = client.post("/bookings/", json=order(TierFactory(), buyer=GUEST)).json
        like = {"email": "Asha+else@example.com", "reference": booking["reference"]}

        client.post("/bookings/recover", json=like)

        (mail,) = [queued.letter for queued in mail_service.queued(5)]
        assert mail.to == GUEST["email"]
        query = select(OutboxMessage).where(OutboxMessage.topic == "mail.booking_secret")
        assert session.scalars(query).one().payload.keys() == {"booking_id", "nonce"}

    def test_an_address_does_not_open_somebodys_account(self, client, as_user):
        somebody = UserFactory(email="asha@example.com")
        booking = client.post("/bookings/", json=order(TierFactory(), buyer=GUEST)).json

        assert (
            client.get(f"/bookings/{booking['id']}", headers=as_user(somebody)).status_code == 404
        )


class TestLimits:
    def test_one_buyer_may_have_so_many_of_a_tier_however_they_ask(self, client, as_user):
        tier = TierFactory(capacity=20, max_per_buyer=3)
        headers = as_user(UserFactory())
        client.post("/bookings/", json=order(tier, 2), headers=headers)

        invented = order(tier, 2, buyer={"name": "Invented", "email": "other@example.com"})
        response = client.post("/bookings/", json=invented, headers=headers)

        assert (response.status_code, response.json["code"]) == (409, "limit-reached")
        assert (response.json["limit"], response.json["have"]) == (3, 2)

    def test_a_guests_mailbox_counts_and_a_tag_makes_no_other(self, client):
        tier = TierFactory(max_per_buyer=1)
        client.post("/bookings/", json=order(tier, buyer=GUEST))

        tagged = order(tier, buyer=GUEST | {"email": "Asha+2@example.com"})

        assert client.post("/bookings/", json=tagged).json["code"] == "limit-reached"

    def test_dead_and_cancelled_holds_do_not_count(self, client, as_user, session):
        tier, headers = TierFactory(max_per_buyer=1), as_user(UserFactory())
        dead = client.post("/bookings/", json=order(tier), headers=headers).json
        age(session, dead["id"], 16)
        given_up = client.post("/bookings/", json=order(tier), headers=headers).json
        client.delete(f"/bookings/{given_up['id']}", headers=headers)

        assert client.post("/bookings/", json=order(tier), headers=headers).status_code == 201


class TestDeadHolds:
    def test_their_places_are_sold_again_with_no_worker_running(self, client, as_user, session):
        tier, headers = TierFactory(capacity=2), as_user(UserFactory())
        dead = client.post("/bookings/", json=order(tier, 2), headers=headers).json
        age(session, dead["id"], 15)

        alive = client.post("/bookings/", json=order(tier, 2), headers=as_user(UserFactory()))

        assert alive.status_code == 201
        assert client.get(f"/bookings/{dead['id']}", headers=headers).json["status"] == "expired"

    def test_have_no_places_whether_or_not_anybody_has_swept_them_up(
        self, client, as_user, session
    ):
        tier, headers = TierFactory(), as_user(UserFactory())
        dead = client.post("/bookings/", json=order(tier, 2), headers=headers).json
        age(session, dead["id"], 15)
        here = f"/bookings/{dead['id']}"

        before = client.get(here, headers=headers).json
        inventory_service.reap(tier.show_id)

        assert before["places"] == []
        assert client.get(here, headers=headers).json == before

    @pytest.mark.parametrize("step", ["confirm", "extend"])
    def test_are_not_revived(self, client, as_user, session, step):
        tier, headers = TierFactory(price=0), as_user(UserFactory())
        dead = client.post("/bookings/", json=order(tier), headers=headers).json
        age(session, dead["id"], 15)

        response = client.post(f"/bookings/{dead['id']}/{step}", headers=headers)

        assert (response.status_code, response.json["code"]) == (409, "hold-expired")


class TestExtend:
    def test_once_and_never_past_thirty_minutes(self, client, as_user):
        headers = as_user(UserFactory())
        booking = client.post("/bookings/", json=order(TierFactory()), headers=headers).json
        here = f"/bookings/{booking['id']}/extend"

        assert client.post(here, headers=headers).json["extended"] is True
        assert client.post(here, headers=headers).json["code"] == "already-extended"


class TestConfirm:
    def test_what_is_free_has_tickets_at_once(self, client, as_user):
        body = order(TierFactory(price=0), 2, confirm=True)

        booking = client.post("/bookings/", json=body, headers=as_user(UserFactory())).json

        assert booking["status"] == "confirmed"
        assert len({ticket["code"] for ticket in booking["tickets"]}) == 2

    @pytest.mark.parametrize("at_once", [True, False])
    def test_nobody_marks_their_own_booking_as_paid(self, client, as_user, at_once, session):
        headers, tier = as_user(UserFactory()), TierFactory()
        response = client.post("/bookings/", json=order(tier, confirm=at_once), headers=headers)
        if not at_once:
            response = client.post(f"/bookings/{response.json['id']}/confirm", headers=headers)

        assert (response.status_code, response.json["code"]) == (409, "payment-required")
        assert session.scalar(select(func.count()).select_from(Ticket)) == 0

    def test_the_desk_confirms_what_was_paid_there(self, client, as_user, session):
        tier = TierFactory()
        manager = as_user(member(tier.event.organiser, MemberRole.MANAGER))
        body = order(tier, channel="desk", confirm=True)

        booking = client.post("/bookings/", json=body, headers=manager).json

        assert (booking["status"], booking["payment_status"]) == ("confirmed", "paid")
        assert session.scalars(select(OutboxMessage.topic)).all() == ["booking.confirmed"]

    def test_cannot_be_done_twice(self, client, as_user):
        headers = as_user(UserFactory())
        body = order(TierFactory(price=0), confirm=True)
        booking = client.post("/bookings/", json=body, headers=headers).json

        again = client.post(f"/bookings/{booking['id']}/confirm", headers=headers)

        assert (again.status_code, again.json["code"]) == (409, "booking-moved-on")


class TestDeskAndComps:
    def test_a_comp_is_free_has_a_reason_and_may_come_from_house_seats(self, client, as_user):
        tier = TierFactory()
        press = StockFactory(show=tier.show, name="Press", capacity=2)
        owner = as_user(member(tier.event.organiser))
        body = {
            "show_id": tier.show_id,
            "items": [{"stock_id": press.id, "quantity": 1}],
            "channel": "comp",
            "comp_reason": "Review",
            "confirm": True,
            "buyer": GUEST,
        }

        booking = client.post("/bookings/", json=body, headers=owner).json

        assert booking["total"]["amount"] == 0
        assert (booking["status"], booking["comp_reason"]) == ("confirmed", "Review")

    @pytest.mark.parametrize("role", [MemberRole.DOOR, None])
    def test_are_not_for_everyone(self, client, as_user, role):
        tier = TierFactory()
        user = member(tier.event.organiser, role) if role else member(OrganiserFactory())
        body = order(tier, channel="comp", comp_reason="Friends")

        assert client.post("/bookings/", json=body, headers=as_user(user)).status_code == 403

    def test_limits_are_for_the_open_sale(self, client, as_user):
        tier = TierFactory(capacity=50, max_per_booking=2, max_per_buyer=2)
        owner = as_user(member(tier.event.organiser))

        body = order(tier, 40, channel="desk", buyer=GUEST)

        assert client.post("/bookings/", json=body, headers=owner).status_code == 201


class TestCancel:
    def test_frees_the_places_voids_the_tickets_and_may_be_repeated(self, client, as_user, session):
        tier, headers = TierFactory(price=0, capacity=2), as_user(UserFactory())
        body = order(tier, 2, confirm=True)
        here = f"/bookings/{client.post('/bookings/', json=body, headers=headers).json['id']}"

        first, second = (client.delete(here, headers=headers) for _ in range(2))

        assert first.json == second.json
        assert first.json["status"] == "cancelled"
        assert {ticket["status"] for ticket in first.json["tickets"]} == {"void"}
        assert free_places(session, tier.show_id) == 2
        assert client.post("/bookings/", json=body, headers=headers).status_code == 201

    def test_a_repeated_cancellation_may_name_the_version_that_was(self, client, as_user):
        headers = as_user(UserFactory())
        placed = client.post("/bookings/", json=order(TierFactory()), headers=headers)
        conditional = {**headers, "If-Match": placed.headers["ETag"]}
        here = f"/bookings/{placed.json['id']}"

        first, second = (client.delete(here, headers=conditional) for _ in range(2))

        assert (first.status_code, second.status_code) == (200, 200)
        assert first.json == second.json

    def test_someone_elses_booking_does_not_exist(self, client, as_user):
        headers = as_user(UserFactory())
        booking = client.post("/bookings/", json=order(TierFactory()), headers=headers).json

        response = client.delete(f"/bookings/{booking['id']}", headers=as_user(UserFactory()))

        assert response.status_code == 404

    def test_the_door_may_look_but_not_cancel(self, client, as_user):
        tier = TierFactory()
        booking = client.post("/bookings/", json=order(tier, buyer=GUEST)).json
        door = as_user(member(tier.event.organiser, MemberRole.DOOR))

        assert client.get(f"/bookings/{booking['id']}", headers=door).status_code == 200
        assert client.delete(f"/bookings/{booking['id']}", headers=door).status_code == 403


class TestItems:
    def test_a_basket_that_cannot_be_had_leaves_the_old_one(self, client, as_user, session):
        tier, headers = TierFactory(capacity=3), as_user(UserFactory())
        booking = client.post("/bookings/", json=order(tier, 2), headers=headers).json
        client.post("/bookings/", json=order(tier, 1), headers=as_user(UserFactory()))

        items = {"items": [{"tier_id": tier.id, "quantity": 3}]}
        response = client.put(f"/bookings/{booking['id']}/items", json=items, headers=headers)

        assert response.json["code"] == "sold-out"
        kept = client.get(f"/bookings/{booking['id']}", headers=headers).json
        assert (len(kept["places"]), kept["total"]) == (2, booking["total"])

    def test_the_deadline_stays(self, client, as_user):
        tier, headers = TierFactory(), as_user(UserFactory())
        booking = client.post("/bookings/", json=order(tier, 2), headers=headers).json
        items = {"items": [{"tier_id": tier.id, "quantity": 1}]}

        changed = client.put(f"/bookings/{booking['id']}/items", json=items, headers=headers).json

        assert changed["held_until"] == booking["held_until"]
        assert changed["total"]["amount"] == 2_500_00

    def test_a_stale_version_is_refused(self, client, as_user):
        tier, headers = TierFactory(), as_user(UserFactory())
        placed = client.post("/bookings/", json=order(tier, 2), headers=headers)
        here, stale = f"/bookings/{placed.json['id']}", {"If-Match": placed.headers["ETag"]}
        items = {"items": [{"tier_id": tier.id, "quantity": 1}]}

        assert client.put(f"{here}/items", json=items, headers=headers | stale).status_code == 200
        assert client.put(f"{here}/items", json=items, headers=headers | stale).status_code == 412

    def test_what_is_not_free_any_more_is_to_be_paid(self, client, as_user):
        show, headers = ShowFactory(), as_user(UserFactory())
        free, paid = TierFactory(show=show, price=0), TierFactory(show=show)
        booking = client.post("/bookings/", json=order(free), headers=headers).json
        said = [booking["payment_status"]]

        for tier in (paid, free):
            items = {"items": [{"tier_id": tier.id, "quantity": 1}]}
            changed = client.put(f"/bookings/{booking['id']}/items", json=items, headers=headers)
            said.append(changed.json["payment_status"])

        assert said == ["paid", "unpaid", "paid"]

    def test_places_and_names_stay_where_they_can(self, client, as_user):
        tier, headers = TierFactory(capacity=60), as_user(UserFactory())
        booking = client.post("/bookings/", json=order(tier, 3), headers=headers).json
        here, places = f"/bookings/{booking['id']}", [p["id"] for p in booking["places"]]
        people = [{"place_id": place, "name": f"Nr. {place}"} for place in places]
        client.patch(here, json={"attendees": people}, headers=headers)
        items = {"items": [{"tier_id": tier.id, "quantity": 4}]}

        more = client.put(f"{here}/items", json=items, headers=headers).json
        for place in places[:2]:
            fewer = client.delete(f"{here}/seats/{place}", headers=headers)
            assert fewer.status_code == 200

        assert {p["id"] for p in more["places"]} > set(places)
        assert [p["id"] for p in fewer.json["places"] if p["id"] in places] == places[2:]
        assert [p["place_id"] for p in fewer.json["attendees"]] == places[2:]
        assert fewer.json["total"]["amount"] == 5_000_00

    def test_a_place_can_be_given_back_when_no_more_are_sold(self, client, as_user, session):
        tier, headers = TierFactory(min_per_booking=2), as_user(UserFactory())
        booking = client.post("/bookings/", json=order(tier, 3), headers=headers).json
        session.execute(text("UPDATE shows SET sales_paused = true, version = version + 1"))
        session.execute(text("UPDATE prices SET deleted_at = now()"))
        session.commit()

        answers = [
            client.delete(f"/bookings/{booking['id']}/seats/{place['id']}", headers=headers)
            for place in booking["places"][:2]
        ]

        assert [answer.status_code for answer in answers] == [200, 400]
        assert "at least 2" in answers[1].json["detail"]
        assert free_places(session, tier.show_id) == 8

    def test_the_desks_choice_of_a_stock_stays(self, client, as_user, session):
        show = ShowFactory(venue__layout=[("Stalls", {"A": 4}), ("Box", {"A": 4})])
        tier = TierFactory(show=show, section="Stalls")
        house = StockFactory(show=show, section_name="Box")
        desk = as_user(member(show.event.organiser))
        chosen = order(tier, item={"stock_id": house.id}, quantity=2, channel="desk")
        booking = client.post("/bookings/", json=chosen, headers=desk).json

        more = {"tier_id": tier.id, "seats": ["STALLS/A-1"]}
        changed = client.post(f"/bookings/{booking['id']}/seats", json=more, headers=desk).json

        kept = {place["key"] for place in booking["places"]}
        assert {place["key"] for place in changed["places"]} == kept | {"STALLS/A-1"}


class TestNames:
    def test_attendees_named_during_the_hold_are_on_the_tickets(self, client, as_user):
        headers = as_user(UserFactory())
        booking = client.post(
            "/bookings/", json=order(TierFactory(price=0), 2), headers=headers
        ).json
        here, place = f"/bookings/{booking['id']}", booking["places"][0]["id"]
        people = {"attendees": [{"place_id": place, "name": "李小龙"}], "note": "Aisle"}

        assert client.patch(here, json=people, headers=headers).json["note"] == "Aisle"
        tickets = client.post(f"{here}/confirm", headers=headers).json["tickets"]

        assert {t["ticket_holder"]["name"] for t in tickets if t["place_id"] == place} == {"李小龙"}
        assert len({t["ticket_holder"]["id"] for t in tickets}) == 2

    def test_naming_somebody_again_makes_no_other_holder(self, client, as_user):
        headers = as_user(UserFactory())
        wanted = order(TierFactory(price=0), 2, confirm=True)
        booking = client.post("/bookings/", json=wanted, headers=headers).json
        people = {"attendees": [{"place_id": booking["places"][0]["id"], "name": "李小龙"}]}

        for _ in range(2):
            client.patch(f"/bookings/{booking['id']}", json=people, headers=headers)

        holders = client.get("/ticket_holders/", headers=headers).json
        assert holders["pagination"]["total"] == 2

    def test_bookings_show_the_new_name_also_to_who_has_the_old_answer(self, client, as_user):
        headers = as_user(UserFactory())
        booking = client.post("/bookings/", json=order(TierFactory()), headers=headers)
        have = headers | {"If-None-Match": booking.headers["ETag"]}

        client.patch("/users/me", json={"name": "李小龙"}, headers=headers)

        again = client.get(f"/bookings/{booking.json['id']}", headers=have)
        assert (again.status_code, again.json["ticket_holder"]["name"]) == (200, "李小龙")

    def test_who_has_a_hold_is_not_forgotten(self, client, as_user):
        user = UserFactory()
        holder, headers = TicketHolderFactory(user_id=user.id), as_user(user)
        wanted = order(TierFactory(), ticket_holder_id=holder.id)
        booking = client.post("/bookings/", json=wanted, headers=headers).json

        refused = client.delete(f"/ticket_holders/{holder.id}", headers=headers)
        client.delete(f"/bookings/{booking['id']}", headers=headers)

        assert refused.json["code"] == "has-sales"
        assert client.delete(f"/ticket_holders/{holder.id}", headers=headers).status_code == 204

    def test_a_holder_of_somebody_else_cannot_be_used(self, client, as_user):
        headers = as_user(UserFactory())
        theirs = TicketHolderFactory(user_id=UserFactory().id)
        booking = client.post("/bookings/", json=order(TierFactory()), headers=headers).json

        for response in (
            client.patch(
                f"/bookings/{booking['id']}", json={"ticket_holder_id": theirs.id}, headers=headers
            ),
            client.post(
                "/bookings/", json=order(TierFactory(), ticket_holder_id=theirs.id), headers=headers
            ),
        ):
            assert (response.status_code, response.json["errors"][0]["field"]) == (
                400,
                "ticket_holder_id",
            )


class TestIdempotency:
    def test_a_retry_gets_the_first_answer_and_holds_nothing_more(self, client, session):
        tier = TierFactory(capacity=5)
        headers, body = {"Idempotency-Key": "on-sale-1"}, order(tier, 2, buyer=GUEST)

        first, second = (client.post("/bookings/", json=body, headers=headers) for _ in range(2))

        assert first.data == second.data
        assert first.headers["Location"] == second.headers["Location"]
        assert second.headers["Idempotent-Replayed"] == "true"
        assert free_places(session, tier.show_id) == 3

    def test_a_key_belongs_to_one_request_and_to_one_caller(self, client, as_user):
        tier, key = TierFactory(), {"Idempotency-Key": "k"}
        one, two = as_user(UserFactory()), as_user(UserFactory())
        client.post("/bookings/", json=order(tier, 1), headers=one | key)

        other_body = client.post("/bookings/", json=order(tier, 2), headers=one | key)
        other_user = client.post("/bookings/", json=order(tier, 2), headers=two | key)

        assert (other_body.status_code, other_body.json["code"]) == (422, "idempotency-key-reused")
        assert other_user.status_code == 201

    def test_a_refusal_is_not_kept(self, client, as_user, session):
        tier, headers = TierFactory(capacity=1), as_user(UserFactory()) | {"Idempotency-Key": "k"}
        held = client.post("/bookings/", json=order(tier, buyer=GUEST)).json
        assert client.post("/bookings/", json=order(tier), headers=headers).status_code == 409
        age(session, held["id"], 15)

        assert client.post("/bookings/", json=order(tier), headers=headers).status_code == 201


class TestSoldOut:
    @pytest.fixture
    def last(self, client, as_user):
        """A tier of one place, and the booking that has it."""
        tier, owner = TierFactory(capacity=1), as_user(UserFactory())
        return tier, client.post("/bookings/", json=order(tier), headers=owner).json["id"], owner

    def test_a_second_refusal_is_one_look(self, client, as_user, last, count_statements):
        tier, _, _ = last
        asker, body = as_user(UserFactory()), order(tier)
        client.post("/bookings/", json=body, headers=asker)
        count_statements.clear()

        refused = client.post("/bookings/", json=body, headers=asker)

        assert (refused.status_code, refused.json["code"]) == (409, "sold-out")
        assert len(count_statements) == 3  # who asks, what is for sale, what is left

    def test_a_place_that_comes_back_is_sold_at_once(self, client, as_user, last):
        tier, booking_id, owner = last
        asker = as_user(UserFactory())
        assert client.post("/bookings/", json=order(tier), headers=asker).status_code == 409

        client.delete(f"/bookings/{booking_id}", headers=owner)

        assert client.post("/bookings/", json=order(tier), headers=asker).status_code == 201

    def test_a_dead_hold_is_sold_at_once(self, client, as_user, last, session):
        tier, booking_id, _ = last
        asker = as_user(UserFactory())
        assert client.post("/bookings/", json=order(tier), headers=asker).status_code == 409

        age(session, booking_id, 15)

        assert client.post("/bookings/", json=order(tier), headers=asker).status_code == 201

    def test_nobody_is_refused_by_what_the_show_was(self, session):
        tier = TierFactory(capacity=0)
        stock = SaleStock(tier.stocks[0].id, "Floor", SectionKind.STANDING, "Floor", 0)
        claims = [Claim(tier.id, "Floor", 1, (stock,))]

        def short(_wait_ms):
            raise Short

        with pytest.raises(SheetOutdated):
            inventory_service.until_claimed(
                tier.show_id, claims, short, version=tier.show.version + 1
            )


class TestLists:
    def test_show_what_is_yours_with_a_fixed_number_of_statements(
        self, client, as_user, count_statements
    ):
        tier = TierFactory(capacity=100, max_per_buyer=100)
        mine, theirs = as_user(UserFactory()), as_user(UserFactory())
        costs = []
        for _ in range(2):
            for _ in range(3):
                client.post("/bookings/", json=order(tier, 2), headers=mine)
                client.post("/bookings/", json=order(tier, 1), headers=theirs)
            count_statements.clear()
            page = client.get("/bookings/?per_page=100", headers=mine).json
            costs.append(len(count_statements))
            assert {len(row["places"]) for row in page["items"]} == {2}

        assert page["pagination"]["total"] == 6
        assert costs[0] == costs[1] <= 8

    def test_the_organiser_and_the_admin_see_more_when_they_ask(self, client, as_user):
        tier = TierFactory()
        client.post("/bookings/", json=order(tier, buyer=GUEST))
        client.post("/bookings/", json=order(TierFactory(), buyer=GUEST))
        door = as_user(member(tier.event.organiser, MemberRole.DOOR))
        admin = as_user(AdminFactory())

        def total(url, headers):
            return client.get(url, headers=headers).json["pagination"]["total"]

        assert total("/bookings/", door) == 0
        assert total(f"/bookings/?show_id={tier.show_id}", door) == 1
        assert total("/bookings/?all=true", door) == 1
        assert total("/bookings/?all=true", admin) == 2
        assert total("/bookings/?all=true", as_user(UserFactory())) == 0

    def test_a_filter_shows_all_of_what_you_work_for_and_your_own_of_the_rest(
        self, client, as_user
    ):
        tier, elsewhere = TierFactory(), TierFactory()
        door = as_user(member(tier.event.organiser, MemberRole.DOOR))
        own = {
            of.show_id: client.post("/bookings/", json=order(of), headers=door).json["id"]
            for of in (tier, elsewhere)
        }
        guests = {
            of.show_id: client.post("/bookings/", json=order(of, buyer=GUEST)).json
            for of in (tier, elsewhere)
        }

        def listed(query, headers):
            return [
                row["id"]
                for row in client.get(f"/bookings/?{query}", headers=headers).json["items"]
            ]

        for of in (tier, elsewhere):
            names = ("show_id", of.show_id), ("event_id", of.event_id)
            for name, key in (*names, ("organiser_id", of.event.organiser_id)):
                all_of_it = [guests[of.show_id]["id"], own[of.show_id]]
                seen = all_of_it if of is tier else [own[of.show_id]]
                assert listed(f"{name}={key}", door) == seen
                assert listed(f"{name}={key}", as_user(AdminFactory())) == all_of_it
                assert listed(f"{name}={key}", as_user(UserFactory())) == []
        both = f"event_id={tier.event_id}&show_id={elsewhere.show_id}"
        assert listed(both, door) == listed(both, as_user(AdminFactory())) == []
        secret = {"Booking-Secret": guests[tier.show_id]["secret"]}
        assert listed(f"show_id={tier.show_id}", secret) == [guests[tier.show_id]["id"]]
        assert listed(f"show_id={elsewhere.show_id}", secret) == []
        assert listed("all=true", secret) == listed("", secret) == [guests[tier.show_id]["id"]]

    def test_a_reference_finds_what_you_may_see(self, client, as_user):
        tier = TierFactory()
        reference = client.post("/bookings/", json=order(tier, buyer=GUEST)).json["reference"]
        door = as_user(member(tier.event.organiser, MemberRole.DOOR))
        found = {
            who: client.get(f"/bookings/?reference={reference.lower()}", headers=headers).json
            for who, headers in (("door", door), ("other", as_user(UserFactory())))
        }

        assert [row["reference"] for row in found["door"]["items"]] == [reference]
        assert found["other"]["items"] == []

    def test_the_status_that_a_list_is_asked_for_is_the_one_it_shows(
        self, client, as_user, session
    ):
        tier, headers = TierFactory(price=0, max_per_buyer=10), as_user(UserFactory())
        made = {
            status: client.post("/bookings/", json=order(tier), headers=headers).json["id"]
            for status in ("held", "expired", "cancelled")
        }
        age(session, made["expired"], 15)
        client.delete(f"/bookings/{made['cancelled']}", headers=headers)
        sold = client.post("/bookings/", json=order(tier) | {"confirm": True}, headers=headers)
        made["confirmed"] = sold.json["id"]
        session.execute(text("UPDATE bookings SET status = 'held' WHERE status = 'expired'"))

        for status, booking_id in made.items():
            page = client.get(f"/bookings/?status={status}", headers=headers).json
            assert [(row["id"], row["status"]) for row in page["items"]] == [(booking_id, status)]

    def test_pages_behind_a_cursor_leave_nothing_out(self, client, as_user):
        tier, headers = TierFactory(max_per_buyer=10), as_user(UserFactory())
        made = [
            client.post("/bookings/", json=order(tier), headers=headers).json["id"]
            for _ in range(5)
        ]

        seen, url = [], "/bookings/?after=&per_page=2"
        while url:
            page = client.get(url, headers=headers).json
            seen += [row["id"] for row in page["items"]]
            url = page["pagination"]["next"]

        assert seen == sorted(made, reverse=True)


def test_a_quote_prices_and_writes_nothing(client, session):
    tier = TierFactory()

    quoted = client.post("/bookings/quote", json=order(tier, 2)).json

    assert quoted["total"] == {"amount": 5_000_00, "currency": "KES"}
    assert free_places(session, tier.show_id) == 10


def test_answers_older_than_a_day_are_forgotten_by_whoever_comes_next(client, session):
    tier, body = TierFactory(capacity=5), {}
    for key in ("old-1", "old-2"):
        body = order(tier, buyer=GUEST)
        client.post("/bookings/", json=body, headers={"Idempotency-Key": key})
    session.execute(text("UPDATE idempotency_keys SET created_at = now() - interval '25 hours'"))

    again = client.post("/bookings/", json=body, headers={"Idempotency-Key": "old-1"})

    assert again.status_code == 201
    assert "Idempotent-Replayed" not in again.headers
    assert session.scalars(text("SELECT key FROM idempotency_keys")).all() == ["old-1"]


def test_a_quote_refuses_a_seat_that_is_not_there(client, seated):
    response = client.post(
        "/bookings/quote", json=order(seated, None, item={"seats": ["STALLS/Z-9"]})
    )

    assert (response.status_code, response.json["errors"][0]["field"]) == (400, "items")


def test_a_retried_confirmation_gets_its_answer_whatever_version_it_names(client, as_user):
    headers = as_user(UserFactory())
    placed = client.post("/bookings/", json=order(TierFactory(price=0)), headers=headers)
    headers |= {"Idempotency-Key": "confirm-1", "If-Match": placed.headers["ETag"]}

    first, second = (
        client.post(f"/bookings/{placed.json['id']}/confirm", headers=headers) for _ in range(2)
    )

    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json == second.json


def test_the_answer_calls_the_buyer_what_they_call_themselves(client, as_user):
    headers = as_user(UserFactory())
    mine = client.get("/ticket_holders/", headers=headers).json["items"][0]
    client.patch(f"/ticket_holders/{mine['id']}", json={"name": "Ash"}, headers=headers)

    placed = client.post("/bookings/", json=order(TierFactory()), headers=headers).json

    assert placed["ticket_holder"]["name"] == "Ash"
