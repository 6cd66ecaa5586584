"""/shows/<id>/attendees and /shows/<id>/check_ins, seen from outside."""

import csv
import io

import pytest
from sqlalchemy import func, select

from models import CheckIn, MemberRole
from tests.factories import OrganiserFactory, ShowFactory, TierFactory, UserFactory, member


@pytest.fixture
def sold(client, as_user):
    """Sell places of a free tier; the confirmed booking."""

    def sell(tier, quantity=1, **more):
        body = {
            "show_id": tier.show_id,
            "items": [{"tier_id": tier.id, "quantity": quantity}],
            "confirm": True,
        } | more
        return client.post("/bookings/", json=body, headers=as_user(UserFactory())).json

    return sell


@pytest.fixture
def tier():
    return TierFactory(price=0)


@pytest.fixture
def door(as_user, tier):
    return as_user(member(tier.event.organiser, MemberRole.DOOR))


class TestCheckIn:
    def test_admits_once_and_then_says_when_and_where(self, client, tier, door, sold, session):
        code = sold(tier)["tickets"][0]["code"]
        here, scan = f"/shows/{tier.show_id}/check_ins", {"code": code, "gate": "North"}

        first = client.post(here, json=scan, headers=door)
        second = client.post(here, json=scan | {"gate": "South"}, headers=door)

        assert (first.status_code, first.json["gate"]) == (201, "North")
        assert (second.status_code, second.json["code"]) == (409, "already-used")
        assert second.json["gate"] == "North"
        assert second.json["used_at"].startswith(first.json["admitted_at"][:10])
        assert session.scalar(select(func.count()).select_from(CheckIn)) == 1

    def test_a_scanner_that_retries_gets_its_first_answer(self, client, tier, door, sold):
        scan = {"code": sold(tier)["tickets"][0]["code"]}
        here, headers = f"/shows/{tier.show_id}/check_ins", door | {"Idempotency-Key": "scan-1"}

        first, second = (client.post(here, json=scan, headers=headers) for _ in range(2))

        assert first.status_code == second.status_code == 201
        assert first.json == second.json

    def test_the_buyer_sees_that_the_ticket_is_used(self, client, as_user, tier, door):
        headers = as_user(UserFactory())
        body = {
            "show_id": tier.show_id,
            "items": [{"tier_id": tier.id, "quantity": 1}],
            "confirm": True,
        }
        bought = client.post("/bookings/", json=body, headers=headers)
        here, etag = f"/bookings/{bought.json['id']}", bought.headers["ETag"]
        scan = {"code": bought.json["tickets"][0]["code"].lower()}
        client.post(f"/shows/{tier.show_id}/check_ins", json=scan, headers=door)

        again = client.get(here, headers=headers | {"If-None-Match": etag})

        assert again.json["tickets"][0]["status"] == "used"

    def test_refuses_each_by_its_name(self, client, as_user, tier, door, sold):
        here = f"/shows/{tier.show_id}/check_ins"
        void = sold(tier)
        owner = as_user(member(tier.event.organiser))
        client.delete(f"/bookings/{void['id']}", headers=owner)
        sister = TierFactory(price=0, show=ShowFactory(event=tier.event))
        stranger = TierFactory(price=0)

        def refusal(code):
            return client.post(here, json={"code": code}, headers=door).json

        assert refusal("NOSUCHCODE")["code"] == "unknown-ticket"
        assert refusal(void["tickets"][0]["code"])["code"] == "ticket-void"
        other = refusal(sold(sister)["tickets"][0]["code"])
        assert (other["code"], other["show_id"]) == ("wrong-show", sister.show_id)
        assert refusal(sold(stranger)["tickets"][0]["code"])["code"] == "unknown-ticket"

    def test_is_for_those_who_work_for_the_show(self, client, as_user, tier, sold):
        scan = {"code": sold(tier)["tickets"][0]["code"]}
        here = f"/shows/{tier.show_id}/check_ins"

        assert client.post(here, json=scan).status_code == 401
        for user in (UserFactory(), member(OrganiserFactory())):
            assert client.post(here, json=scan, headers=as_user(user)).status_code == 403


class TestAttendees:
    def test_lists_who_comes_but_no_codes(self, client, tier, door, sold):
        code = sold(tier, 2)["tickets"][0]["code"]

        response = client.get(f"/shows/{tier.show_id}/attendees", headers=door)

        assert response.json["pagination"]["total"] == 2
        assert code not in response.text

    def test_costs_the_same_whatever_the_page(self, client, tier, door, sold, count_statements):
        costs = []
        for _ in range(2):
            sold(tier, 2)
            count_statements.clear()
            client.get(f"/shows/{tier.show_id}/attendees?per_page=100", headers=door)
            costs.append(len(count_statements))

        assert costs[0] == costs[1]

    @pytest.mark.parametrize("start", ["=", "+", "-", "@"])
    def test_the_file_runs_nothing_in_a_spreadsheet(self, client, as_user, tier, start):
        owner = as_user(member(tier.event.organiser))
        body = {
            "show_id": tier.show_id,
            "items": [{"tier_id": tier.id, "quantity": 1}],
            "channel": "desk",
            "confirm": True,
            "buyer": {"name": f'{start}1+cmd|"x"', "email": "asha@example.com"},
        }
        client.post("/bookings/", json=body, headers=owner)

        response = client.get(f"/shows/{tier.show_id}/attendees.csv", headers=owner)

        assert response.content_type.startswith("text/csv")
        rows = list(csv.DictReader(io.StringIO(response.text)))
        assert [row["name"] for row in rows] == [f'\'{start}1+cmd|"x"']

    def test_is_not_for_others(self, client, as_user, tier):
        for path in ("attendees", "attendees.csv", "check_ins"):
            url = f"/shows/{tier.show_id}/{path}"
            assert client.get(url).status_code == 401
            assert client.get(url, headers=as_user(UserFactory())).status_code == 403
