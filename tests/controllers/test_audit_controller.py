"""GET /audit: who did what, for those who may know."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError

from init import db
from models import AuditEntry, Ticket
from services import schema_service, user_service
from tests.factories import (
    AdminFactory,
    MemberRole,
    OrganiserFactory,
    TierFactory,
    UserFactory,
    member,
)


@pytest.fixture
def tier(session):
    return TierFactory(price=0)


@pytest.fixture
def owner(tier):
    return member(tier.show.event.organiser)


def booked(client, as_user, tier, user, **more):
    body = {"show_id": tier.show_id, "items": [{"tier_id": tier.id, "quantity": 2}], **more}
    return client.post("/bookings/", json=body, headers=as_user(user)).json


def entries(client, as_user, user, **wanted):
    response = client.get("/audit/", query_string=wanted, headers=as_user(user))
    assert response.status_code == 200, response.text
    return response.json["items"]


def test_a_confirmation_is_there_with_who_and_what_and_from_where(client, as_user, tier, owner):
    buyer = UserFactory()
    booking = booked(client, as_user, tier, buyer)
    confirmed = client.post(
        f"/bookings/{booking['id']}/confirm",
        headers=as_user(buyer) | {"X-Request-ID": "on-a-whim-1"},
    )
    assert confirmed.status_code == 200

    [entry] = entries(client, as_user, owner)

    assert (entry["action"], entry["target_type"]) == ("booking.confirm", "booking")
    assert (entry["target_id"], entry["user_id"]) == (booking["id"], buyer.id)
    assert entry["organiser_id"] == tier.show.organiser_id
    assert entry["before"] == {"status": "held", "payment_status": "paid"}
    assert entry["after"]["status"] == "confirmed"
    assert entry["after"]["amount"] == 0
    assert (entry["origin"], entry["request_id"]) == ("api", "on-a-whim-1")
    assert entry["sign_in_id"]


def test_holds_are_not_audited(client, as_user, tier, owner):
    booking = booked(client, as_user, tier, UserFactory())
    client.delete(f"/bookings/{booking['id']}", headers=as_user(AdminFactory()))

    assert entries(client, as_user, owner) == []


def test_undoing_a_sale_and_letting_in_are_there(client, as_user, tier, owner):
    booking = booked(client, as_user, tier, UserFactory(), confirm=True)
    code = db.session.scalars(select(Ticket.code).order_by(Ticket.id)).first()
    path = f"/shows/{tier.show_id}/check_ins"
    assert client.post(path, json={"code": code}, headers=as_user(owner)).status_code == 201
    client.delete(f"/bookings/{booking['id']}", headers=as_user(AdminFactory()))

    cancelled, used, confirmed = entries(client, as_user, owner)

    assert confirmed["action"] == "booking.confirm"
    assert (used["action"], used["user_id"]) == ("ticket.use", owner.id)
    assert cancelled["action"] == "booking.cancel"
    assert cancelled["before"]["status"] == "confirmed"


def test_cancelling_a_show_leaves_a_line_for_each_sale_and_the_reason(client, as_user, tier, owner):
    sold = [booked(client, as_user, tier, UserFactory(), confirm=True)["id"] for _ in range(2)]
    booked(client, as_user, tier, UserFactory())
    path = f"/events/{tier.show.event_id}/cancel"
    gone = client.post(path, json={"reason": "Flood"}, headers=as_user(owner))
    assert gone.status_code == 200, gone.text

    found = entries(client, as_user, owner, action="booking.cancel")

    assert [entry["target_id"] for entry in found] == sold[::-1]
    assert {(entry["user_id"], entry["reason"]) for entry in found} == {(owner.id, "Flood")}


def test_a_guest_is_known_by_the_booking(client, tier, as_user, owner):
    body = {
        "show_id": tier.show_id,
        "items": [{"tier_id": tier.id, "quantity": 1}],
        "buyer": {"name": "Grace Wanjiru", "email": "grace.w@example.com"},
    }
    booking = client.post("/bookings/", json=body).json
    secret = {"Booking-Secret": booking["secret"]}
    assert client.post(f"/bookings/{booking['id']}/confirm", headers=secret).status_code == 200

    [entry] = entries(client, as_user, owner)

    assert (entry["booking_id"], entry["user_id"]) == (booking["id"], None)
    assert "grace" not in str(entry).lower()


def test_what_a_command_does_after_a_request_is_the_commands(client, as_user, tier, session):
    booked(client, as_user, tier, UserFactory(), confirm=True)

    user_service.make_admin(UserFactory().email)

    entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert (entry.action, entry.origin, entry.user_id) == ("user.role", "command", None)


class TestWhoReads:
    def test_organisers_read_only_what_is_theirs(self, client, as_user, tier, owner):
        other = TierFactory(price=0)
        stranger = member(other.show.event.organiser)
        booked(client, as_user, tier, UserFactory(), confirm=True)
        booked(client, as_user, other, UserFactory(), confirm=True)

        assert {e["organiser_id"] for e in entries(client, as_user, owner)} == {
            tier.show.organiser_id
        }
        theirs = entries(client, as_user, stranger, organiser_id=tier.show.organiser_id)
        assert theirs == []
        assert len(entries(client, as_user, AdminFactory())) == 2

    def test_the_address_is_for_admins(self, client, as_user, tier, owner, session):
        booked(client, as_user, tier, UserFactory(), confirm=True)
        session.execute(text("UPDATE sign_ins SET address = '192.0.2.7'"))
        session.commit()

        assert entries(client, as_user, AdminFactory())[0]["address"] == "192.0.2.7"
        assert entries(client, as_user, owner)[0]["address"] is None

    def test_nobody_else_reads(self, client, as_user, tier):
        door = member(OrganiserFactory(), MemberRole.DOOR)

        assert client.get("/audit/").status_code == 401
        assert client.get("/audit/", headers=as_user(UserFactory())).status_code == 403
        assert client.get("/audit/", headers=as_user(door)).status_code == 403


def test_pages_follow_a_cursor(client, as_user, tier, owner):
    for _ in range(3):
        booked(client, as_user, tier, UserFactory(), confirm=True)
    first = client.get("/audit/?after=&per_page=2", headers=as_user(owner)).json
    second = client.get(first["pagination"]["next"], headers=as_user(owner)).json

    ids = [entry["id"] for page in (first, second) for entry in page["items"]]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 3
    assert second["pagination"]["next"] is None


def test_the_applications_role_can_add_and_read_and_nothing_else(session):
    database = session.scalar(text("SELECT current_database()"))
    app, reader = f"app_{database}", f"reader_{database}"  # roles are the whole server's
    schema_service.make_roles(app, reader)
    schema_service.make_roles(app, reader)  # again is no mistake
    session.execute(text(f"SET LOCAL ROLE {app}"))
    session.add(AuditEntry(action="x.y", target_type="x", target_id=1, origin="command"))
    session.flush()

    attempts = (
        "UPDATE audit_entries SET reason = 'other'",
        "DELETE FROM audit_entries",
        "TRUNCATE audit_entries",
        "ALTER TABLE audit_entries DISABLE TRIGGER ALL",
    )
    refused = r"permission denied|must be owner"
    for attempt in attempts:
        with (
            pytest.raises(ProgrammingError, match=refused),
            session.begin_nested(),
        ):
            session.execute(text(attempt))
    assert session.scalar(text("SELECT count(*) FROM audit_entries")) == 1

    session.execute(text(f"SET LOCAL ROLE {reader}"))
    session.execute(text("SELECT id, email FROM users"))
    with pytest.raises(ProgrammingError, match="permission denied"), session.begin_nested():
        session.execute(text("SELECT password_hash FROM users"))
