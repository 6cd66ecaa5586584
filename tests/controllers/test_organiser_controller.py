"""/organisers and their members, seen from outside."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from init import db
from models import Event, MemberRole, Organiser, OrganiserMember, Role, Venue
from tests.factories import (
    AdminFactory,
    EventFactory,
    OrganiserFactory,
    OrganiserMemberFactory,
    ShowFactory,
    UserFactory,
    VenueFactory,
    member,
)
from tests.factories.sales import booked

OFFICE = {"name": "Blankets & Wine", "email": "office@blanketsandwine.com"}
LAST_WEEK = datetime.now(UTC) - timedelta(days=7)


@pytest.fixture
def organiser(session):
    return OrganiserFactory(name="Blankets & Wine")


@pytest.fixture
def owner(organiser, as_user):
    return as_user(member(organiser))


@pytest.fixture
def admin(session, as_user):
    return as_user(AdminFactory())


@pytest.fixture
def manager(organiser, as_user):
    return as_user(member(organiser, MemberRole.MANAGER))


@pytest.fixture
def door(organiser, as_user):
    return as_user(member(organiser, MemberRole.DOOR))


class TestCreate:
    def test_makes_the_caller_its_owner_at_once(self, client, as_user):
        headers = as_user(UserFactory(role=Role.ORGANISER))

        response = client.post("/organisers/", json=OFFICE, headers=headers)

        assert response.status_code == 201
        path = response.headers["Location"]
        assert client.get(path).json == response.json
        assert client.patch(path, json={"phone": "+254 20 1"}, headers=headers).status_code == 200
        members = client.get(f"{path}/members", headers=headers).json["items"]
        assert [one["role"] for one in members] == ["owner"]

    def test_is_not_for_everyone(self, client, as_user):
        assert client.post("/organisers/", json=OFFICE).status_code == 401
        attendee = as_user(UserFactory())
        assert client.post("/organisers/", json=OFFICE, headers=attendee).status_code == 403
        assert db.session.scalar(select(Organiser)) is None

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("name", " "),
            ("name", "x" * 201),
            ("email", "nobody"),
            ("email", None),
            ("website", "javascript:alert(1)"),
            ("website", "x" * 50_000),
            ("phone", "call me"),
            ("description", "a\x00b"),
            ("deleted_at", "2030-01-01T00:00:00Z"),
            ("members", []),
        ],
    )
    def test_names_the_field_that_is_wrong(self, client, as_user, field, value):
        headers = as_user(AdminFactory())

        response = client.post("/organisers/", json=OFFICE | {field: value}, headers=headers)

        assert response.status_code == 400
        assert [error["field"] for error in response.json["errors"]] == [field]
        assert db.session.scalar(select(Organiser)) is None


def test_lists_find_by_name_and_description(client, organiser):
    OrganiserFactory(name="Żywiec Męskie Granie", description="Trasa po Polsce")

    def names(**query):
        items = client.get("/organisers/", query_string=query).json["items"]
        return [item["name"] for item in items]

    assert names(q="MĘSKIE") == names(q="polsce") == ["Żywiec Męskie Granie"]
    assert names(q="blankets &") == ["Blankets & Wine"]
    assert names(sort="-name") == ["Żywiec Męskie Granie", "Blankets & Wine"]
    assert client.get("/organisers/?sort=email").status_code == 400


class TestEdit:
    def test_patch_changes_only_what_is_named(self, client, organiser, manager):
        path = f"/organisers/{organiser.id}"
        client.patch(path, json={"website": "https://bw.example"}, headers=manager)

        response = client.patch(path, json={"name": "B&W"}, headers=manager)

        assert (response.json["name"], response.json["website"]) == ("B&W", "https://bw.example")

    def test_put_resets_what_is_left_out(self, client, organiser, manager):
        path = f"/organisers/{organiser.id}"
        client.patch(path, json={"website": "https://bw.example"}, headers=manager)

        response = client.put(path, json=OFFICE, headers=manager)

        assert (response.status_code, response.json["website"]) == (200, None)
        assert client.put(path, json={"name": "B"}, headers=manager).status_code == 400

    def test_a_stale_edit_is_refused(self, client, organiser, manager):
        path = f"/organisers/{organiser.id}"
        stale = manager | {"If-Match": client.get(path).headers["ETag"]}
        assert client.patch(path, json={"name": "B"}, headers=stale).status_code == 200

        assert client.patch(path, json={"name": "C"}, headers=stale).status_code == 412
        assert client.get(path).json["name"] == "B"

    def test_is_for_those_who_manage_it(self, client, organiser, door, as_user):
        path = f"/organisers/{organiser.id}"
        elsewhere = as_user(member(OrganiserFactory()))

        assert client.patch(path, json={"name": "B"}).status_code == 401
        for headers in (door, elsewhere, as_user(UserFactory())):
            assert client.patch(path, json={"name": "B"}, headers=headers).status_code == 403
            assert client.put(path, json=OFFICE, headers=headers).status_code == 403
        assert client.get(path).json["name"] == "Blankets & Wine"


class TestDelete:
    def test_leaves_events_to_be_determined_and_may_be_repeated(self, client, organiser, owner):
        event = EventFactory(organiser=organiser)
        ShowFactory(event=event)
        venue = VenueFactory(organiser_id=organiser.id)
        path = f"/organisers/{organiser.id}"

        for _ in range(2):
            assert client.delete(path, headers=owner).status_code == 204

        assert client.get(path).status_code == 404
        left = db.session.get(Event, event.id)
        assert (left.organiser_id, left.organiser_name) == (None, "To Be Determined")
        assert db.session.get(Venue, venue.id).organiser_id is None

    @pytest.mark.parametrize("state", ["held", "confirmed"])
    def test_is_refused_while_shows_to_come_have_sales(self, client, organiser, owner, state):
        show = ShowFactory(event=EventFactory(organiser=organiser))
        booked(show, state)

        response = client.delete(f"/organisers/{organiser.id}", headers=owner)

        assert (response.status_code, response.json["code"]) == (409, "has-sales")
        assert response.json["bookings"] == 1
        assert client.get(f"/organisers/{organiser.id}").status_code == 200
        assert db.session.get(Event, show.event_id).organiser_id == organiser.id

    def test_is_possible_when_all_sales_are_over(self, client, organiser, owner):
        event = EventFactory(organiser=organiser)
        booked(ShowFactory(event=event), "dead")
        booked(ShowFactory(event=event), "cancelled")
        booked(ShowFactory(event=event, starts_at=LAST_WEEK), "confirmed")
        booked(ShowFactory(), "confirmed")

        assert client.delete(f"/organisers/{organiser.id}", headers=owner).status_code == 204

    def test_is_the_owners(self, client, organiser, manager, as_user):
        path = f"/organisers/{organiser.id}"

        assert client.delete(path).status_code == 401
        assert client.delete(path, headers=manager).status_code == 403
        assert client.get(path).status_code == 200
        assert client.delete(path, headers=as_user(AdminFactory())).status_code == 204
        assert client.delete(path, headers=manager).status_code == 404


class TestMembers:
    def test_an_admin_adds_an_account_by_its_address_in_any_case(self, client, organiser, admin):
        user = UserFactory(email="asha@example.com")

        wanted = {"email": "Asha@Example.COM", "role": "door"}
        response = client.post(f"/organisers/{organiser.id}/members", json=wanted, headers=admin)

        assert (response.status_code, response.json["user_id"]) == (201, user.id)
        assert response.json["user"]["email"] == "asha@example.com"
        assert client.get(response.headers["Location"], headers=admin).json == response.json

    def test_owners_invite_and_learn_nothing_of_who_has_an_account(self, client, organiser, owner):
        UserFactory(email="asha@example.com")

        def answered(email):
            wanted = {"email": email, "role": "door"}
            path = f"/organisers/{organiser.id}/members"
            response = client.post(path, json=wanted, headers=owner)
            told = {name: response.json[name] for name in ("code", "detail")}
            return response.status_code, told

        status, told = answered("asha@example.com")
        assert (status, told["code"]) == (403, "invite-instead")
        assert f"/organisers/{organiser.id}/invitations" in told["detail"]
        assert answered("nobody@example.com") == (status, told)

    @pytest.mark.parametrize(
        ("field", "value"),
        [("email", "nobody@example.com"), ("email", "x"), ("role", "admin"), ("user_id", 1)],
    )
    def test_names_the_field_that_is_wrong(self, client, organiser, admin, field, value):
        UserFactory(email="asha@example.com")
        wanted = {"email": "asha@example.com", "role": "door"} | {field: value}

        response = client.post(f"/organisers/{organiser.id}/members", json=wanted, headers=admin)

        assert response.status_code == 400
        assert [error["field"] for error in response.json["errors"]] == [field]

    def test_nobody_is_a_member_twice(self, client, organiser, admin):
        wanted = {"email": member(organiser).email, "role": "door"}

        response = client.post(f"/organisers/{organiser.id}/members", json=wanted, headers=admin)

        assert (response.status_code, response.json["code"]) == (409, "already-member")

    def test_a_role_counts_from_the_next_request_on(self, client, organiser, owner, as_user):
        user = member(organiser, MemberRole.DOOR)
        headers = as_user(user)
        path = f"/organisers/{organiser.id}"
        assert client.patch(path, json={"name": "B"}, headers=headers).status_code == 403

        response = client.patch(
            f"{path}/members/{user.id}", json={"role": "manager"}, headers=owner
        )

        assert response.json["role"] == "manager"
        assert client.patch(path, json={"name": "B"}, headers=headers).status_code == 200

    def test_the_last_owner_neither_goes_nor_steps_down(self, client, organiser, as_user):
        user = member(organiser)
        path, headers = f"/organisers/{organiser.id}/members/{user.id}", as_user(user)

        for response in (
            client.delete(path, headers=headers),
            client.patch(path, json={"role": "manager"}, headers=headers),
        ):
            assert (response.status_code, response.json["code"]) == (409, "last-owner")
        assert client.patch(path, json={"role": "owner"}, headers=headers).status_code == 200
        member(organiser)
        assert client.delete(path, headers=headers).status_code == 204

    def test_members_remove_themselves_and_nobody_else(self, client, organiser, as_user):
        user, other = member(organiser, MemberRole.DOOR), member(organiser, MemberRole.DOOR)
        path, headers = f"/organisers/{organiser.id}/members", as_user(user)

        assert client.delete(f"{path}/{other.id}", headers=headers).status_code == 403
        for _ in range(2):
            assert client.delete(f"{path}/{user.id}", headers=headers).status_code == 204
        left = db.session.scalars(select(OrganiserMember.user_id)).all()
        assert left == [other.id]

    def test_who_works_where_is_for_those_who_work_there(
        self, client, organiser, owner, manager, door, as_user
    ):
        path = f"/organisers/{organiser.id}/members"
        elsewhere = as_user(OrganiserMemberFactory().user)

        assert client.get(path).status_code == 401
        assert client.get(path, headers=elsewhere).status_code == 403
        for headers in (owner, manager, door):
            assert client.get(path, headers=headers).json["pagination"]["total"] == 3
        wanted = {"email": UserFactory().email, "role": "owner"}
        for headers in (manager, door, elsewhere):
            assert client.post(path, json=wanted, headers=headers).status_code == 403
        assert client.get(f"{path}/999999", headers=owner).status_code == 404
        wanted = {"role": "door"}
        assert client.patch(f"{path}/999999", json=wanted, headers=owner).status_code == 404
