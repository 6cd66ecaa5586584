"""Invitations to work for an organiser, seen from outside."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from config import settings
from init import db
from models import (
    AuditEntry,
    MemberRole,
    OrganiserInvitation,
    OrganiserMember,
    OutboxMessage,
    Role,
    User,
)
from services.invitation_service import token_of
from tests.factories import AdminFactory, InvitationFactory, OrganiserFactory, UserFactory, member
from utils.tokens import derived

OTIENO = {"email": "otieno@example.com", "role": "door"}


@pytest.fixture
def organiser(session):
    return OrganiserFactory()


@pytest.fixture
def owner(organiser, as_user):
    return as_user(member(organiser))


@pytest.fixture
def otieno(session, as_user):
    return as_user(UserFactory(email="Otieno@Example.com"))


@pytest.fixture
def invitation(organiser):
    return InvitationFactory(organiser_id=organiser.id)


def path_of(organiser):
    return f"/organisers/{organiser.id}/invitations"


def accepted(client, token, headers):
    response = client.post("/invitations/accept", json={"token": token}, headers=headers)
    return response.status_code, response.json.get("code")


def works_there(organiser, email):
    roles = select(OrganiserMember.role).join(User, User.id == OrganiserMember.user_id)
    there = OrganiserMember.organiser_id == organiser.id, User.email == email
    return db.session.scalar(roles.where(*there))


def entries():
    query = select(AuditEntry).order_by(AuditEntry.id)
    return [(entry.action, entry.before, entry.after) for entry in db.session.scalars(query)]


class TestInvite:
    def test_mails_a_link_whoever_it_is_for(self, client, organiser, owner, otieno):
        for email in ("otieno@example.com", "nobody@example.com"):
            wanted = OTIENO | {"email": email}

            response = client.post(path_of(organiser), json=wanted, headers=owner)

            assert response.status_code == 201
            assert (response.json["email"], response.json["role"]) == (email, "door")
            assert "token" not in response.json
            message = db.session.scalars(
                select(OutboxMessage).order_by(OutboxMessage.id.desc())
            ).first()
            assert (message.topic, message.payload) == (
                "mail.invitation",
                {"invitation_id": response.json["id"]},
            )

    def test_is_audited_without_the_address(self, client, organiser, owner):
        client.post(path_of(organiser), json=OTIENO, headers=owner)

        entry = db.session.scalars(select(AuditEntry)).one()
        assert (entry.action, entry.target_type) == ("member.invite", "invitation")
        assert (entry.organiser_id, entry.after) == (organiser.id, {"role": "door"})
        assert entry.user_id is not None

    def test_expires_after_the_days_that_are_set(self, client, organiser, owner, monkeypatch):
        monkeypatch.setattr(settings, "invitation_days", 3)

        made = client.post(path_of(organiser), json=OTIENO, headers=owner).json

        left = datetime.fromisoformat(made["expires_at"]) - datetime.now(UTC)
        assert timedelta(days=2, hours=23) < left <= timedelta(days=3)

    def test_a_second_one_replaces_the_first(self, client, organiser, owner, otieno):
        first = client.post(path_of(organiser), json=OTIENO, headers=owner).json
        wanted = {"email": "OTIENO@example.com", "role": "manager"}
        second = client.post(path_of(organiser), json=wanted, headers=owner).json

        listed = client.get(path_of(organiser), headers=owner).json["items"]
        assert [item["id"] for item in listed] == [second["id"]]
        assert accepted(client, token_of(first["id"]), otieno) == (409, "invitation-not-valid")
        assert accepted(client, token_of(second["id"]), otieno) == (200, None)
        assert works_there(organiser, "Otieno@Example.com") == MemberRole.MANAGER

    def test_another_organisers_invitation_stays(self, client, organiser, owner):
        other = InvitationFactory()

        client.post(path_of(organiser), json=OTIENO, headers=owner)

        assert db.session.get(OrganiserInvitation, other.id).withdrawn_at is None

    def test_a_member_is_not_invited(self, client, organiser, owner):
        wanted = {"email": member(organiser).email.upper(), "role": "owner"}

        response = client.post(path_of(organiser), json=wanted, headers=owner)

        assert (response.status_code, response.json["code"]) == (409, "already-member")

    @pytest.mark.parametrize(
        ("field", "value"),
        [("email", "x"), ("email", None), ("role", "admin"), ("user_id", 1), ("token", "x")],
    )
    def test_names_the_field_that_is_wrong(self, client, organiser, owner, field, value):
        response = client.post(path_of(organiser), json=OTIENO | {field: value}, headers=owner)

        assert response.status_code == 400
        assert [error["field"] for error in response.json["errors"]] == [field]
        assert db.session.scalar(select(OrganiserInvitation)) is None

    @pytest.mark.parametrize("role", [MemberRole.MANAGER, MemberRole.DOOR])
    def test_is_the_owners(self, client, organiser, as_user, role, invitation):
        own = as_user(member(organiser, role))
        elsewhere = as_user(member(OrganiserFactory()))

        for headers in (own, elsewhere, as_user(UserFactory())):
            for answer in (
                client.post(path_of(organiser), json=OTIENO, headers=headers),
                client.get(path_of(organiser), headers=headers),
                client.delete(f"{path_of(organiser)}/{invitation.id}", headers=headers),
            ):
                assert answer.status_code == 403
        assert db.session.get(OrganiserInvitation, invitation.id).withdrawn_at is None

    def test_an_admin_invites_for_everyone(self, client, organiser, as_user):
        admin = as_user(AdminFactory())

        assert client.post(path_of(organiser), json=OTIENO, headers=admin).status_code == 201


class TestList:
    def test_shows_what_is_open_and_nobody_elses(self, client, organiser, owner):
        past = datetime.now(UTC) - timedelta(minutes=1)
        InvitationFactory()
        InvitationFactory(organiser_id=organiser.id, accepted_at=past)
        InvitationFactory(organiser_id=organiser.id, withdrawn_at=past)
        InvitationFactory(organiser_id=organiser.id, expires_at=past)
        older, newer = (InvitationFactory(organiser_id=organiser.id) for _ in range(2))

        listed = client.get(path_of(organiser), headers=owner).json

        assert [item["id"] for item in listed["items"]] == [newer.id, older.id]
        assert listed["pagination"]["total"] == 2


class TestWithdraw:
    def test_ends_it_and_may_be_repeated(self, client, organiser, owner, invitation, otieno):
        for _ in range(2):
            response = client.delete(f"{path_of(organiser)}/{invitation.id}", headers=owner)
            assert response.status_code == 204

        assert accepted(client, token_of(invitation.id), otieno) == (409, "invitation-not-valid")
        assert entries() == [("member.uninvite", {"role": "door"}, {})]

    def test_does_not_reach_another_organisers(self, client, organiser, owner):
        other = InvitationFactory()

        response = client.delete(f"{path_of(organiser)}/{other.id}", headers=owner)

        assert response.status_code == 404
        assert db.session.get(OrganiserInvitation, other.id).withdrawn_at is None


class TestAccept:
    def test_makes_a_member_at_once_and_nothing_more(self, client, organiser, invitation, otieno):
        path = f"/organisers/{organiser.id}/members"
        assert client.get(path, headers=otieno).status_code == 403

        response = client.post(
            "/invitations/accept", json={"token": token_of(invitation.id)}, headers=otieno
        )

        assert (response.status_code, response.json["role"]) == (200, "door")
        assert client.get(path, headers=otieno).status_code == 200
        assert client.get("/users/me", headers=otieno).json["role"] == Role.ATTENDEE
        user_id = response.json["user_id"]
        assert entries() == [("member.accept", {}, {"role": "door", "user_id": user_id})]

    def test_is_good_once(self, client, organiser, invitation, otieno):
        token = token_of(invitation.id)
        assert accepted(client, token, otieno) == (200, None)
        user = db.session.scalars(select(User).where(User.email == "Otieno@Example.com")).one()
        path = f"/organisers/{organiser.id}/members/{user.id}"
        assert client.delete(path, headers=otieno).status_code == 204

        assert accepted(client, token, otieno) == (409, "invitation-not-valid")
        assert works_there(organiser, user.email) is None

    @pytest.mark.parametrize("time", ["accepted_at", "withdrawn_at", "expires_at"])
    def test_is_over_when_it_is_over(self, client, organiser, otieno, time):
        past = {time: datetime.now(UTC) - timedelta(minutes=1)}
        invitation = InvitationFactory(organiser_id=organiser.id, **past)

        answer = accepted(client, token_of(invitation.id), otieno)

        assert answer == (409, "invitation-not-valid")
        assert works_there(organiser, "Otieno@Example.com") is None

    def test_wrong_tokens_are_all_alike(self, client, organiser, invitation, otieno):
        other = InvitationFactory(organiser_id=organiser.id, email="other@example.com")
        good = token_of(invitation.id)
        wrong = [
            "x",
            str(invitation.id),
            f"{invitation.id}.",
            good[:-1],
            good + "0",
            good.upper(),
            f"0{good}",
            f" {good}",
            f"{other.id}.{good.partition('.')[2]}",
            f"{invitation.id}.{derived('reset_password', invitation.id)}",
            token_of(999_999),
            token_of(10**18),
            f"{9 * 10**18 + 9 * 10**17}.{'0' * 64}",
            token_of(9_999_999_999_999_999_999),
        ]

        for token in wrong:
            body = {"token": token}
            response = client.post("/invitations/accept", json=body, headers=otieno)
            assert response.status_code == 409, token
            assert response.json["code"] == "invitation-not-valid"
            assert response.json["detail"] == "Ask for a new one."
        assert db.session.scalar(select(OrganiserMember)) is None

    def test_a_link_that_leaks_is_of_no_use(self, client, organiser, invitation, as_user):
        token = token_of(invitation.id)

        for headers in (as_user(UserFactory()), as_user(AdminFactory())):
            response = client.post("/invitations/accept", json={"token": token}, headers=headers)
            assert (response.status_code, response.json["code"]) == (403, "invited-another")
            assert "otieno" not in response.text.lower()
        assert client.post("/invitations/accept", json={"token": token}).status_code == 401
        assert db.session.scalar(select(OrganiserMember)) is None

    def test_whoever_works_there_stays_what_they_are(self, client, organiser, invitation, as_user):
        user = member(organiser, MemberRole.OWNER)
        invitation.email = user.email
        db.session.commit()

        answer = accepted(client, token_of(invitation.id), as_user(user))

        assert answer == (409, "already-member")
        assert works_there(organiser, user.email) == MemberRole.OWNER

    def test_nobody_comes_to_work_for_what_is_gone(self, client, organiser, invitation, otieno):
        organiser.deleted_at = datetime.now(UTC)
        db.session.commit()

        assert accepted(client, token_of(invitation.id), otieno) == (409, "invitation-not-valid")


class TestMembersAudit:
    def test_roles_and_goings_are_written_down(self, client, organiser, owner):
        user = member(organiser, MemberRole.DOOR)
        path = f"/organisers/{organiser.id}/members/{user.id}"

        for role in ("manager", "manager"):
            client.patch(path, json={"role": role}, headers=owner)
        for _ in range(2):
            client.delete(path, headers=owner)

        door, manager = ({"user_id": user.id, "role": role} for role in ("door", "manager"))
        assert entries() == [("member.role", door, manager), ("member.remove", manager, {})]

    def test_so_is_whom_an_admin_adds(self, client, organiser, otieno, as_user):
        path = f"/organisers/{organiser.id}/members"

        made = client.post(path, json=OTIENO, headers=as_user(AdminFactory())).json

        added = {"user_id": made["user_id"], "role": "door"}
        assert entries() == [("member.add", {}, added)]
