"""/organisers/<id>/api_keys, and what a program can do with one, seen from outside."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from init import Base
from models import (
    ApiKey,
    AuditEntry,
    Booking,
    EventStatus,
    KeyMode,
    MemberRole,
    OrganiserMember,
    OutboxMessage,
    Role,
    Scope,
    SignIn,
    User,
)
from tests.factories import (
    AdminFactory,
    ApiKeyFactory,
    EventFactory,
    OrganiserFactory,
    ShowFactory,
    StockFactory,
    TierFactory,
    UserFactory,
    member,
)

BUYER = {"name": "Asha Mwangi", "email": "asha@example.com"}
LATER, EARLIER = "2150-01-01T00:00:00Z", "2020-01-01T00:00:00Z"


def showing(key):
    """What a program with this key sends."""
    return {"X-API-Key": key.secret}


def key_of(organiser, *scopes, mode=KeyMode.LIVE):
    return ApiKeyFactory(organiser_id=organiser.id, scopes=list(scopes), mode=mode)


def order(tier, quantity=1, **more):
    items = [{"tier_id": tier.id, "quantity": quantity}]
    return {"show_id": tier.show_id, "items": items, "buyer": BUYER, **more}


def age(session, key, **by):
    """Let what is written about a key have been so much earlier."""
    past = {"id": key.id, "by": timedelta(**by)}
    for column in ("last_used_at", "expires_at"):
        session.execute(text(f"UPDATE api_keys SET {column} = {column} - :by WHERE id = :id"), past)
    session.commit()


@pytest.fixture
def organiser():
    return OrganiserFactory()


@pytest.fixture
def owner(as_user, organiser):
    return as_user(member(organiser))


@pytest.fixture
def keys(organiser):
    return f"/organisers/{organiser.id}/api_keys"


@pytest.fixture
def tier(organiser):
    return TierFactory(show=ShowFactory(event=EventFactory(organiser=organiser)))


@pytest.fixture
def theirs():
    """What another organiser sells."""
    return TierFactory()


@pytest.fixture
def shop(organiser):
    return showing(key_of(organiser, Scope.SELL))


@pytest.fixture
def sold(client, as_user):
    """A confirmed booking that somebody made on the web."""

    def sold(tier, headers=None):
        wanted = order(tier)
        if headers is None:
            headers = as_user(UserFactory())
            wanted.pop("buyer")
        booking = client.post("/bookings/", json=wanted, headers=headers).json
        path = f"/bookings/{booking['id']}/confirm"
        return client.post(path, headers=as_user(AdminFactory())).json

    return sold


class TestKeys:
    def test_the_whole_key_is_told_once_and_kept_nowhere(self, client, owner, keys, session):
        wanted = {"name": "Web shop", "scopes": ["sell", "catalogue"]}

        made = client.post(keys, json=wanted, headers=owner)

        key = made.json
        assert made.status_code == 201
        assert made.headers["Location"] == f"{keys}/{key['id']}"
        assert key["scopes"] == ["catalogue", "sell"]
        assert (key["mode"], key["revoked_at"], key["last_used_at"]) == ("live", None, None)
        start, symbols = key["secret"][:8], key["secret"][8:]
        assert (start, len(symbols)) == ("gm_live_", 40)
        assert key["prefix"] == start + symbols[:8]
        shown = client.get(f"{keys}/{key['id']}", headers=owner).json
        assert shown == {name: value for name, value in key.items() if name != "secret"}
        assert client.get(keys, headers=owner).json["items"] == [shown]
        for table in Base.metadata.sorted_tables:
            for row in session.scalars(text(f'SELECT t::text FROM "{table.name}" t')):
                assert symbols[8:] not in row, table.name

    def test_a_test_key_says_so(self, client, owner, keys):
        wanted = {"name": "Trial", "scopes": ["door"], "mode": "test", "expires_at": LATER}

        key = client.post(keys, json=wanted, headers=owner).json

        assert key["secret"].startswith("gm_test_")
        assert key["prefix"].startswith("gm_test_")
        assert key["expires_at"] == "2150-01-01T00:00:00+00:00"

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("name", ""),
            ("name", "x" * 201),
            ("scopes", []),
            ("scopes", ["sell", "sell"]),
            ("scopes", ["admin"]),
            ("scopes", "sell"),
            ("mode", "real"),
            ("expires_at", EARLIER),
            ("expires_at", "tomorrow"),
            ("secret", "gm_live_" + "A" * 40),
            ("organiser_id", 1),
        ],
    )
    def test_what_does_not_make_a_key(self, client, owner, keys, session, field, value):
        wanted = {"name": "Web shop", "scopes": ["sell"], field: value}

        response = client.post(keys, json=wanted, headers=owner)

        assert response.status_code == 400
        assert response.json["errors"][0]["field"].startswith(field)
        assert session.scalar(select(func.count()).select_from(ApiKey)) == 0

    def test_revoking_may_be_repeated_and_keeps_the_history(self, client, owner, keys, organiser):
        here = f"{keys}/{key_of(organiser, Scope.SELL).id}"

        answers = [client.delete(here, headers=owner).status_code for _ in range(2)]

        assert answers == [204, 204]
        assert client.get(here, headers=owner).json["revoked_at"] is not None
        assert len(client.get(keys, headers=owner).json["items"]) == 1

    def test_making_and_revoking_are_audited(self, client, keys, as_user, organiser, session):
        user = member(organiser)
        headers = as_user(user)
        wanted = {"name": "Trial", "scopes": ["sell"], "mode": "test"}
        key = client.post(keys, json=wanted, headers=headers).json
        for _ in range(2):
            client.delete(f"{keys}/{key['id']}", headers=headers)

        made, revoked = session.scalars(
            select(AuditEntry).where(AuditEntry.target_type == "api_key").order_by(AuditEntry.id)
        )

        assert (made.action, revoked.action) == ("key.create", "key.revoke")
        assert made.after == {"scopes": ["sell"], "mode": "test"}
        for entry in (made, revoked):
            assert (entry.target_id, entry.organiser_id) == (key["id"], organiser.id)
            assert (entry.user_id, entry.origin) == (user.id, "api")

    def test_another_organisers_keys_are_not_there(self, client, owner, keys):
        other = key_of(OrganiserFactory(), Scope.SELL)

        assert client.get(keys, headers=owner).json["items"] == []
        assert client.get(f"{keys}/{other.id}", headers=owner).status_code == 404
        assert client.delete(f"{keys}/{other.id}", headers=owner).status_code == 404
        assert (
            client.get(f"/organisers/{other.organiser_id}/api_keys", headers=owner).status_code
            == 403
        )

    @pytest.mark.parametrize("role", [MemberRole.MANAGER, MemberRole.DOOR])
    def test_only_owners_make_keys(self, client, as_user, organiser, keys, role):
        wanted = {"name": "Web shop", "scopes": ["sell"]}

        response = client.post(keys, json=wanted, headers=as_user(member(organiser, role)))

        assert (response.status_code, response.json["permission"]) == (403, "key:edit")


class TestShowingAKey:
    def test_either_header_carries_it(self, client, organiser):
        key = key_of(organiser, Scope.CATALOGUE)

        for headers in (showing(key), {"Authorization": f"Bearer {key.secret}"}):
            assert client.get("/events/", headers=headers).status_code == 200

    def test_two_credentials_are_refused(self, client, organiser, owner):
        key = key_of(organiser, Scope.CATALOGUE)

        for other in (owner, {"Authorization": f"Bearer {key.secret}"}, {"Authorization": "x"}):
            response = client.get("/events/", headers={**showing(key), **other})

            assert (response.status_code, response.json["code"]) == (401, "unauthenticated")
            assert "not both" in response.json["detail"]

    def test_whatever_is_wrong_with_it_the_answer_is_the_same(self, client, organiser, session):
        good, revoked, expired = (key_of(organiser, Scope.CATALOGUE) for _ in range(3))
        revoked.revoked_at = func.now()
        expired.expires_at = func.now()
        orphan = key_of(OrganiserFactory(deleted_at=func.now()), Scope.CATALOGUE)
        session.commit()
        wrong = {
            "revoked": revoked.secret,
            "expired": expired.secret,
            "of nobody": orphan.secret,
            "unknown": good.secret[:-1] + ("A" if good.secret[-1] != "A" else "B"),
            "of the other mode": good.secret.replace("live", "test"),
            "short": good.secret[:-1],
            "long": good.secret + "A",
            "small": good.secret.lower(),
            "empty": "",
            "its prefix": good.prefix,
            "nothing": "gm_live_",
            "odd": "\xff",
            "huge": "gm_live_" + "A" * 5000,
        }

        answers = set()
        for secret in wrong.values():
            headers = [{"X-API-Key": secret}]
            if secret.startswith("gm_"):
                headers.append({"Authorization": f"Bearer {secret}"})
            for each in headers:
                response = client.get("/events/", headers=each)
                said = {k: v for k, v in response.json.items() if k != "request_id"}
                answers.add((response.status_code, str(said)))

        assert len(answers) == 1
        assert answers.pop()[0] == 401
        assert client.get("/events/", headers=showing(good)).status_code == 200

    def test_a_revoked_key_stops_on_the_next_request(self, client, organiser, owner, keys):
        key = key_of(organiser, Scope.CATALOGUE)
        assert client.get("/events/", headers=showing(key)).status_code == 200

        client.delete(f"{keys}/{key.id}", headers=owner)

        assert client.get("/events/", headers=showing(key)).status_code == 401

    def test_a_key_ends_with_its_time_and_with_its_organiser(
        self, client, organiser, owner, session
    ):
        key = key_of(organiser, Scope.CATALOGUE)
        passing = ApiKeyFactory(
            organiser_id=organiser.id, expires_at=func.now() + timedelta(hours=1)
        )
        assert client.get("/events/", headers=showing(passing)).status_code == 200

        age(session, passing, hours=2)
        assert client.get("/events/", headers=showing(passing)).status_code == 401
        assert client.delete(f"/organisers/{organiser.id}", headers=owner).status_code == 204
        assert client.get("/events/", headers=showing(key)).status_code == 401

    def test_its_use_is_written_down_once_a_minute(
        self, client, organiser, session, count_statements
    ):
        key = key_of(organiser, Scope.CATALOGUE)

        def note():
            count_statements.clear()
            client.get("/events/", headers=showing(key))
            session.refresh(key)
            written = any("UPDATE api_keys" in statement for statement in count_statements)
            return written, key.last_used_at

        first, second = note(), note()
        age(session, key, minutes=2)
        third = note()

        assert [written for written, _ in (first, second, third)] == [True, False, True]
        assert first[1] == second[1] is not None
        assert third[1] >= first[1]

    def test_the_log_knows_the_key(self, client, organiser, monkeypatch):
        lines = []
        monkeypatch.setattr("utils.request_log.log.info", lambda _e, **facts: lines.append(facts))
        key = key_of(organiser, Scope.CATALOGUE)

        client.get("/events/", headers=showing(key))

        assert lines[0]["caller"] == f"key:{key.id}"
        assert key.secret not in str(lines)


class TestWhatAKeyMayNot:
    @pytest.mark.parametrize("scope", Scope)
    def test_no_key_is_a_person(self, client, organiser, scope, session):
        headers = showing(key_of(organiser, scope))
        somebody = UserFactory()
        before = session.scalar(select(func.count()).select_from(OrganiserMember))
        attempts = [
            ("GET", "/users/me", None),
            ("PATCH", "/users/me", {"name": "Root"}),
            ("POST", "/organisers/", {"name": "Mine", "email": "a@example.com"}),
            ("GET", f"/organisers/{organiser.id}/members", None),
            (
                "POST",
                f"/organisers/{organiser.id}/members",
                {"email": somebody.email, "role": "owner"},
            ),
            ("GET", f"/organisers/{organiser.id}/api_keys", None),
            (
                "POST",
                f"/organisers/{organiser.id}/api_keys",
                {"name": "More", "scopes": list(Scope)},
            ),
            ("POST", "/events/", {"title": "Mine", "organiser_id": organiser.id}),
            ("GET", "/ticket_holders/", None),
            ("POST", "/auth/logout", None),
        ]

        for method, path, body in attempts:
            response = client.open(path, method=method, json=body, headers=headers)
            assert (response.status_code, response.json["code"]) == (403, "forbidden"), path
            assert "No API key" in response.json["detail"]

        session.expire_all()
        assert session.scalar(select(func.count()).select_from(OrganiserMember)) == before
        assert session.scalar(select(func.count()).select_from(ApiKey)) == 1
        assert session.scalar(select(func.count()).select_from(SignIn)) == 0
        assert not session.scalars(select(User).where(User.role != Role.ATTENDEE)).all()

    def test_what_a_scanner_lacks_is_named(self, client, organiser, tier, theirs):
        scanner = showing(key_of(organiser, Scope.DOOR))

        for method, path, body, scopes in [
            ("GET", "/events/", None, ["catalogue", "reports", "sell"]),
            ("GET", f"/shows/{tier.show_id}", None, ["catalogue", "reports", "sell"]),
            ("GET", f"/shows/{tier.show_id}/availability", None, ["catalogue", "reports", "sell"]),
            ("POST", "/bookings/", order(tier), ["sell"]),
            ("POST", "/bookings/quote", {"show_id": 1, "items": order(tier)["items"]}, ["sell"]),
            ("GET", "/bookings/", None, ["reports", "sell"]),
            ("GET", f"/shows/{tier.show_id}/stocks", None, ["catalogue", "reports"]),
            ("GET", "/events/mine", None, ["reports"]),
        ]:
            response = client.open(path, method=method, json=body, headers=scanner)
            assert (response.status_code, response.json["code"]) == (403, "forbidden"), path
            assert response.json["scopes"] == scopes
            assert " or ".join(scopes) in response.json["detail"]

    def test_what_names_no_permission_stays_open(self, client, organiser):
        scanner = showing(key_of(organiser, Scope.DOOR))

        for path in ("/health", "/ready", "/problems/", "/problems/test-key", "/openapi.json"):
            assert client.get(path, headers=scanner).status_code == 200

    def test_a_door_key_admits_at_its_organisers_shows_alone(
        self, client, organiser, tier, theirs, sold
    ):
        scanner = showing(key_of(organiser, Scope.DOOR))
        code = sold(tier)["tickets"][0]["code"]
        other_code = sold(theirs)["tickets"][0]["code"]
        here, there = (f"/shows/{each.show_id}" for each in (tier, theirs))

        admitted = client.post(f"{here}/check_ins", json={"code": code}, headers=scanner)

        assert admitted.status_code == 201
        for path in ("attendees", "attendees.csv", "check_ins"):
            assert client.get(f"{here}/{path}", headers=scanner).status_code == 200
            assert client.get(f"{there}/{path}", headers=scanner).status_code == 403
        assert (
            client.post(
                f"{there}/check_ins", json={"code": other_code}, headers=scanner
            ).status_code
            == 403
        )
        wrong = client.post(f"{here}/check_ins", json={"code": other_code}, headers=scanner)
        assert (wrong.status_code, wrong.json["code"]) == (404, "unknown-ticket")
        [entry] = client.get(f"{here}/check_ins", headers=scanner).json["items"]
        assert entry["ticket_id"] == admitted.json["ticket_id"]


class TestReading:
    @pytest.fixture
    def drafts(self, organiser):
        """A draft of the organiser, and one of somebody else."""
        return [
            EventFactory(organiser=each, status=EventStatus.DRAFT, published_at=None)
            for each in (organiser, OrganiserFactory())
        ]

    @pytest.mark.parametrize("scope", [Scope.CATALOGUE, Scope.REPORTS])
    def test_drafts_of_its_organiser_and_no_others(self, client, organiser, drafts, scope):
        headers = showing(key_of(organiser, scope))
        mine, other = drafts
        shows = [ShowFactory(event=event) for event in drafts]

        listed = client.get("/events/?status=draft", headers=headers).json["items"]

        assert [event["id"] for event in listed] == [mine.id]
        assert client.get(f"/events/{mine.id}", headers=headers).status_code == 200
        assert client.get(f"/events/{other.id}", headers=headers).status_code == 404
        assert [
            client.get(f"/shows/{show.id}/availability", headers=headers).status_code
            for show in shows
        ] == [200, 404]

    def test_a_shop_sees_what_the_public_sees(self, client, drafts, shop, tier, theirs):
        mine, _ = drafts

        assert client.get("/events/?status=draft", headers=shop).json["items"] == []
        assert client.get(f"/events/{mine.id}", headers=shop).status_code == 404
        for each, status in ((tier, 200), (theirs, 403)):
            path = f"/shows/{each.show_id}/availability"
            assert client.get(path, headers=shop).json == client.get(path).json
            quoted = {"show_id": each.show_id, "items": order(each)["items"]}
            assert client.post("/bookings/quote", json=quoted, headers=shop).status_code == status
        draft = TierFactory(show=ShowFactory(event=mine))
        assert client.post("/bookings/", json=order(draft), headers=shop).status_code == 404

    def test_stocks_of_its_organiser_and_no_others(self, client, organiser, tier, theirs):
        headers = showing(key_of(organiser, Scope.CATALOGUE))
        mine, other = StockFactory(show=tier.show), StockFactory(show=theirs.show)

        assert client.get(f"/shows/{tier.show_id}/stocks", headers=headers).status_code == 200
        assert client.get(f"/shows/{theirs.show_id}/stocks", headers=headers).status_code == 404
        assert client.get(f"/stocks/{mine.id}", headers=headers).status_code == 200
        assert client.get(f"/stocks/{other.id}", headers=headers).status_code == 404
        assert "stocks" in client.get(f"/tiers/{tier.id}", headers=headers).json
        assert "stocks" not in client.get(f"/tiers/{theirs.id}", headers=headers).json

    def test_counts_of_its_organiser_and_no_others(self, client, organiser, tier, theirs, sold):
        headers = showing(key_of(organiser, Scope.REPORTS))
        sold(tier)

        mine = client.get(f"/shows/{tier.show_id}/availability", headers=headers).json
        other = client.get(f"/shows/{theirs.show_id}/availability", headers=headers).json

        assert (mine["sold"], mine["held"]) == (1, 0)
        assert "sold" not in other
        catalogue = showing(key_of(organiser, Scope.CATALOGUE))
        told = client.get(f"/shows/{tier.show_id}/availability", headers=catalogue).json
        assert "sold" not in told

    def test_reports_read_all_of_its_organiser_and_change_nothing(
        self, client, organiser, tier, theirs, sold, shop
    ):
        headers = showing(key_of(organiser, Scope.REPORTS))
        mine, other = sold(tier), sold(theirs)
        held = client.post("/bookings/", json=order(tier), headers=shop).json

        listed = client.get("/bookings/", headers=headers).json["items"]
        filtered = client.get(f"/bookings/?show_id={tier.show_id}&all=true", headers=headers)
        others = client.get(f"/bookings/?show_id={theirs.show_id}", headers=headers)
        by_reference = client.get(f"/bookings/?reference={other['reference']}", headers=headers)

        assert [booking["id"] for booking in listed] == [held["id"], mine["id"]]
        assert filtered.json["items"] == listed
        assert others.json["items"] == by_reference.json["items"] == []
        assert client.get(f"/bookings/{mine['id']}", headers=headers).status_code == 200
        assert client.get(f"/bookings/{other['id']}", headers=headers).status_code == 404
        events = client.get("/events/mine", headers=headers).json["items"]
        assert [event["id"] for event in events] == [tier.event_id]
        here, there = (f"/shows/{each.show_id}/attendees" for each in (tier, theirs))
        assert len(client.get(here, headers=headers).json["items"]) == 1
        assert client.get(there, headers=headers).status_code == 403
        code = {"code": mine["tickets"][0]["code"]}
        for method, path, body in [
            ("POST", f"/shows/{tier.show_id}/check_ins", code),
            ("DELETE", f"/bookings/{mine['id']}", None),
            ("PATCH", f"/bookings/{mine['id']}", {"note": "x"}),
            ("POST", "/bookings/", order(tier)),
        ]:
            refused = client.open(path, method=method, json=body, headers=headers)
            assert (refused.status_code, refused.json["code"]) == (403, "forbidden"), path


class TestSelling:
    def test_in_the_buyers_name_through_its_own_channel(self, client, organiser, tier, session):
        key = key_of(organiser, Scope.SELL)

        placed = client.post("/bookings/", json=order(tier, 2), headers=showing(key))

        booking = placed.json
        assert placed.status_code == 201
        assert (booking["channel"], booking["user_id"]) == ("api", None)
        assert booking["ticket_holder"]["email"] == BUYER["email"]
        assert booking["next"][0] == {
            "action": "confirm",
            "method": "POST",
            "href": f"/bookings/{booking['id']}/confirm",
            "by": "shop",
        }
        row = session.get(Booking, booking["id"])
        assert (row.sold_by_key_id, row.sold_by_user_id) == (key.id, None)
        secret = {"Booking-Secret": booking["secret"]}
        assert client.get(f"/bookings/{booking['id']}", headers=secret).status_code == 200
        assert client.post(f"/bookings/{booking['id']}/confirm", headers=secret).status_code == 409

    def test_the_shop_has_taken_the_money(self, client, shop, tier):
        booking = client.post("/bookings/", json=order(tier), headers=shop).json
        here = f"/bookings/{booking['id']}"

        confirmed = client.post(f"{here}/confirm", headers=shop)
        at_once = client.post("/bookings/", json=order(tier, confirm=True), headers=shop)

        for answer in (confirmed, at_once):
            assert answer.json["status"] == "confirmed"
            assert len(answer.json["tickets"]) == 1
        assert len(at_once.json["secret"]) == 32

    def test_what_it_sold_it_can_change_and_give_back(self, client, shop, tier):
        booking = client.post("/bookings/", json=order(tier), headers=shop).json
        here = f"/bookings/{booking['id']}"
        items = {"items": [{"tier_id": tier.id, "quantity": 2}]}

        assert client.get(here, headers=shop).status_code == 200
        assert len(client.put(f"{here}/items", json=items, headers=shop).json["places"]) == 2
        assert client.post(f"{here}/extend", headers=shop).json["extended"] is True
        assert client.patch(here, json={"note": "Row 1"}, headers=shop).json["note"] == "Row 1"
        assert client.delete(here, headers=shop).json["status"] == "cancelled"
        listed = client.get("/bookings/", headers=shop).json["items"]
        assert [each["id"] for each in listed] == [booking["id"]]

    def test_another_key_of_the_shops_organiser_goes_on(self, client, organiser, shop, tier):
        booking = client.post("/bookings/", json=order(tier), headers=shop).json
        colleague = showing(key_of(organiser, Scope.SELL))

        confirmed = client.post(f"/bookings/{booking['id']}/confirm", headers=colleague)

        assert confirmed.json["status"] == "confirmed"

    def test_nobody_elses_bookings_are_there(self, client, organiser, shop, tier, theirs, sold):
        web, other = sold(tier), sold(theirs)
        their_shop = showing(key_of(theirs.event.organiser, Scope.SELL))
        api = client.post("/bookings/", json=order(theirs), headers=their_shop).json

        for booking in (web, other, api):
            here = f"/bookings/{booking['id']}"
            for method, path, body in [
                ("GET", here, None),
                ("PATCH", here, {"note": "x"}),
                ("DELETE", here, None),
                ("POST", f"{here}/confirm", None),
                ("POST", f"{here}/extend", None),
            ]:
                answer = client.open(path, method=method, json=body, headers=shop)
                assert answer.status_code == 404, path
            for query in (
                "",
                "?all=true",
                f"?show_id={booking['show_id']}",
                f"?reference={booking['reference']}",
            ):
                assert client.get(f"/bookings/{query}", headers=shop).json["items"] == []
        assert [
            row["id"] for row in client.get("/bookings/", headers=their_shop).json["items"]
        ] == [api["id"]]

    def test_with_reports_too_it_reads_more_and_changes_no_more(
        self, client, organiser, tier, sold
    ):
        headers = showing(key_of(organiser, Scope.SELL, Scope.REPORTS))
        here = f"/bookings/{sold(tier)['id']}"

        assert client.get(here, headers=headers).status_code == 200
        assert client.delete(here, headers=headers).status_code == 403
        assert client.patch(here, json={"note": "x"}, headers=headers).status_code == 403

    def test_what_changes_hands_is_not_the_shops_any_more(self, client, shop, tier, as_user):
        booking = client.post("/bookings/", json=order(tier), headers=shop).json
        other = OrganiserFactory()
        moved = client.patch(
            f"/events/{tier.event_id}",
            json={"organiser_id": other.id},
            headers=as_user(AdminFactory()),
        )
        assert moved.status_code == 200

        assert client.get(f"/bookings/{booking['id']}", headers=shop).status_code == 404
        assert client.get("/bookings/", headers=shop).json["items"] == []
        assert client.post("/bookings/", json=order(tier), headers=shop).status_code == 403

    def test_another_organisers_show_is_not_its_to_sell(self, client, shop, theirs, session):
        response = client.post("/bookings/", json=order(theirs), headers=shop)

        assert (response.status_code, response.json["permission"]) == (403, "booking:place")
        assert session.scalar(select(func.count()).select_from(Booking)) == 0

    @pytest.mark.parametrize(
        ("more", "status", "word"),
        [
            ({"buyer": None}, 400, "buyer"),
            ({"channel": "desk"}, 403, "desk"),
            ({"channel": "comp", "comp_reason": "Press"}, 403, "comps"),
            ({"buyer": None, "ticket_holder_id": 1}, 400, "ticket_holder_id"),
            ({"channel": "api"}, 400, "channel"),
        ],
    )
    def test_what_a_shop_is_refused(self, client, shop, tier, session, more, status, word):
        wanted = {name: value for name, value in order(tier, **more).items() if value is not None}

        response = client.post("/bookings/", json=wanted, headers=shop)

        assert response.status_code == status
        assert word in response.json["detail"]
        assert session.scalar(select(func.count()).select_from(Booking)) == 0

    def test_the_buyers_limit_holds_across_shops_and_the_web(self, client, shop, organiser, tier):
        tier.max_per_buyer = 3
        another = showing(key_of(organiser, Scope.SELL))
        plus = order(tier, 1, buyer={**BUYER, "email": "Asha+2@example.com"})

        first = client.post("/bookings/", json=order(tier, 2), headers=shop)
        web = client.post("/bookings/", json=plus)
        more = client.post("/bookings/", json=order(tier), headers=another)
        somebody = {"name": "B", "email": "b@example.com"}
        other = client.post("/bookings/", json=order(tier, 3, buyer=somebody), headers=shop)

        assert [answer.status_code for answer in (first, web, more, other)] == [201, 201, 409, 201]
        assert (more.json["code"], more.json["have"]) == ("limit-reached", 3)

    def test_started_shows_are_the_organisers_to_cancel(self, client, shop, tier, session):
        booking = client.post("/bookings/", json=order(tier, confirm=True), headers=shop).json
        session.execute(text("UPDATE shows SET starts_at = now() - interval '1 hour'"))
        session.commit()

        response = client.delete(f"/bookings/{booking['id']}", headers=shop)

        assert (response.status_code, response.json["code"]) == (409, "booking-moved-on")

    def test_an_idempotency_key_is_the_api_keys_own(self, client, organiser, tier):
        first, second = (key_of(organiser, Scope.SELL) for _ in range(2))
        named = {"Idempotency-Key": "order-1"}

        answers = [
            client.post("/bookings/", json=order(tier), headers={**showing(key), **named})
            for key in (first, first, second)
        ]

        assert [answer.status_code for answer in answers] == [201, 201, 201]
        ids = [answer.json["id"] for answer in answers]
        assert ids[0] == ids[1] != ids[2]
        assert answers[1].headers["Idempotent-Replayed"] == "true"

    def test_it_has_a_lost_secret_mailed_for_its_own_sales_alone(self, client, shop, tier, session):
        own = client.post("/bookings/", json=order(tier), headers=shop).json
        web = client.post("/bookings/", json=order(tier)).json

        for booking in (own, web):
            asked = {"email": BUYER["email"], "reference": booking["reference"]}
            answer = client.post("/bookings/recover", json=asked, headers=shop)
            assert answer.status_code == 202

        mails = session.scalars(
            select(OutboxMessage).where(OutboxMessage.topic == "mail.booking_secret")
        ).all()
        assert [mail.payload["booking_id"] for mail in mails] == [own["id"]]


class TestTestMode:
    @pytest.fixture
    def trial(self, organiser):
        return showing(key_of(organiser, *Scope, mode=KeyMode.TEST))

    def test_it_holds_changes_and_gives_back(self, client, trial, tier):
        booking = client.post("/bookings/", json=order(tier), headers=trial).json
        here = f"/bookings/{booking['id']}"
        items = {"items": [{"tier_id": tier.id, "quantity": 2}]}

        assert booking["status"] == "held"
        assert client.put(f"{here}/items", json=items, headers=trial).status_code == 200
        assert client.post(f"{here}/extend", headers=trial).status_code == 200
        assert client.delete(here, headers=trial).json["status"] == "cancelled"

    @pytest.mark.parametrize("price", [0, 1_000_00])
    def test_nothing_it_does_lasts(self, client, trial, organiser, session, as_user, price):
        tier = TierFactory(show=ShowFactory(event=EventFactory(organiser=organiser)), price=price)
        booking = client.post("/bookings/", json=order(tier), headers=trial).json
        asked = {"email": BUYER["email"], "reference": booking["reference"]}
        confirm = f"/bookings/{booking['id']}/confirm"

        for path, body, headers in [
            (confirm, None, trial),
            ("/bookings/", order(tier, confirm=True), trial),
            ("/bookings/recover", asked, trial),
            (f"/shows/{tier.show_id}/check_ins", {"code": "X" * 20}, trial),
            # Nor does what it holds become a sale by anybody else's hand.
            (confirm, None, {"Booking-Secret": booking["secret"]}),
            (confirm, None, as_user(member(organiser))),
            (confirm, None, as_user(AdminFactory())),
        ]:
            response = client.post(path, json=body, headers=headers)
            assert (response.status_code, response.json["code"]) == (403, "test-key"), path

        session.expire_all()
        assert session.scalars(select(Booking.status)).all() == ["held"]
        assert session.scalars(select(OutboxMessage)).all() == []

    def test_neither_sees_what_the_other_mode_sold(self, client, organiser, shop, tier):
        trial = showing(key_of(organiser, Scope.SELL, mode=KeyMode.TEST))
        real = client.post("/bookings/", json=order(tier), headers=shop).json
        tried = client.post("/bookings/", json=order(tier), headers=trial).json

        for booking, headers, other in ((real, shop, trial), (tried, trial, shop)):
            listed = client.get("/bookings/", headers=headers).json["items"]
            assert [row["id"] for row in listed] == [booking["id"]]
            assert client.delete(f"/bookings/{booking['id']}", headers=other).status_code == 404

    def test_a_test_key_of_the_door_and_reports_changes_no_real_booking(
        self, client, trial, tier, sold
    ):
        here = f"/bookings/{sold(tier)['id']}"

        assert client.get(here, headers=trial).status_code == 200
        for method, body in (("PATCH", {"note": "x"}), ("DELETE", None)):
            assert client.open(here, method=method, json=body, headers=trial).status_code == 403


def test_reading_with_a_key_costs_one_statement_more(client, shop, tier, count_statements):
    client.get(f"/events/{tier.event_id}", headers=shop)  # notes its use
    count_statements.clear()
    client.get(f"/events/{tier.event_id}")
    alone = len(count_statements)
    count_statements.clear()
    client.get(f"/events/{tier.event_id}", headers=shop)

    assert len(count_statements) == alone + 1
