"""/venues, seen from outside."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from init import db
from models import MapSeat, MemberRole, OutboxMessage, SeatMapVersion, SectionKind, Show, Venue
from tests.factories import (
    AdminFactory,
    OrganiserFactory,
    OrganiserMemberFactory,
    ShowFactory,
    StockFactory,
    UserFactory,
    VenueFactory,
    member,
)
from tests.factories.sales import booked

HALL = {
    "name": "KICC Tsavo Ballroom",
    "city": "Nairobi",
    "country": "KE",
    "time_zone": "Africa/Nairobi",
    "capacity": 1000,
}
SEATED = {"name": "Stalls", "kind": "seated", "rows": 28, "seats_per_row": 10}
YESTERDAY = datetime.now(UTC) - timedelta(days=1)


@pytest.fixture
def admin(session, as_user):
    return as_user(AdminFactory())


@pytest.fixture
def organiser(session):
    return OrganiserFactory()


@pytest.fixture
def manager(organiser, as_user):
    return as_user(member(organiser, MemberRole.MANAGER))


def count(*where):
    return db.session.scalar(select(func.count()).select_from(Venue).where(*where))


class TestCreate:
    def test_makes_one_standing_floor_unless_told(self, client, admin):
        response = client.post("/venues/", json=HALL, headers=admin)

        assert response.status_code == 201
        assert response.headers["Location"] == f"/venues/{response.json['id']}"
        [floor] = response.json["sections"]
        assert (floor["name"], floor["kind"], floor["capacity"]) == ("Floor", "standing", 1000)
        assert (response.json["seat_map_version"], response.json["organiser_id"]) == (1, None)
        shown = client.get(response.headers["Location"])
        assert shown.json == response.json
        assert shown.headers["ETag"] == response.headers["ETag"]

    def test_counts_rows_a_to_z_and_on(self, client, admin):
        sections = [SEATED, {"name": "Floor", "kind": "standing", "capacity": 100}]

        response = client.post("/venues/", json=HALL | {"sections": sections}, headers=admin)

        assert [s["capacity"] for s in response.json["sections"]] == [280, 100]
        stalls = response.json["sections"][0]["id"]
        query = select(MapSeat.row).where(MapSeat.section_id == stalls).order_by(MapSeat.position)
        rows = list(dict.fromkeys(db.session.scalars(query)))
        assert rows[:2] + rows[25:] == ["A", "B", "Z", "AA", "AB"]

    def test_takes_listed_seats_in_their_order(self, client, admin):
        seats = [{"row": "Balcón", "numbers": ["2", "1", "3½"]}, {"row": "桟敷", "numbers": ["一"]}]
        section = {"name": "Galerie", "kind": "seated", "seats": seats}

        response = client.post("/venues/", json=HALL | {"sections": [section]}, headers=admin)

        assert response.json["sections"][0]["capacity"] == 4
        query = select(MapSeat.row, MapSeat.number).order_by(MapSeat.position)
        assert list(db.session.execute(query)) == [
            ("Balcón", "2"),
            ("Balcón", "1"),
            ("Balcón", "3½"),
            ("桟敷", "一"),
        ]

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("name", " "),
            ("name", "a\x00b"),
            ("capacity", 0),
            ("capacity", 200_001),
            ("capacity", True),
            ("capacity", "100"),
            ("capacity", 10.5),
            ("country", "XX"),
            ("time_zone", "Nairobi"),
            ("latitude", 91),
            ("latitude", "1"),
            ("longitude", -181),
            ("deleted_at", None),
            ("id", 3),
            ("sections", []),
            ("organiser_id", 2**63),
            ("organiser_id", 999_999),
        ],
    )
    def test_names_the_field_that_is_wrong(self, client, admin, field, value):
        response = client.post("/venues/", json=HALL | {field: value}, headers=admin)

        assert response.status_code == 400
        assert [error["field"] for error in response.json["errors"]] == [field]
        assert count() == 0

    @pytest.mark.parametrize(
        ("where", "sections"),
        [
            ("sections.0.name", [{"kind": "standing", "capacity": 1}]),
            ("sections.0.kind", [{"name": "A", "kind": "lying", "capacity": 1}]),
            ("sections.0", [{"name": "A", "kind": "standing"}]),
            ("sections.0", [SEATED | {"capacity": 280}]),
            ("sections.0", [SEATED | {"kind": "standing"}]),
            ("sections.0", [{"name": "A", "kind": "seated", "capacity": 1}]),
            ("sections.0", [{"name": "A", "kind": "seated", "rows": 1}]),
            ("sections", [SEATED, SEATED | {"name": "STALLS"}]),
            ("sections", [SEATED | {"name": "Box A"}, SEATED | {"name": "box_a"}]),
            ("sections", [SEATED | {"rows": 1000, "seats_per_row": 1000}]),
            ("sections", [SEATED, SEATED | {"name": "B", "rows": 100}]),
            (
                "sections.0.seats",
                [{"name": "A", "kind": "seated", "seats": [{"row": "A", "numbers": ["1", "1"]}]}],
            ),
            (
                "sections.0.seats.0.row",
                [{"name": "A", "kind": "seated", "seats": [{"row": "A/B", "numbers": ["1"]}]}],
            ),
            (
                "sections.0.seats.0.numbers.0",
                [{"name": "A", "kind": "seated", "seats": [{"row": "A", "numbers": ["x" * 11]}]}],
            ),
            (
                "sections.0.seats",
                [
                    {
                        "name": "A",
                        "kind": "seated",
                        "seats": [
                            {"row": "A", "numbers": ["1-2"]},
                            {"row": "A-1", "numbers": ["2"]},
                        ],
                    }
                ],
            ),
            (
                "sections.0.seats",
                [
                    {
                        "name": "A",
                        "kind": "seated",
                        "seats": [{"row": "A", "numbers": ["1"]}, {"row": "A", "numbers": ["2"]}],
                    }
                ],
            ),
        ],
    )
    def test_names_the_section_that_is_wrong(self, client, admin, where, sections):
        response = client.post("/venues/", json=HALL | {"sections": sections}, headers=admin)

        assert response.status_code == 400
        assert [error["field"] for error in response.json["errors"]] == [where]
        assert count() == 0

    def test_lays_out_the_largest_hall(self, client, admin):
        rows = [SEATED | {"name": f"Block {n}", "rows": 200, "seats_per_row": 1000} for n in (1,)]
        hall = HALL | {"capacity": 200_000, "sections": rows}

        assert client.post("/venues/", json=hall, headers=admin).status_code == 201
        assert db.session.scalar(select(func.count()).select_from(MapSeat)) == 200_000

    @pytest.mark.parametrize(
        "name", ["O'Connor's", "李小龙体育馆", "São João", "قاعة", "Ħal Qormi"]
    )
    def test_takes_names_and_addresses_from_anywhere(self, client, admin, name):
        hall = HALL | {"name": name, "address": f"1-2-3 {name}, 2F", "city": name}

        assert client.post("/venues/", json=hall, headers=admin).json["name"] == name
        assert client.get("/venues/", query_string={"q": name}).json["pagination"]["total"] == 1

    def test_a_managers_hall_belongs_to_the_organiser(self, client, manager, organiser):
        response = client.post("/venues/", json=HALL, headers=manager)

        assert response.json["organiser_id"] == organiser.id

    def test_an_organiser_is_named_by_who_works_for_several(self, client, as_user):
        works_for = OrganiserMemberFactory(), OrganiserFactory()
        user = works_for[0].user
        OrganiserMemberFactory(user=user, organiser_id=works_for[1].id)
        headers = as_user(user)

        response = client.post("/venues/", json=HALL, headers=headers)
        assert response.status_code == 400
        assert response.json["errors"][0]["field"] == "organiser_id"
        named = HALL | {"organiser_id": works_for[1].id}
        assert client.post("/venues/", json=named, headers=headers).status_code == 201

    def test_is_not_for_everyone(self, client, as_user, manager, organiser):
        door = as_user(member(organiser, MemberRole.DOOR))
        elsewhere = HALL | {"organiser_id": OrganiserFactory().id}

        assert client.post("/venues/", json=HALL).status_code == 401
        assert client.post("/venues/", json=HALL, headers=as_user(UserFactory())).status_code == 403
        assert client.post("/venues/", json=HALL, headers=door).status_code == 403
        assert client.post("/venues/", json=elsewhere, headers=manager).status_code == 403
        assert count() == 0


class TestList:
    def test_finds_by_what_people_look_for(self, client):
        VenueFactory(name="Olympiastadion", city="München", country="DE", capacity=75_000)
        VenueFactory(name="Carnivore Grounds", address="Langata Road", capacity=20_000)

        def names(**query):
            items = client.get("/venues/", query_string=query).json["items"]
            return [item["name"] for item in items]

        assert names(q="olympia") == ["Olympiastadion"]
        assert names(q="langata") == ["Carnivore Grounds"]
        assert names(city="MÜNCHEN") == ["Olympiastadion"]
        assert names(location="road") == ["Carnivore Grounds"]
        assert names(country="DE") == ["Olympiastadion"]
        assert names(min_capacity=50_000) == ["Olympiastadion"]
        assert names(sort="-name") == ["Olympiastadion", "Carnivore Grounds"]
        assert names(sort="capacity") == ["Carnivore Grounds", "Olympiastadion"]
        assert names(q="%") == names(q="_") == names(q="\\") == []

    @pytest.mark.parametrize(
        "query",
        [
            {"sort": "deleted_at"},
            {"q": "x" * 10_000},
            {"colour": "red"},
            {"organiser_id": 10**40},
            {"min_capacity": -1},
            {"country": "XX"},
        ],
    )
    def test_refuses_what_is_not_offered(self, client, query):
        response = client.get("/venues/", query_string=query)

        assert response.status_code == 400
        assert [error["field"] for error in response.json["errors"]] == list(query)

    def test_costs_the_same_whatever_the_page(self, client, count_statements):
        def cost(pages):
            count_statements.clear()
            client.get("/venues/", query_string={"per_page": pages})
            return len(count_statements)

        for _ in range(6):
            VenueFactory()

        assert cost(2) == cost(6)


class TestEdit:
    def test_changes_only_what_is_named(self, client, admin):
        hall = client.post("/venues/", json=HALL | {"address": "Harambee Ave"}, headers=admin).json

        response = client.patch(f"/venues/{hall['id']}", json={"name": "KICC"}, headers=admin)

        expected = hall | {"name": "KICC", "updated_at": response.json["updated_at"]}
        assert response.json == expected

    def test_put_resets_what_is_left_out_but_keeps_the_map(self, client, admin):
        hall = HALL | {"address": "Harambee Ave", "sections": [SEATED]}
        venue = client.post("/venues/", json=hall, headers=admin).json

        response = client.put(f"/venues/{venue['id']}", json=HALL, headers=admin)

        assert (response.status_code, response.json["address"]) == (200, None)
        assert response.json["sections"] == venue["sections"]
        incomplete = client.put(f"/venues/{venue['id']}", json={"name": "X"}, headers=admin)
        assert incomplete.status_code == 400

    def test_a_partial_edit_still_takes_whole_sections(self, client, admin):
        venue = VenueFactory()

        change = {"sections": [{"name": "Floor"}]}
        response = client.patch(f"/venues/{venue.id}", json=change, headers=admin)

        assert response.json["errors"][0]["field"] == "sections.0.kind"

    def test_a_new_map_is_for_shows_to_come(self, client, admin):
        show = ShowFactory()
        path = f"/venues/{show.venue_id}"
        before = client.get(path)

        response = client.patch(path, json={"sections": [SEATED]}, headers=admin)

        assert response.json["seat_map_version"] == 2
        assert [section["name"] for section in response.json["sections"]] == ["Stalls"]
        assert response.headers["ETag"] != before.headers["ETag"]
        pinned = db.session.get(SeatMapVersion, db.session.get(Show, show.id).seat_map_version_id)
        assert (pinned.number, pinned.sections[0].name) == (1, "Floor")

    def test_the_same_map_again_is_no_new_version(self, client, admin):
        venue = client.post("/venues/", json=HALL | {"sections": [SEATED]}, headers=admin).json

        path = f"/venues/{venue['id']}"
        response = client.put(path, json=HALL | {"sections": [SEATED]}, headers=admin)
        other = SEATED | {"rows": 10, "seats_per_row": 28}
        changed = client.put(path, json=HALL | {"sections": [other]}, headers=admin)

        assert (response.json["seat_map_version"], changed.json["seat_map_version"]) == (1, 2)

    @pytest.mark.parametrize("capacity", [400, 6000])
    def test_one_floor_for_everyone_follows_the_capacity(self, client, admin, capacity):
        venue = VenueFactory(capacity=5000)

        change = {"capacity": capacity}
        response = client.patch(f"/venues/{venue.id}", json=change, headers=admin)

        assert [section["capacity"] for section in response.json["sections"]] == [capacity]

    def test_several_sections_must_be_sent_with_a_capacity_that_they_exceed(self, client, admin):
        venue = VenueFactory(capacity=500, layout=[("Stalls", {"A": 200}), ("Floor", 300)])

        path = f"/venues/{venue.id}"
        response = client.patch(path, json={"capacity": 400}, headers=admin)
        assert response.json["errors"][0]["field"] == "capacity"
        assert client.get(path).json["capacity"] == 500
        sections = [{"name": "Floor", "kind": "standing", "capacity": 400}]
        whole = {"capacity": 400, "sections": sections}
        assert client.patch(path, json=whole, headers=admin).status_code == 200
        more = [{"name": "Floor", "kind": "standing", "capacity": 401}]
        response = client.patch(path, json={"sections": more}, headers=admin)
        assert response.json["errors"][0]["field"] == "sections"

    def test_the_capacity_stays_above_what_shows_to_come_offer(self, client, admin):
        show = ShowFactory()
        StockFactory(show=show, capacity=300)
        StockFactory(show=show, capacity=150)
        past = ShowFactory(venue=show.venue, starts_at=YESTERDAY - timedelta(days=1))
        StockFactory(show=past, capacity=900)

        path = f"/venues/{show.venue_id}"
        response = client.patch(path, json={"capacity": 449}, headers=admin)

        assert (response.status_code, response.json["code"]) == (409, "capacity-in-use")
        assert response.json["in_use"] == 450
        assert client.get(path).json["capacity"] == 5000
        assert client.patch(path, json={"capacity": 450}, headers=admin).status_code == 200

    def test_a_stale_edit_is_refused(self, client, admin):
        path = f"/venues/{VenueFactory().id}"
        stale = admin | {"If-Match": client.get(path).headers["ETag"]}
        assert client.patch(path, json={"name": "B"}, headers=stale).status_code == 200

        for answer in (
            client.patch(path, json={"name": "C"}, headers=stale),
            client.put(path, json=HALL, headers=stale),
            client.delete(path, headers=stale),
        ):
            assert (answer.status_code, answer.json["code"]) == (412, "precondition-failed")
        assert client.get(path).json["name"] == "B"

    def test_a_shared_hall_is_the_admins(self, client, manager, as_user):
        path = f"/venues/{VenueFactory().id}"

        assert client.patch(path, json={"name": "B"}).status_code == 401
        assert client.patch(path, json={"name": "B"}, headers=manager).status_code == 403
        assert client.put(path, json=HALL, headers=manager).status_code == 403
        assert client.delete(path, headers=manager).status_code == 403

    def test_a_hall_is_given_only_to_whom_one_acts_for(self, client, manager, organiser, admin):
        path = f"/venues/{VenueFactory(organiser_id=organiser.id).id}"
        other = OrganiserFactory().id

        for organiser_id in (other, None):
            change = {"organiser_id": organiser_id}
            assert client.patch(path, json=change, headers=manager).status_code == 403
        assert client.patch(path, json={"name": "Mine"}, headers=manager).status_code == 200
        given = client.patch(path, json={"organiser_id": None}, headers=admin)
        assert given.json["organiser_id"] is None

    @pytest.mark.parametrize("key", ["0", "01", "x", "-1", str(2**63), str(10**40)])
    def test_no_such_id(self, client, key):
        assert client.get(f"/venues/{key}").status_code == 404


class TestDelete:
    def test_leaves_shows_to_come_to_be_announced_and_may_be_repeated(self, client, admin):
        show = ShowFactory()
        past = ShowFactory(venue=show.venue, starts_at=YESTERDAY - timedelta(days=1))
        path = f"/venues/{show.venue_id}"

        for _ in range(2):
            assert client.delete(path, headers=admin).status_code == 204

        assert client.get(path).status_code == 404
        assert client.patch(path, json={"name": "B"}, headers=admin).status_code == 404
        moved = db.session.get(Show, show.id)
        assert (moved.venue_id, moved.occupies_venue, moved.venue_name) == (
            None,
            False,
            "To Be Announced",
        )
        assert db.session.get(Show, past.id).venue_id == past.venue_id
        told = db.session.scalars(select(OutboxMessage)).all()
        assert [(one.topic, one.payload) for one in told] == [("show.moved", {"show_id": show.id})]
        assert client.get("/venues/").json["items"] == []

    def test_a_deleted_hall_is_no_different_from_none_to_others(self, client, admin, as_user):
        path = f"/venues/{VenueFactory().id}"
        client.delete(path, headers=admin)

        assert client.delete(path, headers=as_user(UserFactory())).status_code == 404
        assert client.delete("/venues/999999", headers=admin).status_code == 404

    def test_is_refused_while_its_seats_are_sold(self, client, admin):
        venue = VenueFactory(layout=[("Stalls", {"A": 10}), ("Floor", 100)])
        show = ShowFactory(venue=venue)
        StockFactory(show=show, section_name="Stalls")
        booked(show)

        response = client.delete(f"/venues/{venue.id}", headers=admin)

        assert (response.status_code, response.json["code"]) == (409, "has-sales")
        assert response.json["bookings"] == 1
        assert db.session.get(Show, show.id).venue_id == venue.id

    @pytest.mark.parametrize("state", ["dead", "cancelled"])
    def test_is_possible_when_those_bookings_are_over(self, client, admin, state):
        show = ShowFactory(venue=VenueFactory(layout=[("Stalls", {"A": 10})]))
        StockFactory(show=show, section_name="Stalls")
        booked(show, state=state)

        assert client.delete(f"/venues/{show.venue_id}", headers=admin).status_code == 204

    def test_is_possible_while_only_standing_places_are_sold(self, client, admin):
        show = ShowFactory()
        StockFactory(show=show, kind=SectionKind.STANDING)
        booked(show)

        assert client.delete(f"/venues/{show.venue_id}", headers=admin).status_code == 204
