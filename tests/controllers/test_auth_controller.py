"""/auth, seen from outside."""

import time
from datetime import timedelta

import jwt
import pytest
from sqlalchemy import func, select, update

from config import settings
from controllers import callers
from init import db
from models import AccountLink, AuditEntry, OutboxMessage, SignIn, User
from services import mail_service
from tests.factories import UserFactory
from utils import passwords
from utils.clock import now

ACCOUNT = {"email": "asha@example.com", "password": "correct horse battery", "name": "Asha"}


def bearer(tokens):
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def problem(response):
    return response.status_code, response.json["code"]


@pytest.fixture
def tokens(client):
    """What an account is answered that has just been opened."""
    return client.post("/auth/register", json=ACCOUNT).json


@pytest.fixture
def refreshed(client):
    """What a refresh token is answered."""
    return lambda token: client.post("/auth/refresh", json={"refresh_token": token})


@pytest.fixture
def is_in(client):
    """Whether an access token still lets somebody in."""
    return lambda tokens: client.get("/users/me", headers=bearer(tokens)).status_code == 200


@pytest.fixture
def mailed(client):
    """The tokens of the links in the mails to an address, the newest first."""

    def links(to=ACCOUNT["email"], topic="mail."):
        return [
            queued.letter.link.partition("token=")[2]
            for queued in mail_service.queued(100)
            if queued.letter.to == to and queued.topic.startswith(topic)
        ]

    return links


def let_pass(seconds):
    """Age every sign-in and link by so much."""
    ago = timedelta(seconds=seconds)
    db.session.execute(
        update(SignIn).values(
            created_at=SignIn.created_at - ago, renewed_at=SignIn.renewed_at - ago
        )
    )
    db.session.execute(update(AccountLink).values(expires_at=AccountLink.expires_at - ago))
    db.session.commit()


class TestRegister:
    def test_answers_with_tokens_that_work(self, client):
        tokens = client.post("/auth/register", json=ACCOUNT).json

        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert client.get("/users/me", headers=headers).json["email"] == "asha@example.com"

    def test_refuses_a_second_account_with_the_same_address_in_another_case(self, client):
        client.post("/auth/register", json=ACCOUNT)

        response = client.post("/auth/register", json=ACCOUNT | {"email": "ASHA@Example.com"})

        assert (response.status_code, response.json["code"]) == (409, "email-taken")

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("role", "admin"),
            ("is_admin", True),
            ("id", 1),
            ("email", "nobody"),
            ("password", "short"),
            ("name", " "),
            ("name", "a\x00b"),
        ],
    )
    def test_refuses_what_is_not_offered_and_names_the_field(self, client, field, value):
        response = client.post("/auth/register", json=ACCOUNT | {field: value})

        assert response.status_code == 400
        assert [error["field"] for error in response.json["errors"]] == [field]

    def test_takes_a_whole_profile(self, client):
        profile = {
            "user_name": "Asha.M",
            "first_name": "Asha",
            "last_name": "Mwangi",
            "phone": "+254 700 555 014",
            "date_of_birth": "1990-02-28",
            "avatar_url": "https://example.com/asha.jpg",
        }

        user = client.post("/auth/register", json=ACCOUNT | profile).json["user"]

        assert {name: user[name] for name in profile} == profile
        assert user["email_verified"] is False

    def test_a_user_name_is_one_persons(self, client):
        client.post("/auth/register", json=ACCOUNT | {"user_name": "Asha"})
        other = ACCOUNT | {"email": "b@example.com", "user_name": "aSHA"}

        assert problem(client.post("/auth/register", json=other)) == (409, "user-name-taken")

    @pytest.mark.parametrize(
        ("password", "says"),
        [
            ("Password123", "first that anybody"),
            ("1234567890", "first that anybody"),
            (" QWERTYuiop ", "first that anybody"),
            ("ASHA@example.com", "own name or address"),
            ("Asha Wanjiru Mwangi", "own name or address"),
        ],
    )
    def test_refuses_what_anybody_would_try_first(self, client, password, says):
        account = ACCOUNT | {"password": password, "name": "Asha Wanjiru Mwangi"}

        response = client.post("/auth/register", json=account)

        (error,) = response.json["errors"]
        assert (response.status_code, error["field"]) == (400, "password")
        assert says in error["detail"]

    def test_hashes_before_it_looks_whether_the_address_is_taken(self, client, monkeypatch):
        """Or the time would tell."""
        hashes = []
        hashed = passwords.hashed
        monkeypatch.setattr(passwords, "hashed", lambda p: hashes.append(p) or hashed(p))

        for _ in range(2):
            client.post("/auth/register", json=ACCOUNT)

        assert len(hashes) == 2

    @pytest.mark.parametrize("password", ["é" * 73, "x" * 1024, "🎸" * 100])
    def test_takes_long_passwords_whole(self, client, password):
        client.post("/auth/register", json=ACCOUNT | {"password": password})
        login = {"email": ACCOUNT["email"], "password": password[:-1] + "!"}

        assert client.post("/auth/login", json=login).status_code == 401
        assert client.post("/auth/login", json=login | {"password": password}).status_code == 200


class TestLogin:
    def test_tells_nobody_whether_the_account_exists(self, client):
        client.post("/auth/register", json=ACCOUNT)

        wrong = client.post("/auth/login", json={"email": "asha@example.com", "password": "wrong"})
        unknown = client.post("/auth/login", json={"email": "who@example.com", "password": "wrong"})

        assert wrong.status_code == unknown.status_code == 401
        assert wrong.json["detail"] == unknown.json["detail"]

    def test_an_unknown_address_costs_a_hash_too(self, client, monkeypatch):
        compared = []
        bcrypt = passwords.bcrypt
        check = bcrypt.check_password_hash
        monkeypatch.setattr(
            bcrypt, "check_password_hash", lambda h, p: compared.append(h) or check(h, p)
        )

        client.post("/auth/login", json={"email": "who@example.com", "password": "wrong"})

        assert [known[:7] for known in compared] == [f"$2b${settings.bcrypt_rounds:02}$"]

    @pytest.mark.parametrize(
        ("password", "status"),
        [
            ("x" * 73, 401),
            ("é" * 73, 401),
            ("🎸" * 30, 401),
            ("x" * 1024, 401),
            ("x" * 1025, 400),
            ("x" * 900_000, 400),
            ("x" * 1_000_001, 413),
            ("with\x00NUL-inside", 400),
        ],
        ids=["73 bytes", "146 bytes", "emoji", "1 kB", "more", "900 kB", "a megabyte", "NUL"],
    )
    def test_every_password_gets_a_clear_answer(self, client, tokens, password, status):
        login = {"email": ACCOUNT["email"], "password": password}

        assert client.post("/auth/login", json=login).status_code == status

    def test_an_account_without_a_hash_is_signed_in_by_nobody(self, client):
        UserFactory(email="gone@example.com", password_hash="!")

        login = {"email": "gone@example.com", "password": "!"}
        assert problem(client.post("/auth/login", json=login)) == (401, "wrong-password")

    def test_a_banned_account_learns_so_only_with_its_password(self, client):
        UserFactory(email="tout@example.com", banned_at=now())
        login = {"email": "tout@example.com", "password": "correct horse battery"}

        right = client.post("/auth/login", json=login)
        wrong = client.post("/auth/login", json=login | {"password": "wrong"})

        assert problem(right) == (401, "banned")
        assert problem(wrong) == (401, "wrong-password")

    def test_a_password_that_changes_while_it_is_checked_lets_nobody_in(
        self, client, tokens, monkeypatch
    ):
        matches = passwords.matches

        def meanwhile(password_hash, password):
            right = matches(password_hash, password)
            db.session.execute(update(User).values(password_hash="!"))
            db.session.commit()
            return right

        monkeypatch.setattr(passwords, "matches", meanwhile)
        login = {"email": ACCOUNT["email"], "password": ACCOUNT["password"]}

        assert problem(client.post("/auth/login", json=login)) == (401, "wrong-password")

    def test_takes_the_oauth2_password_form(self, client):
        client.post("/auth/register", json=ACCOUNT)
        form = {
            "email": ACCOUNT["email"],
            "password": ACCOUNT["password"],
            "grant_type": "password",
        }

        assert client.post("/auth/token", data=form).json["token_type"] == "bearer"


class TestTokens:
    def test_logout_ends_both_tokens_at_once(self, client):
        tokens = client.post("/auth/register", json=ACCOUNT).json
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}

        assert client.post("/auth/logout", headers=headers).status_code == 204
        assert client.get("/users/me", headers=headers).status_code == 401
        refresh = {"refresh_token": tokens["refresh_token"]}
        assert client.post("/auth/refresh", json=refresh).status_code == 401

    @pytest.mark.parametrize(
        "header", ["Bearer x", "Basic eDp5", "Bearer", "Bearer " + "a" * 100_000]
    )
    def test_a_bad_token_on_a_public_path_is_not_a_stranger(self, client, header):
        response = client.get("/problems", headers={"Authorization": header})

        assert (response.status_code, response.json["code"]) == (401, "unauthenticated")
        assert "WWW-Authenticate" in response.headers


class TestRefresh:
    def test_answers_two_new_tokens_that_work(self, client, tokens, refreshed, is_in):
        answer = refreshed(tokens["refresh_token"])

        assert answer.json.keys() == tokens.keys()
        assert answer.json["refresh_token"] != tokens["refresh_token"]
        assert is_in(answer.json)
        assert refreshed(answer.json["refresh_token"]).status_code == 200

    def test_takes_the_token_from_a_header(self, client, tokens):
        headers = {"Refresh-Token": tokens["refresh_token"]}

        assert client.post("/auth/refresh", headers=headers).status_code == 200

    def test_two_at_the_same_instant_do_not_end_it(self, tokens, refreshed, is_in):
        answers = [refreshed(tokens["refresh_token"]) for _ in range(3)]

        assert [answer.status_code for answer in answers] == [200] * 3
        assert all(is_in(answer.json) for answer in answers)
        assert db.session.scalar(select(SignIn.generation)) == 2

    def test_a_spent_one_ends_the_sign_in(self, client, tokens, refreshed, is_in):
        newest = refreshed(tokens["refresh_token"]).json
        let_pass(11)

        reused = refreshed(tokens["refresh_token"])

        assert problem(reused) == (401, "refresh-reused")
        assert not is_in(newest)
        assert problem(refreshed(newest["refresh_token"])) == (401, "unauthenticated")
        sign_in = db.session.scalars(select(SignIn)).one()
        assert sign_in.end_reason == "reused"
        last = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)
        entry = db.session.scalars(last).one()
        assert (entry.action, entry.target_id) == ("sign_in.reused", sign_in.id)

    def test_one_of_two_generations_ago_is_spent_at_once(self, tokens, refreshed):
        refreshed(refreshed(tokens["refresh_token"]).json["refresh_token"])

        assert problem(refreshed(tokens["refresh_token"])) == (401, "refresh-reused")

    def test_ends_one_family_and_no_other(self, client, tokens, refreshed, is_in):
        other = client.post("/auth/login", json={k: ACCOUNT[k] for k in ("email", "password")}).json
        refreshed(tokens["refresh_token"])
        let_pass(11)
        refreshed(tokens["refresh_token"])

        assert is_in(other)

    def test_is_a_grant_that_rotates(self, client, tokens, is_in):
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}

        first = client.post("/auth/token", data=form)
        let_pass(11)
        again = client.post("/auth/token", data=form)

        assert (first.status_code, again.status_code) == (200, 401)
        assert (again.json["code"], again.json["error"]) == ("refresh-reused", "invalid_grant")
        assert not is_in(first.json)


class TestLogoutEverywhere:
    def test_ends_all_of_ones_own_and_nobody_elses(self, client, as_user, is_in):
        user, other = UserFactory(), UserFactory()
        phone, laptop, theirs = as_user(user), as_user(user), as_user(other)

        assert client.post("/auth/logout_everywhere", headers=phone).status_code == 204

        seen = [client.get("/users/me", headers=h).status_code for h in (phone, laptop, theirs)]
        assert seen == [401, 401, 200]


SIGNED = {"type": "access", "iss": "gigmate", "aud": "gigmate"}
HOUR = 3600


def token_with(sign_in, *, key=None, algorithm="HS256", **changes):
    """A token for a sign-in, with other claims where told; one that is None is left out."""
    claims = {
        **SIGNED,
        "sub": str(sign_in.user_id),
        "sid": sign_in.id,
        "gen": 1,
        "exp": int(time.time()) + HOUR,
        **changes,
    }
    told = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(told, key if key is not None else settings.secret_key, algorithm)


FORGED = {
    "no algorithm": {"algorithm": "none", "key": ""},
    "another key": {"key": "k" * 40},
    "another algorithm of the same key": {"algorithm": "HS512"},
    "expired": {"exp": 1_000_000_000},
    "without expiry": {"exp": None},
    "not yet": {"nbf": int(time.time()) + HOUR},
    "another audience": {"aud": "elsewhere"},
    "no audience": {"aud": None},
    "another issuer": {"iss": "elsewhere"},
    "no issuer": {"iss": None},
    "another type": {"type": "verify"},
    "no type": {"type": None},
    "no sign-in": {"sid": None},
    "a sign-in that is not there": {"sid": 2**40},
    "no subject": {"sub": None},
    "another's subject": {"sub": "999999"},
}


class TestForgedTokens:
    """Abuse cases 36 to 38, as access tokens and as refresh tokens."""

    @pytest.fixture
    def sign_in(self, client):
        user = UserFactory()
        made = SignIn(user_id=user.id)
        db.session.add(made)
        db.session.commit()
        return made

    @pytest.fixture
    def answers(self, client):
        """What a token is answered on a private path, a public one, and as a refresh token."""

        def ask(token):
            headers = {"Authorization": f"Bearer {token}"}
            body = {"refresh_token": token}
            form = {"grant_type": "refresh_token", **body}
            return [
                client.get("/users/me", headers=headers).status_code,
                client.get("/events/", headers=headers).status_code,
                client.post("/auth/refresh", json=body).status_code,
                client.post("/auth/token", data=form).status_code,
            ]

        return ask

    def test_the_true_ones_are_good_for_what_they_are(self, sign_in, answers):
        assert answers(token_with(sign_in)) == [200, 200, 401, 401]
        assert answers(token_with(sign_in, type="refresh")) == [401, 401, 200, 200]

    @pytest.mark.filterwarnings("ignore:The HMAC key is:jwt.warnings.InsecureKeyLengthWarning")
    @pytest.mark.parametrize("change", FORGED.values(), ids=FORGED)
    @pytest.mark.parametrize("kind", ["access", "refresh"])
    def test_forged_and_confused(self, sign_in, answers, kind, change):
        assert answers(token_with(sign_in, **{"type": kind} | change)) == [401] * 4

    def test_signed_as_if_by_a_public_key(self, sign_in, answers):
        _head, claims, signature = token_with(sign_in).split(".")
        rs256 = jwt.utils.base64url_encode(b'{"alg":"RS256","typ":"JWT"}').decode()

        assert answers(f"{rs256}.{claims}.{signature}") == [401] * 4

    @pytest.mark.parametrize("cut", [1, 10, 43, 44, 100])
    def test_cut_short(self, sign_in, answers, cut):
        assert answers(token_with(sign_in)[:-cut]) == [401] * 4

    def test_of_a_hundred_kilobytes(self, client, sign_in):
        token = token_with(sign_in, more="x" * 100_000)

        headers = {"Authorization": f"Bearer {token}"}
        assert client.get("/users/me", headers=headers).status_code == 401
        body = {"refresh_token": token}
        assert client.post("/auth/refresh", json=body).status_code == 400

    def test_a_refresh_token_without_a_generation(self, sign_in, answers):
        assert answers(token_with(sign_in, type="refresh", gen=None)) == [401] * 4

    def test_the_sign_in_of_somebody_else(self, sign_in, answers):
        other = UserFactory()

        assert answers(token_with(sign_in, sub=str(other.id))) == [401] * 4

    def test_not_yet_is_looked_at_again_when_it_was_refused(self, sign_in, answers, monkeypatch):
        """What is remembered of a token is never that it was too early."""
        soon = token_with(sign_in, nbf=int(time.time()) + HOUR)
        assert answers(soon) == [401] * 4

        monkeypatch.setattr(callers.jwt.api_jwt, "datetime", _Later)
        assert answers(soon)[:2] == [200, 200]

    @pytest.mark.parametrize(
        "deed",
        [
            lambda user: SignIn.__table__.update().values(ended_at=now()),
            lambda user: User.__table__.update().values(banned_at=now()),
            lambda user: User.__table__.update().values(deleted_at=now()),
        ],
        ids=["logout", "ban", "leaving"],
    )
    def test_the_next_request_knows(self, sign_in, answers, deed):
        access, refresh = token_with(sign_in), token_with(sign_in, type="refresh")
        assert answers(access)[0] == 200

        db.session.execute(deed(sign_in.user_id))
        db.session.commit()

        assert answers(access) == answers(refresh) == [401] * 4


class _Later(callers.jwt.api_jwt.datetime):
    """The clock that the tokens' library reads, half an hour after `nbf`."""

    @classmethod
    def now(cls, tz=None):
        return super().now(tz) + timedelta(hours=1, minutes=1)


class TestVerifyEmail:
    @pytest.fixture
    def verify(self, client):
        return lambda token: client.post("/auth/verify_email", json={"token": token})

    def test_a_link_is_good_once(self, client, tokens, mailed, verify):
        (token,) = mailed()

        assert verify(token).status_code == 204
        assert client.get("/users/me", headers=bearer(tokens)).json["email_verified"] is True
        assert problem(verify(token)) == (409, "link-not-valid")

    def test_the_outbox_holds_no_secret_and_nobodys_address(self, tokens, mailed):
        message = db.session.scalars(select(OutboxMessage)).one()

        assert message.payload.keys() == {"user_id", "link_id"}
        assert (message.topic, len(mailed())) == ("mail.verify_email", 1)

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda token: token[:-1],
            lambda token: token[:-1] + ("0" if token[-1] != "0" else "1"),
            lambda token: token + "0",
            lambda token: "9" + token,
            lambda token: token.replace(".", ""),
            lambda token: token.partition(".")[2],
            lambda token: "9" * 150 + ".x",
            lambda token: "0" + token,
            lambda token: token.upper() + "é",
        ],
    )
    def test_every_other_is_told_the_same(self, tokens, mailed, verify, spoil):
        answer = verify(spoil(mailed()[0]))

        assert problem(answer) == (409, "link-not-valid")
        assert answer.json["detail"] == "Ask for a new link."

    def test_expires(self, tokens, mailed, verify):
        let_pass(settings.verify_link_hours * HOUR)

        assert problem(verify(mailed()[0])) == (409, "link-not-valid")

    def test_a_link_to_reset_a_password_verifies_nothing(self, client, tokens, mailed, verify):
        client.post("/auth/forgot_password", json={"email": ACCOUNT["email"]})

        (token,) = mailed(topic="mail.reset")
        assert problem(verify(token)) == (409, "link-not-valid")

    def test_can_be_sent_again_and_the_oldest_end(self, client, tokens, mailed, verify):
        for _ in range(4):
            again = client.post("/users/me/verification", headers=bearer(tokens))
            assert again.status_code == 202

        newest, *_, oldest = mailed()
        assert len(mailed()) == 5
        assert problem(verify(oldest)) == (409, "link-not-valid")
        assert verify(newest).status_code == 204

    def test_is_not_sent_where_there_is_nothing_to_verify(self, client, tokens, mailed, verify):
        verify(mailed()[0])

        again = client.post("/users/me/verification", headers=bearer(tokens))

        assert (again.status_code, len(mailed())) == (202, 1)


class TestForgottenPassword:
    NEW = "another horse entirely"

    @pytest.fixture
    def forget(self, client):
        return lambda email=ACCOUNT["email"], **more: client.post(
            "/auth/forgot_password", json={"email": email}, **more
        )

    @pytest.fixture
    def reset(self, client):
        return lambda token, password=self.NEW: client.post(
            "/auth/reset_password", json={"token": token, "password": password}
        )

    def login(self, client, password):
        credentials = {"email": ACCOUNT["email"], "password": password}
        return client.post("/auth/login", json=credentials).status_code

    def test_a_link_sets_a_new_one_once_and_ends_every_sign_in(
        self, client, tokens, forget, reset, mailed, refreshed, is_in
    ):
        forget("ASHA@example.com")
        (token,) = mailed(topic="mail.reset")

        assert reset(token).status_code == 204

        assert not is_in(tokens)
        assert refreshed(tokens["refresh_token"]).status_code == 401
        assert self.login(client, ACCOUNT["password"]) == 401
        assert self.login(client, self.NEW) == 200
        assert problem(reset(token)) == (409, "link-not-valid")
        done = db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
        assert done == ["user.register", "user.password_reset"]

    def test_proves_the_mailbox(self, client, tokens, forget, reset, mailed):
        forget()
        reset(mailed(topic="mail.reset")[0])

        assert db.session.scalars(select(User)).one().email_verified

    def test_the_answer_and_the_work_tell_nobody_whether_there_is_an_account(
        self, client, tokens, forget, count_statements
    ):
        answers, work = [], []
        for email in (ACCOUNT["email"], "nobody@example.com"):
            count_statements.clear()
            answers.append(forget(email))
            work.append(list(count_statements))

        assert [answer.status_code for answer in answers] == [202, 202]
        assert answers[0].data == answers[1].data
        assert work[0] == work[1]

    def test_who_has_no_account_gets_no_mail(self, client, tokens, forget, mailed):
        forget("nobody@example.com")

        assert mailed("nobody@example.com") == []
        waiting = select(func.count()).where(
            OutboxMessage.topic == "mail.reset_password", OutboxMessage.due_at.is_not(None)
        )
        assert db.session.scalar(waiting) == 0

    def test_expires(self, client, tokens, forget, reset, mailed):
        forget()
        let_pass(settings.reset_link_minutes * 60)

        assert problem(reset(mailed(topic="mail.reset")[0])) == (409, "link-not-valid")

    def test_only_the_last_three_are_good(self, client, tokens, forget, reset, mailed):
        for _ in range(4):
            forget()

        newest, *_, oldest = mailed(topic="mail.reset")
        assert problem(reset(oldest)) == (409, "link-not-valid")
        assert reset(newest).status_code == 204
        assert problem(reset(mailed(topic="mail.reset")[1])) == (409, "link-not-valid")

    def test_a_link_to_verify_resets_nothing(self, client, tokens, reset, mailed):
        assert problem(reset(mailed()[0])) == (409, "link-not-valid")

    def test_a_common_password_is_refused_and_the_link_stays_good(
        self, client, tokens, forget, reset, mailed
    ):
        forget()
        (token,) = mailed(topic="mail.reset")

        assert reset(token, "password123").status_code == 400
        assert reset(token).status_code == 204

    def test_the_link_leads_to_the_configured_address_whatever_host_was_named(
        self, client, tokens, forget, monkeypatch
    ):
        forget(headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
        monkeypatch.setattr(settings, "public_url", "https://tickets.example.com/")

        link = mail_service.queued(1)[0].letter.link
        assert link.startswith("https://tickets.example.com/reset_password?token=")

    def test_without_one_it_leads_to_this_machine_and_in_production_nowhere(
        self, client, tokens, monkeypatch
    ):
        assert mail_service.queued(1)[0].letter.link.startswith("http://127.0.0.1:5000/verify_")

        monkeypatch.setattr(settings, "env", "production")
        with pytest.raises(mail_service.NoPublicUrl):
            mail_service.queued(1)


class TestOAuth2Clients:
    """RFC 6749, as its clients speak it."""

    def test_a_client_may_name_itself(self, client):
        client.post("/auth/register", json=ACCOUNT)
        form = {"username": ACCOUNT["email"], "password": ACCOUNT["password"]}
        basic = {"Authorization": "Basic c2hvcDo="}

        answer = client.post("/auth/token", data=form | {"grant_type": "password"}, headers=basic)

        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"

    def test_a_refresh_token_is_a_grant_too(self, client):
        tokens = client.post("/auth/register", json=ACCOUNT).json
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}

        assert client.post("/auth/token", data=form).json["token_type"] == "bearer"

    def test_a_wrong_password_is_an_invalid_grant(self, client):
        form = {"grant_type": "password", "username": "who@example.com", "password": "wrong"}

        answer = client.post("/auth/token", data=form)

        assert (answer.status_code, answer.json["error"]) == (401, "invalid_grant")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/health?x=1"), ("GET", "/?x=1"), ("GET", "/problems/busy?x=1")]
)
def test_a_query_parameter_that_nobody_reads_is_refused(client, method, path):
    answer = client.open(path, method=method)

    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "x")


def test_a_body_that_nobody_reads_is_refused(client, as_user):
    headers = as_user(UserFactory())

    assert client.post("/auth/logout", json={"x": 1}, headers=headers).status_code == 400
    assert client.post("/auth/logout", json={}, headers=headers).status_code == 204
