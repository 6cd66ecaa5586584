"""What keeps a few from spoiling it for all: guesses, hoards, floods, strange pages."""

import sys
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, text

import main
from config import ConfigurationError, settings
from controllers import rate_limits
from controllers.callers import tokens_for
from models import FailedGuess
from services.auth_service import SignedIn
from tests.factories import SignInFactory, TierFactory, UserFactory
from utils import cors
from utils.rate_counts import BoundedCounts

PASSWORD = "correct horse battery"
HOME, ELSEWHERE = "203.0.113.7", "198.51.100.9"


@pytest.fixture
def asha(client):
    account = {"email": "asha@example.com", "password": PASSWORD, "name": "Asha"}
    return client.post("/auth/register", json=account).json["user"]


@pytest.fixture
def configured():
    """`configured(name=value)`: settings for one test."""
    before = {}

    def configure(**values):
        before.update({name: getattr(settings, name) for name in values if name not in before})
        settings.update(**values)

    yield configure
    settings.update(**before)


def from_address(address):
    return {"environ_base": {"REMOTE_ADDR": address}}


def guess(client, email="asha@example.com", password="wrong", address=HOME):
    body = {"email": email, "password": password}
    return client.post("/auth/login", json=body, **from_address(address))


def statuses(answers):
    return [answer.status_code for answer in answers]


def age_guesses(session, minutes):
    aged = "UPDATE failed_guesses SET first_at = first_at - CAST(:by AS interval)"
    session.execute(text(aged), {"by": timedelta(minutes=minutes)})
    session.commit()


@pytest.fixture
def limited(app, configured):
    """`limited(sell_limit=...)`: rate limits are on, and nothing is counted yet."""

    def on(**values):
        configured(rate_limits=True, **values)
        rate_limits.counting.begin(Flask("elsewhere"))

    yield on
    configured(ratelimit_storage_uri="memory://")
    rate_limits.counting.begin(Flask("elsewhere"))


class TestGuessing:
    def test_a_hundred_wrong_passwords_are_refused_after_a_few(self, client, asha):
        answers = [guess(client) for _ in range(100)]

        assert statuses(answers) == [401] * 5 + [429] * 95
        assert answers[-1].json["code"] == "too-many-requests"
        assert 0 < int(answers[-1].headers["Retry-After"]) <= 15 * 60

    def test_what_is_refused_costs_no_hash(self, client, asha, monkeypatch):
        for _ in range(5):
            guess(client)
        monkeypatch.setattr("utils.passwords.matches", None)  # to call it would be a 500

        assert guess(client, password=PASSWORD).status_code == 429

    def test_the_owner_still_comes_in_from_elsewhere(self, client, asha):
        for _ in range(100):
            guess(client, address=ELSEWHERE)

        assert guess(client, password=PASSWORD).status_code == 200

    def test_the_window_ends_however_much_is_refused_meanwhile(self, client, asha, session):
        for _ in range(10):
            guess(client)
        age_guesses(session, minutes=14)
        assert guess(client, password=PASSWORD).status_code == 429
        age_guesses(session, minutes=1)

        assert guess(client, password=PASSWORD).status_code == 200

    def test_a_new_window_counts_from_one(self, client, asha, session):
        for _ in range(4):
            guess(client)
        age_guesses(session, minutes=15)

        assert statuses(guess(client) for _ in range(6)) == [401] * 5 + [429]

    def test_the_right_password_wipes_out_a_few_wrong_ones(self, client, asha):
        for _ in range(3):
            assert statuses(guess(client) for _ in range(4)) == [401] * 4
            assert guess(client, password=PASSWORD).status_code == 200

    def test_nobody_learns_from_it_whether_there_is_an_account(self, client, asha):
        known = [guess(client, address=HOME) for _ in range(7)]
        unknown = [guess(client, email="nobody@example.com", address=HOME) for _ in range(7)]

        assert statuses(known) == statuses(unknown) == [401] * 5 + [429] * 2
        for one, other in zip(known, unknown, strict=True):
            said = [{**answer.json, "request_id": ""} for answer in (one, other)]
            assert said[0] == said[1]

    def test_an_address_may_not_go_through_many_accounts(self, client):
        answers = [guess(client, email=f"{n}@example.com") for n in range(40)]

        assert statuses(answers) == [401] * 30 + [429] * 10
        assert guess(client, email="1@example.com", address=ELSEWHERE).status_code == 401

    def test_many_addresses_may_not_go_through_one_account(self, client, asha):
        answers = [guess(client, address=f"192.0.2.{n}") for n in range(60)]

        assert statuses(answers) == [401] * 50 + [429] * 10

    def test_then_the_owner_comes_in_from_where_they_did_before(self, client, asha, session):
        answer = guess(client, password=PASSWORD, address=HOME)
        session.execute(text("UPDATE sign_ins SET address = :home"), {"home": HOME})
        session.commit()
        for n in range(60):
            guess(client, address=f"192.0.2.{n}")

        answer = guess(client, password=PASSWORD, address=HOME)
        assert answer.status_code == 200
        assert guess(client, password=PASSWORD, address=ELSEWHERE).status_code == 429

    def test_one_household_is_one_address(self, client, asha):
        answers = [guess(client, address=f"2001:db8:1:2::{n}") for n in range(1, 8)]

        assert statuses(answers) == [401] * 5 + [429] * 2

    def test_the_oauth2_form_counts_the_same(self, client, asha):
        form = {"username": "Asha@Example.com", "password": "wrong"}
        answers = [client.post("/auth/token", data=form, **from_address(HOME)) for _ in range(6)]

        assert statuses(answers) == [401] * 5 + [429]
        assert guess(client).status_code == 429

    def test_digests_say_nothing_of_whom_or_where(self, client, asha, session):
        guess(client)

        kept = b"".join(session.scalars(select(FailedGuess.about)))
        assert len(kept) == 3 * 32
        assert b"asha" not in kept

    def test_old_counts_are_swept_up_by_who_counts(self, client, session):
        for n in range(3):
            guess(client, email=f"{n}@example.com", address=f"192.0.2.{n}")
        age_guesses(session, minutes=20)
        guess(client)

        assert session.scalar(select(func.count()).select_from(FailedGuess)) == 3


class TestHolding:
    """Holding and dropping in a cycle keeps places from others as well as buying does."""

    def hold(self, client, tier, who, quantity=4):
        body = {"show_id": tier.show_id, "items": [{"tier_id": tier.id, "quantity": quantity}]}
        guest = {"buyer": {"name": "G", "email": who}} if isinstance(who, str) else {}
        return client.post(
            "/bookings/", json=body | guest, headers=who if isinstance(who, dict) else {}
        )

    def age(self, session, **by):
        session.execute(
            text("UPDATE bookings SET held_at = held_at - :by, held_until = held_until - :by"),
            {"by": timedelta(**by)},
        )
        session.commit()

    def cycle(self, client, session, tier, who, times):
        """Hold four places and let them run out, again and again: 60 place-minutes each time."""
        for _ in range(times):
            answer = self.hold(client, tier, who)
            if answer.status_code != 201:
                return answer
            self.age(session, minutes=16)
        return self.hold(client, tier, who)

    def test_a_cycle_of_holds_runs_out(self, client, as_user, session):
        answer = self.cycle(client, session, TierFactory(), as_user(UserFactory()), times=20)

        assert (answer.status_code, answer.json["code"]) == (429, "cool-down")
        # The first of ten was held 160 minutes ago.
        wait = int(answer.headers["Retry-After"])
        assert (24 * 60 - 161) * 60 < wait <= (24 * 60 - 160) * 60

    def test_shrinking_a_basket_just_before_its_end_saves_nothing(self, client, as_user, session):
        tier, headers, answers = TierFactory(), as_user(UserFactory()), []
        one = {"items": [{"tier_id": tier.id, "quantity": 1}]}
        for _ in range(12):
            held = self.hold(client, tier, headers)
            answers.append(held.json.get("code", "held"))
            if held.status_code != 201:
                break
            self.age(session, minutes=14, seconds=50)
            path = f"/bookings/{held.json['id']}"
            assert client.put(f"{path}/items", json=one, headers=headers).status_code == 200
            assert client.delete(path, headers=headers).status_code == 200

        assert answers == ["held"] * 11 + ["cool-down"]  # of almost 60 place-minutes each

    def test_a_cycle_of_holds_and_cancellations_does_too(self, client, as_user, configured):
        configured(hold_budget_minutes=20)
        tier, headers = TierFactory(), as_user(UserFactory())
        for _ in range(5):  # four places, each a minute at least
            held = self.hold(client, tier, headers).json
            assert client.delete(f"/bookings/{held['id']}", headers=headers).status_code == 200

        assert self.hold(client, tier, headers).json["code"] == "cool-down"

    def test_three_holds_that_run_out_are_nothing(self, client, as_user, session):
        answer = self.cycle(client, session, TierFactory(), as_user(UserFactory()), times=3)

        assert answer.status_code == 201

    def test_nobody_else_and_no_other_show_is_meant(self, client, as_user, session):
        tier, who = TierFactory(), as_user(UserFactory())
        assert self.cycle(client, session, tier, who, times=10).status_code == 429

        assert self.hold(client, tier, as_user(UserFactory())).status_code == 201
        assert self.hold(client, TierFactory(), who).status_code == 201

    def test_a_day_later_it_is_forgotten(self, client, as_user, session):
        tier, who = TierFactory(), as_user(UserFactory())
        assert self.cycle(client, session, tier, who, times=10).status_code == 429
        self.age(session, hours=24)

        assert self.hold(client, tier, who).status_code == 201

    def test_what_is_bought_does_not_count(self, client, as_user, session):
        tier, who = TierFactory(price=0, capacity=100, max_per_buyer=100), as_user(UserFactory())
        for _ in range(12):
            held = self.hold(client, tier, who).json
            self.age(session, minutes=14)
            confirmed = client.post(f"/bookings/{held['id']}/confirm", headers=who)
            assert confirmed.status_code == 200

        assert self.hold(client, tier, who).status_code == 201

    def test_a_mailbox_counts_whatever_tag_it_has(self, client, session):
        tier = TierFactory()
        assert self.cycle(client, session, tier, "a+1@example.com", times=10).status_code == 429

        assert self.hold(client, tier, "A+2@example.com").json["code"] == "cool-down"

    def test_strangers_cannot_use_up_what_an_account_has(self, client, as_user, session):
        tier, owner = TierFactory(), UserFactory()
        assert self.cycle(client, session, tier, owner.email, times=10).status_code == 429

        assert self.hold(client, tier, as_user(owner)).status_code == 201

    def test_it_costs_no_statement(self, client, as_user, configured, count_statements):
        tier, who = TierFactory(), as_user(UserFactory())
        self.hold(client, tier, who, 1)
        count_statements.clear()
        self.hold(client, tier, who, 1)
        counted = [each for each in count_statements if "bookings b" in each]

        assert len(counted) == 1


def told(answer):
    names = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After")
    return {name: int(answer.headers[name]) for name in names if name in answer.headers}


class TestRateLimits:
    def hold(self, client, tier, headers, **more):
        body = {"show_id": tier.show_id, "items": [{"tier_id": tier.id, "quantity": 1}]}
        return client.post("/bookings/", json=body, headers=headers, **more)

    def test_an_account_sells_so_often_and_not_more(self, client, as_user, limited):
        limited(sell_limit="3 per minute")
        tier, headers = TierFactory(), as_user(UserFactory())

        answers = [self.hold(client, tier, headers) for _ in range(5)]

        assert statuses(answers) == [201] * 3 + [429] * 2
        assert [told(answer)["RateLimit-Remaining"] for answer in answers] == [2, 1, 0, 0, 0]
        first, last = told(answers[0]), told(answers[-1])
        assert first["RateLimit-Limit"] == 3
        assert 0 < last["RateLimit-Reset"] <= 60
        assert "Retry-After" not in first
        assert last["Retry-After"] == last["RateLimit-Reset"]
        assert answers[-1].json["code"] == "too-many-requests"
        assert answers[-1].content_type == "application/problem+json"

    def test_what_sells_counts_together(self, client, as_user, limited):
        limited(sell_limit="3 per minute")
        tier, headers = TierFactory(), as_user(UserFactory())
        held = self.hold(client, tier, headers).json
        items = {"items": [{"tier_id": tier.id, "quantity": 1}]}
        quote = {"show_id": tier.show_id, **items}

        answers = [
            client.post("/bookings/quote", json=quote, headers=headers),
            client.put(f"/bookings/{held['id']}/items", json=items, headers=headers),
            client.post(f"/bookings/{held['id']}/extend", headers=headers),
        ]

        assert statuses(answers) == [200, 200, 429]

    def test_others_at_the_same_address_are_not_meant(self, client, as_user, limited):
        limited(sell_limit="1 per minute")
        tier = TierFactory()

        answers = [self.hold(client, tier, as_user(UserFactory())) for _ in range(5)]

        assert statuses(answers) == [201] * 5

    def test_guests_are_limited_by_their_mailbox_alone(self, client, limited):
        limited(sell_limit="1 per minute")
        tier = TierFactory(capacity=20)
        body = {"show_id": tier.show_id, "items": [{"tier_id": tier.id, "quantity": 1}]}

        answers = [
            client.post("/bookings/", json=body | {"buyer": {"name": "G", "email": f"{n}@x.org"}})
            for n in range(5)
        ]

        assert statuses(answers) == [201] * 5
        assert told(answers[0]) == {}

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("/auth/login", {"email": "{n}@example.com", "password": "wrong"}),
            ("/auth/register", {"email": "{n}@example.com", "password": "x" * 10, "name": "N"}),
            ("/bookings/recover", {"email": "{n}@example.com", "reference": "ABCDEFGHJK"}),
        ],
    )
    def test_an_address_asks_so_often(self, client, limited, path, body):
        limited(account_limit="4 per minute")

        def ask(n, address):
            filled = {name: text.replace("{n}", str(n)) for name, text in body.items()}
            return client.post(path, json=filled, **from_address(address))

        answers = [ask(n, HOME) for n in range(6)]

        assert [answer.status_code == 429 for answer in answers] == [False] * 4 + [True] * 2
        assert told(answers[-1])["RateLimit-Remaining"] == 0
        assert ask(9, ELSEWHERE).status_code != 429

    def test_an_account_is_asked_about_so_often_from_anywhere(self, client, limited):
        limited(account_limit="4 per minute")
        body = {"email": "Asha@example.com", "reference": "ABCDEFGHJK"}

        answers = [
            client.post("/bookings/recover", json=body, **from_address(f"192.0.2.{n}"))
            for n in range(6)
        ]

        assert statuses(answers) == [202] * 4 + [429] * 2

    def test_a_refresh_token_counts_by_itself_and_not_by_its_address(self, client, limited):
        limited(account_limit="4 per minute")

        def refresh(token):
            return client.post("/auth/refresh", json={"refresh_token": token}).status_code

        theirs = [tokens_for(SignedIn(UserFactory(), SignInFactory().id)) for _ in range(6)]
        first, *others = [tokens["refresh_token"] for tokens in theirs]
        assert [refresh(first) for _ in range(6)] == [401] * 4 + [429] * 2
        assert [refresh(token) for token in others] == [401] * 5
        # What is none of ours counts by the network.
        assert [refresh(f"junk {n}") for n in range(6)] == [401] * 4 + [429] * 2

    def test_the_tightest_of_several_limits_is_told(self, client, as_user, limited):
        limited(sell_limit="100 per hour; 5 per minute")

        answer = self.hold(client, TierFactory(), as_user(UserFactory()))

        assert told(answer) | {"RateLimit-Reset": 0} == {
            "RateLimit-Limit": 5,
            "RateLimit-Remaining": 4,
            "RateLimit-Reset": 0,
        }

    def test_what_has_no_limit_is_not_counted(self, client, as_user, limited, monkeypatch):
        limited()
        monkeypatch.setattr(rate_limits, "counting", None)  # to ask it would be a 500
        headers = as_user(UserFactory())

        for path in ("/events/", "/bookings/", "/users/me", "/health"):
            answer = client.get(path, headers=headers)
            assert (answer.status_code, told(answer)) == (200, {})

    def test_off_is_off(self, client, as_user, configured):
        configured(sell_limit="1 per minute", rate_limits=False)
        tier, headers = TierFactory(), as_user(UserFactory())

        assert statuses(self.hold(client, tier, headers) for _ in range(3)) == [201] * 3

    def test_a_redis_that_nobody_serves_does_not_stop_the_sale(
        self, client, as_user, limited, monkeypatch
    ):
        pytest.importorskip("redis")
        lines = []
        monkeypatch.setattr(rate_limits.log, "warning", lambda *said, **_: lines.append(said))
        limited(ratelimit_storage_uri="redis://127.0.0.1:1", sell_limit="3 per minute")
        tier, headers = TierFactory(), as_user(UserFactory())

        answers = [self.hold(client, tier, headers) for _ in range(4)]

        assert statuses(answers) == [201] * 3 + [429]  # counted here meanwhile
        assert len(lines) == 1

    @pytest.mark.parametrize("uri", ["nowhere://x", "redis", "redis://h:port"])
    def test_a_store_that_is_not_there_refuses_the_start(self, configured, uri):
        configured(ratelimit_storage_uri=uri)

        with pytest.raises(ConfigurationError, match=r"RATELIMIT_STORAGE_URI"):
            rate_limits.counting.begin(Flask("elsewhere"))

    def test_a_redis_without_its_package_refuses_the_start(self, configured, monkeypatch):
        monkeypatch.setitem(sys.modules, "redis", None)
        configured(ratelimit_storage_uri="redis://127.0.0.1:1")

        with pytest.raises(ConfigurationError, match=r"pip install redis"):
            rate_limits.counting.begin(Flask("elsewhere"))

    @pytest.mark.parametrize("text", ["often", "0 per minute", "5 per", "-1 per minute"])
    def test_a_limit_that_says_nothing_refuses_the_start(self, configured, text):
        configured(sell_limit=text)

        with pytest.raises(ConfigurationError, match=r"SELL_LIMIT"):
            rate_limits.register_rate_limits(Flask("elsewhere"))

    def test_a_million_keys_do_not_fill_the_memory(self):
        counts = BoundedCounts()
        for number in range(1_000_000):
            counts.incr(f"LIMITER/{number}", 60)

        assert counts.size == counts.most
        assert counts.incr("LIMITER/999999", 60) == 2
        assert counts.incr("LIMITER/0", 60) == 1


class TestCounts:
    def test_a_window_ends_and_begins_anew(self, monkeypatch):
        clock = [1000.0]
        monkeypatch.setattr("utils.rate_counts.time.time", lambda: clock[0])
        counts = BoundedCounts()

        assert [counts.incr("a", 60), counts.incr("a", 60), counts.incr("b", 60)] == [1, 2, 1]
        assert counts.get_expiry("a") == 1060
        clock[0] = 1060
        assert counts.get("a") == 0
        assert counts.incr("a", 60) == 1
        assert counts.get("b") == 0


class TestProxies:
    @pytest.fixture
    def behind(self, app, configured, monkeypatch):
        """`behind(n)`: the app as it is with so many trusted proxies."""

        def behind(count):
            configured(trusted_proxies=count)
            monkeypatch.setattr(app, "wsgi_app", app.wsgi_app)  # put back afterwards
            main._believe_proxies(app)

        return behind

    def guess(self, client, n, forwarded):
        body = {"email": f"{n}@example.com", "password": "wrong"}
        headers = {"X-Forwarded-For": forwarded}
        return client.post("/auth/login", json=body, headers=headers, **from_address(HOME))

    def test_by_itself_nobody_is_who_they_say(self, client, behind):
        behind(0)
        answers = [self.guess(client, n, f"192.0.2.{n}") for n in range(31)]

        assert statuses(answers) == [401] * 30 + [429]

    def test_a_trusted_proxy_tells_who_asks(self, client, behind):
        behind(1)
        answers = [self.guess(client, n, f"6.6.6.6, 192.0.2.{n}") for n in range(31)]

        assert statuses(answers) == [401] * 31

    def test_what_is_sent_through_the_proxy_changes_nothing(self, client, behind):
        behind(1)
        answers = [self.guess(client, n, f"192.0.2.{n}, 198.51.100.1") for n in range(31)]

        assert statuses(answers) == [401] * 30 + [429]


PREFLIGHT = {"Access-Control-Request-Method": "POST"}
SHOP = "https://shop.example.com"


class TestOtherOrigins:
    @pytest.fixture
    def open_to(self, app, configured, monkeypatch):
        """`open_to(origins)`: a client of the app as it is with these CORS_ORIGINS."""

        def open_to(origins):
            configured(cors_origins=origins)
            after = {None: list(app.after_request_funcs.get(None, ()))}
            monkeypatch.setattr(app, "after_request_funcs", after)
            monkeypatch.setattr(app, "_got_first_request", False)
            cors.register_cors(app)

        return open_to

    def test_none_are_let_in_unless_configured(self, client):
        answer = client.get("/events/", headers={"Origin": SHOP})
        asked = client.options("/bookings/", headers={"Origin": SHOP} | PREFLIGHT)

        for headers in (answer.headers, asked.headers):
            assert not [name for name, _ in headers if name.startswith("Access-Control")]

    def test_those_configured_are_and_no_others(self, client, open_to):
        open_to(f"{SHOP}, http://localhost:3000")

        def allowed(origin):
            answer = client.get("/events/", headers={"Origin": origin})
            return answer.headers.get("Access-Control-Allow-Origin")

        assert allowed(SHOP) == SHOP
        assert allowed("http://localhost:3000") == "http://localhost:3000"
        for other in ("https://evil.example.com", f"{SHOP}.evil.com", "http://shop.example.com"):
            assert allowed(other) is None
        assert allowed("null") is None

    def test_a_page_may_send_and_read_what_the_contract_has(self, client, open_to):
        open_to(SHOP)
        wanted = "authorization, content-type, idempotency-key, booking-secret, if-match"
        asked = client.options(
            "/bookings/",
            headers={"Origin": SHOP, "Access-Control-Request-Headers": wanted} | PREFLIGHT,
        )
        answer = client.get("/nowhere", headers={"Origin": SHOP})

        assert asked.status_code == 200
        sendable = asked.headers["Access-Control-Allow-Headers"].lower()
        assert set(wanted.split(", ")) <= set(sendable.split(", "))
        assert "POST" in asked.headers["Access-Control-Allow-Methods"]
        assert int(asked.headers["Access-Control-Max-Age"]) > 0
        readable = answer.headers["Access-Control-Expose-Headers"].split(", ")
        assert {"ETag", "Location", "Retry-After", "RateLimit-Remaining"} <= set(readable)
        assert "Origin" in ", ".join(answer.headers.getlist("Vary"))
        for headers in (asked.headers, answer.headers):
            assert "Access-Control-Allow-Credentials" not in headers

    @pytest.mark.parametrize(
        "path", ["/users/me", "/bookings/1/confirm", "/shows/1/check_ins", "/events/1"]
    )
    def test_a_browser_may_ask_beforehand_without_signing_in(self, client, open_to, path):
        open_to(SHOP)

        asked = client.options(path, headers={"Origin": SHOP} | PREFLIGHT)

        assert asked.status_code == 200
        assert asked.headers["Access-Control-Allow-Origin"] == SHOP

    def test_all_may_be_let_in(self, client, open_to):
        open_to("*")

        answer = client.get("/events/", headers={"Origin": "https://anywhere.example.com"})

        assert answer.headers["Access-Control-Allow-Origin"] == "*"

    @pytest.mark.parametrize(
        "origins",
        ["shop.example.com", f"{SHOP}/", f"{SHOP}, *", "https://*.example.com", "null", "https://"],
    )
    def test_what_is_no_origin_refuses_the_start(self, configured, origins):
        configured(cors_origins=origins)

        with pytest.raises(ConfigurationError, match=r"CORS_ORIGINS"):
            cors.register_cors(Flask("elsewhere"))


class TestHeaders:
    @pytest.mark.parametrize("path", ["/health", "/events/", "/nowhere", "/bookings/", "/docs/"])
    def test_every_answer_tells_browsers_what_not_to_do(self, client, path):
        headers = client.get(path).headers

        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "Strict-Transport-Security" not in headers

    def test_the_api_is_no_page(self, client):
        policy = client.get("/events/").headers["Content-Security-Policy"]

        assert policy == "default-src 'none'; frame-ancestors 'none'"

    def test_the_documentation_asks_nobody_outside(self, client):
        policy = client.get("/docs/").headers["Content-Security-Policy"]

        assert "script-src 'self'" in policy
        assert "http" not in policy

    def test_https_is_kept_to_where_it_is_spoken(self, client, configured):
        configured(env="production")

        secure = client.get("/health", base_url="https://localhost").headers
        plain = client.get("/health", base_url="http://localhost").headers

        assert secure["Strict-Transport-Security"].startswith("max-age=")
        assert "Strict-Transport-Security" not in plain

    def test_tokens_are_not_kept_by_anybody_between(self, client):
        account = {"email": "asha@example.com", "password": PASSWORD, "name": "Asha"}

        for answer in (
            client.post("/auth/register", json=account),
            guess(client, password=PASSWORD),
        ):
            assert answer.headers["Cache-Control"] == "no-store"


class TestSizes:
    def test_a_form_is_no_larger_than_a_body(self, client):
        answer = client.post("/auth/token", data={"username": "x" * 1_000_001, "password": "x"})

        assert (answer.status_code, answer.json["code"]) == (413, "too-large")

    def test_a_form_has_no_more_fields_than_it_is_read_with(self, client):
        many = {f"field{n}": "" for n in range(5_000)}
        answer = client.post("/auth/token", data=many)

        assert answer.status_code in (400, 413)
        assert len(answer.data) < 20_000

    def test_a_query_string_names_few_of_its_mistakes(self, client):
        answer = client.get("/events/?" + "&".join(f"a{n}=1" for n in range(5_000)))

        assert answer.status_code == 400
        assert len(answer.json["errors"]) <= 100

    def test_a_query_is_not_nested(self, client):
        assert client.get("/events/?q[a][b]=1").status_code == 400

    def test_json_is_not_nested_without_end(self, client):
        nested = b"[" * 100_000 + b"]" * 100_000
        answer = client.post("/auth/login", data=nested, content_type="application/json")

        assert answer.status_code == 400
