"""/auth and /users/me, seen from outside."""

import pytest

from tests.factories import UserFactory

ACCOUNT = {"email": "asha@example.com", "password": "correct horse battery", "name": "Asha"}


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

    def test_a_refresh_token_is_no_access_token(self, client):
        tokens = client.post("/auth/register", json=ACCOUNT).json

        refresh = {"refresh_token": tokens["refresh_token"]}
        assert client.post("/auth/refresh", json=refresh).status_code == 200
        crossed = {"Authorization": f"Bearer {tokens['refresh_token']}"}
        assert client.get("/users/me", headers=crossed).status_code == 401

    @pytest.mark.parametrize(
        "header", ["Bearer x", "Basic eDp5", "Bearer", "Bearer " + "a" * 100_000]
    )
    def test_a_bad_token_on_a_public_path_is_not_a_stranger(self, client, header):
        response = client.get("/problems", headers={"Authorization": header})

        assert (response.status_code, response.json["code"]) == (401, "unauthenticated")
        assert "WWW-Authenticate" in response.headers


def test_a_stale_profile_edit_is_refused(client, as_user):
    headers = as_user(UserFactory())
    etag = client.get("/users/me", headers=headers).headers["ETag"]
    assert client.patch("/users/me", json={"name": "B"}, headers=headers).status_code == 200

    response = client.patch("/users/me", json={"name": "C"}, headers=headers | {"If-Match": etag})

    assert (response.status_code, response.json["code"]) == (412, "precondition-failed")


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
