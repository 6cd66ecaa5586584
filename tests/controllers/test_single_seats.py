"""Shows that keep buyers from leaving a single seat alone."""

import pytest

from models import MemberRole
from models.booking import Channel
from tests.controllers.test_best_available import hall
from tests.controllers.test_booking_controller import age, order
from tests.factories import TierFactory, UserFactory, claims, member


@pytest.fixture
def strict(session):
    """A row of six, a row of four, in a show that avoids single seats."""
    show = hall(("Stalls", {"A": 6, "B": 4}))
    show.avoid_single_seats = True
    session.commit()
    return TierFactory(show=show, section="Stalls")


@pytest.fixture
def choose(client, as_user):
    def ask(tier, *seats, headers=None, **more):
        item = {"seats": [f"STALLS/{seat}" for seat in seats]}
        headers = headers or as_user(UserFactory())
        return client.post("/bookings/", json=order(tier, None, item=item, **more), headers=headers)

    return ask


def choices(refused):
    assert (refused.status_code, refused.json.get("code")) == (409, "would-strand-a-seat")
    return [[seat.partition("/")[2] for seat in choice] for choice in refused.json["choices"]]


class TestSingleSeats:
    def test_are_not_left_and_the_answer_says_what_would_do(self, choose, strict):
        refused = choose(strict, "A-2", "A-3")

        assert choices(refused) == [["A-1", "A-2"], ["A-3", "A-4"], ["A-5", "A-6"]]
        assert refused.json["seats"] == ["STALLS/A-1"]
        assert refused.json["tier_id"] == strict.id
        assert choose(strict, "A-1", "A-2").status_code == 201

    def test_count_from_both_sides(self, choose, strict):
        refused = choose(strict, "B-2", "B-3")

        assert refused.json["seats"] == ["STALLS/B-1", "STALLS/B-4"]
        assert choices(refused)[:2] == [["B-1", "B-2"], ["B-3", "B-4"]]

    def test_in_another_row_are_said_when_this_one_has_none(self, choose, strict):
        assert choose(strict, "B-1").status_code == 201

        nearest = [["A-3", "A-4"], ["A-1", "A-2"], ["A-5", "A-6"]]
        assert choices(choose(strict, "B-2", "B-3")) == nearest

    def test_are_allowed_where_nothing_else_is_left(self, choose, strict):
        for seats in (["A-1", "A-2", "A-3"], ["A-4", "A-5", "A-6"], ["B-1"]):
            assert choose(strict, *seats).status_code == 201, seats

        assert choose(strict, "B-2", "B-3").status_code == 201

    def test_that_were_alone_before_do_not_count(self, choose, strict, session):
        claims.claim(strict.stocks[0], 1, seats=["STALLS/A-2"])

        assert choose(strict, "A-3", "A-4").status_code == 201

    def test_do_not_bother_shows_that_do_not_ask(self, choose, strict, session):
        strict.show.avoid_single_seats = False
        session.commit()

        assert choose(strict, "A-2", "A-3").status_code == 201

    def test_do_not_bother_the_desk(self, choose, strict, as_user):
        seller = as_user(member(strict.show.event.organiser, MemberRole.MANAGER))

        sold = choose(
            strict,
            "A-2",
            "A-3",
            headers=seller,
            channel=Channel.DESK,
            buyer={"name": "Asha", "email": "asha@example.com"},
        )

        assert sold.status_code == 201

    def test_of_dead_holds_are_free_seats(self, choose, strict, session):
        held = choose(strict, "A-1", "A-2", "A-3")
        assert choose(strict, "B-1", "B-2").status_code == 201
        age(session, held.json["id"], 60)

        assert choose(strict, "A-4", "A-5").json["seats"] == ["STALLS/A-6"]
        assert choose(strict, "A-3", "A-4").status_code == 201

    def test_are_counted_with_what_the_booking_itself_takes(self, client, strict, as_user):
        items = [
            {"tier_id": strict.id, "seats": ["STALLS/A-2", "STALLS/A-3"]},
            {"tier_id": strict.id, "seats": ["STALLS/A-1"]},
        ]
        body = {"show_id": strict.show_id, "items": items}

        assert (
            client.post("/bookings/", json=body, headers=as_user(UserFactory())).status_code == 201
        )

    def test_of_several_groups_are_avoided_by_no_more_groups(self, choose, strict):
        refused = choose(strict, "A-2", "A-3", "A-4", "B-1", "B-2", "B-3")

        assert refused.json["seats"] == ["STALLS/A-1", "STALLS/B-4"]
        assert choices(refused) == [[f"A-{n}" for n in range(1, 7)]]

    def test_are_not_left_by_what_a_basket_becomes(self, client, choose, strict, as_user):
        headers = as_user(UserFactory())
        booking = choose(strict, "A-1", "A-2", headers=headers).json
        more = {"tier_id": strict.id, "seats": ["STALLS/A-5"]}

        refused = client.post(f"/bookings/{booking['id']}/seats", json=more, headers=headers)
        assert refused.json["code"] == "would-strand-a-seat"
        more["seats"] = ["STALLS/A-3", "STALLS/A-4"]
        changed = client.post(f"/bookings/{booking['id']}/seats", json=more, headers=headers)

        assert changed.status_code == 200

    def test_are_not_left_by_a_seat_that_is_given_back(self, client, choose, strict, as_user):
        headers = as_user(UserFactory())
        booking = choose(strict, "A-1", "A-2", "A-3", headers=headers).json
        first, middle, last = (
            f"/bookings/{booking['id']}/seats/{place['id']}" for place in booking["places"]
        )

        for seat in (first, middle):
            refused = client.delete(seat, headers=headers)
            assert ["A-1", "A-2"] in choices(refused)
        there = client.get(f"/bookings/{booking['id']}", headers=headers).json
        changed = client.delete(last, headers=headers)

        assert there == booking
        assert [place["number"] for place in changed.json["places"]] == ["1", "2"]

    def test_may_be_given_back_when_nothing_is_sold_any_more(
        self, client, choose, strict, session, as_user
    ):
        headers = as_user(UserFactory())
        booking = choose(strict, "A-1", "A-2", "A-3", headers=headers).json
        strict.show.sales_paused = True
        strict.show.touch()
        session.commit()
        seat = f"/bookings/{booking['id']}/seats/{booking['places'][1]['id']}"

        assert client.delete(seat, headers=headers).status_code == 200

    def test_beside_dead_holds_may_be_given_back(self, client, choose, strict, session, as_user):
        headers = as_user(UserFactory())
        dead = choose(strict, "A-1", "A-2")
        booking = choose(strict, "A-3", "A-4", headers=headers).json
        age(session, dead.json["id"], 60)
        seat = f"/bookings/{booking['id']}/seats/{booking['places'][0]['id']}"

        assert client.delete(seat, headers=headers).status_code == 200

    def test_are_not_left_by_a_swap(self, client, choose, strict, as_user):
        headers = as_user(UserFactory())
        booking = choose(strict, "A-1", "A-2", "A-3", "A-4", headers=headers).json
        swap = f"/bookings/{booking['id']}/swap"
        left = {"seats": [{"from": "STALLS/A-2", "to": "STALLS/B-1"}]}

        refused = client.post(swap, json=left, headers=headers)
        assert refused.json["seats"] == ["STALLS/A-2"]
        assert choices(refused)
        left["seats"][0]["from"] = "STALLS/A-4"
        swapped = client.post(swap, json=left, headers=headers)

        assert swapped.status_code == 200
        assert {place["key"] for place in swapped.json["places"]} == {
            "STALLS/A-1",
            "STALLS/A-2",
            "STALLS/A-3",
            "STALLS/B-1",
        }

    def test_are_not_left_by_a_smaller_quantity(self, client, choose, strict, as_user):
        headers = as_user(UserFactory())
        booking = choose(strict, "A-1", "A-2", "A-3", headers=headers).json
        choose(strict, "A-4", "A-5", "A-6")
        fewer = {"items": [{"tier_id": strict.id, "quantity": 2}]}

        changed = client.put(f"/bookings/{booking['id']}/items", json=fewer, headers=headers).json

        assert {place["row"] for place in changed["places"]} == {"B"}

    def test_are_no_matter_of_the_best_available(self, client, strict, as_user):
        sizes = (3, 3, 2, 1, 1)
        for size in sizes:
            placed = client.post(
                "/bookings/", json=order(strict, size), headers=as_user(UserFactory())
            )
            assert placed.status_code == 201


class TestSetting:
    def test_may_be_changed_while_it_is_sold(self, client, choose, strict, as_user):
        owner = as_user(member(strict.show.event.organiser))
        choose(strict, "A-1", "A-2")

        changed = client.patch(
            f"/shows/{strict.show_id}", json={"avoid_single_seats": False}, headers=owner
        )

        assert (changed.status_code, changed.json["avoid_single_seats"]) == (200, False)
        assert choose(strict, "A-4", "A-5").status_code == 201
