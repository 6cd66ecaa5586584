"""Nobody gets a role that was not granted: not by any body to any route, and not by any token."""

import base64
import json
from typing import Any

import jwt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from init import db
from tests.conventions.test_access import content
from tests.factories.bodies import BODIES

CLIMBERS = ("attendee", "door", "manager", "shop_key", "guest")
RUNGS = st.sampled_from(
    ["admin", "owner", "ADMIN", "organiser", True, 1, ["admin"], {"role": "admin"}]
)
NAMES = ("role", "Role", "roles", "is_admin", "admin", "user", "user_id", "memberships", "scopes")
EXTRAS = st.dictionaries(st.sampled_from(NAMES), RUNGS, min_size=1, max_size=3)
FOUNDING = {"POST /organisers/"}  # who makes an organiser is its owner, and that is granted
GRANTED = text(
    """
    SELECT coalesce((SELECT string_agg(id || ' ' || role, ',' ORDER BY id) FROM users
                      WHERE role <> 'attendee' AND id <= :known), '')
           || coalesce((SELECT 'new ' || role FROM users WHERE role = 'admin' AND id > :known), '')
           || coalesce((SELECT string_agg(user_id || ' ' || organiser_id || ' ' || role, ','
                                          ORDER BY user_id, organiser_id)
                          FROM organiser_members), '')
           || coalesce((SELECT string_agg(id || ' ' || array_to_string(scopes, '+'), ','
                                          ORDER BY id) FROM api_keys), '')
    """
)


@pytest.mark.parametrize("route", sorted(BODIES.keys() - FOUNDING))
@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(extra=EXTRAS, who=st.sampled_from(CLIMBERS))
def test_by_no_body(app, world, undone, route, extra, who):
    method, path = route.split()
    ids = {name: known[0] for name, known in world.ids.items()}
    sent = content(route, world, ids)
    if isinstance(sent.get("json"), dict):
        sent["json"] = {**sent["json"], **extra}
    with undone(), app.test_client() as client:
        with app.app_context():
            known = db.session.scalar(text("SELECT max(id) FROM users"))
            before = db.session.scalar(GRANTED, {"known": known})
            db.session.rollback()
        response = client.open(
            path.format(**ids, code="sold-out", path="index.css"),
            method=method,
            headers=world.callers[who],
            **sent,
        )
        response.close()
        with app.app_context():
            assert db.session.scalar(GRANTED, {"known": known}) == before
            db.session.rollback()
    assert response.status_code < 500


CLAIMS = st.fixed_dictionaries(
    {
        "sub": st.integers(1, 12).map(str),
        "sid": st.integers(1, 12),
        "type": st.sampled_from(["access", "refresh"]),
        "iss": st.sampled_from(["gigmate", "elsewhere"]),
        "aud": st.sampled_from(["gigmate", "elsewhere"]),
        "exp": st.integers(2_000_000_000, 4_000_000_000),
    },
    optional={
        "role": RUNGS,
        "gen": st.integers(0, 3),
        "nbf": st.just(0),
        "is_admin": st.just(True),
    },
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(claims=CLAIMS, key=st.binary(min_size=64, max_size=80), how=st.sampled_from("HSN"))
def test_by_no_token_that_was_not_given_out(app, world, claims, key, how):
    algorithms = {"H": "HS256", "S": "HS512", "N": "none"}
    token = jwt.encode(claims, "" if how == "N" else key, algorithm=algorithms[how])

    with app.test_client() as client:
        headers = {"Authorization": f"Bearer {token}"}
        assert client.get("/users/", headers=headers).status_code == 401
        assert client.get("/events/", headers=headers).status_code == 401


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(changed=st.dictionaries(st.sampled_from(["sub", "sid", "type", "exp", "role"]), RUNGS))
def test_by_no_token_that_was_changed(app, world, changed):
    """Another payload under a signature of ours."""
    header, payload, signature = world.callers["attendee"]["Authorization"].split()[1].split(".")
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=="))
    forged = json.dumps({**claims, **changed, "sub": "1", "role": "admin"}).encode()
    middle = base64.urlsafe_b64encode(forged).decode().rstrip("=")

    with app.test_client() as client:
        headers = {"Authorization": f"Bearer {header}.{middle}.{signature}"}
        assert client.get("/users/", headers=headers).status_code == 401
