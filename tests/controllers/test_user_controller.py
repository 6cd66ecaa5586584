"""/users, as an admin sees and governs it."""

import pytest
from sqlalchemy import select

from init import db
from models import AuditEntry, Role, SignIn
from tests.factories import AdminFactory, UserFactory
from utils.clock import now

WHY = {"reason": "Sells tickets on"}


def problem(response):
    return response.status_code, response.json["code"]


@pytest.fixture
def admin(client):
    return AdminFactory(email="root@example.com", name="Root")


@pytest.fixture
def ask(client, admin, as_user):
    """Ask as an admin."""
    headers = as_user(admin)

    def ask(method, path="", **more):
        sent = headers | more.pop("headers", {})
        return client.open(f"/users{path}", method=method, headers=sent, **more)

    return ask


@pytest.fixture
def names(ask):
    """The names that a search finds."""
    return lambda query: [user["name"] for user in ask("GET", f"/?{query}").json["items"]]


class TestList:
    def test_finds_parts_of_names_in_any_case(self, names):
        UserFactory(name="Tommy Adeyemi")
        UserFactory(name="A. Lindqvist", user_name="Amy")
        UserFactory(name="J", first_name="MyLène")
        UserFactory(name="K", last_name="Dummy")
        UserFactory(name="L", email="amy.l@example.com")
        UserFactory(name="Thomas")

        assert set(names("q=my")) == {"Tommy Adeyemi", "A. Lindqvist", "J", "K", "L"}
        assert names("q=%25") == names("q=m_y") == []

    def test_filters_and_sorts(self, names):
        UserFactory(name="Banned", banned_at=now())
        UserFactory(name="Runs a hall", role=Role.ORGANISER)
        UserFactory(name="Left", deleted_at=now())

        assert names("banned=true") == ["Banned"]
        assert names("role=organiser") == ["Runs a hall"]
        assert names("sort=name") == ["Banned", "Root", "Runs a hall"]
        assert names("sort=-name&banned=false") == ["Runs a hall", "Root"]

    def test_shows_no_hash(self, ask):
        UserFactory()

        assert "$2b$" not in ask("GET", "/").text
        assert "password" not in ask("GET", "/").text

    def test_costs_the_same_however_many(self, ask, count_statements):
        def cost():
            count_statements.clear()
            assert ask("GET", "/?per_page=100&q=e").status_code == 200
            return len(count_statements)

        UserFactory()
        before = cost()
        UserFactory.create_batch(8)

        assert cost() == before

    def test_is_for_admins(self, client, as_user):
        user = UserFactory()

        for path in ("/users", f"/users/{user.id}", "/users/999999"):
            assert problem(client.get(path, headers=as_user(user))) == (403, "forbidden")


class TestOne:
    def test_shows_any_profile(self, ask):
        user = UserFactory(user_name="amy", banned_at=now())

        shown = ask("GET", f"/{user.id}").json

        assert (shown["user_name"], shown["role"]) == ("amy", "attendee")
        assert shown["banned_at"]

    def test_one_that_left_is_not_there(self, ask):
        assert ask("GET", f"/{UserFactory(deleted_at=now()).id}").status_code == 404


class TestBan:
    def test_takes_effect_on_the_next_request_and_ends_every_sign_in(self, client, ask, as_user):
        user = UserFactory(email="tout@example.com")
        headers = as_user(user)
        assert client.get("/users/me", headers=headers).status_code == 200

        banned = ask("POST", f"/{user.id}/ban", json=WHY)

        assert banned.json["banned_at"]
        assert client.get("/users/me", headers=headers).status_code == 401
        assert client.get("/events/", headers=headers).status_code == 401
        sign_in = db.session.scalars(select(SignIn).where(SignIn.user_id == user.id)).one()
        assert sign_in.end_reason == "banned"
        login = {"email": "tout@example.com", "password": "correct horse battery"}
        assert problem(client.post("/auth/login", json=login)) == (401, "banned")

    def test_may_be_repeated_and_is_written_down_once(self, ask, admin):
        user = UserFactory()

        first, again = [ask("POST", f"/{user.id}/ban", json=WHY) for _ in range(2)]

        assert first.json == again.json
        entry = db.session.scalars(select(AuditEntry)).one()
        assert (entry.action, entry.target_type, entry.target_id, entry.user_id, entry.reason) == (
            "user.ban",
            "user",
            user.id,
            admin.id,
            WHY["reason"],
        )

    def test_is_taken_back_and_the_old_tokens_stay_dead(self, client, ask, as_user):
        user = UserFactory(email="tout@example.com")
        headers = as_user(user)
        ask("POST", f"/{user.id}/ban", json=WHY)

        for _ in range(2):
            assert ask("POST", f"/{user.id}/unban", json=WHY).json["banned_at"] is None

        assert client.get("/users/me", headers=headers).status_code == 401
        login = {"email": "tout@example.com", "password": "correct horse battery"}
        assert client.post("/auth/login", json=login).status_code == 200
        actions = db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
        assert actions == ["user.ban", "user.unban"]

    @pytest.mark.parametrize("path", ["ban", "unban"])
    @pytest.mark.parametrize("body", [{}, {"reason": " "}, {"reason": "x" * 501}, {"why": "x"}])
    def test_needs_a_reason(self, ask, path, body):
        assert ask("POST", f"/{UserFactory().id}/{path}", json=body).status_code == 400

    def test_nobody_bans_themselves(self, ask, admin):
        AdminFactory()

        assert problem(ask("POST", f"/{admin.id}/ban", json=WHY)) == (409, "last-admin")


class TestRole:
    def test_takes_effect_on_the_next_request(self, client, ask, as_user):
        user = UserFactory()
        headers = as_user(user)
        assert client.get("/users/", headers=headers).status_code == 403

        changed = ask("PUT", f"/{user.id}/role", json={"role": "admin"} | WHY)

        assert changed.json["role"] == "admin"
        assert client.get("/users/", headers=headers).status_code == 200
        entry = db.session.scalars(select(AuditEntry)).one()
        assert (entry.action, entry.before, entry.after) == (
            "user.role",
            {"role": "attendee"},
            {"role": "admin"},
        )

    def test_the_same_role_again_changes_nothing(self, ask):
        user = UserFactory()

        again = ask("PUT", f"/{user.id}/role", json={"role": "attendee"} | WHY)

        assert again.status_code == 200
        assert db.session.scalar(select(AuditEntry.id)) is None

    def test_an_admin_does_not_demote_themselves(self, ask, admin):
        AdminFactory()

        demoted = ask("PUT", f"/{admin.id}/role", json={"role": "attendee"} | WHY)

        assert problem(demoted) == (409, "last-admin")

    def test_another_admin_can_be_demoted(self, ask):
        other = AdminFactory()

        demoted = ask("PUT", f"/{other.id}/role", json={"role": "attendee"} | WHY)

        assert demoted.json["role"] == "attendee"

    def test_a_stale_version_is_refused(self, ask):
        user = UserFactory()
        stale = {"If-Match": ask("GET", f"/{user.id}").headers["ETag"]}
        ask("POST", f"/{user.id}/ban", json=WHY)

        body = {"role": "admin"} | WHY
        refused = ask("PUT", f"/{user.id}/role", json=body, headers=stale)

        assert problem(refused) == (412, "precondition-failed")

    @pytest.mark.parametrize("role", ["root", "Admin", None, ["admin"], 1])
    def test_knows_three_roles(self, ask, role):
        body = {"role": role} | WHY

        assert ask("PUT", f"/{UserFactory().id}/role", json=body).status_code == 400
