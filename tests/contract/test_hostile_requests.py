"""Requests that nobody sends by mistake: refused by name, without a trace in the database."""

import importlib
import json
import pkgutil
import random
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from marshmallow import Schema, ValidationError, fields, validate
from werkzeug.test import TestResponse

import schemas
from config import settings
from tests.evidence import INSIDES, rows
from tests.factories.bodies import BODIES, VENUE
from tests.factories.worlds import World
from utils import strict_json

MEGABYTE = 1_000_000
# One endpoint of each kind: bytes and media types are refused before anybody looks for a row.
KINDS = (
    "POST /auth/register",
    "POST /auth/reset_password",
    "PATCH /users/me",
    "PUT /users/me",
    "POST /venues/",
    "PUT /events/{event_id}",
    "POST /events/{event_id}/cancel",
    "POST /shows/{show_id}/stocks",
    "PATCH /tiers/{tier_id}",
    "POST /bookings/",
    "PUT /bookings/{booking_id}/items",
    "POST /bookings/recover",
    "POST /shows/{show_id}/check_ins",
)
LISTS = (
    "/venues/",
    "/organisers/",
    "/organisers/{organiser_id}/members",
    "/organisers/{organiser_id}/invitations",
    "/moderation/events",
    "/moderation/organisers",
    "/events/",
    "/events/mine",
    "/shows/",
    "/shows/{show_id}/tiers",
    "/shows/{show_id}/stocks",
    "/shows/{show_id}/seats",
    "/seats?show_id={show_id}",
    "/shows/{show_id}/attendees",
    "/shows/{show_id}/check_ins",
    "/ticket_holders/",
    "/bookings/",
    "/users/",
    "/users/me/sign_ins",
)


# Passwords that are only compared may be any text.
COMPARED = ("POST /auth/login", "PUT /users/me/email", "DELETE /users/me")


class Sender:
    """Sends as the organiser's owner unless told otherwise, and undoes what is accepted."""

    def __init__(self, app: Flask, world: World) -> None:
        self.client: FlaskClient = app.test_client()
        self.world = world
        self.ids = {name: ids[0] for name, ids in world.ids.items()}

    def __call__(self, request: str, *, who: str = "owner", **options: Any) -> TestResponse:
        method, path = request.split(" ", 1)
        headers = [*self.world.callers[who].items(), *options.pop("headers", {}).items()]
        return self.client.open(path.format(**self.ids), method=method, headers=headers, **options)


@pytest.fixture
def send(app: Flask, world: World, undone: Any, untouched: Any) -> Iterator[Sender]:
    with undone():
        yield Sender(app, world)
        assert rows(app) == untouched


@pytest.fixture(scope="module")
def untouched(app: Flask, world: World) -> dict[str, Any]:
    """What the tables hold before anybody asks."""
    return rows(app)


def as_json(body: Any) -> dict[str, Any]:
    """Any JSON, also what this API's own serialiser would not write."""
    return {"data": json.dumps(body), "content_type": "application/json"}


def refused(response: TestResponse, *statuses: int) -> dict[str, Any]:
    """The problem that a refusal is told as, after a look at its manners."""
    assert response.status_code in statuses, (response.status_code, response.text[:500])
    assert response.content_type == "application/problem+json"
    problem = response.json
    assert problem["status"] == response.status_code
    assert problem["request_id"] == response.headers["X-Request-ID"]
    assert len(problem["request_id"]) >= 8
    assert problem["detail"]
    told = response.text.replace(problem["instance"], "")
    assert not INSIDES.search(told), told[:500]
    return problem


HOSTILE_JSON = {
    "an array": (b"[1]", 400),
    "null": (b"null", 400),
    "text": (b'"x"', 400),
    "a number": (b"1", 400),
    "true": (b"true", 400),
    "nothing": (b"", 400),
    "a space": (b" ", 400),
    "half of it": (b'{"name": "x"', 400),
    "two": (b"{} {}", 400),
    "single quotes": (b"{'name': 'x'}", 400),
    "a trailing comma": (b'{"name": "x",}', 400),
    "UTF-16": ('{"name": "x"}'.encode("utf-16"), 400),
    "latin-1": ('{"name": "José"}'.encode("latin-1"), 400),
    "a byte order mark": (b'\xef\xbb\xbf{"name": "x"}', 400),
    "an overlong NUL": (b'{"name": "\xc0\x80"}', 400),
    "an unpaired surrogate in UTF-8": (b'{"name": "\xed\xa0\x80"}', 400),
    "deep arrays": (b"[" * 100_000 + b"]" * 100_000, 400),
    "deep objects": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, 400),
    "a name twice": (b'{"name": "x", "name": "y"}', 400),
    "NaN": (b'{"name": NaN}', 400),
    "Infinity": (b'{"name": -Infinity}', 400),
    "1e400": (b'{"name": 1e400}', 400),
    "a long number": (b'{"name": ' + b"9" * 10_000 + b"}", 400),
    "a NUL in a name": (b'{"na\\u0000me": "x"}', 400),
    "a lone surrogate in a name": (b'{"\\ud800": "x"}', 400),
    "a long unknown name": (b'{"' + b"x" * 100_000 + b'": 1}', 400),
    "__proto__": (b'{"__proto__": {"role": "admin"}}', 400),
    "too much": (b'{"name": "' + b"x" * MEGABYTE + b'"}', 413),
}


@pytest.mark.parametrize("case", HOSTILE_JSON)
@pytest.mark.parametrize("endpoint", KINDS)
def test_json_that_means_nothing(send, endpoint, case):
    body, status = HOSTILE_JSON[case]

    if not body and endpoint == "POST /events/{event_id}/cancel":
        pytest.skip("may be left out here")

    problem = refused(send(endpoint, data=body, content_type="application/json"), status)

    assert status == 400 or problem["limit"] == settings.max_body_bytes


@pytest.mark.parametrize(
    "media_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/json; charset=latin-1",
        "application/xml",
        "json",
        "application/json, text/plain",
        "\xff/\xfe",
        "a" * 8000,
    ],
)
@pytest.mark.parametrize("endpoint", KINDS)
def test_other_media_types(send, endpoint, media_type):
    response = send(endpoint, data=json.dumps(BODIES[endpoint]), content_type=media_type)

    refused(response, 415)


def _texts(body: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    pairs = body.items() if isinstance(body, dict) else enumerate(body)
    for name, value in pairs:
        if isinstance(value, str):
            yield (*path, name)
        elif isinstance(value, dict | list):
            yield from _texts(value, (*path, name))


TEXTS = [(endpoint, path) for endpoint, body in BODIES.items() for path in _texts(body)]


@pytest.mark.parametrize("symbol", ["\x00", "a\x00b", "\ud800", "\udfff\ud800"], ids=ascii)
@pytest.mark.parametrize(("endpoint", "path"), TEXTS)
def test_text_that_cannot_be_kept(send, endpoint, path, symbol):
    body = json.loads(json.dumps(BODIES[endpoint]))
    inner = body
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = symbol

    problem = refused(send(endpoint, **as_json(body)), 400)

    assert problem["errors"][0]["field"] == ".".join(map(str, path))


@pytest.mark.parametrize(
    "value", [None, True, 1, 1.5, [], {}, [[]], "", " ", "\u2003\n", "x" * 100_000]
)
@pytest.mark.parametrize(("endpoint", "path"), [t for t in TEXTS if len(t[1]) == 1])
def test_other_things_than_text(send, endpoint, path, value):
    may_be_null = path[0] in ("note", "gate", "reason", "refresh_token", "user_name")
    may_be_wrong = path[0] in ("refresh_token", "current_password") or endpoint in COMPARED
    is_text = may_be_wrong and isinstance(value, str) and 0 < len(value) < 10
    if (value is None and may_be_null) or is_text:
        pytest.skip("is text here, or may be null")

    problem = refused(send(endpoint, json={**BODIES[endpoint], path[0]: value}), 400)

    assert problem["errors"][0]["field"].startswith(path[0])


IDS = [
    "0",
    "-1",
    "-0",
    "+1",
    "1.0",
    "1e3",
    "٣",
    "0x1",
    "01",
    "1" * 40,
    str(2**31),
    str(2**63 - 1),
    str(2**63),
    str(10**40),
    "%00",
    "1%00",
    "null",
    "..",
    "%2e%2e%2f",
    "'; DROP TABLE events--",
]


@pytest.mark.parametrize("value", IDS)
@pytest.mark.parametrize(
    "path",
    [
        "GET /venues/{}",
        "GET /organisers/{}",
        "GET /events/{}",
        "GET /shows/{}",
        "GET /shows/{}/availability",
        "GET /shows/{}/seats",
        "GET /shows/{}/attendees.csv",
        "GET /tiers/{}",
        "GET /stocks/{}",
        "GET /seats/{}",
        "GET /bookings/{}",
        "GET /ticket_holders/{}",
        "GET /problems/{}",
        "DELETE /events/{}",
        "DELETE /bookings/{}",
        "DELETE /venues/{}",
        "DELETE /bookings/1/seats/{}",
        "POST /shows/{}/pause",
        "POST /bookings/{}/confirm",
        "POST /events/{}/publish",
    ],
)
def test_ids_that_no_row_has(send, path, value):
    response = send(path.format(value).replace("{", "{{"), who="admin")

    gone_up = value == ".."  # a client may resolve it before it asks
    refused(response, 404, *([405] if gone_up else []))


@pytest.mark.parametrize("value", [0, -1, 2**63, 10**40, 1.5, "1", True, None, [], {}])
@pytest.mark.parametrize(
    ("endpoint", "name"),
    [
        ("POST /bookings/", "show_id"),
        ("POST /bookings/", "ticket_holder_id"),
        ("POST /bookings/quote", "show_id"),
        ("POST /ticket_holders/", "organiser_id"),
        ("POST /events/", "organiser_id"),
        ("POST /venues/", "capacity"),
        ("PATCH /stocks/{stock_id}", "capacity"),
        ("POST /shows/{show_id}/tiers", "max_per_buyer"),
        ("POST /shows/{show_id}/tiers", "then"),
    ],
)
def test_numbers_in_a_body(send, endpoint, name, value):
    may_be_null = ("organiser_id", "max_per_buyer", "then")
    if (value is None and name in may_be_null) or (value == 0 and endpoint.startswith("PATCH")):
        pytest.skip("means something here")

    problem = refused(send(endpoint, **as_json({**BODIES[endpoint], name: value})), 400)

    assert problem["errors"][0]["field"] == name


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=-1",
        f"page={10**18}",
        f"page={10**400}",
        "page=1.5",
        "page=x",
        "page=",
        "page=%D9%A3",
        "page=1_0",
        "page=%201",
        "page=10000&per_page=100",
        "per_page=0",
        "per_page=-1",
        "per_page=101",
        f"per_page={10**9}",
        "per_page=true",
        "page=1&page=2",
        "page=1&page=1",
        "unknown=1",
        "Page=1",
        "page[]=1",
        "role=admin",
        "%00=1",
        "page=%00",
        "page=1%00",
        "%ff=1",
        "page=%ff",
        "page=%ed%a0%80",
        "=1",
        "=",
        "x" * 8000 + "=1",
    ],
)
@pytest.mark.parametrize("path", LISTS)
def test_paging_that_is_not_offered(send, path, query):
    if (path, query) == ("/users/", "role=admin"):
        pytest.skip("is offered here")
    glue = "&" if "?" in path else "?"

    refused(send(f"GET {path}{glue}{query}", who="admin"), 400)


@pytest.mark.parametrize(
    "cursor", ["x", "MA", "LTE", "=", "%00", "é", "A" * 41, "OTIyMzM3MjAzNjg1NDc3NTgwOA"]
)
@pytest.mark.parametrize("path", ["/bookings/", "/ticket_holders/", "/shows/{show_id}/attendees"])
def test_cursors_of_no_list(send, path, cursor):
    refused(send(f"GET {path}?after={cursor}", who="admin"), 400)


@pytest.mark.parametrize(
    "words",
    ["%25", "_", "%5C", "%25%25%25", "'", "%22", "%3B--", "a%5C", "%F0%9F%8E%B8", "%", "%zz"],
)
@pytest.mark.parametrize(
    "path",
    [
        "/venues/",
        "/organisers/",
        "/events/",
        "/shows/",
        "/ticket_holders/",
        "/users/",
        "/shows/{show_id}/attendees",
    ],
)
def test_search_takes_every_symbol_literally(send, path, words):
    response = send(f"GET {path}?q={words}", who="admin")

    assert response.status_code == 200, response.text
    assert response.json["pagination"]["total"] == 0


@pytest.mark.parametrize("words", ["x" * 10_000, "%25" * 10_000, "a%00b"])
@pytest.mark.parametrize(
    "path", ["/venues/", "/organisers/", "/events/", "/shows/", "/ticket_holders/", "/users/"]
)
def test_search_is_bounded(send, path, words):
    refused(send(f"GET {path}?q={words}", who="admin"), 400)


@pytest.mark.parametrize(
    "sort", ["password_hash", "id", "--name", "name;", "", "random()", "name,id"]
)
@pytest.mark.parametrize("path", ["/venues/", "/organisers/", "/events/", "/shows/"])
def test_sorting_by_what_is_not_offered(send, path, sort):
    problem = refused(send(f"GET {path}?sort={sort}"), 400)

    assert problem["errors"][0]["field"] == "sort"


@pytest.mark.parametrize(
    "query",
    [
        "date=2030-13-01",
        "date=0000-00-00",
        "date=9999-12-31",
        "date=1",
        "venue_id=0",
        "on_sale=maybe",
        "venue_id=9223372036854775808",
        "status=",
        "status=hidden",
        "organiser_id=1%20OR%201=1",
    ],
)
@pytest.mark.parametrize("path", ["/events/", "/shows/"])
def test_filters_out_of_range(send, path, query):
    refused(send(f"GET {path}?{query}"), 400)


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "QUERY", "FOO", "CONNECT"])
@pytest.mark.parametrize(
    "path", ["/", "/events/", "/events/{event_id}", "/bookings/", "/auth/login"]
)
def test_methods_that_no_path_knows(send, method, path):
    response = send(f"{method} {path}")

    refused(response, 405)
    assert "OPTIONS" in response.headers["Allow"]


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/Events/",
        "/events/1/nothing",
        "/.env",
        "/../etc/passwd",
        "/%2e%2e/",
        "/events/%00",
        "/\u2603",
        "/" + "x" * 8000,
        "/static/x",
        "/docs/../../main.py",
        "/docs/%2e%2e/%2e%2e/main.py",
        "/docs/nothing.js",
        "/problems/%ff",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_paths_that_are_not_there(send, method, path):
    refused(send(f"{method} {path}"), 404, 405)


LONG = "x" * 8000
HEADERS = {
    "Accept": ["text/html", "image/*;q=0", "", "*", LONG, "\xff", "a/b;q=x"],
    "If-None-Match": ["*", '"', '""', "W/", LONG, "\xff", '"1', "'", ",,,", '"\x7f"'],
    "If-Match": ['"0"', '"', 'W/"1"', LONG, "\xff", ",,,"],
    "X-Request-ID": ["", "x", "\xff" * 20, LONG, "<script>alert(1)</script>", "a b c d e f"],
    "Booking-Secret": ["x", "\xff", LONG, "' OR 1=1--", "\x7f"],
    "X-API-Key": ["", "x", "\xff", LONG, "gm_live_", "gm_live_" + LONG, "gm_live_' OR 1=1--"],
    "Authorization": [
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Bearer \xff",
        "Bearer " + LONG,
        "Bearer a.b.c",
        "Basic YTpi",
        "Basic",
        "\xff",
        "bearer x y",
        "Digest username=x",
        "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
        LONG,
    ],
    "Idempotency-Key": ["", " ", "é", "\xff", LONG, "a b", "x" * 256, "\x7f"],
    "Content-Length": ["-1", "x", "99999999999999999999"],
    "Accept-Encoding": [LONG],
    "Range": ["bytes=0-0", "bytes=9-1", LONG],
    "Host": ["evil.example", "a b", "\xff", "x" * 300, "localhost:99999", "[::1"],
    "X-Forwarded-Host": ["evil.example"],
    "Cookie": ["a=b; " * 500, "\xff"],
}
CASES = [(name, value) for name, values in HEADERS.items() for value in values]


@pytest.mark.parametrize(("name", "value"), CASES, ids=lambda part: ascii(part)[:40])
@pytest.mark.parametrize(
    "request_line",
    ["GET /events/{event_id}", "GET /bookings/{booking_id}", "GET /venues/", "GET /health"],
)
def test_headers_that_mean_nothing(send, request_line, name, value):
    response = send(request_line, who="admin", headers={name: value})

    if response.status_code not in (200, 304):
        refused(response, 400, 401, 404)
    assert response.headers["X-Request-ID"].isascii()
    assert "evil.example" not in response.text
    assert "<script>" not in str(response.headers)


@pytest.mark.parametrize(("name", "value"), CASES, ids=lambda part: ascii(part)[:40])
def test_headers_that_mean_nothing_beside_a_refused_body(send, name, value):
    response = send("POST /bookings/", json={}, headers={name: value})

    refused(response, 400, 401, 415)


@pytest.mark.parametrize("secret", HEADERS["Booking-Secret"])
def test_secrets_of_no_booking(send, secret):
    refused(
        send("GET /bookings/{booking_id}", who="stranger", headers={"Booking-Secret": secret}), 401
    )


@pytest.mark.parametrize("key", HEADERS["X-API-Key"])
@pytest.mark.parametrize("path", ["/events/", "/users/me", "/health", "/problems/"])
def test_keys_of_no_organiser_are_never_a_stranger(send, path, key):
    refused(send(f"GET {path}", who="stranger", headers={"X-API-Key": key}), 401)


@pytest.mark.parametrize("token", HEADERS["Authorization"])
@pytest.mark.parametrize("path", ["/events/", "/users/me", "/health", "/problems/"])
def test_bad_credentials_are_never_a_stranger(send, path, token):
    response = send(f"GET {path}", who="stranger", headers={"Authorization": token})

    refused(response, 401)
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("key", HEADERS["Idempotency-Key"])
def test_idempotency_keys_that_are_none(send, key):
    problem = refused(
        send("POST /bookings/{booking_id}/extend", headers={"Idempotency-Key": key}), 400
    )

    assert problem["errors"][0]["field"] == "Idempotency-Key"


def test_links_come_from_the_configuration_and_not_from_the_caller(send, monkeypatch):
    monkeypatch.setattr(settings, "public_url", "https://tickets.example.com/")
    poison = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}

    following = send("GET /bookings/?per_page=1&all=true", headers=poison).json["pagination"][
        "next"
    ]

    assert following == "https://tickets.example.com/bookings/?per_page=1&all=true&page=2"


@pytest.mark.parametrize(
    "form",
    [
        b"",
        b"username=%00&password=x",
        b"username=a&username=b&password=x",
        b"password=x",
        b"username=a@b.c",
        b"grant_type=magic&username=a@b.c&password=x",
        b"username=a@b.c&password=x&role=admin",
        b"&" * 10_000,
        b"%=%&==&",
    ],
)
def test_forms_that_mean_nothing(send, form):
    response = send(
        "POST /auth/token",
        data=form,
        content_type="application/x-www-form-urlencoded",
        who="stranger",
    )

    refused(response, 400)


def test_a_form_that_is_too_large(send):
    form = b"username=" + b"x" * MEGABYTE
    response = send("POST /auth/token", data=form, content_type="application/x-www-form-urlencoded")

    assert refused(response, 413)["limit"] == settings.max_body_bytes


NAMES = [
    "José",
    "O'Connor",
    "李小龙",
    "Ⅷ Søren Þór",
    "محمد",
    "நிலா",
    "Zoë 🎸",
    "D’Arcy-Łukasz Jr.",
    "X",
]
ADDRESSES = [
    "1 chome-1-2 Oshiage, Sumida",
    "Straße des 17. Juni 135",
    "شارع التحرير",
    "P.O. Box 7, 00100",
]
MAIL = ["user+tag@example.com", "dörte@sörensen.example", "a@例え.jp", "o'hara@example.ie"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("endpoint", [e for e, body in BODIES.items() if "name" in body])
def test_names_from_anywhere_are_kept_as_they_are(app, world, undone, endpoint, name):
    with undone():
        response = Sender(app, world)(
            endpoint, who="admin", json={**BODIES[endpoint], "name": name}
        )

        assert response.status_code in (200, 201), response.text
        kept = response.json.get("user", response.json)
        assert kept["name"] == name


@pytest.mark.parametrize("address", ADDRESSES)
def test_addresses_from_anywhere_are_kept_as_they_are(app, world, undone, address):
    with undone():
        venue = Sender(app, world)("POST /venues/", json={**VENUE, "address": address}).json

        assert venue["address"] == address


@pytest.mark.parametrize("email", MAIL)
def test_mail_addresses_from_anywhere_are_accepted(app, world, undone, email):
    with undone():
        response = Sender(app, world)("POST /ticket_holders/", json={"name": "A", "email": email})

        assert response.status_code == 201, response.text


def _every_field() -> Iterator[tuple[str, fields.Field]]:
    for module in pkgutil.iter_modules(schemas.__path__, "schemas."):
        for kind in vars(importlib.import_module(module.name)).values():
            if (
                isinstance(kind, type)
                and issubclass(kind, Schema)
                and kind.__module__ == module.name
            ):
                for name, field in kind().fields.items():
                    yield f"{kind.__name__}.{name}", field
                    if isinstance(field, fields.List):
                        yield f"{kind.__name__}.{name}[]", field.inner


CHECKED = {
    name: field
    for name, field in _every_field()
    if isinstance(field, fields.String) and not field.dump_only
}
NEAR_MISSES = ["{}!", "+{}x", "({}", "{}@", "https://{}", "a@{}", "{}\n", "http://a.{}/ "]
FILLINGS = ["0", "0 ", "a.", "(", "-", " ", "a", "%", "/a", "\u00e9", "."]


@pytest.mark.parametrize("name", CHECKED)
def test_no_check_is_slow_on_a_near_miss(name):
    field = CHECKED[name]
    for miss in NEAR_MISSES:
        for filling in FILLINGS:
            hostile = miss.format(filling * (50_000 // len(filling)))
            started = time.thread_time()
            with suppress(ValidationError):
                field.deserialize(hostile)
            if time.thread_time() - started > 0.01:  # perhaps a cache was cold: once more
                started = time.thread_time()
                with suppress(ValidationError):
                    field.deserialize(hostile)
            assert time.thread_time() - started < 0.01, (miss, filling)


def test_every_pattern_is_quick_by_itself():
    """Also where no length goes before it."""
    patterns = {
        check.regex
        for field in CHECKED.values()
        for check in field.validators
        if isinstance(check, validate.Regexp)
    }

    assert patterns
    for pattern in patterns:
        for miss in NEAR_MISSES:
            for filling in FILLINGS:
                hostile = miss.format(filling * (50_000 // len(filling)))
                started = time.thread_time()
                pattern.match(hostile)
                assert time.thread_time() - started < 0.01, (pattern, miss, filling)


def test_random_bytes_are_never_a_500(send):
    rng = random.Random(7)
    for _ in range(300):
        body = bytearray(json.dumps(BODIES["POST /bookings/"]).encode())
        for _ in range(rng.randint(1, 4)):
            body[rng.randrange(len(body))] = rng.randrange(256)
        response = send("POST /bookings/quote", data=bytes(body), content_type="application/json")
        if response.status_code != 200:
            refused(response, 400, 404, 409)


@pytest.mark.parametrize("deep", [20, 21, 900, 5_000])
def test_depth_is_a_matter_of_the_text_and_not_of_the_stack(deep):
    nested = b"[" * deep + b"]" * deep
    if deep <= strict_json.DEEPEST:
        assert strict_json.loads(nested)
    else:
        with pytest.raises(Exception, match="nested too deeply"):
            strict_json.loads(nested)
