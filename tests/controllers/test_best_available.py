"""The best seats by quantity, as buyers ask for them."""

import pytest
from sqlalchemy import update

from models import Place, Price, SeatKind
from models.layout import WantedRow, WantedSeat, plain_row, seated
from tests.controllers.test_booking_controller import GUEST, age, order
from tests.factories import ShowFactory, StockFactory, TierFactory, UserFactory

A, C = SeatKind.ACCESSIBLE, SeatKind.COMPANION


def hall(*sections):
    """A show in a hall of WantedSections, or of (name, {row: seats}) and (name, capacity)."""
    return ShowFactory(venue__layout=sections)


@pytest.fixture
def stalls():
    """Two rows of six and one of four."""
    return TierFactory(show=hall(("Stalls", {"A": 6, "B": 6, "C": 4})), section="Stalls")


@pytest.fixture
def best(client, as_user):
    """`best(tier, 2, together=True)`: the answer to a new buyer."""

    def ask(tier, quantity, **item):
        headers = as_user(UserFactory())
        return client.post("/bookings/", json=order(tier, quantity, item=item), headers=headers)

    return ask


def keys(response):
    """The seats of a booking, without their section."""
    assert response.status_code in (200, 201), response.json
    return [place["key"] and place["key"].partition("/")[2] for place in response.json["places"]]


def set_apart(session, stock, *seats):
    """Put seats of a stock into another one of the same section."""
    lot = StockFactory(show=stock.show, name="Lot", section_name="Elsewhere", capacity=0)
    lot.section_name, lot.section_id, lot.kind = stock.section_name, stock.section_id, stock.kind
    lot.capacity, stock.capacity = len(seats), stock.capacity - len(seats)
    chosen = Place.show_id == stock.show_id, Place.key.in_(seats)
    session.execute(update(Place).where(*chosen).values(stock_id=lot.id))
    session.commit()
    return lot


class TestBest:
    def test_is_the_middle_of_the_first_row_and_then_what_strands_nobody(self, best, stalls):
        assert keys(best(stalls, 2)) == ["A-3", "A-4"]
        assert keys(best(stalls, 2)) == ["A-1", "A-2"]
        assert keys(best(stalls, 3)) == ["B-1", "B-2", "B-3"]
        assert keys(best(stalls, 2)) == ["A-5", "A-6"]

    def test_party_that_fits_no_row_sits_in_the_fewest(self, best, stalls):
        assert keys(best(stalls, 8)) == [*(f"A-{n}" for n in range(1, 7)), "B-3", "B-4"]

    def test_together_is_one_block_or_a_refusal_that_says_how_many(self, best, stalls):
        refused = best(stalls, 7, together=True)

        assert (refused.status_code, refused.json["code"]) == (409, "no-adjacent-seats")
        assert (refused.json["largest"], refused.json["tier_id"]) == (6, stalls.id)
        assert len(set(keys(best(stalls, 7)))) == 7

    def test_nobody_is_refused_while_as_many_seats_are_free(self, best, stalls):
        assert len(keys(best(stalls, 10))) == 10
        assert len(keys(best(stalls, 6))) == 6

        refused = best(stalls, 1)

        assert (refused.json["code"], refused.json["left"]) == ("sold-out", 0)

    def test_together_where_too_few_are_left_is_sold_out(self, best, stalls):
        best(stalls, 10)

        refused = best(stalls, 7, together=True)

        assert (refused.json["code"], refused.json["left"]) == ("sold-out", 6)

    def test_a_dead_hold_is_cleared_away_before_a_block_is_refused(self, best, stalls, session):
        held = best(stalls, 6, together=True)
        best(stalls, 6, together=True)
        age(session, held.json["id"], 60)

        assert keys(best(stalls, 6, together=True)) == [f"A-{n}" for n in range(1, 7)]

    def test_children_sit_beside_their_parents(self, client, stalls, session):
        child = Price(tier_id=stalls.id, name="Child", amount=100, currency="KES", position=1)
        session.add(child)
        session.commit()
        adult = next(price.id for price in stalls.prices if price.name == "Regular")
        items = [
            {"tier_id": stalls.id, "price_id": adult, "quantity": 2},
            {"tier_id": stalls.id, "price_id": child.id, "quantity": 2, "together": True},
        ]

        booked = client.post(
            "/bookings/", json={"show_id": stalls.show_id, "items": items, "buyer": GUEST}
        )

        assert keys(booked) == ["A-1", "A-2", "A-3", "A-4"]
        adults, children = (line["id"] for line in booked.json["lines"])
        assert [place["line_id"] for place in booked.json["places"]] == [
            *[adults] * 2,
            *[children] * 2,
        ]

    def test_a_section_that_the_tier_names_first_comes_first(self, best):
        show = hall(("Stalls", {"A": 4}), ("Circle", {"A": 4}))
        circle, stalls = (
            StockFactory(show=show, section_name=name) for name in ("Circle", "Stalls")
        )
        tier = TierFactory(show=show, stocks=[circle, stalls])

        sections = [best(tier, 2).json["places"][0]["section"] for _ in range(4)]

        assert sections == ["Circle", "Circle", "Stalls", "Stalls"]

    def test_a_block_goes_over_the_stocks_of_a_section(self, best, session):
        show = hall(("Stalls", {"A": 6}))
        stock = StockFactory(show=show, section_name="Stalls")
        lot = set_apart(session, stock, "STALLS/A-4", "STALLS/A-5", "STALLS/A-6")
        tier = TierFactory(show=show, stocks=[lot, stock])

        assert keys(best(tier, 5, together=True)) == [f"A-{n}" for n in range(1, 6)]
        assert best(TierFactory(show=show, stocks=[lot]), 4, together=True).json["left"] == 1

    def test_seats_go_before_standing(self, best):
        show = hall(("Floor", 3), ("Stalls", {"A": 3}))
        floor = StockFactory(show=show, capacity=3)
        stalls = StockFactory(show=show, section_name="Stalls")
        tier = TierFactory(show=show, stocks=[floor, stalls])

        assert keys(best(tier, 2)) == ["A-1", "A-2"]
        assert sorted(keys(best(tier, 2)), key=str) == ["A-3", None]
        assert keys(best(tier, 2, together=True)) == [None, None]
        assert best(tier, 1).json["left"] == 0

    def test_standing_tiers_do_not_mind(self, best):
        assert keys(best(TierFactory(), 2, together=True)) == [None, None]

    def test_a_quote_takes_the_same_wishes(self, client, stalls):
        item = {"tier_id": stalls.id, "quantity": 2, "together": True, "accessible": 1}

        quoted = client.post("/bookings/quote", json={"show_id": stalls.show_id, "items": [item]})

        assert quoted.json["total"] == {"amount": 5_000_00, "currency": "KES"}

    @pytest.mark.parametrize(
        ("item", "field"),
        [
            ({"seats": ["STALLS/A-1"], "together": True}, "together"),
            ({"seats": ["STALLS/A-1"], "accessible": 1}, "accessible"),
            ({"quantity": 1, "accessible": 2}, "accessible"),
            ({"quantity": 2, "accessible": -1}, "accessible"),
            ({"quantity": 2, "together": "yes"}, "together"),
            ({"quantity": 2, "together": None}, "together"),
        ],
    )
    def test_wishes_that_make_no_sense_are_refused(self, client, stalls, item, field):
        refused = client.post("/bookings/", json=order(stalls, None, item=item, buyer=GUEST))

        assert refused.status_code == 400
        assert field in str(refused.json["errors"])

    def test_floors_have_no_accessible_seats(self, best):
        refused = best(TierFactory(), 2, accessible=1)

        assert refused.status_code == 400
        assert refused.json["errors"][0]["field"] == "items.0.accessible"


@pytest.fixture
def accessible_hall():
    """A row with two wheelchair places and their companions at its ends, and a plain row."""
    kinds = [A, C, None, None, None, C, A]
    row = WantedRow("A", tuple(WantedSeat(str(n), kind=kind) for n, kind in enumerate(kinds, 1)))
    show = hall(seated("Stalls", [row, plain_row("B", map(str, range(1, 5)))]))
    return TierFactory(show=show, section="Stalls")


class TestAccessible:
    def test_seats_stay_out_of_it_unless_asked_for(self, best, accessible_hall):
        assert keys(best(accessible_hall, 3)) == ["A-3", "A-4", "A-5"]
        assert keys(best(accessible_hall, 4)) == ["B-1", "B-2", "B-3", "B-4"]

        refused = best(accessible_hall, 1)

        assert (refused.json["code"], refused.json["left"]) == ("sold-out", 0)

    def test_seats_come_with_their_companions(self, best, accessible_hall):
        assert keys(best(accessible_hall, 2, accessible=1)) == ["A-1", "A-2"]
        assert keys(best(accessible_hall, 3, accessible=1)) == ["A-5", "A-6", "A-7"]

    def test_seats_run_out(self, best, accessible_hall):
        best(accessible_hall, 2, accessible=2)

        refused = best(accessible_hall, 2, accessible=1)

        assert (refused.json["code"], refused.json["left"]) == ("sold-out", 0)

    def test_parties_are_parted_only_if_they_may_be(self, best, accessible_hall):
        refused = best(accessible_hall, 7, accessible=1, together=True)
        parted = best(accessible_hall, 7, accessible=1)

        assert (refused.json["code"], refused.json["largest"]) == ("no-adjacent-seats", 6)
        assert keys(parted) == [*(f"A-{n}" for n in range(1, 7)), "B-1"]


class TestBasket:
    def basket(self, client, booking, headers, *items):
        return client.put(
            f"/bookings/{booking['id']}/items", json={"items": list(items)}, headers=headers
        )

    @pytest.fixture
    def headers(self, as_user):
        return as_user(UserFactory())

    @pytest.fixture
    def two(self, client, headers, stalls):
        return client.post("/bookings/", json=order(stalls, 2), headers=headers).json

    def test_keeps_its_seats_and_gets_the_best_of_the_others(self, client, headers, stalls, two):
        more = self.basket(client, two, headers, {"tier_id": stalls.id, "quantity": 4})

        assert set(keys(more)) > {"A-3", "A-4"}
        assert len(set(keys(more))) == 4

    def test_counts_its_own_seats_as_free_for_a_party_together(self, client, headers, stalls, two):
        together = {"tier_id": stalls.id, "quantity": 6, "together": True}

        assert keys(self.basket(client, two, headers, together)) == [f"A-{n}" for n in range(1, 7)]

    def test_stays_as_it_was_when_nobody_can_sit_together(self, client, headers, stalls, two):
        refused = self.basket(
            client, two, headers, {"tier_id": stalls.id, "quantity": 7, "together": True}
        )

        assert (refused.json["code"], refused.json["largest"]) == ("no-adjacent-seats", 6)
        assert keys(client.get(f"/bookings/{two['id']}", headers=headers)) == ["A-3", "A-4"]

    def test_adds_a_seat_to_seats_and_standing_places(self, client, headers):
        show = hall(("Floor", 3), ("Stalls", {"A": 2, "B": 2}))
        stocks = [
            StockFactory(show=show, capacity=3),
            StockFactory(show=show, section_name="Stalls"),
        ]
        tier = TierFactory(show=show, stocks=stocks)
        booking = client.post("/bookings/", json=order(tier, 5), headers=headers).json
        assert sum(place["key"] is None for place in booking["places"]) == 1
        gone = next(place["id"] for place in booking["places"] if place["key"])
        client.delete(f"/bookings/{booking['id']}/seats/{gone}", headers=headers)

        more = {"tier_id": tier.id, "seats": ["STALLS/A-1"]}
        changed = client.post(f"/bookings/{booking['id']}/seats", json=more, headers=headers)

        assert len(keys(changed)) == 5


def test_a_basket_keeps_a_seat_that_its_tier_sells_no_more(client, session, stalls, as_user):
    headers = as_user(UserFactory())
    item = {"seats": ["STALLS/A-1"]}
    booking = client.post("/bookings/", json=order(stalls, None, item=item), headers=headers).json
    set_apart(session, stalls.stocks[0], "STALLS/A-1", "STALLS/A-2")
    path = f"/bookings/{booking['id']}/seats"

    added = client.post(path, json={"tier_id": stalls.id, "seats": ["STALLS/B-1"]}, headers=headers)
    other = client.post(path, json={"tier_id": stalls.id, "seats": ["STALLS/A-2"]}, headers=headers)

    assert keys(added) == ["A-1", "B-1"]
    assert other.status_code == 400
    path = f"/bookings/{booking['id']}/items"
    item = {"tier_id": stalls.id, "seats": ["STALLS/A-1"]}
    assert keys(client.put(path, json={"items": [item]}, headers=headers)) == ["A-1"]
