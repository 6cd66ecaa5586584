"""Who gets past the door of every route: checked against the URL map, so that none is forgotten.

The target is what the organiser of the world owns: its public show, and what belongs to that; the
booking and the ticket holder are the attendee's. `ok` is any answer but 401, 403 and 404: the
state of the thing may still refuse.
"""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from services.invitation_service import token_of
from tests.factories.bodies import BODIES
from tests.factories.worlds import World

CALLERS = ("stranger", "attendee", "other_owner", "door", "owner", "admin")
TURNED_AWAY = (401, 403, 404)
GUESTS, SHOPS = -1, -2  # which of the world's bookings is the guest's, and which the shop's
NOBODYS = 999_999  # the id of no row

ROUTES = {
    # stranger, attendee, owner of another organiser, door, owner, admin
    "ok  ok  ok  ok  ok  ok": """
        GET /
        GET /docs/
        GET /docs/{path}
        GET /events/
        GET /events/{event_id}
        GET /events/{event_id}/tiers
        GET /health
        GET /openapi.json
        GET /organisers/
        GET /organisers/{organiser_id}
        GET /problems/
        GET /problems/{code}
        GET /ready
        GET /seat_maps/schema
        GET /seat_maps/{seat_map_id}
        GET /seat_maps/{seat_map_id}/versions
        GET /seat_maps/{seat_map_id}/versions/{number}
        GET /seats
        GET /seats/{place_id}
        GET /shows/
        GET /shows/{show_id}
        GET /shows/{show_id}/availability
        GET /shows/{show_id}/seat_map
        GET /shows/{show_id}/seat_map.svg
        GET /shows/{show_id}/seat_offers
        GET /shows/{show_id}/seat_status
        GET /shows/{show_id}/seats
        GET /shows/{show_id}/tiers
        GET /tiers/{tier_id}
        GET /tiers/{tier_id}/availability
        GET /venues/
        GET /venues/{venue_id}
        GET /venues/{venue_id}/seat_maps
        POST /auth/forgot_password
        POST /auth/register
        POST /auth/reset_password
        POST /auth/verify_email
        POST /bookings/
        POST /bookings/quote
        POST /bookings/recover
    """,
    # What they take is a credential, and here a wrong one.
    "401 401 401 401 401 401": """
        POST /auth/login
        POST /auth/refresh
        POST /auth/token
    """,
    "401 ok  ok  ok  ok  ok": """
        DELETE /users/me
        GET /bookings/
        GET /events/mine
        GET /ticket_holders/
        GET /users/me
        GET /users/me/export
        GET /users/me/sign_ins
        PATCH /users/me
        POST /auth/logout
        POST /auth/logout_everywhere
        POST /users/me/verification
        PUT /users/me
        PUT /users/me/email
        PUT /users/me/password
    """,
    # Of a sign-in that is somebody else's.
    "401 404 404 404 404 404": """
        DELETE /users/me/sign_ins/{sign_in_id}
    """,
    "401 403 403 403 403 ok": """
        GET /moderation/events
        GET /moderation/organisers
        GET /users/
        GET /users/{user_id}
        POST /events/{event_id}/approve
        POST /events/{event_id}/reject
        POST /organisers/{organiser_id}/members
        POST /organisers/{organiser_id}/refuse
        POST /organisers/{organiser_id}/verify
        POST /users/{user_id}/ban
        POST /users/{user_id}/unban
        PUT /users/{user_id}/role
    """,
    # Of the audit, what was done to what one manages.
    "401 403 ok  403 ok  ok": """
        GET /audit/
    """,
    "401 403 ok  ok  ok  ok": """
        POST /organisers/
    """,
    "401 ok  404 ok  ok  ok": """
        GET /bookings/{booking_id}
    """,
    "401 ok  404 403 ok  ok": """
        DELETE /bookings/{booking_id}
        DELETE /bookings/{booking_id}/seats/{place_id}
        PATCH /bookings/{booking_id}
        POST /bookings/{booking_id}/confirm
        POST /bookings/{booking_id}/extend
        POST /bookings/{booking_id}/seats
        POST /bookings/{booking_id}/swap
        PUT /bookings/{booking_id}
        PUT /bookings/{booking_id}/items
    """,
    "401 ok  404 404 404 ok": """
        DELETE /ticket_holders/{holder_id}
        GET /ticket_holders/{holder_id}
        PATCH /ticket_holders/{holder_id}
        PUT /ticket_holders/{holder_id}
    """,
    # The member who is removed is the door's own: people may leave.
    "401 403 403 ok  ok  ok": """
        DELETE /organisers/{organiser_id}/members/{user_id}
        GET /organisers/{organiser_id}/members
        GET /organisers/{organiser_id}/members/{user_id}
        GET /organisers/{organiser_id}/verification
        GET /shows/{show_id}/attendees
        GET /shows/{show_id}/attendees.csv
        GET /shows/{show_id}/check_ins
        POST /shows/{show_id}/check_ins
    """,
    "401 403 403 403 ok  ok": """
        DELETE /events/{event_id}
        DELETE /organisers/{organiser_id}
        DELETE /organisers/{organiser_id}/api_keys/{key_id}
        DELETE /organisers/{organiser_id}/invitations/{invitation_id}
        DELETE /seat_maps/{seat_map_id}
        DELETE /shows/{show_id}
        DELETE /tiers/{tier_id}
        DELETE /venues/{venue_id}
        GET /organisers/{organiser_id}/api_keys
        GET /organisers/{organiser_id}/api_keys/{key_id}
        GET /organisers/{organiser_id}/invitations
        GET /shows/{show_id}/relocations
        PATCH /events/{event_id}
        PATCH /organisers/{organiser_id}
        PATCH /organisers/{organiser_id}/members/{user_id}
        PATCH /seat_maps/{seat_map_id}
        PATCH /shows/{show_id}
        PATCH /tiers/{tier_id}
        PATCH /venues/{venue_id}
        POST /events/
        POST /events/{event_id}/cancel
        POST /events/{event_id}/complete
        POST /events/{event_id}/publish
        POST /events/{event_id}/submit
        POST /events/{event_id}/tiers
        POST /events/{event_id}/unpublish
        POST /organisers/{organiser_id}/api_keys
        POST /organisers/{organiser_id}/apply
        POST /organisers/{organiser_id}/invitations
        POST /seat_maps/{seat_map_id}/versions
        POST /shows/
        POST /shows/{show_id}/copy
        POST /shows/{show_id}/pause
        POST /shows/{show_id}/postpone
        POST /shows/{show_id}/relocate
        POST /shows/{show_id}/reschedule
        POST /shows/{show_id}/resume
        POST /shows/{show_id}/tiers
        POST /ticket_holders/
        POST /venues/
        POST /venues/{venue_id}/seat_maps
        PUT /events/{event_id}
        PUT /organisers/{organiser_id}
        PUT /shows/{show_id}
        PUT /tiers/{tier_id}
        PUT /venues/{venue_id}
    """,
    # It is the attendee's address that is invited.
    "401 ok  403 403 403 403": """
        POST /invitations/accept
    """,
    # Stocks are nobody else's to see.
    "401 404 404 ok  ok  ok": """
        GET /shows/{show_id}/section_limits
        GET /shows/{show_id}/stocks
        GET /stocks/{stock_id}
    """,
    "401 404 404 403 ok  ok": """
        DELETE /stocks/{stock_id}
        DELETE /stocks/{stock_id}/release
        GET /relocations/{relocation_id}
        GET /relocations/{relocation_id}/moves
        PATCH /stocks/{stock_id}
        POST /relocations/{relocation_id}/apply
        POST /shows/{show_id}/stocks
        POST /stocks/{stock_id}/release
        PUT /shows/{show_id}/section_limits
    """,
}
# The same organiser's draft: nobody else knows of it.
DRAFT = {
    "404 404 404 ok  ok  ok": """
        GET /events/{event_id}
        GET /events/{event_id}/tiers
        GET /shows/{show_id}
        GET /shows/{show_id}/availability
        GET /shows/{show_id}/seat_map
        GET /shows/{show_id}/seat_map.svg
        GET /shows/{show_id}/seat_offers
        GET /shows/{show_id}/seat_status
        GET /shows/{show_id}/seats
        GET /shows/{show_id}/tiers
        GET /tiers/{tier_id}
        GET /tiers/{tier_id}/availability
    """,
    "401 404 404 403 ok  ok": """
        PATCH /events/{event_id}
        PATCH /shows/{show_id}
        PATCH /tiers/{tier_id}
        POST /events/{event_id}/publish
        POST /events/{event_id}/submit
        POST /shows/{show_id}/tiers
    """,
    "401 404 404 403 403 ok": """
        POST /events/{event_id}/approve
        POST /events/{event_id}/reject
    """,
    "401 404 404 ok  ok  ok": """
        GET /shows/{show_id}/attendees
        GET /shows/{show_id}/section_limits
        GET /shows/{show_id}/stocks
    """,
}
# A ticket holder whom the organiser books for.
OUR_HOLDER = {
    "401 404 404 404 ok  ok": """
        DELETE /ticket_holders/{holder_id}
        GET /ticket_holders/{holder_id}
        PATCH /ticket_holders/{holder_id}
        PUT /ticket_holders/{holder_id}
    """,
}
# More callers of the same routes. Each key has one scope, and the booking is none that it sold.
MORE_CALLERS = ("manager", "guest", "catalogue_key", "shop_key", "door_key", "reports_key")
MORE_ROUTES = {
    # manager, guest, keys with the scopes catalogue, sell, door, reports
    "ok  ok  ok  ok  ok  ok": """
        GET /
        GET /docs/
        GET /docs/{path}
        GET /health
        GET /openapi.json
        GET /problems/
        GET /problems/{code}
        GET /ready
        GET /seat_maps/schema
        POST /auth/forgot_password
        POST /auth/register
        POST /auth/reset_password
        POST /auth/verify_email
    """,
    "ok  ok  ok  ok  403 ok": """
        GET /events/
        GET /events/{event_id}
        GET /events/{event_id}/tiers
        GET /organisers/
        GET /organisers/{organiser_id}
        GET /seat_maps/{seat_map_id}
        GET /seat_maps/{seat_map_id}/versions
        GET /seat_maps/{seat_map_id}/versions/{number}
        GET /seats
        GET /seats/{place_id}
        GET /shows/
        GET /shows/{show_id}
        GET /shows/{show_id}/availability
        GET /shows/{show_id}/seat_map
        GET /shows/{show_id}/seat_map.svg
        GET /shows/{show_id}/seat_offers
        GET /shows/{show_id}/seat_status
        GET /shows/{show_id}/seats
        GET /shows/{show_id}/tiers
        GET /tiers/{tier_id}
        GET /tiers/{tier_id}/availability
        GET /venues/
        GET /venues/{venue_id}
        GET /venues/{venue_id}/seat_maps
    """,
    "ok  ok  403 ok  403 403": """
        POST /bookings/
        POST /bookings/quote
        POST /bookings/recover
    """,
    "401 401 401 401 401 401": """
        POST /auth/login
        POST /auth/refresh
        POST /auth/token
    """,
    "ok  ok  403 ok  403 ok": """
        GET /bookings/
    """,
    "ok  401 403 403 403 ok": """
        GET /events/mine
    """,
    # Keys are nobody in particular, and change nothing but what they sell and whom they let in.
    "ok  401 403 403 403 403": """
        DELETE /events/{event_id}
        DELETE /seat_maps/{seat_map_id}
        DELETE /shows/{show_id}
        DELETE /stocks/{stock_id}
        DELETE /stocks/{stock_id}/release
        DELETE /tiers/{tier_id}
        DELETE /users/me
        DELETE /venues/{venue_id}
        GET /audit/
        GET /organisers/{organiser_id}/members
        GET /organisers/{organiser_id}/members/{user_id}
        GET /organisers/{organiser_id}/verification
        GET /relocations/{relocation_id}
        GET /relocations/{relocation_id}/moves
        GET /shows/{show_id}/relocations
        GET /ticket_holders/
        GET /users/me
        GET /users/me/export
        GET /users/me/sign_ins
        PATCH /events/{event_id}
        PATCH /organisers/{organiser_id}
        PATCH /seat_maps/{seat_map_id}
        PATCH /shows/{show_id}
        PATCH /stocks/{stock_id}
        PATCH /tiers/{tier_id}
        PATCH /users/me
        PATCH /venues/{venue_id}
        POST /auth/logout
        POST /auth/logout_everywhere
        POST /events/
        POST /events/{event_id}/cancel
        POST /events/{event_id}/complete
        POST /events/{event_id}/publish
        POST /events/{event_id}/submit
        POST /events/{event_id}/tiers
        POST /events/{event_id}/unpublish
        POST /organisers/
        POST /seat_maps/{seat_map_id}/versions
        POST /relocations/{relocation_id}/apply
        POST /shows/
        POST /shows/{show_id}/copy
        POST /shows/{show_id}/pause
        POST /shows/{show_id}/postpone
        POST /shows/{show_id}/relocate
        POST /shows/{show_id}/reschedule
        POST /shows/{show_id}/resume
        POST /shows/{show_id}/stocks
        POST /shows/{show_id}/tiers
        POST /stocks/{stock_id}/release
        POST /ticket_holders/
        POST /users/me/verification
        POST /venues/
        POST /venues/{venue_id}/seat_maps
        PUT /events/{event_id}
        PUT /organisers/{organiser_id}
        PUT /shows/{show_id}
        PUT /shows/{show_id}/section_limits
        PUT /tiers/{tier_id}
        PUT /users/me
        PUT /users/me/email
        PUT /users/me/password
        PUT /venues/{venue_id}
    """,
    "ok  404 403 404 403 ok": """
        GET /bookings/{booking_id}
    """,
    "ok  404 403 404 403 403": """
        DELETE /bookings/{booking_id}
        DELETE /bookings/{booking_id}/seats/{place_id}
        PATCH /bookings/{booking_id}
        POST /bookings/{booking_id}/confirm
        POST /bookings/{booking_id}/extend
        POST /bookings/{booking_id}/seats
        POST /bookings/{booking_id}/swap
        PUT /bookings/{booking_id}
        PUT /bookings/{booking_id}/items
    """,
    "404 401 403 403 403 403": """
        DELETE /ticket_holders/{holder_id}
        DELETE /users/me/sign_ins/{sign_in_id}
        GET /ticket_holders/{holder_id}
        PATCH /ticket_holders/{holder_id}
        PUT /ticket_holders/{holder_id}
    """,
    "403 401 403 403 403 403": """
        DELETE /organisers/{organiser_id}
        DELETE /organisers/{organiser_id}/api_keys/{key_id}
        DELETE /organisers/{organiser_id}/invitations/{invitation_id}
        DELETE /organisers/{organiser_id}/members/{user_id}
        GET /moderation/events
        GET /moderation/organisers
        GET /organisers/{organiser_id}/api_keys
        GET /organisers/{organiser_id}/api_keys/{key_id}
        GET /organisers/{organiser_id}/invitations
        GET /users/
        GET /users/{user_id}
        PATCH /organisers/{organiser_id}/members/{user_id}
        POST /events/{event_id}/approve
        POST /events/{event_id}/reject
        POST /invitations/accept
        POST /organisers/{organiser_id}/api_keys
        POST /organisers/{organiser_id}/apply
        POST /organisers/{organiser_id}/invitations
        POST /organisers/{organiser_id}/members
        POST /organisers/{organiser_id}/refuse
        POST /organisers/{organiser_id}/verify
        POST /users/{user_id}/ban
        POST /users/{user_id}/unban
        PUT /users/{user_id}/role
    """,
    "ok  401 403 403 ok  ok": """
        GET /shows/{show_id}/attendees
        GET /shows/{show_id}/attendees.csv
        GET /shows/{show_id}/check_ins
    """,
    "ok  401 403 403 ok  403": """
        POST /shows/{show_id}/check_ins
    """,
    "ok  401 ok  403 403 ok": """
        GET /shows/{show_id}/section_limits
        GET /shows/{show_id}/stocks
        GET /stocks/{stock_id}
    """,
}
MORE_DRAFT = {
    # manager, guest, keys with the scopes catalogue, sell, door, reports
    "ok  404 ok  404 403 ok": """
        GET /events/{event_id}
        GET /events/{event_id}/tiers
        GET /shows/{show_id}
        GET /shows/{show_id}/availability
        GET /shows/{show_id}/seat_map
        GET /shows/{show_id}/seat_map.svg
        GET /shows/{show_id}/seat_offers
        GET /shows/{show_id}/seat_status
        GET /shows/{show_id}/seats
        GET /shows/{show_id}/tiers
        GET /tiers/{tier_id}
        GET /tiers/{tier_id}/availability
    """,
    "ok  401 403 403 403 403": """
        PATCH /events/{event_id}
        PATCH /shows/{show_id}
        PATCH /tiers/{tier_id}
        POST /events/{event_id}/publish
        POST /shows/{show_id}/tiers
    """,
    "ok  401 403 403 ok  ok": """
        GET /shows/{show_id}/attendees
    """,
    "ok  401 ok  403 403 ok": """
        GET /shows/{show_id}/section_limits
        GET /shows/{show_id}/stocks
    """,
}
# What the shop's key has sold.
SOLD_BY_KEY = {
    # manager, guest, keys with the scopes catalogue, sell, door, reports
    "ok  404 403 ok  403 ok": """
        GET /bookings/{booking_id}
    """,
    "ok  404 403 ok  403 403": """
        DELETE /bookings/{booking_id}
        DELETE /bookings/{booking_id}/seats/{place_id}
        PATCH /bookings/{booking_id}
        POST /bookings/{booking_id}/confirm
        POST /bookings/{booking_id}/extend
        POST /bookings/{booking_id}/seats
        POST /bookings/{booking_id}/swap
        PUT /bookings/{booking_id}
        PUT /bookings/{booking_id}/items
    """,
}


def rows(table: dict[str, str], callers: tuple[str, ...] = CALLERS) -> list[Any]:
    return [
        pytest.param(
            route.strip(), dict(zip(callers, expected.split(), strict=True)), id=route.strip()
        )
        for expected, routes in table.items()
        for route in routes.strip().splitlines()
    ]


@pytest.fixture
def answers(app: Flask, world: World, undone: Any) -> Callable[..., dict[str, str]]:
    """What each of `callers` is answered, to a request with nothing else wrong with it."""

    def answer(route: str, who: str, which: int) -> str:
        method, path = route.split()
        ids = {name: (known * 2)[which] for name, known in world.ids.items()}
        url = path.format(**ids, code="sold-out", path="index.css", sign_in_id=NOBODYS)
        with undone(), app.test_client() as client:
            response = client.open(
                url, method=method, headers=world.callers[who], **content(route, world, ids)
            )
            response.close()
        assert response.status_code < 500
        assert response.status_code not in (400, 415), f"nobody looked further: {response.text}"
        return str(response.status_code) if response.status_code in TURNED_AWAY else "ok"

    def answers(route: str, *, which: int = 0, callers: Any = CALLERS) -> dict[str, str]:
        return {who: answer(route, who, which) for who in callers}

    return answers


def content(route: str, world: World, ids: dict[str, int]) -> dict[str, Any]:
    """The body or query of a request, about the target where it says whom it is about."""
    targeted: dict[str, dict[str, Any]] = {
        "GET /seats": {"query_string": {"show_id": ids["show_id"]}},
        "POST /auth/token": {"data": {"username": "a@example.com", "password": "wrong"}},
    }
    if route in targeted:
        return targeted[route]
    body = dict(BODIES.get(route, {}))
    if route in ("POST /events/", "POST /venues/", "POST /ticket_holders/"):
        body["organiser_id"] = ids["organiser_id"]
    if route == "POST /bookings/":
        body["buyer"] = {"name": "Guest", "email": "guest@example.com"}
    if "ticket_holder_id" in body:
        body["ticket_holder_id"] = ids["holder_id"]
    if route.endswith("/members"):
        body["email"] = world.email
    if route == "POST /invitations/accept":
        body["token"] = token_of(ids["invitation_id"])
    if route.endswith("/check_ins"):
        body["code"] = world.code
    if route.endswith("/swap"):
        first = world.ids["place_id"][0]  # the ids of seats follow one another
        body["seats"] = [{"from": world.seats[ids["place_id"] - first], "to": "STALLS/B-1"}]
    return {"json": body} if route in BODIES else {}


def path_of(rule: str) -> str:
    return re.sub(r"<(?:[a-z]+:)?([a-z_]+)>", r"{\1}", rule)


def test_every_route_has_a_row(app):
    routes = {
        f"{method} {path_of(rule.rule)}"
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }

    assert sorted(row.id for row in rows(ROUTES)) == sorted(routes)


def test_every_route_has_a_row_for_the_others_too():
    asked = [row.id for row in rows(MORE_ROUTES, MORE_CALLERS)]

    assert sorted(asked) == sorted(row.id for row in rows(ROUTES))


@pytest.mark.parametrize(("route", "expected"), rows(ROUTES))
def test_who_may(answers, route, expected):
    assert answers(route) == expected


@pytest.mark.parametrize(("route", "expected"), rows(DRAFT))
def test_who_may_with_a_draft(answers, route, expected):
    assert answers(route, which=1) == expected


@pytest.mark.parametrize(("route", "expected"), rows(OUR_HOLDER))
def test_who_may_with_an_organisers_ticket_holder(answers, route, expected):
    assert answers(route, which=1) == expected


@pytest.mark.parametrize(("route", "expected"), rows(MORE_ROUTES, MORE_CALLERS))
def test_which_of_the_others_may(answers, route, expected):
    assert answers(route, callers=MORE_CALLERS) == expected


@pytest.mark.parametrize(("route", "expected"), rows(MORE_DRAFT, MORE_CALLERS))
def test_which_of_the_others_may_with_a_draft(answers, route, expected):
    assert answers(route, which=1, callers=MORE_CALLERS) == expected


@pytest.mark.parametrize(("route", "expected"), rows(SOLD_BY_KEY, MORE_CALLERS))
def test_which_of_the_others_may_with_what_a_key_sold(answers, route, expected):
    assert answers(route, which=SHOPS, callers=MORE_CALLERS) == expected


@pytest.mark.parametrize(
    "route",
    [row.id for row in rows(ROUTES) if "/bookings/{booking_id}" in row.id],
)
def test_a_guest_may_do_with_their_own_booking_what_a_buyer_may(answers, route):
    assert answers(route, which=GUESTS, callers=["guest"]) == {"guest": "ok"}
    assert answers(route, callers=["guest"]) == {"guest": "404"}
