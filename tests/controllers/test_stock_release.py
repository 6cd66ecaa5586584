"""/stocks/<id>/release, seen from outside: house seats that go on sale at a set time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from init import db
from models import AuditEntry, Place, Stock, Tier
from services import inventory_service, sale_service, verify_service
from tests.factories import (
    EventFactory,
    ShowFactory,
    StockFactory,
    TierFactory,
    VenueFactory,
)
from tests.factories.claims import claim

LAYOUT = [("Stalls", {"A": 4, "B": 4}), ("Floor", 100)]
LATER = "2040-01-01T10:00:00+03:00"


@pytest.fixture
def show(organiser):
    venue = VenueFactory(capacity=110, layout=LAYOUT)
    return ShowFactory(event=EventFactory(organiser=organiser), venue=venue)


@pytest.fixture
def regular(show):
    """A tier with one place of its own on the floor."""
    return TierFactory(show=show, capacity=1, name="Regular")


@pytest.fixture
def house(show):
    """Eight seats that no tier sells."""
    return StockFactory(show=show, section_name="Stalls", name="House")


def release(client, stock, headers, **facts):
    return client.post(f"/stocks/{stock.id}/release", json=facts, headers=headers)


def book(client, tier, headers, *seats, quantity=1):
    item = {"tier_id": tier.id} | ({"seats": list(seats)} if seats else {"quantity": quantity})
    return client.post(
        "/bookings/", json={"show_id": tier.show_id, "items": [item]}, headers=headers
    )


def the_time_comes(stock):
    """As if the release had been set for a moment ago."""
    past = datetime.now(UTC) - timedelta(seconds=1)
    db.session.execute(update(Stock).where(Stock.id == stock.id).values(release_at=past))
    db.session.commit()
    db.session.expire_all()


def test_at_once_the_tier_sells_it_beside_its_own(client, house, regular, manager, buyer):
    assert book(client, regular, buyer, "STALLS/A-1").status_code == 400

    response = release(client, house, manager, tier_id=regular.id)

    assert response.status_code == 200
    assert response.json["release"]["tier_id"] == regular.id
    assert response.json["release"]["at"].endswith("+03:00")
    assert book(client, regular, buyer, "STALLS/A-1").status_code == 201
    assert book(client, regular, buyer, quantity=8).status_code == 201
    assert verify_service.broken() == []


def test_before_its_time_nobody_buys_it_and_from_then_on_anybody(
    client, show, house, regular, manager, buyer
):
    response = release(client, house, manager, tier_id=regular.id, at=LATER)
    assert response.json["release"] == {"tier_id": regular.id, "at": LATER}
    version = db.session.get_one(Stock, house.id).version
    assert book(client, regular, buyer, "STALLS/A-1").status_code == 400
    assert book(client, regular, buyer, quantity=2).json["left"] == 1

    the_time_comes(house)

    assert book(client, regular, buyer, "STALLS/A-1").status_code == 201
    assert db.session.get_one(Stock, house.id).version == version  # nobody wrote anything


def test_a_sheet_that_was_read_before_knows_when_the_time_comes(house, regular, client, manager):
    release(client, house, manager, tier_id=regular.id, at=LATER)
    sheet = sale_service.sheet(regular.show_id)
    tier = sheet.tiers[regular.id]

    def sold_at(when):
        return [stock.id for stock in replace(sheet, now=when).stocks_for(tier)]

    moment = sheet.stocks[house.id].release_at
    assert house.id not in sold_at(moment - timedelta(microseconds=1))
    assert sold_at(moment)[-1] == house.id


def test_who_asks_what_is_on_sale_hears_the_same_everywhere(client, show, house, regular, manager):
    claim(regular.stocks[0], 1)

    def answers():
        seat = db.session.scalar(select(Place.id).where(Place.key == "STALLS/B-2"))
        return {
            "public": client.get(f"/shows/{show.id}/seats?row=B").json["items"][1]["status"],
            "tiers": len(client.get(f"/seats/{seat}").json["tiers"]),
            "left": client.get(f"/tiers/{regular.id}/availability").json["available"],
            "catalogue": [each["id"] for each in client.get("/shows/?on_sale=true").json["items"]],
        }

    release(client, house, manager, tier_id=regular.id, at=LATER)
    ahead = answers()
    the_time_comes(house)

    assert ahead | {"catalogue": 0} == {"public": "taken", "tiers": 0, "left": 0, "catalogue": 0}
    assert answers() == {
        "public": "available",
        "tiers": 1,
        "left": 8,
        "catalogue": [show.id],
    }


def test_a_tier_without_places_of_its_own_is_on_sale_once_it_has_some(client, show, house, manager):
    tier = TierFactory(show=show, stocks=[])
    release(client, house, manager, tier_id=tier.id, at=LATER)
    listed = "/shows/?on_sale=true"
    assert client.get(listed).json["items"] == []

    the_time_comes(house)

    assert [each["id"] for each in client.get(listed).json["items"]] == [show.id]


def test_a_show_that_was_short_lately_notices(client, house, regular, manager, buyer):
    claim(regular.stocks[0], 1)
    release(client, house, manager, tier_id=regular.id, at=LATER)
    assert book(client, regular, buyer).json["code"] == "sold-out"
    assert regular.show_id in inventory_service.lately_short

    the_time_comes(house)

    assert book(client, regular, buyer).status_code == 201


def test_those_who_run_it_see_what_is_ahead_on_the_tier(client, house, regular, manager):
    path = f"/tiers/{regular.id}"
    before = client.get(path, headers=manager)
    release(client, house, manager, tier_id=regular.id, at=LATER)

    after = client.get(path, headers=manager)

    assert after.json["releases"] == [
        {"id": house.id, "name": "House", "at": "2040-01-01T07:00:00+00:00"}
    ]
    assert [stock["id"] for stock in after.json["stocks"]] == [regular.stocks[0].id]
    assert after.headers["ETag"] != before.headers["ETag"]
    assert "releases" not in client.get(path).json


def test_taken_back_it_stops_and_what_is_sold_stays_sold(client, house, regular, manager, buyer):
    release(client, house, manager, tier_id=regular.id)
    booking = book(client, regular, buyer, "STALLS/A-1").json

    first = client.delete(f"/stocks/{house.id}/release", headers=manager)
    again = client.delete(f"/stocks/{house.id}/release", headers=manager)

    assert (first.status_code, first.json["release"]) == (200, None)
    assert (again.status_code, again.json) == (200, first.json)
    assert book(client, regular, buyer, "STALLS/A-2").status_code == 400
    assert len(client.get(f"/bookings/{booking['id']}", headers=buyer).json["places"]) == 1


def test_some_rows_become_a_stock_of_their_own(client, house, regular, manager, buyer):
    response = release(client, house, manager, tier_id=regular.id, rows=["B"])

    assert response.json["id"] != house.id
    assert (response.json["name"], response.json["capacity"]) == ("House: Regular", 4)
    assert response.json["release"]["tier_id"] == regular.id
    assert client.get(f"/stocks/{house.id}", headers=manager).json["capacity"] == 4
    assert book(client, regular, buyer, "STALLS/B-1").status_code == 201
    assert book(client, regular, buyer, "STALLS/A-1").status_code == 400
    more = release(client, house, manager, tier_id=regular.id, seats=["STALLS/A-1"])
    assert more.json["name"] == "House: Regular (2)"
    assert verify_service.broken() == []


def test_refuses_seats_that_somebody_has(client, house, regular, manager):
    claim(house, 1, "confirmed", seats=["STALLS/B-2"])

    response = release(client, house, manager, tier_id=regular.id, rows=["B"])

    assert (response.status_code, response.json["code"]) == (409, "capacity-in-use")
    assert response.json["seats"] == ["STALLS/B-2"]


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"tier_id": 999_999}, "tier_id"),
        ({}, "tier_id"),
        ({"at": "2040-01-01T10:00:00"}, "at"),
        ({"rows": ["Z"]}, "rows"),
        ({"seats": ["STALLS/Z-1"]}, "seats"),
        ({"rows": ["A"], "seats": ["STALLS/A-1"]}, "seats"),
    ],
)
def test_refuses_what_makes_no_sense(client, house, regular, manager, facts, field):
    facts = facts if not facts or "tier_id" in facts else {"tier_id": regular.id, **facts}

    response = release(client, house, manager, **facts)

    assert (response.status_code, response.json["errors"][0]["field"]) == (400, field)
    assert db.session.get_one(Stock, house.id).release_tier_id is None


def test_refuses_a_tier_of_another_show_and_one_that_sells_it_anyway(
    client, house, regular, manager
):
    assert release(client, house, manager, tier_id=TierFactory().id).status_code == 400
    assert release(client, regular.stocks[0], manager, tier_id=regular.id).status_code == 400


def test_a_second_night_releases_as_long_before_it_starts(client, show, house, regular, manager):
    at = show.starts_at - timedelta(days=7)
    release(client, house, manager, tier_id=regular.id, at=at.isoformat())

    copied = client.post(
        f"/shows/{show.id}/copy",
        json={"starts_at": (show.starts_at + timedelta(days=30)).isoformat()},
        headers=manager,
    ).json["id"]

    sheet = sale_service.sheet(copied)
    [new] = [stock for stock in sheet.stocks.values() if stock.name == "House"]
    assert new.release_at == at + timedelta(days=30)
    assert sheet.tiers[new.release_tier_id].name == "Regular"


def test_a_tier_that_is_deleted_sells_nothing_that_was_released_to_it(
    client, house, regular, manager
):
    release(client, house, manager, tier_id=regular.id)

    client.delete(f"/tiers/{regular.id}", headers=manager)

    assert client.get(f"/stocks/{house.id}", headers=manager).json["release"] is None


def test_a_stale_release_is_refused(client, house, regular, manager):
    etag = client.get(f"/stocks/{house.id}", headers=manager).headers["ETag"]
    client.patch(f"/stocks/{house.id}", json={"name": "Band"}, headers=manager)

    response = client.post(
        f"/stocks/{house.id}/release",
        json={"tier_id": regular.id},
        headers=manager | {"If-Match": etag},
    )

    assert response.status_code == 412


def test_tells_the_sheet_and_the_audit(client, show, house, regular, manager):
    before = show.version

    release(client, house, manager, tier_id=regular.id)
    client.delete(f"/stocks/{house.id}/release", headers=manager)

    db.session.refresh(show)
    assert show.version == before + 2
    entries = select(AuditEntry).where(AuditEntry.action.startswith("stock."))
    told = {entry.action: entry.after for entry in db.session.scalars(entries)}
    assert told["stock.release"]["tier_id"] == regular.id
    assert told["stock.take_back"]["tier_id"] is None


def test_the_tier_that_follows_sells_what_was_released(client, show, house, manager, buyer):
    early = TierFactory(show=show, stocks=[], name="Early")
    late = TierFactory(show=show, stocks=[], name="Late")
    release(client, house, manager, tier_id=early.id)
    db.session.execute(
        update(Tier)
        .where(Tier.id == early.id)
        .values(then_tier_id=late.id, off_sale_at=datetime.now(UTC) - timedelta(hours=1))
    )
    db.session.commit()

    assert book(client, late, buyer, "STALLS/A-1").status_code == 201
