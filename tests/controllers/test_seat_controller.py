"""/shows/<id>/seats and /seats, seen from outside."""

import pytest
from sqlalchemy import select

from init import db
from models import EventStatus, Place
from tests.factories import (
    EventFactory,
    OrganiserFactory,
    ShowFactory,
    StockFactory,
    TierFactory,
    VenueFactory,
    member,
)
from tests.factories.claims import claim

LAYOUT = [("Stalls", {"A": 3, "B": 2}), ("Balcony", {"A": 2}), ("Floor", 20)]


@pytest.fixture
def organiser(session):
    return OrganiserFactory()


@pytest.fixture
def staff(organiser, as_user):
    return as_user(member(organiser))


@pytest.fixture
def show(organiser):
    return ShowFactory(event=EventFactory(organiser=organiser), venue=VenueFactory(layout=LAYOUT))


@pytest.fixture
def stalls(show):
    return TierFactory(show=show, name="Stalls", section="Stalls").stocks[0]


@pytest.fixture
def balcony(show):
    return StockFactory(show=show, section_name="Balcony")


def statuses(client, path, headers=None):
    items = client.get(path, headers=headers).json["items"]
    return {item["key"]: item["status"] for item in items}


class TestList:
    def test_is_in_the_order_of_the_map(self, client, show, balcony, stalls):
        TierFactory(show=show, section="Floor")

        listed = client.get(f"/shows/{show.id}/seats").json

        assert [seat["key"] for seat in listed["items"]] == [
            "STALLS/A-1",
            "STALLS/A-2",
            "STALLS/A-3",
            "STALLS/B-1",
            "STALLS/B-2",
            "BALCONY/A-1",
            "BALCONY/A-2",
        ]
        first = listed["items"][0]
        assert first == {
            "id": first["id"],
            "show_id": show.id,
            "key": "STALLS/A-1",
            "section": "Stalls",
            "row": "A",
            "number": "1",
            "status": "available",
        }
        assert client.get(f"/seats?show_id={show.id}").json["items"] == listed["items"]

    def test_the_public_reads_one_word_and_the_organiser_two(self, client, show, stalls, staff):
        claim(stalls, 1, "confirmed", seats=["STALLS/A-1"])
        claim(stalls, 1, "held", seats=["STALLS/A-2"])
        claim(stalls, 1, "dead", seats=["STALLS/A-3"])
        path = f"/shows/{show.id}/seats"

        public, mine = statuses(client, path), statuses(client, path, staff)

        assert list(public.values()) == ["taken", "taken", "available", "available", "available"]
        assert list(mine.values()) == ["sold", "held", "available", "available", "available"]

    def test_seats_of_the_house_are_taken_to_the_public(self, client, show, balcony, staff):
        path = f"/shows/{show.id}/seats"

        assert set(statuses(client, path).values()) == {"taken"}
        assert set(statuses(client, path, staff).values()) == {"available"}

    @pytest.mark.parametrize(
        ("query", "who", "keys"),
        [
            ("section=Balcony", None, ["BALCONY/A-1", "BALCONY/A-2"]),
            ("section=Stalls&row=B", None, ["STALLS/B-1", "STALLS/B-2"]),
            ("section=Gods", None, []),
            ("status=taken&section=Stalls", None, ["STALLS/A-1", "STALLS/A-2"]),
            ("status=available&row=A&section=Stalls", None, ["STALLS/A-3"]),
            ("status=sold", None, []),
            ("status=sold", "staff", ["STALLS/A-1"]),
            ("status=held", "staff", ["STALLS/A-2"]),
            ("status=taken", "staff", ["STALLS/A-1", "STALLS/A-2"]),
        ],
    )
    def test_filters(self, client, show, stalls, balcony, staff, query, who, keys):
        claim(stalls, 1, "confirmed", seats=["STALLS/A-1"])
        claim(stalls, 1, "held", seats=["STALLS/A-2"])

        found = statuses(client, f"/shows/{show.id}/seats?{query}", staff if who else None)

        assert list(found) == keys

    @pytest.mark.parametrize(
        "query", ["", "show_id=0", "show_id=x", "show_id=1&status=free", "show_id=1&sort=key"]
    )
    def test_refuses_what_it_does_not_offer(self, client, session, query):
        assert client.get(f"/seats?{query}").status_code == 400

    def test_of_no_show_is_not_found(self, client, session):
        assert client.get("/seats?show_id=999999").status_code == 404
        assert client.get("/shows/999999/seats").status_code == 404

    def test_costs_the_same_however_many_seats(self, client, show, stalls, count_statements):
        counts, path = [], f"/shows/{show.id}/seats"
        for per_page in (1, 5):
            count_statements.clear()
            client.get(f"{path}?per_page={per_page}")
            counts.append(len(count_statements))
        assert counts[0] == counts[1]


class TestOne:
    def seat(self, key):
        return db.session.scalars(select(Place).where(Place.key == key)).one()

    def test_says_who_sells_it_and_for_how_much(self, client, show, stalls, staff):
        TierFactory(show=show, name="Elsewhere", section="Floor")
        TierFactory(show=show, name="Premium", stocks=[stalls], price=9_000_00)
        claim(stalls, 1, "held", seats=["STALLS/A-2"])
        path = f"/seats/{self.seat('STALLS/A-2').id}"

        seat = client.get(path).json

        assert (seat["key"], seat["status"]) == ("STALLS/A-2", "taken")
        assert {tier["name"]: tier["prices"][0]["price"]["amount"] for tier in seat["tiers"]} == {
            "Stalls": 2_500_00,
            "Premium": 9_000_00,
        }
        assert seat["tiers"][0]["prices"][0]["parts"]["fee"]["amount"] == 0
        assert client.get(path, headers=staff).json["status"] == "held"

    def test_a_standing_place_is_no_seat(self, client, show):
        stock = TierFactory(show=show, section="Floor").stocks[0]
        place = db.session.scalars(select(Place).where(Place.stock_id == stock.id)).first()

        assert client.get(f"/seats/{place.id}").status_code == 404
        assert client.get("/seats/999999").status_code == 404

    def test_of_a_draft_exists_for_its_members(self, client, organiser, staff):
        event = EventFactory(organiser=organiser, status=EventStatus.DRAFT, published_at=None)
        hall = ShowFactory(event=event, venue=VenueFactory(layout=LAYOUT))
        TierFactory(show=hall, section="Stalls")
        path = f"/seats/{self.seat('STALLS/A-1').id}"

        assert client.get(path).status_code == 404
        assert client.get(path, headers=staff).status_code == 200
