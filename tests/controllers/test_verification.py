"""Who an organiser is: applied for, verified and refused, seen from outside."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from init import db
from models import AuditEntry, MemberRole, Organiser, Verification
from tests.factories import AdminFactory, OrganiserFactory, UserFactory, member

NOTE = "Registered as Sol Generation Ltd."
REASON = {"reason": "The web site is not yours."}


@pytest.fixture
def organiser(session):
    return OrganiserFactory(name="Sol Generation")


@pytest.fixture
def owner(organiser, as_user):
    return as_user(member(organiser))


@pytest.fixture
def admin(session, as_user):
    return as_user(AdminFactory())


def path_of(organiser):
    return f"/organisers/{organiser.id}"


def told(response):
    return response.status_code, response.json.get("verification"), response.json.get("code")


def test_apply_and_be_verified(client, organiser, owner, admin):
    path = path_of(organiser)
    before = client.get(path)
    assert before.json["verified"] is False

    applied = client.post(f"{path}/apply", json={"note": NOTE}, headers=owner)
    assert told(applied) == (200, "applied", None)
    assert applied.json["verification_reason"] == NOTE
    assert applied.json["applied_at"] is not None
    listed = client.get("/moderation/organisers", headers=admin).json["items"]
    assert listed == [applied.json]
    verified = client.post(f"{path}/verify", headers=admin)
    assert told(verified) == (200, "verified", None)
    assert verified.json["verification_reason"] is None

    after = client.get(path)
    assert after.json["verified"] is True
    assert after.headers["ETag"] != before.headers["ETag"]
    assert client.get("/organisers/").json["items"] == [after.json]
    assert client.get("/moderation/organisers", headers=admin).json["items"] == []


def test_be_refused_read_why_and_apply_again(client, organiser, owner, admin):
    path = path_of(organiser)
    client.post(f"{path}/apply", headers=owner)

    refused = client.post(f"{path}/refuse", json=REASON, headers=admin)

    assert told(refused) == (200, "refused", None)
    shown = client.get(f"{path}/verification", headers=owner)
    assert shown.json["verification_reason"] == REASON["reason"]
    assert shown.headers["ETag"] == refused.headers["ETag"]
    assert told(client.post(f"{path}/apply", headers=owner)) == (200, "applied", None)


def test_a_verification_can_be_taken_back(client, admin):
    organiser = OrganiserFactory(verification=Verification.VERIFIED)

    response = client.post(f"{path_of(organiser)}/refuse", json=REASON, headers=admin)

    assert told(response) == (200, "refused", None)
    assert client.get(path_of(organiser)).json["verified"] is False


@pytest.mark.parametrize(
    ("step", "state"),
    [
        ("apply", Verification.APPLIED),
        ("apply", Verification.VERIFIED),
        ("verify", Verification.VERIFIED),
        ("refuse", Verification.REFUSED),
        ("refuse", Verification.UNVERIFIED),
    ],
)
def test_every_other_step_is_refused_by_name(client, organiser, admin, step, state):
    organiser.verification = state
    db.session.commit()
    body = {"json": REASON} if step == "refuse" else {}

    response = client.post(f"{path_of(organiser)}/{step}", headers=admin, **body)

    assert told(response) == (409, state, "verification-moved-on")


@pytest.mark.parametrize("reason", [None, " ", "x" * 1001])
def test_a_refusal_says_why(client, organiser, admin, reason):
    organiser.verification = Verification.APPLIED
    db.session.commit()

    response = client.post(f"{path_of(organiser)}/refuse", json={"reason": reason}, headers=admin)

    assert response.status_code == 400


def test_the_audit_has_the_steps_and_not_what_applicants_wrote(client, organiser, owner, admin):
    path = path_of(organiser)
    client.post(f"{path}/apply", json={"note": NOTE}, headers=owner)
    client.post(f"{path}/refuse", json=REASON, headers=admin)
    client.post(f"{path}/verify", headers=admin)

    entries = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [
        (e.action, e.before["verification"], e.after["verification"], e.reason) for e in entries
    ] == [
        ("organiser.apply", "unverified", "applied", None),
        ("organiser.refuse", "applied", "refused", REASON["reason"]),
        ("organiser.verify", "refused", "verified", None),
    ]
    assert {e.organiser_id for e in entries} == {organiser.id}
    assert len({e.user_id for e in entries}) == 2


def test_how_far_it_is_is_for_its_members(client, organiser, owner, as_user):
    organiser.verification, organiser.verification_reason = Verification.REFUSED, "Who?"
    db.session.commit()
    path = path_of(organiser)

    for headers in ({}, as_user(UserFactory()), as_user(member(OrganiserFactory()))):
        public = client.get(path, headers=headers).json
        assert not {"verification", "verification_reason", "applied_at"} & public.keys()
        answer = client.get(f"{path}/verification", headers=headers)
        assert answer.status_code in (401, 403)
    for role in MemberRole:
        headers = as_user(member(organiser, role))
        assert client.get(f"{path}/verification", headers=headers).json["name"] == organiser.name


def test_nobody_verifies_themselves(client, organiser, owner, as_user):
    organiser.verification = Verification.APPLIED
    db.session.commit()
    path = path_of(organiser)

    for headers in (owner, as_user(UserFactory())):
        assert client.post(f"{path}/verify", headers=headers).status_code == 403
        assert client.get("/moderation/organisers", headers=headers).status_code == 403
    for facts in ({"verified": True}, {"verification": "verified"}):
        assert client.patch(path, json=facts, headers=owner).status_code == 400
    manager = as_user(member(organiser, MemberRole.MANAGER))
    assert client.post(f"{path}/apply", headers=manager).status_code == 403
    assert db.session.get(Organiser, organiser.id).verification == Verification.APPLIED


def test_the_list_has_what_waits_the_longest_first(client, admin):
    now = datetime.now(UTC)
    for days in (1, 3, 2):
        OrganiserFactory(
            name=f"{days} days",
            verification=Verification.APPLIED,
            applied_at=now - timedelta(days=days),
        )
    gone = {"verification": Verification.APPLIED, "deleted_at": now}
    OrganiserFactory(**gone)
    OrganiserFactory(name="Refused", verification=Verification.REFUSED)

    def names(query=""):
        listed = client.get(f"/moderation/organisers{query}", headers=admin).json["items"]
        return [item["name"] for item in listed]

    assert names() == ["3 days", "2 days", "1 days"]
    assert names("?page=2&per_page=2") == ["1 days"]
    assert names("?verification=refused") == ["Refused"]
    assert client.get("/moderation/organisers?verification=x", headers=admin).status_code == 400


def test_what_an_admin_did_not_read_is_not_verified(client, organiser, owner, admin):
    path = path_of(organiser)
    client.post(f"{path}/apply", headers=owner)
    read = admin | {"If-Match": client.get(path).headers["ETag"]}
    client.patch(path, json={"name": "Somebody else"}, headers=owner)

    assert client.post(f"{path}/verify", headers=read).status_code == 412


def test_another_name_is_looked_at_again(client, organiser, owner, admin):
    organiser.verification = Verification.VERIFIED
    db.session.commit()
    path = path_of(organiser)

    for facts in ({"phone": "+254 20 1"}, {"name": "Sol Generation"}):
        assert client.patch(path, json=facts, headers=owner).json["verified"] is True
    renamed = client.patch(path, json={"name": "Live Nation"}, headers=owner)

    assert (renamed.json["name"], renamed.json["verified"]) == ("Live Nation", False)
    [waiting] = client.get("/moderation/organisers", headers=admin).json["items"]
    assert waiting["verification_reason"] == "It was verified as Sol Generation."


def test_a_name_that_an_admin_gives_needs_no_other_look(client, organiser, admin):
    organiser.verification = Verification.VERIFIED
    db.session.commit()

    renamed = client.patch(path_of(organiser), json={"name": "Sol Gen"}, headers=admin)

    assert renamed.json["verified"] is True
