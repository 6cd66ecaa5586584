"""/users/me, seen from outside."""

import json
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text, update

from init import db
from models import (
    AccountLink,
    AuditEntry,
    Booking,
    BookingStatus,
    CheckIn,
    IdempotencyKey,
    MemberRole,
    OrganiserInvitation,
    OrganiserMember,
    OutboxMessage,
    Role,
    Show,
    SignIn,
    Ticket,
    TicketHolder,
    User,
)
from services import mail_service, verify_service
from tests.factories import (
    AdminFactory,
    OrganiserFactory,
    OrganiserMemberFactory,
    SignInFactory,
    TierFactory,
    UserFactory,
    member,
)
from utils.clock import now

PASSWORD = "correct horse battery"  # of UserFactory


def problem(response):
    return response.status_code, response.json["code"]


@pytest.fixture
def user(client):
    return UserFactory(email="asha@example.com", name="Asha Mwangi", phone="+254 700 555 014")


@pytest.fixture
def headers(user, as_user):
    return as_user(user)


@pytest.fixture
def me(client, headers):
    """Ask about one's own account."""

    def ask(method, path="", json=None):
        return client.open(f"/users/me{path}", method=method, json=json, headers=headers)

    return ask


def status_of(client, headers):
    return client.get("/users/me", headers=headers).status_code


class TestProfile:
    FACTS = {
        "name": "Asha",
        "user_name": "asha_1.x-y",
        "first_name": "Asha",
        "last_name": "O'Connor",
        "phone": "+254 700 555 015",
        "date_of_birth": "1990-02-28",
        "avatar_url": "https://example.com/a.jpg",
    }

    def test_put_writes_all_of_it_and_empties_the_rest(self, me):
        written = me("PUT", json=self.FACTS).json
        assert {name: written[name] for name in self.FACTS} == self.FACTS

        emptied = me("PUT", json={"name": "Asha"}).json
        assert {name: emptied[name] for name in self.FACTS if name != "name"} == dict.fromkeys(
            self.FACTS.keys() - {"name"}
        )

    def test_patch_changes_what_it_names(self, me):
        me("PUT", json=self.FACTS)

        assert me("PATCH", json={"phone": None}).json["phone"] is None
        assert me("GET").json["user_name"] == "asha_1.x-y"

    def test_the_ticket_holder_follows(self, me, user):
        me("PATCH", json={"name": "Asha W.", "first_name": "Asha"})

        holder = db.session.scalars(select(TicketHolder).filter_by(user_id=user.id)).one()
        assert (holder.name, holder.email) == ("Asha W.", "asha@example.com")

    def test_a_user_name_is_one_persons_in_any_case(self, me):
        UserFactory(user_name="Amy")

        assert problem(me("PATCH", json={"user_name": "aMY"})) == (409, "user-name-taken")
        assert me("GET").json["user_name"] is None

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("user_name", "ab"),
            ("user_name", "x" * 31),
            ("user_name", "a b c"),
            ("user_name", "amy\n"),
            ("user_name", "аmy"),
            ("user_name", "amy@example"),
            ("phone", "12345\n"),
            ("date_of_birth", "1899-12-31"),
            ("date_of_birth", "2190-01-01"),
            ("date_of_birth", "1990-02-30"),
            ("date_of_birth", "19900228"),
            ("avatar_url", "javascript:alert(1)"),
            ("avatar_url", "ftp://example.com/a.jpg"),
            ("role", "admin"),
            ("is_admin", True),
            ("email", "b@example.com"),
            ("email_verified", True),
            ("password", "x" * 20),
            ("id", 1),
            ("memberships", []),
        ],
    )
    @pytest.mark.parametrize("method", ["PUT", "PATCH"])
    def test_refuses_what_is_not_offered_and_names_the_field(self, me, method, field, value):
        response = me(method, json={"name": "Asha", field: value})

        assert response.status_code == 400
        assert [error["field"] for error in response.json["errors"]] == [field]

    def test_today_is_no_date_of_birth(self, me):
        today = db.session.scalar(select(now())).date()

        assert me("PATCH", json={"date_of_birth": today.isoformat()}).status_code == 400
        yesterday = today - timedelta(days=1)
        assert me("PATCH", json={"date_of_birth": yesterday.isoformat()}).status_code == 200

    def test_a_stale_edit_is_refused(self, client, me, headers):
        etag = me("GET").headers["ETag"]
        assert me("PATCH", json={"name": "B"}).status_code == 200

        response = client.patch(
            "/users/me", json={"name": "C"}, headers=headers | {"If-Match": etag}
        )

        assert problem(response) == (412, "precondition-failed")


NAMES = ["role", "Role", "ROLE", "is_admin", "isAdmin", "admin", "memberships", "permissions"]
NAMES += ["scopes", "user", "__class__", "__proto__", "role ", "roles", "banned_at", "$set", "id"]
VALUES = st.recursive(
    st.sampled_from(["admin", "Admin", Role.ADMIN.value, True, 1, "owner", None, "organiser"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner),
    max_leaves=5,
)
BODIES = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=8), VALUES, max_size=4)


class TestNoWayToARoleThatWasNotGranted:
    @settings(
        max_examples=150,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(extra=BODIES, whole=st.booleans())
    def test_by_no_body(self, client, headers, extra, whole):
        known = {"name": "Asha", "email": "x@example.com", "password": "long enough to be it"}
        if not whole:
            known = {}
        before = set(db.session.scalars(select(User.id)))

        sent = [
            client.post("/auth/register", json=known | extra),
            client.patch("/users/me", json={"name": "Asha"} | extra, headers=headers),
            client.put("/users/me", json={"name": "Asha"} | extra, headers=headers),
        ]

        assert {response.status_code for response in sent} <= {200, 201, 400, 409}
        asked = extra.get("role") if whole else None
        for row in db.session.execute(select(User.id, User.role)):
            offered = {Role.ATTENDEE, Role(asked)} if asked == "organiser" else {Role.ATTENDEE}
            assert row.id in before or row.role in offered
            assert row.role != Role.ADMIN
        assert db.session.scalar(select(OrganiserMember.id)) is None
        db.session.execute(text("DELETE FROM outbox_messages"))
        db.session.execute(text("DELETE FROM account_links"))
        for table in (SignIn, TicketHolder):
            db.session.execute(table.__table__.delete().where(table.user_id.not_in(before)))
        db.session.execute(User.__table__.delete().where(User.id.not_in(before)))
        db.session.commit()


class TestSignIns:
    def test_lists_where_one_is_signed_in(self, client):
        account = {"email": "b@example.com", "password": PASSWORD, "name": "B"}
        client.post("/auth/register", json=account, headers={"User-Agent": "Firefox/1"})
        login = {name: account[name] for name in ("email", "password")}
        agent = "Phone \x07" + "x" * 400
        tokens = client.post("/auth/login", json=login, headers={"User-Agent": agent}).json
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}

        items = client.get("/users/me/sign_ins", headers=bearer).json["items"]

        assert [item["current"] for item in items] == [True, False]
        assert items[0].keys() == {
            "id",
            "created_at",
            "renewed_at",
            "address",
            "agent",
            "current",
        }
        assert items[0]["agent"] == "Phone " + "x" * 294
        assert (items[1]["agent"], items[1]["address"]) == ("Firefox/1", "127.0.0.1")

    def test_shows_neither_those_that_are_over_nor_anybody_elses(self, me, user):
        SignInFactory(user_id=user.id, ended_at=now())
        SignInFactory(user_id=user.id, created_at=now() - timedelta(days=8))
        lively = SignInFactory(
            user_id=user.id, created_at=now() - timedelta(days=8), renewed_at=now()
        )
        SignInFactory()

        items = me("GET", "/sign_ins").json["items"]

        assert [item["current"] for item in items] == [False, True]
        assert items[0]["id"] == lively.id

    def test_costs_the_same_however_many(self, me, user, count_statements):
        def cost():
            count_statements.clear()
            me("GET", "/sign_ins")
            return len(count_statements)

        before = cost()
        SignInFactory.create_batch(5, user_id=user.id)

        assert cost() == before

    def test_one_can_be_ended_from_afar(self, client, me, user, as_user):
        laptop = as_user(user)
        (other,) = [i["id"] for i in me("GET", "/sign_ins").json["items"] if not i["current"]]

        assert me("DELETE", f"/sign_ins/{other}").status_code == 204
        assert me("DELETE", f"/sign_ins/{other}").status_code == 204
        assert status_of(client, laptop) == 401
        assert me("GET").status_code == 200

    def test_somebody_elses_is_not_there(self, me):
        theirs = SignInFactory()

        assert me("DELETE", f"/sign_ins/{theirs.id}").status_code == 404
        assert db.session.get(SignIn, theirs.id).ended_at is None


class TestPassword:
    NEW = "another horse entirely"

    def change(self, me, current=PASSWORD, new=NEW):
        return me("PUT", "/password", {"current_password": current, "new_password": new})

    def test_a_new_one_ends_every_other_sign_in(self, client, me, user, as_user):
        laptop = as_user(user)

        assert self.change(me).status_code == 204

        assert me("GET").status_code == 200
        assert status_of(client, laptop) == 401
        login = {"email": user.email, "password": self.NEW}
        assert client.post("/auth/login", json=login).status_code == 200
        assert client.post("/auth/login", json=login | {"password": PASSWORD}).status_code == 401
        entry = db.session.scalars(select(AuditEntry)).one()
        assert (entry.action, entry.target_id, entry.user_id) == (
            "user.password_changed",
            user.id,
            user.id,
        )

    def test_needs_the_present_one(self, client, me, user, as_user):
        laptop = as_user(user)

        assert problem(self.change(me, current="wrong")) == (401, "wrong-password")
        assert status_of(client, laptop) == 200

    def test_whoever_found_a_token_guesses_it_a_few_times(self, me):
        guesses = [self.change(me, current="wrong") for _ in range(6)]

        assert [guess.status_code for guess in guesses] == [401] * 5 + [429]
        assert problem(self.change(me)) == (429, "too-many-requests")

    @pytest.mark.parametrize("new", ["short", "password123", "asha@example.com", "asha mwangi"])
    def test_refuses_one_that_is_easy_to_guess(self, me, new):
        response = self.change(me, new=new)

        assert response.status_code == 400
        assert response.json["errors"][0]["field"] == "new_password"

    def test_ends_links_to_reset_it(self, client, me, user):
        client.post("/auth/forgot_password", json={"email": user.email})
        token = mail_service.queued(1)[0].letter.link.partition("token=")[2]
        self.change(me)

        body = {"token": token, "password": "yet another one"}
        assert problem(client.post("/auth/reset_password", json=body)) == (409, "link-not-valid")


class TestEmail:
    def change(self, me, email="asha@new.example", password=PASSWORD):
        return me("PUT", "/email", {"email": email, "password": password})

    def use(self, client, token=None):
        token = token or mail_service.queued(1)[0].letter.link.partition("token=")[2]
        return client.post("/auth/verify_email", json={"token": token})

    def test_changes_when_the_link_is_used(self, client, me, user):
        assert self.change(me).status_code == 202
        assert me("GET").json["email"] == "asha@example.com"
        assert mail_service.queued(1)[0].letter.to == "asha@new.example"

        assert self.use(client).status_code == 204

        after = me("GET").json
        assert (after["email"], after["email_verified"]) == ("asha@new.example", True)
        holder = db.session.scalars(select(TicketHolder).filter_by(user_id=user.id)).one()
        assert holder.email == "asha@new.example"

    def test_needs_the_password(self, me):
        assert problem(self.change(me, password="wrong")) == (401, "wrong-password")
        assert mail_service.queued(1) == []

    def test_a_taken_address_gets_the_same_answer_and_no_mail(self, me):
        UserFactory(email="taken@example.com")

        free, taken = self.change(me), self.change(me, email="TAKEN@example.com")

        assert (free.status_code, free.data) == (taken.status_code, taken.data)
        assert [queued.letter.to for queued in mail_service.queued(9)] == ["asha@new.example"]

    def test_one_that_is_taken_meanwhile_is_refused_at_use(self, client, me):
        self.change(me)
        UserFactory(email="ASHA@new.example")

        assert problem(self.use(client)) == (409, "email-taken")
        assert me("GET").json["email"] == "asha@example.com"

    def test_what_went_to_the_old_mailbox_is_worth_nothing_after_it(self, client, me, user):
        client.post("/auth/forgot_password", json={"email": user.email})
        old = mail_service.queued(1)[0].letter.link.partition("token=")[2]
        self.change(me)
        self.use(client)

        body = {"token": old, "password": "yet another one"}
        assert problem(client.post("/auth/reset_password", json=body)) == (409, "link-not-valid")

    def test_an_older_change_does_not_undo_a_newer_one(self, client, me):
        self.change(me, email="first@example.com")
        first = mail_service.queued(1)[0].letter.link.partition("token=")[2]
        self.change(me, email="second@example.com")
        self.use(client)

        assert problem(self.use(client, first)) == (409, "link-not-valid")
        assert me("GET").json["email"] == "second@example.com"


@pytest.fixture
def bought(client, headers):
    """A confirmed booking of two places, one of them for somebody else."""
    tier = TierFactory(price=0)
    items = [{"tier_id": tier.id, "quantity": 2}]
    body = {"show_id": tier.show_id, "items": items, "note": "Asha Mwangi's birthday"}
    booking = client.post("/bookings/", json=body, headers=headers).json
    attendees = [{"place_id": booking["places"][0]["id"], "name": "Juma", "email": "j@example.com"}]
    client.patch(f"/bookings/{booking['id']}", json={"attendees": attendees}, headers=headers)
    key = {"Idempotency-Key": "once"}
    path = f"/bookings/{booking['id']}/confirm"
    return client.post(path, headers=headers | key).json


def is_over(booking):
    """Let the show of a booking be one of the past."""
    db.session.execute(
        update(Show)
        .where(Show.id == booking["show_id"])
        .values(starts_at=now() - timedelta(days=2), ends_at=now() - timedelta(days=1))
    )
    db.session.commit()


class TestExport:
    def test_holds_everything(self, client, me, user, bought):
        ticket = db.session.scalars(select(Ticket).order_by(Ticket.id)).first()
        ticket.status = "used"
        db.session.add(
            CheckIn(show_id=ticket.show_id, ticket_id=ticket.id, gate="North", admitted_at=now())
        )
        organiser = OrganiserFactory(name="Nights")
        OrganiserMemberFactory(organiser_id=organiser.id, user=user, role=MemberRole.MANAGER)

        response = me("GET", "/export")

        export = response.json
        assert response.headers["Content-Disposition"].startswith("attachment")
        assert response.headers["Cache-Control"] == "no-store"
        assert export["profile"]["email"] == "asha@example.com"
        assert len(export["sign_ins"]) == 1
        assert {holder["name"] for holder in export["ticket_holders"]} == {"Asha Mwangi", "Juma"}
        (booking,) = export["bookings"]
        assert booking["lines"][0]["amount"] == {"amount": 0, "currency": "KES"}
        assert len({ticket["code"] for ticket in booking["tickets"]}) == 2
        assert [(m["organiser"], m["role"]) for m in export["memberships"]] == [
            ("Nights", "manager")
        ]
        assert [check_in["gate"] for check_in in export["check_ins"]] == ["North"]

    def test_holds_nothing_of_others_and_no_hash(self, client, me, bought, as_user):
        other = UserFactory(email="other@example.com")

        theirs = client.get("/users/me/export", headers=as_user(other)).text

        assert "asha" not in theirs.lower()
        assert "$2b$" not in theirs + me("GET", "/export").text

    def test_costs_the_same_however_much(self, client, me, user, bought, count_statements):
        def cost():
            count_statements.clear()
            me("GET", "/export")
            return len(count_statements)

        before = cost()
        SignInFactory.create_batch(3, user_id=user.id)
        OrganiserMemberFactory.create_batch(3, user=user)

        assert cost() == before


class TestLeaving:
    def leave(self, me, password=PASSWORD):
        return me("DELETE", json={"password": password})

    def test_nothing_of_the_person_is_left_and_the_books_are_whole(self, client, me, user, bought):
        me("PATCH", json={"user_name": "asha.m", "first_name": "Asha", "last_name": "Mwangi"})
        me(
            "PATCH",
            json={"avatar_url": "https://example.com/asha.m", "date_of_birth": "1990-02-28"},
        )
        me("PUT", "/email", {"email": "asha@new.example", "password": PASSWORD})
        client.post("/auth/forgot_password", json={"email": user.email})
        organiser = OrganiserFactory()
        OrganiserMemberFactory(organiser_id=organiser.id, user=user, role=MemberRole.DOOR)
        db.session.add(
            OrganiserInvitation(
                organiser_id=organiser.id, email="Asha@example.com", role="door", expires_at=now()
            )
        )
        db.session.execute(update(SignIn).values(address="203.0.113.9", agent="Asha's phone"))
        db.session.commit()
        is_over(bought)

        assert self.leave(me).status_code == 204

        for trace in ("asha", "mwangi", "700 555 014", "juma", "203.0.113.9", "1990-02-28"):
            assert traces_of(trace) == {}
        gone = db.session.scalars(select(User).where(User.id == user.id)).one()
        assert (gone.email, gone.name) == (f"gone-{user.id}@invalid", "Gone")
        booking = db.session.get(Booking, bought["id"])
        assert (booking.status, booking.total_amount, booking.user_id) == (
            BookingStatus.CONFIRMED,
            0,
            user.id,
        )
        assert verify_service.broken() == []
        assert db.session.scalar(select(OrganiserMember.id)) is None
        assert db.session.scalar(select(AccountLink.id)) is None
        assert db.session.scalar(select(IdempotencyKey.id)) is None
        assert "user.left" in set(db.session.scalars(select(AuditEntry.action)))

    def test_may_not_be_repeated_because_nobody_is_there(self, client, me, user):
        assert self.leave(me).status_code == 204
        assert self.leave(me).status_code == 401
        login = {"email": "asha@example.com", "password": PASSWORD}
        assert client.post("/auth/login", json=login).status_code == 401
        gone = {"email": f"gone-{user.id}@invalid", "password": "!"}
        assert client.post("/auth/login", json=gone).status_code in (400, 401)

    def test_the_address_is_free_again(self, client, me):
        self.leave(me)

        account = {"email": "asha@example.com", "password": "a whole new life", "name": "A"}
        assert client.post("/auth/register", json=account).status_code == 201

    def test_needs_the_password(self, me):
        assert problem(self.leave(me, "wrong")) == (401, "wrong-password")
        assert me("DELETE").status_code == 415
        assert me("GET").status_code == 200

    def test_not_before_a_show_that_is_booked(self, me, bought):
        response = self.leave(me)

        assert problem(response) == (409, "has-upcoming-bookings")
        assert response.json["bookings"] == 1
        assert me("GET").json["name"] == "Asha Mwangi"

    def test_gives_back_what_is_only_held(self, client, me, headers):
        tier = TierFactory(price=0)
        body = {"show_id": tier.show_id, "items": [{"tier_id": tier.id, "quantity": 2}]}
        client.post("/bookings/", json=body, headers=headers)

        assert self.leave(me).status_code == 204

        assert db.session.scalars(select(Booking.status)).all() == [BookingStatus.CANCELLED]
        assert verify_service.broken() == []

    def test_an_organiser_keeps_an_owner(self, client, as_user):
        organiser = OrganiserFactory()
        headers = as_user(member(organiser))
        body = {"password": PASSWORD}

        alone = client.delete("/users/me", json=body, headers=headers)
        member(organiser)
        among_two = client.delete("/users/me", json=body, headers=headers)

        assert problem(alone) == (409, "last-owner")
        assert among_two.status_code == 204

    def test_an_organiser_that_is_gone_keeps_nobody(self, client, as_user):
        headers = as_user(member(OrganiserFactory(deleted_at=now())))

        assert (
            client.delete("/users/me", json={"password": PASSWORD}, headers=headers).status_code
            == 204
        )
        assert db.session.scalar(select(OrganiserMember.id)) is None

    def test_the_last_admin_stays(self, client, as_user):
        headers = as_user(AdminFactory())

        alone = client.delete("/users/me", json={"password": PASSWORD}, headers=headers)
        AdminFactory()
        among_two = client.delete("/users/me", json={"password": PASSWORD}, headers=headers)

        assert problem(alone) == (409, "last-admin")
        assert among_two.status_code == 204


def traces_of(words):
    """The tables that say these words anywhere, in any case, and how often."""
    found = {}
    for table in db.metadata.sorted_tables:
        rows = db.session.execute(text(f'SELECT * FROM "{table.name}"')).all()
        said = [str([bytes(v) if isinstance(v, memoryview) else v for v in row]) for row in rows]
        if hits := [row for row in said if words in row.lower()]:
            found[table.name] = hits
    return found


def test_what_leaves_a_trace_is_found(client, user, bought):
    """The control: the search above finds a person who has not left."""
    assert {"users", "ticket_holders", "bookings"} <= traces_of("asha").keys()
    assert "idempotency_keys" in traces_of("asha")


def test_messages_carry_ids_and_nothing_personal(client, me, user, bought):
    me("POST", "/verification")
    me("PUT", "/email", {"email": "asha@new.example", "password": PASSWORD})

    for payload in db.session.scalars(select(OutboxMessage.payload)):
        assert "asha" not in json.dumps(payload).lower()
