"""/events/<id>/tiers, /shows/<id>/tiers and /tiers, seen from outside."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from init import db
from models import EventStatus, MemberRole, Price, Stock, Tier
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

KES_2500 = {"amount": 2500_00, "currency": "KES"}
REGULAR = {"name": "Regular", "price": KES_2500, "capacity": 10}


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
def show(event):
    return ShowFactory(event=event)


def make(client, show, headers, **facts):
    return client.post(f"/shows/{show.id}/tiers", json=REGULAR | facts, headers=headers)


def count(model):
    return db.session.scalar(select(func.count()).select_from(model))


class TestCreate:
    def test_a_section_and_a_capacity_make_its_stock(self, client, show, manager):
        response = make(client, show, manager)

        assert response.status_code == 201
        assert response.headers["Location"] == f"/tiers/{response.json['id']}"
        [stock] = response.json["stocks"]
        shown = client.get(f"/stocks/{stock['id']}", headers=manager).json
        assert (stock["name"], shown["capacity"], shown["section"]) == ("Regular", 10, "Floor")
        [price] = response.json["prices"]
        assert (price["name"], price["price"]) == ("Regular", KES_2500)
        limits = ("min_per_booking", "max_per_booking", "max_per_buyer")
        assert [response.json[name] for name in limits] == [1, 5, 5]

    def test_sells_from_stocks_in_the_order_named(self, client, show, manager):
        first, second = (StockFactory(show=show, capacity=1) for _ in range(2))
        body = {"name": "VIP", "price": KES_2500, "stocks": [second.id, first.id]}

        response = client.post(f"/shows/{show.id}/tiers", json=body, headers=manager)

        assert [stock["id"] for stock in response.json["stocks"]] == [second.id, first.id]

    @pytest.mark.parametrize(
        ("places", "keys"),
        [
            ({"rows": ["B"]}, ["STALLS/B-1", "STALLS/B-2"]),
            ({"seats": ["STALLS/B-2", "STALLS/A-1"]}, ["STALLS/A-1", "STALLS/B-2"]),
        ],
    )
    def test_its_own_stock_may_be_some_rows_or_seats(self, client, event, manager, places, keys):
        venue = VenueFactory(layout=[("Stalls", {"A": 2, "B": 2}), ("Floor", 10)])
        hall = ShowFactory(event=event, venue=venue)
        body = {"name": "VIP", "price": KES_2500, "section": "Stalls", **places}
        path = f"/shows/{hall.id}/tiers"

        made = client.post(path, json=body, headers=manager)
        again = client.post(path, json=body | {"name": "Other"}, headers=manager)

        assert made.status_code == 201
        seats = client.get(f"/shows/{hall.id}/seats", headers=manager).json["items"]
        assert [seat["key"] for seat in seats] == keys
        assert (again.status_code, again.json["code"]) == (409, "seat-in-stock")
        assert again.json["seats"] == keys
        assert count(Tier) == 1

    @pytest.mark.parametrize(
        ("places", "field"),
        [
            ({"rows": ["A"], "capacity": 1}, "capacity"),
            ({"rows": ["A"], "seats": ["STALLS/A-1"]}, "capacity"),
            ({"rows": ["A"], "stocks": []}, "stocks"),
            ({"rows": ["Z"], "section": "Stalls"}, "rows"),
            ({"rows": ["A"], "section": "Floor"}, "rows"),
        ],
    )
    def test_says_once_which_places_it_sells(self, client, event, manager, places, field):
        venue = VenueFactory(layout=[("Stalls", {"A": 2, "B": 2}), ("Floor", 10)])
        hall = ShowFactory(event=event, venue=venue)
        body = {"name": "VIP", "price": KES_2500, **places}

        response = client.post(f"/shows/{hall.id}/tiers", json=body, headers=manager)

        assert (response.status_code, response.json["errors"][0]["field"]) == (400, field)

    def test_a_price_list_and_a_tier_that_has_places_take_none(self, client, event, show, manager):
        named = {"name": "VIP", "price": KES_2500, "rows": ["A"]}
        planned = client.post(f"/events/{event.id}/tiers", json=named, headers=manager)
        tier = make(client, show, manager).json

        edited = client.patch(f"/tiers/{tier['id']}", json={"rows": ["A"]}, headers=manager)

        assert [each.json["errors"][0]["field"] for each in (planned, edited)] == ["rows", "rows"]

    def test_takes_seats_in_order_or_all_of_a_section(self, client, event, manager):
        venue = VenueFactory(layout=[("Stalls", {"A": 3, "B": 3}), ("Balcony", {"A": 2})])
        hall = ShowFactory(event=event, venue=venue)

        some = make(client, hall, manager, section="Stalls", capacity=4)
        body = {"name": "Up", "price": KES_2500, "section": "Balcony"}
        all_of_it = client.post(f"/shows/{hall.id}/tiers", json=body, headers=manager)

        seats = client.get(f"/shows/{hall.id}/seats", headers=manager).json["items"]
        assert [seat["key"] for seat in seats[:4]] == [
            "STALLS/A-1",
            "STALLS/A-2",
            "STALLS/A-3",
            "STALLS/B-1",
        ]
        assert (some.status_code, all_of_it.status_code, len(seats)) == (201, 201, 6)

    def test_tells_a_price_with_its_parts(self, client, show, manager):
        fee = {"amount": 100_00, "currency": "KES"}
        prices = [
            {"name": "Adult", "price": KES_2500, "fee": fee},
            {"name": "Child", "price": {"amount": 0, "currency": "KES"}},
        ]
        body = {"name": "Regular", "capacity": 1, "prices": prices}

        response = client.post(f"/shows/{show.id}/tiers", json=body, headers=manager)

        adult, child = response.json["prices"]
        assert adult["parts"] == {
            "face_value": {"amount": 2400_00, "currency": "KES"},
            "fee": fee,
        }
        assert child["price"]["amount"] == 0

    @pytest.mark.parametrize(
        ("facts", "field"),
        [
            ({"price": {"amount": 1, "currency": "EUR"}}, "prices.0.price.currency"),
            ({"price": {"amount": 1.5, "currency": "KES"}}, "price.amount"),
            ({"price": {"amount": -1, "currency": "KES"}}, "price.amount"),
            ({"price": {"amount": 10**18, "currency": "KES"}}, "price.amount"),
            ({"prices": [{"name": "A", "price": KES_2500}]}, "price"),
            ({"price": None}, "price"),
            ({"min_per_booking": 0}, "min_per_booking"),
            ({"min_per_booking": 6}, "min_per_booking"),
            ({"min_per_booking": 3, "max_per_booking": 2}, "min_per_booking"),
            ({"max_per_booking": 1001}, "max_per_booking"),
            ({"max_per_buyer": "2"}, "max_per_buyer"),
            ({"then": 999}, "then"),
            ({"then": 2**63}, "then"),
            ({"stocks": [1]}, "stocks"),
            ({"section": "Balcony"}, "section"),
            ({"on_sale_at": "2030-01-01T10:00:00"}, "on_sale_at"),
            (
                {"on_sale_at": "2030-01-02T00:00:00Z", "off_sale_at": "2030-01-01T00:00:00Z"},
                "off_sale_at",
            ),
            ({"status": "sold"}, "status"),
            ({"sold": 1}, "sold"),
            ({"name": "\x00"}, "name"),
        ],
    )
    def test_refuses_what_makes_no_sense_and_names_the_field(
        self, client, show, manager, facts, field
    ):
        response = make(client, show, manager, **facts)

        assert response.status_code == 400
        assert response.json["errors"][0]["field"] == field
        assert (count(Tier), count(Stock), count(Price)) == (0, 0, 0)

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"name": "A", "capacity": 1}, "prices"),
            ({"name": "A", "capacity": 1, "prices": []}, "prices"),
            ({"name": "A", "price": KES_2500}, "capacity"),
            ({"name": "A", "price": KES_2500, "stocks": [999]}, "stocks.0"),
            (
                {"name": "A", "capacity": 1, "prices": [{"name": "B", "price": KES_2500}] * 2},
                "prices.1",
            ),
            (
                {
                    "name": "A",
                    "capacity": 1,
                    "prices": [
                        {
                            "name": "B",
                            "price": {"amount": 1, "currency": "KES"},
                            "fee": {"amount": 2, "currency": "KES"},
                        }
                    ],
                },
                "prices.0.fee.amount",
            ),
        ],
    )
    def test_refuses_what_cannot_be_sold(self, client, show, manager, body, field):
        response = client.post(f"/shows/{show.id}/tiers", json=body, headers=manager)

        assert response.status_code == 400
        assert response.json["errors"][0]["field"] == field
        assert count(Tier) == 0

    def test_refuses_stocks_of_another_show(self, client, show, manager, organiser):
        other = StockFactory(show=ShowFactory(event=EventFactory(organiser=organiser)))
        body = {"name": "A", "price": KES_2500, "stocks": [other.id]}

        response = client.post(f"/shows/{show.id}/tiers", json=body, headers=manager)

        assert response.json["errors"][0]["field"] == "stocks.0"

    def test_refuses_more_than_fit_and_a_name_that_is_there(self, client, show, manager):
        too_many = make(client, show, manager, capacity=5001)
        first = make(client, show, manager)
        again = make(client, show, manager)

        assert (too_many.status_code, too_many.json["code"]) == (409, "capacity-exceeded")
        assert first.status_code == 201
        assert (again.status_code, again.json["code"]) == (409, "name-taken")
        assert (count(Tier), count(Stock)) == (1, 1)


class TestPriceList:
    def test_plans_tiers_in_several_currencies(self, client, event, manager):
        prices = [
            {"name": "Adult", "price": {"amount": 100, "currency": "KES"}},
            {"name": "Adult", "price": {"amount": 1, "currency": "EUR"}},
        ]
        body = {"name": "Regular", "prices": prices, "section": "Floor", "capacity": 300}

        response = client.post(f"/events/{event.id}/tiers", json=body, headers=manager)

        assert response.status_code == 201
        planned = response.json
        assert (planned["show_id"], planned["section"], planned["capacity"]) == (None, "Floor", 300)
        assert "stocks" not in planned
        assert client.get(f"/tiers/{planned['id']}").json == planned
        listed = client.get(f"/events/{event.id}/tiers").json
        assert listed["items"] == [planned]

    def test_has_no_stocks_and_no_two_tiers_of_a_name(self, client, event, manager):
        body = {"name": "Regular", "price": KES_2500}
        path = f"/events/{event.id}/tiers"
        first = client.post(path, json=body, headers=manager)

        again = client.post(path, json=body, headers=manager)
        stocked = client.patch(f"/tiers/{first.json['id']}", json={"stocks": [1]}, headers=manager)

        assert again.json["code"] == "name-taken"
        assert stocked.json["errors"][0]["field"] == "stocks"

    def test_is_apart_from_what_shows_offer(self, client, event, show, manager):
        TierFactory(show=show)

        assert client.get(f"/events/{event.id}/tiers").json["items"] == []

    def test_is_edited_like_any_tier(self, client, event, manager):
        body = {"name": "Regular", "price": KES_2500, "section": "Floor", "capacity": 3}
        planned = client.post(f"/events/{event.id}/tiers", json=body, headers=manager).json
        path = f"/tiers/{planned['id']}"

        changed = client.patch(path, json={"capacity": 4}, headers=manager).json
        assert changed | {"capacity": 3} == planned
        assert client.delete(path, headers=manager).status_code == 204
        assert client.get(path).status_code == 404


class TestRead:
    def test_stocks_are_for_those_who_work_there(self, client, show, manager, as_user):
        tier = TierFactory(show=show)
        path = f"/tiers/{tier.id}"

        staff, public = client.get(path, headers=manager), client.get(path)
        other = client.get(path, headers=as_user(UserFactory()))

        assert len(staff.json["stocks"]) == 1
        assert "stocks" not in public.json
        assert "stocks" not in other.json
        assert staff.headers["ETag"] != public.headers["ETag"]
        listed = client.get(f"/shows/{show.id}/tiers").json["items"]
        assert listed == [public.json]
        mine = client.get(f"/shows/{show.id}/tiers", headers=manager).json["items"]
        assert mine == [staff.json]

    def test_of_a_draft_exists_for_its_members_alone(self, client, organiser, manager, as_user):
        event = EventFactory(organiser=organiser, status=EventStatus.DRAFT, published_at=None)
        tier = TierFactory(show=ShowFactory(event=event))

        for path in (
            f"/tiers/{tier.id}",
            f"/shows/{tier.show_id}/tiers",
            f"/events/{event.id}/tiers",
            f"/tiers/{tier.id}/availability",
            f"/shows/{tier.show_id}/availability",
            f"/shows/{tier.show_id}/seats",
            f"/seats?show_id={tier.show_id}",
        ):
            assert client.get(path).status_code == 404, path
            assert client.get(path, headers=as_user(UserFactory())).status_code == 404, path
            assert client.get(path, headers=manager).status_code == 200, path

    def test_a_list_costs_the_same_however_long_it_is(
        self, client, show, manager, count_statements
    ):
        counts = []
        for more in (1, 20):
            for _ in range(more):
                TierFactory(show=show, capacity=1)
            for headers in ({}, manager):
                count_statements.clear()
                client.get(f"/shows/{show.id}/tiers?per_page=100", headers=headers)
                counts.append(len(count_statements))
        assert counts[:2] == counts[2:]

    def test_ids_that_no_row_can_have_are_not_found(self, client):
        for tier_id in (0, 999_999, 2**63, 10**40):
            assert client.get(f"/tiers/{tier_id}").status_code == 404


class TestEdit:
    def test_changes_only_what_it_names(self, client, show, manager):
        tier = make(client, show, manager, description="All night", max_per_buyer=4).json

        response = client.patch(f"/tiers/{tier['id']}", json={"name": "B"}, headers=manager)

        changed = response.json
        assert changed["stocks"] == tier["stocks"]
        assert changed | {"name": tier["name"]} == tier

    def test_put_sets_everything_but_the_places(self, client, show, manager):
        tier = make(client, show, manager, description="All night", max_per_buyer=4).json
        body = {"name": "B", "price": KES_2500}

        response = client.put(f"/tiers/{tier['id']}", json=body, headers=manager)

        changed = response.json
        assert (changed["name"], changed["description"]) == ("B", None)
        assert changed["max_per_buyer"] == 5
        assert changed["stocks"] == tier["stocks"]
        assert changed["prices"] == tier["prices"]

    def test_prices_that_are_named_keep_their_row(self, client, show, manager):
        tier = make(client, show, manager).json
        [regular] = tier["prices"]
        kes_9 = {"amount": 9, "currency": "KES"}
        prices = [
            {"name": "Child", "price": kes_9},
            {"id": regular["id"], "name": "Adult", "price": kes_9},
        ]

        changed = client.patch(f"/tiers/{tier['id']}", json={"prices": prices}, headers=manager)

        child, adult = changed.json["prices"]
        assert (child["name"], adult["name"], adult["id"]) == ("Child", "Adult", regular["id"])
        left = client.patch(f"/tiers/{tier['id']}", json={"prices": [prices[0]]}, headers=manager)
        assert [price["id"] for price in left.json["prices"]] == [child["id"]]
        gone = db.session.get(Price, regular["id"])
        assert gone.deleted_at is not None

    def test_an_id_goes_before_a_name(self, client, show, manager):
        tier = make(client, show, manager).json
        [regular] = tier["prices"]
        kes_9 = {"amount": 9, "currency": "KES"}
        prices = [
            {"name": "Regular", "price": kes_9},
            {"id": regular["id"], "name": "Senior", "price": kes_9},
        ]

        changed = client.patch(f"/tiers/{tier['id']}", json={"prices": prices}, headers=manager)

        first, senior = changed.json["prices"]
        assert (senior["id"], senior["name"]) == (regular["id"], "Senior")
        assert first["id"] != regular["id"]

    def test_one_price_is_changed_by_its_amount(self, client, show, manager):
        tier = make(client, show, manager).json
        price = {"amount": 1, "currency": "KES"}

        changed = client.patch(f"/tiers/{tier['id']}", json={"price": price}, headers=manager)

        [regular] = changed.json["prices"]
        assert (regular["id"], regular["price"]) == (tier["prices"][0]["id"], price)

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"prices": []}, "prices"),
            ({"prices": [{"name": "A"}]}, "prices.0.price"),
            ({"prices": [{"id": 999_999, "name": "A", "price": KES_2500}]}, "prices.0.id"),
            ({"price": {"amount": 1, "currency": "EUR"}}, "prices.0.price.currency"),
            ({"price": {"amount": 1}}, "price.currency"),
            ({"min_per_booking": 6}, "min_per_booking"),
            ({"name": None}, "name"),
            ({"position": None}, "position"),
            ({"section": "Balcony"}, "section"),
            ({"show_id": 1}, "show_id"),
        ],
    )
    def test_refuses_what_makes_no_sense(self, client, show, manager, change, field):
        tier = make(client, show, manager).json

        response = client.patch(f"/tiers/{tier['id']}", json=change, headers=manager)

        assert response.status_code == 400
        assert response.json["errors"][0]["field"] == field
        assert client.get(f"/tiers/{tier['id']}", headers=manager).json == tier

    def test_its_capacity_is_that_of_its_own_stock(self, client, show, manager):
        tier = make(client, show, manager).json
        path = f"/tiers/{tier['id']}"
        stock = db.session.get_one(Stock, tier["stocks"][0]["id"])
        claim(stock, 3, "confirmed")
        claim(stock, 7, "dead")

        lowered = client.patch(path, json={"capacity": 3}, headers=manager)
        refused = client.patch(path, json={"capacity": 2}, headers=manager)
        raised = client.patch(path, json={"capacity": 20}, headers=manager)

        assert lowered.status_code == 200
        assert (refused.status_code, refused.json["in_use"]) == (409, 3)
        assert raised.status_code == 200
        db.session.refresh(stock)
        assert stock.capacity == 20

    def test_a_shared_stock_is_not_resized_through_a_tier(self, client, show, manager):
        stock = StockFactory(show=show)
        one, _two = (TierFactory(show=show, stocks=[stock]) for _ in range(2))

        response = client.patch(f"/tiers/{one.id}", json={"capacity": 5}, headers=manager)

        assert (response.status_code, response.json["code"]) == (409, "stock-shared")

    def test_a_tier_without_places_can_be_given_some(self, client, show, manager):
        body = {"name": "A", "price": KES_2500, "stocks": []}
        tier = client.post(f"/shows/{show.id}/tiers", json=body, headers=manager).json

        response = client.patch(f"/tiers/{tier['id']}", json={"capacity": 5}, headers=manager)

        assert [stock["name"] for stock in response.json["stocks"]] == ["A"]

    def test_tiers_do_not_follow_each_other_in_a_circle(self, client, show, manager):
        a, b, c = (make(client, show, manager, name=name).json["id"] for name in "ABC")
        client.patch(f"/tiers/{a}", json={"then": b}, headers=manager)
        client.patch(f"/tiers/{b}", json={"then": c}, headers=manager)

        for then in (a, c):
            response = client.patch(f"/tiers/{c}", json={"then": then}, headers=manager)
            assert response.status_code == 400
            assert response.json["errors"][0]["field"] == "then"

    def test_a_stale_edit_is_refused_also_when_only_prices_changed(self, client, show, manager):
        tier = make(client, show, manager).json
        path = f"/tiers/{tier['id']}"
        etag = client.get(path, headers=manager).headers["ETag"]
        client.patch(path, json={"price": {"amount": 1, "currency": "KES"}}, headers=manager)

        response = client.patch(path, json={"name": "C"}, headers=manager | {"If-Match": etag})

        assert (response.status_code, response.json["code"]) == (412, "precondition-failed")

    def test_whatever_changes_outdates_the_sheet(self, client, show, manager):
        before = show.version
        tier = make(client, show, manager).json
        client.patch(f"/tiers/{tier['id']}", json={"max_per_buyer": 2}, headers=manager)
        client.delete(f"/tiers/{tier['id']}", headers=manager)

        db.session.refresh(show)
        assert show.version == before + 3


class TestDelete:
    def test_may_be_repeated_and_leaves_the_stock(self, client, show, manager):
        tier = make(client, show, manager).json
        stock_id = tier["stocks"][0]["id"]
        claim(db.session.get_one(Stock, stock_id), 2)
        path = f"/tiers/{tier['id']}"

        assert client.delete(path, headers=manager).status_code == 204
        assert client.delete(path, headers=manager).status_code == 204
        assert client.get(path, headers=manager).status_code == 404
        assert client.get(f"/stocks/{stock_id}", headers=manager).json["sold"] == 2

    def test_nobody_follows_it_any_more(self, client, show, manager):
        last = make(client, show, manager, name="Last").json
        first = make(client, show, manager, name="First", then=last["id"]).json
        assert first["then"] == last["id"]

        client.delete(f"/tiers/{last['id']}", headers=manager)

        assert client.get(f"/tiers/{first['id']}").json["then"] is None

    def test_leaves_its_name_to_others(self, client, show, manager):
        tier = make(client, show, manager).json
        client.delete(f"/tiers/{tier['id']}", headers=manager)
        stocks = [stock["id"] for stock in tier["stocks"]]
        body = {"name": "Regular", "price": KES_2500, "stocks": stocks}

        response = client.post(f"/shows/{show.id}/tiers", json=body, headers=manager)

        assert response.status_code == 201


class TestWho:
    @pytest.mark.parametrize("role", [None, MemberRole.DOOR, "other"])
    def test_only_managers_write(self, client, show, organiser, event, as_user, role):
        tier = TierFactory(show=show)
        user = UserFactory()
        if role == "other":
            user = member(OrganiserFactory())
        elif role is not None:
            user = member(organiser, role)
        headers = as_user(user)
        writes = [
            (client.post, f"/shows/{show.id}/tiers", REGULAR),
            (client.post, f"/events/{event.id}/tiers", REGULAR),
            (client.patch, f"/tiers/{tier.id}", {"name": "B"}),
            (client.put, f"/tiers/{tier.id}", REGULAR),
            (client.delete, f"/tiers/{tier.id}", None),
        ]
        for verb, path, body in writes:
            assert verb(path, json=body, headers=headers).status_code == 403, path
            assert verb(path, json=body).status_code == 401, path


def test_a_window_is_told_as_it_was_given(client, show, manager):
    opens = datetime(2030, 1, 1, 9, tzinfo=UTC)
    closes = opens + timedelta(days=3)
    tier = make(
        client, show, manager, on_sale_at=opens.isoformat(), off_sale_at=closes.isoformat()
    ).json

    assert datetime.fromisoformat(tier["on_sale_at"]) == opens
    cleared = client.patch(f"/tiers/{tier['id']}", json={"off_sale_at": None}, headers=manager)
    assert (cleared.status_code, cleared.json["off_sale_at"]) == (200, None)
