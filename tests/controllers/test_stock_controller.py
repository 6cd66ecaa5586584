"""/shows/<id>/stocks and /stocks, seen from outside."""

import pytest
from sqlalchemy import func, select

from init import db
from models import AuditEntry, MemberRole, Place, Stock
from services import verify_service
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
from tests.factories.claims import cancelled_ticket, claim

LAYOUT = [("Stalls", {"A": 4, "B": 4}), ("Royal Box", {"A": 2}), ("Floor", 100)]


@pytest.fixture
def organiser(session):
    return OrganiserFactory()


@pytest.fixture
def manager(organiser, as_user):
    return as_user(member(organiser, MemberRole.MANAGER))


@pytest.fixture
def show(organiser):
    return ShowFactory(event=EventFactory(organiser=organiser))


@pytest.fixture
def hall(organiser):
    """A show in a hall with seats."""
    venue = VenueFactory(capacity=110, layout=LAYOUT)
    return ShowFactory(event=EventFactory(organiser=organiser), venue=venue)


def places(stock_id):
    query = select(Place).where(Place.stock_id == stock_id).order_by(Place.ordinal)
    return list(db.session.scalars(query))


def make(client, show, headers, **facts):
    return client.post(f"/shows/{show.id}/stocks", json={"name": "Some"} | facts, headers=headers)


class TestCreate:
    def test_makes_as_many_places_as_its_capacity(self, client, show, manager):
        response = make(client, show, manager, capacity=7)

        assert response.status_code == 201
        assert response.headers["Location"] == f"/stocks/{response.json['id']}"
        assert response.json | {"id": 0} == {
            "id": 0,
            "show_id": show.id,
            "name": "Some",
            "section": "Floor",
            "kind": "standing",
            "capacity": 7,
            "free": 7,
            "held": 0,
            "sold": 0,
            "release": None,
            "version": response.json["version"],
        }
        assert [place.ordinal for place in places(response.json["id"])] == [1, 2, 3, 4, 5, 6, 7]

    def test_copies_every_seat_of_the_section_that_is_in_no_stock(self, client, hall, manager):
        box = make(client, hall, manager, name="Box", section="Royal Box")
        make(client, hall, manager, name="Press", section="Stalls", seats=["STALLS/A-2"])

        rest = make(client, hall, manager, name="Stalls", section="Stalls")

        assert [place.key for place in places(box.json["id"])] == ["ROYAL_BOX/A-1", "ROYAL_BOX/A-2"]
        assert rest.json["capacity"] == 7
        assert [(place.key, place.ordinal) for place in places(rest.json["id"])][:3] == [
            ("STALLS/A-1", 1),
            ("STALLS/A-3", 3),
            ("STALLS/A-4", 4),
        ]

    def test_takes_whole_rows(self, client, hall, manager):
        response = make(client, hall, manager, section="Stalls", rows=["B"])

        assert [place.key for place in places(response.json["id"])] == [
            f"STALLS/B-{n}" for n in range(1, 5)
        ]

    def test_refuses_seats_that_are_in_another_stock_and_names_them(self, client, hall, manager):
        make(client, hall, manager, name="Press", section="Stalls", rows=["A"])

        response = make(client, hall, manager, section="Stalls", seats=["STALLS/B-1", "STALLS/A-1"])

        assert (response.status_code, response.json["code"]) == (409, "seat-in-stock")
        assert response.json["seats"] == ["STALLS/A-1"]
        assert db.session.scalar(select(func.count()).select_from(Stock)) == 1

    @pytest.mark.parametrize(
        ("facts", "field"),
        [
            ({"section": "Stalls", "seats": ["STALLS/C-1"]}, "seats"),
            ({"section": "Stalls", "rows": ["C"]}, "rows"),
            ({"section": "Stalls", "seats": ["STALLS/A-1", "STALLS/A-1"]}, "seats"),
            ({"section": "Floor", "seats": ["STALLS/A-1"]}, "seats"),
            ({"section": "Balcony", "capacity": 1}, "section"),
            ({"capacity": 1}, "section"),
            ({"section": "Floor"}, "capacity"),
            ({"section": "Floor", "capacity": 0}, "capacity"),
            ({"section": "Floor", "capacity": -1}, "capacity"),
            ({"section": "Floor", "capacity": 1.5}, "capacity"),
            ({"section": "Floor", "capacity": "2"}, "capacity"),
            ({"section": "Floor", "capacity": True}, "capacity"),
            ({"section": "Floor", "capacity": 10**18}, "capacity"),
            ({"section": "Floor", "capacity": 1, "name": "a\x00b"}, "name"),
            ({"section": "Floor", "capacity": 1, "name": "  "}, "name"),
            ({"section": "Floor", "capacity": 1, "sold": 3}, "sold"),
            ({"section": "Floor", "capacity": 1, "show_id": 3}, "show_id"),
            ({"section": "Stalls", "rows": ["A"], "seats": ["STALLS/A-1"]}, "body"),
        ],
    )
    def test_refuses_what_makes_no_sense_and_names_the_field(
        self, client, hall, manager, facts, field
    ):
        response = make(client, hall, manager, **facts)

        assert response.status_code == 400
        assert response.json["errors"][0]["field"].split(".")[0] == field
        assert db.session.scalar(select(func.count()).select_from(Place)) == 0

    def test_refuses_a_second_stock_of_one_name(self, client, show, manager):
        first = make(client, show, manager, capacity=1)

        response = make(client, show, manager, capacity=1)

        assert (response.status_code, response.json["code"]) == (409, "name-taken")
        assert response.json["stock_id"] == first.json["id"]

    @pytest.mark.parametrize(
        ("scope", "limit", "left"), [("section", 100, 70), ("licence", 50, 20), ("venue", 90, 60)]
    )
    def test_stays_within_section_licence_and_venue(
        self, client, organiser, manager, scope, limit, left
    ):
        venue = VenueFactory(capacity=90 if scope == "venue" else 110, layout=LAYOUT)
        show = ShowFactory(
            event=EventFactory(organiser=organiser),
            venue=venue,
            licensed_capacity=50 if scope == "licence" else None,
        )
        make(client, show, manager, name="First", section="Floor", capacity=30)

        response = make(client, show, manager, section="Floor", capacity=left + 1)

        assert (response.status_code, response.json["code"]) == (409, "capacity-exceeded")
        facts = {name: response.json[name] for name in ("scope", "limit", "left")}
        assert facts == {"scope": scope, "limit": limit, "left": left}
        assert make(client, show, manager, section="Floor", capacity=left).status_code == 201

    def test_of_a_show_without_a_map_is_limited_by_the_licence_alone(
        self, client, organiser, manager
    ):
        show = ShowFactory(
            event=EventFactory(organiser=organiser), venue=None, licensed_capacity=20
        )

        response = make(client, show, manager, section="Anywhere", capacity=15)

        assert (response.status_code, response.json["section"]) == (201, "Anywhere")
        refused = make(client, show, manager, name="More", capacity=6)
        assert (refused.json["scope"], refused.json["left"]) == ("licence", 5)


class TestWho:
    def test_strangers_are_asked_who_they_are(self, client, show):
        stock = StockFactory(show=show)

        assert client.get(f"/shows/{show.id}/stocks").status_code == 401
        assert client.get(f"/stocks/{stock.id}").status_code == 401
        assert make(client, show, {}, capacity=1).status_code == 401

    def test_for_others_there_are_no_stocks(self, client, show, as_user):
        stock = StockFactory(show=show)
        for other in (UserFactory(), member(OrganiserFactory())):
            headers = as_user(other)
            assert client.get(f"/shows/{show.id}/stocks", headers=headers).status_code == 404
            assert make(client, show, headers, capacity=1).status_code == 404
            for verb in (client.get, client.delete):
                assert verb(f"/stocks/{stock.id}", headers=headers).status_code == 404
            change = client.patch(f"/stocks/{stock.id}", json={"capacity": 1}, headers=headers)
            assert change.status_code == 404

    def test_the_door_may_look_and_not_touch(self, client, show, organiser, as_user):
        stock = StockFactory(show=show)
        headers = as_user(member(organiser, MemberRole.DOOR))

        assert client.get(f"/stocks/{stock.id}", headers=headers).status_code == 200
        assert make(client, show, headers, capacity=1).status_code == 403
        change = client.patch(f"/stocks/{stock.id}", json={"capacity": 1}, headers=headers)
        assert change.status_code == 403
        assert client.delete(f"/stocks/{stock.id}", headers=headers).status_code == 403

    def test_admins_see_all(self, client, show, as_user):
        stock = StockFactory(show=show)
        headers = as_user(AdminFactory())

        assert client.get(f"/stocks/{stock.id}", headers=headers).json["capacity"] == 10


class TestRead:
    def test_counts_a_dead_hold_as_free(self, client, show, manager):
        stock = StockFactory(show=show, capacity=10)
        StockFactory(show=show, capacity=5)
        claim(stock, 3, "confirmed")
        claim(stock, 2, "held")
        claim(stock, 4, "dead")

        shown = client.get(f"/stocks/{stock.id}", headers=manager).json
        listed = client.get(f"/shows/{show.id}/stocks", headers=manager).json

        assert (shown["free"], shown["held"], shown["sold"]) == (5, 2, 3)
        assert listed["items"][0] == shown
        assert [s["free"] for s in listed["items"]] == [5, 5]
        assert listed["pagination"]["total"] == 2

    def test_a_list_costs_the_same_however_long_it_is(
        self, client, show, manager, count_statements
    ):
        counts = []
        for more in (1, 20):
            for _ in range(more):
                StockFactory(show=show, capacity=1)
            count_statements.clear()
            client.get(f"/shows/{show.id}/stocks?per_page=100", headers=manager)
            counts.append(len(count_statements))
        assert counts[0] == counts[1]

    def test_its_etag_follows_its_places(self, client, show, manager):
        stock = StockFactory(show=show)
        etag = client.get(f"/stocks/{stock.id}", headers=manager).headers["ETag"]
        same = client.get(f"/stocks/{stock.id}", headers=manager | {"If-None-Match": etag})
        claim(stock)

        response = client.get(f"/stocks/{stock.id}", headers=manager | {"If-None-Match": etag})

        assert (same.status_code, response.status_code) == (304, 200)


class TestTake:
    @pytest.fixture
    def stalls(self, client, hall, manager):
        """What no other stock has of the stalls."""
        return make(client, hall, manager, name="Stalls", section="Stalls").json["id"]

    @pytest.fixture
    def house(self, client, hall, manager):
        """A stock with one seat of the stalls."""
        made = make(client, hall, manager, name="House", section="Stalls", seats=["STALLS/A-1"])
        return made.json["id"]

    def keys(self, stock_id):
        return [place.key for place in places(stock_id)]

    def test_moves_rows_and_seats_whichever_stock_has_them(self, client, hall, manager, house):
        stalls = make(client, hall, manager, name="Stalls", section="Stalls", rows=["B"]).json["id"]
        path = f"/stocks/{house}"

        response = client.patch(
            path,
            json={"take_rows": ["B"], "take_seats": ["STALLS/A-1", "STALLS/A-3"]},
            headers=manager,
        )

        assert (response.status_code, response.json["capacity"]) == (200, 6)
        assert client.get(f"/stocks/{stalls}", headers=manager).json["capacity"] == 0
        assert self.keys(house) == ["STALLS/A-1", "STALLS/A-3", *(f"STALLS/B-{n}" for n in "1234")]
        assert [place.ordinal for place in places(house)] == [1, 3, 6, 7, 8, 9]
        assert verify_service.broken() == []

    def test_a_new_stock_takes_what_it_names(self, client, hall, manager, stalls):
        facts = {"name": "VIP", "section": "Stalls", "rows": ["A"]}
        refused = make(client, hall, manager, **facts)
        assert (refused.status_code, refused.json["code"]) == (409, "seat-in-stock")

        response = make(client, hall, manager, **facts, take=True)

        assert (response.status_code, response.json["capacity"]) == (201, 4)
        assert client.get(f"/stocks/{stalls}", headers=manager).json["capacity"] == 4
        assert verify_service.broken() == []

    def test_refuses_what_somebody_has_and_moves_nothing(self, client, hall, manager, stalls):
        claim(db.session.get_one(Stock, stalls), 1, "held", seats=["STALLS/A-2"])
        claim(db.session.get_one(Stock, stalls), 1, "confirmed", seats=["STALLS/A-3"])

        response = make(client, hall, manager, section="Stalls", rows=["A"], take=True)

        assert (response.status_code, response.json["code"]) == (409, "capacity-in-use")
        assert response.json["seats"] == ["STALLS/A-2", "STALLS/A-3"]
        assert len(places(stalls)) == 8
        assert db.session.scalar(select(func.count()).select_from(Stock)) == 1

    def test_a_hold_that_ran_out_is_in_nobodys_way(self, client, hall, manager, stalls):
        claim(db.session.get_one(Stock, stalls), 1, "dead", seats=["STALLS/A-2"])

        response = make(client, hall, manager, section="Stalls", seats=["STALLS/A-2"], take=True)

        assert response.status_code == 201
        assert verify_service.broken() == []

    def test_what_it_has_already_stays_also_when_it_is_sold(self, client, hall, manager, stalls):
        claim(db.session.get_one(Stock, stalls), 2, "confirmed", seats=["STALLS/A-1", "STALLS/A-2"])

        response = client.patch(f"/stocks/{stalls}", json={"take_rows": ["A"]}, headers=manager)

        assert (response.status_code, response.json["capacity"]) == (200, 8)

    @pytest.mark.parametrize(
        ("facts", "field"),
        [
            ({"take_seats": ["STALLS/Z-1"]}, "take_seats"),
            ({"take_rows": ["Z"]}, "take_rows"),
            ({"take_rows": ["A"], "capacity": 3}, "capacity"),
            ({"take_seats": ["ROYAL_BOX/A-1"]}, "take_seats"),
            ({"take_rows": []}, "take_rows"),
        ],
    )
    def test_refuses_seats_that_its_section_does_not_have(
        self, client, manager, stalls, facts, field
    ):
        response = client.patch(f"/stocks/{stalls}", json=facts, headers=manager)

        assert response.status_code == 400
        assert response.json["errors"][0]["field"] == field

    def test_a_floor_has_no_seats_to_take(self, client, hall, manager):
        floor = make(client, hall, manager, section="Floor", capacity=5).json["id"]

        response = client.patch(f"/stocks/{floor}", json={"take_rows": ["A"]}, headers=manager)

        assert response.json["errors"][0]["field"] == "take_rows"

    def test_a_new_stock_says_what_it_takes(self, client, hall, manager):
        response = make(client, hall, manager, section="Stalls", take=True)

        assert response.json["errors"][0]["field"] == "take"

    def test_stays_within_the_licence(self, client, hall, manager, house):
        hall.licensed_capacity = 3
        db.session.commit()

        response = client.patch(f"/stocks/{house}", json={"take_rows": ["B"]}, headers=manager)

        assert (response.status_code, response.json["code"]) == (409, "capacity-exceeded")
        assert verify_service.broken() == []

    def test_tells_the_sheet_the_tiers_and_the_audit(self, client, hall, manager, house, stalls):
        tier = TierFactory(show=hall, stocks=[db.session.get_one(Stock, stalls)])
        versions = hall.version, tier.version

        client.patch(f"/stocks/{house}", json={"take_seats": ["STALLS/B-1"]}, headers=manager)

        for row in (hall, tier):
            db.session.refresh(row)
        assert hall.version > versions[0]
        assert tier.version > versions[1]
        entries = select(AuditEntry).where(AuditEntry.action == "stock.edit")
        told = {entry.target_id: entry.after for entry in db.session.scalars(entries)}
        assert told == {stalls: {"capacity": 6}, house: {"capacity": 2}}


class TestEdit:
    def test_raises_and_lowers(self, client, show, manager):
        stock = StockFactory(show=show, capacity=10)
        path = f"/stocks/{stock.id}"

        up = client.patch(path, json={"capacity": 12}, headers=manager)
        ordinals = [place.ordinal for place in places(stock.id)]
        down = client.patch(path, json={"capacity": 4}, headers=manager)

        assert (up.json["capacity"], up.json["free"]) == (12, 12)
        assert ordinals == list(range(1, 13))
        assert (down.json["capacity"], len(places(stock.id))) == (4, 4)
        assert [place.ordinal for place in places(stock.id)] == [1, 2, 3, 4]

    def test_is_not_lowered_below_what_people_have(self, client, show, manager):
        stock = StockFactory(show=show, capacity=10)
        claim(stock, 3, "confirmed")
        claim(stock, 2, "held")

        refused = client.patch(f"/stocks/{stock.id}", json={"capacity": 4}, headers=manager)

        assert (refused.status_code, refused.json["code"]) == (409, "capacity-in-use")
        assert refused.json["in_use"] == 5
        assert len(places(stock.id)) == 10
        exactly = client.patch(f"/stocks/{stock.id}", json={"capacity": 5}, headers=manager)
        assert (exactly.status_code, exactly.json["free"]) == (200, 0)

    def test_dead_holds_do_not_stand_in_the_way(self, client, show, manager):
        stock = StockFactory(show=show, capacity=10)
        claim(stock, 10, "dead")

        response = client.patch(f"/stocks/{stock.id}", json={"capacity": 0}, headers=manager)

        assert (response.status_code, response.json["capacity"]) == (200, 0)

    def test_a_place_of_a_cancelled_ticket_can_go(self, client, show, manager):
        stock = StockFactory(show=show, capacity=1)
        ticket = cancelled_ticket(stock)

        response = client.patch(f"/stocks/{stock.id}", json={"capacity": 0}, headers=manager)

        assert response.status_code == 200
        db.session.refresh(ticket)
        assert (ticket.status, ticket.place_id) == ("void", None)

    def test_seats_leave_and_come_back_where_they_were(self, client, hall, manager):
        stock = make(client, hall, manager, section="Stalls").json
        path = f"/stocks/{stock['id']}"
        before = [(place.key, place.ordinal) for place in places(stock["id"])]

        gone = client.patch(path, json={"remove_seats": ["STALLS/A-3"]}, headers=manager)
        assert (gone.status_code, gone.json["capacity"]) == (200, 7)
        back = client.patch(path, json={"add_seats": ["STALLS/A-3"]}, headers=manager)

        assert back.json["capacity"] == 8
        assert [(place.key, place.ordinal) for place in places(stock["id"])] == before

    def test_a_seat_that_somebody_has_stays(self, client, hall, manager):
        stock = make(client, hall, manager, section="Stalls").json
        claim(db.session.get_one(Stock, stock["id"]), 1, seats=["STALLS/A-1"])

        response = client.patch(
            f"/stocks/{stock['id']}",
            json={"remove_seats": ["STALLS/A-1", "STALLS/A-2"]},
            headers=manager,
        )

        assert (response.status_code, response.json["code"]) == (409, "capacity-in-use")
        assert response.json["seats"] == ["STALLS/A-1"]
        assert len(places(stock["id"])) == 8

    def test_a_seated_stock_grows_in_the_order_of_the_map(self, client, hall, manager):
        stock = make(client, hall, manager, section="Stalls", rows=["A"]).json

        response = client.patch(f"/stocks/{stock['id']}", json={"capacity": 6}, headers=manager)

        assert response.json["capacity"] == 6
        assert [place.key for place in places(stock["id"])][4:] == ["STALLS/B-1", "STALLS/B-2"]
        refused = client.patch(f"/stocks/{stock['id']}", json={"capacity": 9}, headers=manager)
        assert (refused.json["code"], refused.json["left"]) == ("capacity-exceeded", 2)

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"add_seats": ["STALLS/A-1"]}, "add_seats"),
            ({"remove_seats": ["STALLS/A-1"]}, "remove_seats"),
            ({"capacity": -1}, "capacity"),
            ({"capacity": None}, "capacity"),
            ({"section": "Floor"}, "section"),
            ({"name": None}, "name"),
        ],
    )
    def test_refuses_what_makes_no_sense(self, client, show, manager, change, field):
        stock = StockFactory(show=show)

        response = client.patch(f"/stocks/{stock.id}", json=change, headers=manager)

        assert response.status_code == 400
        assert response.json["errors"][0]["field"] == field

    def test_a_stale_edit_is_refused(self, client, show, manager):
        stock = StockFactory(show=show)
        path = f"/stocks/{stock.id}"
        etag = client.get(path, headers=manager).headers["ETag"]
        client.patch(path, json={"name": "B"}, headers=manager)

        response = client.patch(path, json={"name": "C"}, headers=manager | {"If-Match": etag})

        assert (response.status_code, response.json["code"]) == (412, "precondition-failed")


class TestDelete:
    def test_may_be_repeated(self, client, show, manager):
        tier = TierFactory(show=show, capacity=5)
        path = f"/stocks/{tier.stocks[0].id}"

        assert client.delete(path, headers=manager).status_code == 204
        assert client.delete(path, headers=manager).status_code == 204
        assert client.get(path, headers=manager).status_code == 404
        assert client.get(f"/tiers/{tier.id}", headers=manager).json["stocks"] == []
        assert db.session.scalar(select(func.count()).select_from(Place)) == 0

    def test_leaves_its_name_to_others(self, client, show, manager):
        stock = make(client, show, manager, capacity=1).json
        client.delete(f"/stocks/{stock['id']}", headers=manager)

        assert make(client, show, manager, capacity=1).status_code == 201

    def test_is_refused_while_somebody_has_a_place(self, client, show, manager):
        stock = StockFactory(show=show)
        claim(stock, 2, "held")

        response = client.delete(f"/stocks/{stock.id}", headers=manager)

        assert (response.status_code, response.json["in_use"]) == (409, 2)
        assert len(places(stock.id)) == 10

    def test_what_never_was_is_not_found(self, client, manager):
        assert client.delete("/stocks/999999", headers=manager).status_code == 404
