"""Several prices for one place: how many of each, and who may have them."""

import pytest
from sqlalchemy import select, update

from init import db
from models import AuditEntry, AvailabilityDisplay, Price, PriceAudience, Scope
from services import verify_service
from tests.controllers.test_booking_controller import age
from tests.factories import (
    ApiKeyFactory,
    EventFactory,
    ShowFactory,
    TierFactory,
    VenueFactory,
)

SOMEONE = {"name": "Someone", "email": "someone@example.com"}
LAYOUT = [("Stalls", {"A": 8, "B": 8}), ("Floor", 100)]


@pytest.fixture
def show(organiser):
    venue = VenueFactory(capacity=200, layout=LAYOUT)
    return ShowFactory(event=EventFactory(organiser=organiser), venue=venue)


@pytest.fixture
def tier(show):
    return TierFactory(show=show, section="Stalls", max_per_buyer=100, price=0)


@pytest.fixture
def child(tier):
    """A price of the tier beside its regular one, with no conditions yet."""
    price = Price(tier_id=tier.id, name="Child", amount=0, currency="KES", position=1)
    db.session.add(price)
    db.session.commit()
    return price


def condition(price, **facts):
    db.session.execute(update(Price).where(Price.id == price.id).values(**facts))
    db.session.commit()


def item(price, *seats, quantity=1):
    what = {"seats": list(seats)} if seats else {"quantity": quantity}
    return {"tier_id": price.tier_id, "price_id": price.id, **what}


def book(client, show, headers, *items, **facts):
    return client.post(
        "/bookings/", json={"show_id": show.id, "items": list(items), **facts}, headers=headers
    )


class TestWords:
    def test_a_price_says_how_many_and_who(self, client, show, manager):
        conditions = {
            "max_per_booking": 2,
            "capacity": 40,
            "audience": "signed_in",
            "eligibility": "Under 16, with an adult.",
        }
        price = {"name": "Child", "price": {"amount": 500, "currency": "KES"}}
        made = client.post(
            f"/shows/{show.id}/tiers",
            json={"name": "Stalls", "section": "Stalls", "prices": [price | conditions]},
            headers=manager,
        ).json
        path = f"/tiers/{made['id']}"

        assert made["prices"][0].items() >= conditions.items()
        assert client.get(path).json["prices"][0].items() >= conditions.items()
        client.patch(path, json={"price": {"amount": 600, "currency": "KES"}}, headers=manager)
        assert client.get(path).json["prices"][0].items() >= conditions.items()
        audited = select(AuditEntry.after).where(AuditEntry.action == "tier.create")
        assert db.session.scalar(audited)["prices"][0]["capacity"] == 40

    def test_replaced_it_has_only_what_it_names(self, client, tier, manager):
        condition(tier.prices[0], capacity=4, audience=PriceAudience.DESK)
        plain = {"name": "Regular", "price": {"amount": 500, "currency": "KES"}}

        response = client.patch(f"/tiers/{tier.id}", json={"prices": [plain]}, headers=manager)

        [price] = response.json["prices"]
        assert price["id"] == tier.prices[0].id
        assert (price["capacity"], price["audience"]) == (None, "anyone")

    def test_shows_copy_them(self, client, show, tier, child, manager):
        condition(child, capacity=4, max_per_booking=2, audience="desk", eligibility="Small")

        copied = client.post(
            f"/shows/{show.id}/copy",
            json={"starts_at": "2031-01-01T20:00:00+03:00"},
            headers=manager,
        ).json

        [_, price] = client.get(f"/shows/{copied['id']}/tiers").json["items"][0]["prices"]
        assert (
            price.items()
            >= {
                "capacity": 4,
                "max_per_booking": 2,
                "audience": "desk",
                "eligibility": "Small",
            }.items()
        )

    def test_a_seat_tells_them(self, client, show, child):
        condition(child, eligibility="Under 16")

        seat = client.get(f"/shows/{show.id}/seats").json["items"][0]["id"]

        prices = client.get(f"/seats/{seat}").json["tiers"][0]["prices"]
        assert [price["eligibility"] for price in prices] == [None, "Under 16"]

    @pytest.mark.parametrize(
        ("facts", "field"),
        [
            ({"max_per_booking": 0}, "max_per_booking"),
            ({"capacity": -1}, "capacity"),
            ({"capacity": 1.5}, "capacity"),
            ({"audience": "friends"}, "audience"),
            ({"audience": None}, "audience"),
            ({"eligibility": " "}, "eligibility"),
            ({"eligibility": "x" * 501}, "eligibility"),
        ],
    )
    def test_refuses_what_makes_no_sense(self, client, show, manager, facts, field):
        price = {"name": "Child", "price": {"amount": 500, "currency": "KES"}} | facts

        response = client.post(
            f"/shows/{show.id}/tiers",
            json={"name": "Stalls", "section": "Stalls", "prices": [price]},
            headers=manager,
        )

        assert response.status_code == 400
        assert response.json["errors"][0]["field"] == f"prices.0.{field}"


class TestPerBooking:
    def test_names_the_item_that_has_too_many(self, client, show, tier, child, buyer):
        condition(child, max_per_booking=2)

        response = book(client, show, buyer, item(tier.prices[0]), item(child, quantity=3))

        assert response.status_code == 400
        assert response.json["errors"] == [
            {"field": "items.1.quantity", "detail": "Child: at most 2 in a booking."}
        ]
        assert book(client, show, buyer, item(child, quantity=2)).status_code == 201

    def test_counts_the_seats_of_all_lines(self, client, show, tier, child, buyer):
        condition(child, max_per_booking=2)
        items = item(child, "STALLS/A-1", "STALLS/A-2"), item(child, quantity=1)

        assert book(client, show, buyer, *items).status_code == 400

    def test_holds_for_baskets_and_not_for_the_desk(self, client, show, child, buyer, manager):
        condition(child, max_per_booking=2)
        hold = book(client, show, buyer, item(child, "STALLS/A-1", "STALLS/A-2")).json["id"]

        more = {"tier_id": child.tier_id, "price_id": child.id, "seats": ["STALLS/A-3"]}
        response = client.post(f"/bookings/{hold}/seats", json=more, headers=buyer)

        assert response.status_code == 400
        desk = book(client, show, manager, item(child, quantity=5), channel="desk", buyer=SOMEONE)
        assert desk.status_code == 201


class TestAudience:
    def test_some_prices_are_for_those_who_sign_in(self, client, show, child, buyer):
        condition(child, audience="signed_in")

        guest = book(client, show, {}, item(child), buyer=SOMEONE)

        assert (guest.status_code, guest.json["code"]) == (403, "price-not-for-you")
        assert guest.json["audience"] == "signed_in"
        assert guest.json["price_id"] == child.id
        assert book(client, show, buyer, item(child)).status_code == 201

    def test_some_are_for_the_desk_alone(self, client, show, organiser, child, buyer, manager):
        condition(child, audience="desk")
        key = ApiKeyFactory(organiser_id=organiser.id, scopes=[Scope.SELL])

        web = book(client, show, buyer, item(child))
        api = book(client, show, {"X-API-Key": key.secret}, item(child), buyer=SOMEONE)

        assert [each.json["code"] for each in (web, api)] == ["price-not-for-you"] * 2
        desk = book(client, show, manager, item(child), channel="desk", buyer=SOMEONE)
        assert desk.status_code == 201

    def test_a_shops_customers_are_not_signed_in(self, client, show, organiser, child):
        condition(child, audience="signed_in")
        key = ApiKeyFactory(organiser_id=organiser.id, scopes=[Scope.SELL])

        response = book(client, show, {"X-API-Key": key.secret}, item(child), buyer=SOMEONE)

        assert response.json["code"] == "price-not-for-you"

    def test_a_quote_says_so_too(self, client, show, child, buyer):
        condition(child, audience="signed_in")
        wanted = {"show_id": show.id, "items": [item(child)]}

        assert client.post("/bookings/quote", json=wanted).json["code"] == "price-not-for-you"
        assert client.post("/bookings/quote", json=wanted, headers=buyer).status_code == 200

    def test_baskets_are_held_to_it(self, client, show, tier, child, buyer):
        condition(child, audience="desk")
        hold = book(client, show, buyer, item(tier.prices[0])).json["id"]

        response = client.put(
            f"/bookings/{hold}/items", json={"items": [item(child)]}, headers=buyer
        )

        assert (response.status_code, response.json["code"]) == (403, "price-not-for-you")


class TestCapacity:
    def test_no_more_go_at_it(self, client, show, tier, child, buyer):
        condition(child, capacity=3)
        assert book(client, show, buyer, item(child, quantity=2)).status_code == 201

        response = book(client, show, buyer, item(child, quantity=2))

        assert (response.status_code, response.json["code"]) == (409, "price-sold-out")
        facts = {"left": 1, "limit": 3, "price_id": child.id, "tier_id": tier.id}
        assert response.json.items() >= facts.items()
        assert book(client, show, buyer, item(tier.prices[0], quantity=5)).status_code == 201
        assert book(client, show, buyer, item(child)).status_code == 201
        assert verify_service.broken() == []

    def test_the_desk_counts_and_a_comp_does_not(self, client, show, child, buyer, manager):
        condition(child, capacity=2)
        comp = {"channel": "comp", "comp_reason": "Press", "buyer": SOMEONE, "confirm": True}

        assert book(client, show, manager, item(child, quantity=2), **comp).status_code == 201
        desk = {"channel": "desk", "buyer": SOMEONE}
        assert book(client, show, manager, item(child, quantity=2), **desk).status_code == 201
        assert book(client, show, buyer, item(child)).json["code"] == "price-sold-out"
        assert book(client, show, manager, item(child), **desk).json["code"] == "price-sold-out"
        assert verify_service.broken() == []

    def test_what_is_given_back_or_ran_out_may_be_had_again(self, client, show, child, buyer):
        condition(child, capacity=2)
        first = book(client, show, buyer, item(child)).json["id"]
        second = book(client, show, buyer, item(child)).json["id"]

        client.delete(f"/bookings/{first}", headers=buyer)
        assert book(client, show, buyer, item(child)).status_code == 201
        age(db.session, second, 20)
        assert book(client, show, buyer, item(child)).status_code == 201
        assert book(client, show, buyer, item(child)).json["code"] == "price-sold-out"

    def test_a_basket_counts_itself_once(self, client, show, tier, child, buyer):
        condition(child, capacity=2)
        hold = book(client, show, buyer, item(child)).json["id"]
        path = f"/bookings/{hold}/items"

        assert (
            client.put(path, json={"items": [item(child, quantity=2)]}, headers=buyer).status_code
            == 200
        )
        refused = client.put(path, json={"items": [item(child, quantity=3)]}, headers=buyer)
        assert (refused.status_code, refused.json["left"]) == (409, 2)

    def test_availability_says_how_many_are_left_of_it(self, client, show, tier, child, buyer):
        condition(child, capacity=3)
        book(client, show, buyer, item(child, quantity=2))
        path = f"/tiers/{tier.id}/availability"

        told = client.get(path).json

        limited = {"price_id": child.id, "name": "Child"}
        assert told["limited_prices"] == [limited | {"sold_out": False, "available": 1}]
        assert told["available"] == 14
        condition(tier.prices[0], capacity=2)
        assert client.get(path).json["available"] == 3
        book(client, show, buyer, item(child), item(tier.prices[0], quantity=2))
        assert client.get(path).json["sold_out"]

    def test_what_only_the_desk_sells_is_not_left_for_buyers(self, client, show, tier, child):
        condition(child, audience=PriceAudience.DESK)
        condition(tier.prices[0], capacity=0)

        told = client.get(f"/tiers/{tier.id}/availability").json

        assert (told["available"], told["sold_out"], told["can_purchase"]) == (0, True, False)

    def test_where_only_words_are_told_it_says_whether_some_are_left(self, client, show, child):
        condition(child, capacity=0)
        show.availability_display = AvailabilityDisplay.WORD
        db.session.commit()

        [price] = client.get(f"/tiers/{child.tier_id}/availability").json["limited_prices"]
        assert (price["sold_out"], price["available"]) == (True, None)

    def test_lowered_below_what_is_sold_it_sells_no_more(
        self, client, show, tier, child, buyer, manager
    ):
        book(client, show, buyer, item(child, quantity=3))
        money = {"amount": 0, "currency": "KES"}
        prices = [
            {"name": "Regular", "price": money},
            {"name": "Child", "price": money, "capacity": 2},
        ]

        response = client.patch(f"/tiers/{tier.id}", json={"prices": prices}, headers=manager)

        assert response.status_code == 200
        assert book(client, show, buyer, item(child)).json["left"] == 0
        assert verify_service.broken() == []
