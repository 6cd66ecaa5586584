"""/shows/<id>/section_limits, and the sales that are held to them."""

import pytest
from sqlalchemy import select

from init import db
from models import AuditEntry
from services import sale_service, verify_service
from tests.controllers.test_booking_controller import age
from tests.factories import (
    EventFactory,
    ShowFactory,
    StockFactory,
    TierFactory,
    UserFactory,
    VenueFactory,
)

LAYOUT = [("VIP", {"A": 8, "B": 8}), ("Floor", 100)]
SOMEONE = {"name": "Someone", "email": "someone@example.com"}


@pytest.fixture
def show(organiser):
    venue = VenueFactory(capacity=200, layout=LAYOUT)
    return ShowFactory(event=EventFactory(organiser=organiser), venue=venue)


@pytest.fixture
def vip(show):
    return TierFactory(show=show, section="VIP", max_per_buyer=100, price=0)


@pytest.fixture
def floor(show):
    return TierFactory(show=show, capacity=20, max_per_buyer=100, price=0)


def limit(client, show, headers, *items, **more):
    path = f"/shows/{show.id}/section_limits"
    return client.put(path, json={"items": list(items)}, headers=headers | more)


def book(client, tier, headers, *seats, quantity=1, **facts):
    item = {"tier_id": tier.id} | ({"seats": list(seats)} if seats else {"quantity": quantity})
    wanted = {"show_id": tier.show_id, "items": [item], **facts}
    return client.post("/bookings/", json=wanted, headers=headers)


class TestSetting:
    def test_they_are_replaced_as_a_whole_and_told_in_the_order_of_the_map(
        self, client, show, manager
    ):
        floor = {"section": "Floor", "max_places": 50}
        vip = {"section": "VIP", "max_places": 10, "max_per_buyer": 2}

        response = limit(client, show, manager, floor, vip)

        told = {"show_id": show.id, "items": [vip, floor | {"max_per_buyer": None}]}
        assert (response.status_code, response.json) == (200, told)
        path = f"/shows/{show.id}/section_limits"
        assert client.get(path, headers=manager).json == told
        assert limit(client, show, manager, vip).json["items"] == [vip]
        assert limit(client, show, manager).json["items"] == []

    @pytest.mark.parametrize(
        ("item", "field"),
        [
            ({"section": "Balcony", "max_places": 1}, "items.0.section"),
            ({"section": "VIP"}, "items.0.max_places"),
            ({"section": "VIP", "max_places": -1}, "items.0.max_places"),
            ({"section": "VIP", "max_per_buyer": 0}, "items.0.max_per_buyer"),
            ({"section": "VIP", "max_places": 1, "left": 1}, "items.0.left"),
            ({"max_places": 1}, "items.0.section"),
        ],
    )
    def test_refuses_what_makes_no_sense(self, client, show, manager, item, field):
        response = limit(client, show, manager, item)

        assert (response.status_code, response.json["errors"][0]["field"]) == (400, field)

    def test_refuses_a_section_that_is_named_twice(self, client, show, manager):
        item = {"section": "VIP", "max_places": 1}

        assert limit(client, show, manager, item, item).status_code == 400

    def test_a_show_without_a_map_has_no_sections(self, client, organiser, manager):
        show = ShowFactory(event=EventFactory(organiser=organiser), venue=None)

        assert (
            limit(client, show, manager, {"section": "Floor", "max_places": 1}).status_code == 400
        )
        assert limit(client, show, manager).status_code == 200

    def test_a_stale_edit_is_refused(self, client, show, manager):
        item = {"section": "VIP", "max_places": 1}
        etag = limit(client, show, manager, item).headers["ETag"]
        assert limit(client, show, manager, item, **{"If-Match": etag}).status_code == 200

        response = limit(client, show, manager, item, **{"If-Match": etag})

        assert response.status_code == 412

    def test_the_audit_says_what_they_were(self, client, show, manager):
        limit(client, show, manager, {"section": "VIP", "max_places": 1})
        limit(client, show, manager, {"section": "VIP", "max_places": 1})
        limit(client, show, manager)

        told = select(AuditEntry).where(AuditEntry.action == "show.limit_sections")
        first, last = db.session.scalars(told.order_by(AuditEntry.id))
        assert first.after == {"VIP": {"max_places": 1, "max_per_buyer": None}}
        assert (last.before, last.after) == (first.after, {})


class TestOfAll:
    def test_no_more_are_sold_and_the_rest_of_the_show_is_not_touched(
        self, client, show, vip, floor, manager, buyer
    ):
        limit(client, show, manager, {"section": "VIP", "max_places": 3})
        assert book(client, vip, buyer, "VIP/A-1", "VIP/A-2").status_code == 201

        response = book(client, vip, buyer, "VIP/A-3", "VIP/A-4")

        assert (response.status_code, response.json["code"]) == (409, "section-limit-reached")
        assert response.json.items() >= {"section": "VIP", "limit": 3, "left": 1}.items()
        assert book(client, vip, buyer, quantity=2).json["code"] == "section-limit-reached"
        assert book(client, floor, buyer, quantity=10).status_code == 201
        assert book(client, vip, buyer).status_code == 201
        assert verify_service.broken() == []

    def test_counts_all_channels_and_every_stock_of_the_section(
        self, client, show, vip, floor, manager, buyer
    ):
        house = StockFactory(show=show, section_name="Floor", name="House", capacity=5)
        limit(client, show, manager, {"section": "Floor", "max_places": 4})
        comp = {"channel": "comp", "comp_reason": "Press", "buyer": SOMEONE, "confirm": True}
        items = [{"stock_id": house.id, "quantity": 2}]
        order = {"show_id": show.id, "items": items, **comp}
        assert client.post("/bookings/", json=order, headers=manager).status_code == 201

        response = book(client, floor, buyer, quantity=3)

        assert response.json.items() >= {"section": "Floor", "left": 2}.items()
        desk = {"channel": "desk", "buyer": SOMEONE}
        assert book(client, floor, manager, quantity=2, **desk).status_code == 201
        refused = book(client, floor, manager, **desk)
        assert refused.json.items() >= {"code": "section-limit-reached", "left": 0}.items()

    def test_what_ran_out_or_is_given_back_counts_no_more(
        self, client, session, show, floor, manager, buyer
    ):
        limit(client, show, manager, {"section": "Floor", "max_places": 2})
        first = book(client, floor, buyer).json["id"]
        second = book(client, floor, buyer).json["id"]

        age(session, first, 20)
        assert book(client, floor, buyer).status_code == 201
        client.delete(f"/bookings/{second}", headers=buyer)
        assert book(client, floor, buyer).status_code == 201
        assert book(client, floor, buyer).status_code == 409

    def test_baskets_are_held_to_it_and_stay_as_they_were(
        self, client, show, floor, vip, manager, buyer
    ):
        limit(client, show, manager, {"section": "VIP", "max_places": 2})
        hold = book(client, vip, buyer, "VIP/A-1").json["id"]
        path = f"/bookings/{hold}"
        two, three = (
            {"items": [{"tier_id": vip.id, "seats": [f"VIP/B-{n}" for n in range(1, most)]}]}
            for most in (3, 4)
        )

        refused = client.put(f"{path}/items", json=three, headers=buyer)

        assert (refused.status_code, refused.json["left"]) == (409, 2)
        assert len(client.get(path, headers=buyer).json["places"]) == 1
        assert client.put(f"{path}/items", json=two, headers=buyer).status_code == 200
        more = {"tier_id": vip.id, "seats": ["VIP/A-8"]}
        assert client.post(f"{path}/seats", json=more, headers=buyer).status_code == 409

    def test_set_below_what_is_sold_it_sells_no_more(self, client, show, floor, manager, buyer):
        book(client, floor, buyer, quantity=5)

        limit(client, show, manager, {"section": "Floor", "max_places": 3})

        assert book(client, floor, buyer).json["left"] == 0
        assert verify_service.broken() == []

    def test_any_place_is_one_of_another_section_once_one_is_full(
        self, client, show, vip, floor, manager, buyer
    ):
        stocks = [floor.stocks[0], vip.stocks[0]]
        both = TierFactory(show=show, stocks=stocks, max_per_buyer=100, price=0)
        limit(client, show, manager, {"section": "VIP", "max_places": 2})

        bookings = [book(client, both, buyer).json for _ in range(4)]

        sections = [booking["places"][0]["section"] for booking in bookings]
        assert sections == ["VIP", "VIP", "Floor", "Floor"]
        assert client.get(f"/tiers/{both.id}/availability").json["available"] == 18
        assert book(client, both, buyer, quantity=10).status_code == 201
        assert book(client, both, buyer, quantity=9).json["code"] == "section-limit-reached"
        assert book(client, both, buyer, quantity=8).status_code == 201

    def test_a_second_night_has_the_same_limits_and_another_hall_its_own(
        self, client, show, vip, manager
    ):
        vip_limit = {"section": "VIP", "max_places": 3, "max_per_buyer": 2}
        limit(client, show, manager, vip_limit, {"section": "Floor", "max_places": 4})
        path = "/shows/{}/section_limits"

        copied = client.post(
            f"/shows/{show.id}/copy",
            json={"starts_at": "2031-01-01T20:00:00+03:00"},
            headers=manager,
        ).json["id"]
        assert len(client.get(path.format(copied), headers=manager).json["items"]) == 2
        for stock in client.get(f"/shows/{copied}/stocks", headers=manager).json["items"]:
            client.delete(f"/stocks/{stock['id']}", headers=manager)
        elsewhere = VenueFactory(layout=[("VIP", {"A": 2}), ("Pit", 10)])
        client.patch(f"/shows/{copied}", json={"venue_id": elsewhere.id}, headers=manager)

        assert client.get(path.format(copied), headers=manager).json["items"] == [vip_limit]
        sheet = sale_service.sheet(copied)
        assert list(sheet.limits) == ["VIP"]

    def test_availability_tells_no_more_than_may_be_sold(
        self, client, show, vip, floor, manager, buyer
    ):
        limit(client, show, manager, {"section": "VIP", "max_places": 3})
        book(client, vip, buyer, quantity=2)

        told = client.get(f"/shows/{show.id}/availability").json
        assert told["available"] == 21
        assert [tier["available"] for tier in told["tiers"]] == [1, 20]


class TestOfOneBuyer:
    def test_one_buyer_gets_no_more_over_all_bookings(
        self, client, show, vip, floor, manager, buyer, as_user
    ):
        limit(client, show, manager, {"section": "VIP", "max_per_buyer": 2})
        assert book(client, vip, buyer, "VIP/A-1").status_code == 201

        response = book(client, vip, buyer, "VIP/B-1", "VIP/B-2")

        assert (response.status_code, response.json["code"]) == (409, "limit-reached")
        assert response.json.items() >= {"section": "VIP", "limit": 2, "have": 1}.items()
        assert book(client, floor, buyer, quantity=5).status_code == 201
        assert book(client, vip, buyer).status_code == 201
        assert book(client, vip, as_user(UserFactory()), quantity=2).status_code == 201

    def test_a_mailbox_counts_and_the_desk_does_not(self, client, show, vip, manager):
        limit(client, show, manager, {"section": "VIP", "max_per_buyer": 2})

        assert book(client, vip, {}, quantity=2, buyer=SOMEONE).status_code == 201
        assert book(client, vip, {}, buyer=SOMEONE).json["code"] == "limit-reached"
        desk = {"channel": "desk", "buyer": SOMEONE}
        assert book(client, vip, manager, quantity=4, **desk).status_code == 201


class TestASwap:
    @pytest.fixture
    def show(self, organiser):
        venue = VenueFactory(capacity=200, layout=[("VIP", {"A": 4}), ("Stalls", {"B": 8})])
        return ShowFactory(event=EventFactory(organiser=organiser), venue=venue)

    @pytest.fixture
    def both(self, show):
        """One tier for both sections, at one price."""
        stocks = [StockFactory(show=show, section_name=name) for name in ("VIP", "Stalls")]
        return TierFactory(show=show, stocks=stocks, max_per_buyer=100, price=0)

    @pytest.mark.parametrize(
        ("limits", "code"),
        [({"max_places": 1}, "section-limit-reached"), ({"max_per_buyer": 1}, "limit-reached")],
    )
    def test_is_held_to_the_limits_of_where_it_goes(
        self, client, show, both, manager, buyer, limits, code
    ):
        limit(client, show, manager, {"section": "VIP", **limits})
        basket = [{"tier_id": both.id, "seats": ["VIP/A-1", "STALLS/B-1", "STALLS/B-2"]}]
        body = {"show_id": show.id, "items": basket}
        booking = client.post("/bookings/", json=body, headers=buyer).json

        def swap(left, taken):
            pair = {"seats": [{"from": left, "to": taken}]}
            return client.post(f"/bookings/{booking['id']}/swap", json=pair, headers=buyer)

        refused = swap("STALLS/B-2", "VIP/A-2")
        assert (refused.status_code, refused.json["code"]) == (409, code)
        assert swap("VIP/A-1", "VIP/A-3").status_code == 200
        assert swap("STALLS/B-2", "STALLS/B-8").status_code == 200
        assert verify_service.broken() == []
