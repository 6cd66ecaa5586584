"""Selling by a price list that was read a moment ago: nobody can tell, except by the speed."""

import pytest
from sqlalchemy import text

from config import settings
from services import sale_service
from tests.factories import AdminFactory, OrganiserFactory, TierFactory, UserFactory, member


@pytest.fixture(autouse=True)
def remembered():
    """Sheets are kept for longer than any test takes."""
    settings.update(sheet_seconds=60.0)
    yield
    settings.update(sheet_seconds=0.0)


@pytest.fixture
def tier(session):
    return TierFactory(capacity=3, price=1000)


@pytest.fixture
def owner(as_user, tier):
    return as_user(member(tier.event.organiser))


@pytest.fixture
def buy(client, as_user, tier):
    """Hold a place of the tier: the status, and the amount or the code of the refusal."""
    body = {"show_id": tier.show_id, "items": [{"tier_id": tier.id, "quantity": 1}]}

    def buy():
        answer = client.post("/bookings/", json=body, headers=as_user(UserFactory()))
        said = answer.json
        return answer.status_code, said["total"]["amount"] if "total" in said else said["code"]

    return buy


def test_is_read_once(buy, count_statements):
    buy()
    count_statements.clear()

    assert buy() == (201, 1000)
    assert not any("json_agg" in statement for statement in count_statements)


def test_a_new_price_counts_at_once(client, buy, tier, owner):
    assert buy() == (201, 1000)
    price = {"price": {"amount": 2000, "currency": "KES"}}
    assert client.patch(f"/tiers/{tier.id}", json=price, headers=owner).status_code == 200

    assert buy() == (201, 2000)


def test_so_does_a_pause_and_its_end(client, buy, tier, owner):
    buy()
    client.post(f"/shows/{tier.show_id}/pause", headers=owner)
    assert buy() == (409, "sale-paused")
    client.post(f"/shows/{tier.show_id}/resume", headers=owner)

    assert buy() == (201, 1000)


def test_whose_event_it_no_longer_is_sells_nothing_at_its_desk(client, as_user, tier, owner):
    body = {
        "show_id": tier.show_id,
        "items": [{"tier_id": tier.id, "quantity": 1}],
        "channel": "desk",
        "confirm": True,
    }
    assert client.post("/bookings/", json=body, headers=owner).status_code == 201
    here, admin = f"/events/{tier.event_id}", as_user(AdminFactory())
    given = client.patch(here, json={"organiser_id": OrganiserFactory().id}, headers=admin)
    assert given.status_code == 200

    assert client.post("/bookings/", json=body, headers=owner).status_code == 403


def test_more_places_are_sold_at_once(client, buy, tier, owner):
    codes = [buy()[1] for _ in range(5)]
    assert codes[3:] == ["sold-out", "sold-out"]
    assert client.patch(f"/tiers/{tier.id}", json={"capacity": 4}, headers=owner).status_code == 200

    assert buy() == (201, 1000)


def test_a_refusal_is_looked_at_again(buy, tier, session):
    session.execute(text("UPDATE tiers SET on_sale_at = clock_timestamp() + interval '1 hour'"))
    session.commit()
    assert buy() == (409, "not-on-sale-yet")
    session.execute(text("UPDATE tiers SET on_sale_at = clock_timestamp()"))  # time goes by
    session.commit()

    assert buy() == (201, 1000)


def test_an_unknown_show_may_be_there_a_moment_later(client, as_user, session):
    nowhere = {"show_id": 987_654, "items": [{"tier_id": 1, "quantity": 1}]}
    buyer = as_user(UserFactory())
    assert client.post("/bookings/", json=nowhere, headers=buyer).status_code == 404
    tier = TierFactory(show__id=987_654)
    session.commit()
    there = {**nowhere, "items": [{"tier_id": tier.id, "quantity": 1}]}

    assert client.post("/bookings/", json=there, headers=buyer).status_code == 201


def test_its_clock_goes_on(tier, session):
    first, second = (sale_service.recent_sheet(tier.show_id) for _ in range(2))

    assert first.version == second.version
    assert first.now < second.now


def test_it_is_kept_no_longer_than_told(tier, count_statements):
    settings.update(sheet_seconds=0.0)
    show_id = tier.show_id
    count_statements.clear()

    for _ in range(2):
        sale_service.recent_sheet(show_id)

    assert len(count_statements) == 2
