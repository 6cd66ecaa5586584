"""What is somebody's is in no answer to anybody else: every GET of the URL map, asked by outsiders.

Everything in the world that only its owners may know has a mark. A new route is asked like the
others; what it takes in its path is the world's own, the draft's, and everybody's in turn.
"""

import itertools
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from controllers.permission_table import lines
from init import db
from tests.factories import AdminFactory, ApiKeyFactory, OrganiserFactory, UserFactory, member
from tests.factories.worlds import World, _signed_in

MARK = "zzmark"
MARKED = (
    "UPDATE users SET name = 'zzmark ' || id, email = 'zzmark' || id || '@example.com',"
    " phone = '+254zzmark'",
    "UPDATE ticket_holders SET name = 'zzmark ' || id, email = 'zzmark' || id || '@example.com'",
    "UPDATE bookings SET email = 'zzmark@example.com', note = 'zzmark', reference = 'ZZMARK' || id,"
    " comp_reason = CASE WHEN comp_reason IS NULL THEN NULL ELSE 'zzmark' END",
    "UPDATE tickets SET code = 'ZZMARK' || id",
    "UPDATE events SET title = 'zzmark' WHERE status = 'draft'",
    "UPDATE tiers SET name = 'zzmark' WHERE show_id IN (SELECT s.id FROM shows s"
    " JOIN events e ON e.id = s.event_id WHERE e.status = 'draft')",
    "UPDATE stocks SET name = 'zzmark' WHERE name = 'House'",
    "UPDATE api_keys SET name = 'zzmark'",
    "UPDATE audit_entries SET reason = 'zzmark'",
    "UPDATE outbox_messages SET topic = 'zzmark'",
)
OUTSIDERS = ("stranger", "attendee", "owner of another organiser", "key of another organiser")
FIXED = {"code": "sold-out", "path": "index.css"}
QUERIES = {"/seats": ["?show_id={show_id}"]}


@pytest.fixture(scope="module")
def marked(app: Flask, world: World) -> dict[str, dict[str, str]]:
    """The headers of outsiders who came after everything had been marked, and of an admin."""
    with app.app_context():
        with db.engine.begin() as connection:
            for statement in MARKED:
                connection.execute(text(statement))
        outsiders = {
            "stranger": {},
            "attendee": _signed_in(UserFactory()),
            "owner of another organiser": _signed_in(member(OrganiserFactory())),
            "key of another organiser": {"X-API-Key": ApiKeyFactory().secret},
            "admin": _signed_in(AdminFactory()),
        }
        db.session.remove()
    return outsiders


def urls(path: str, world: World) -> list[str]:
    """The path with everything in the world that its parameters may name."""
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    choices = [[FIXED[name]] if name in FIXED else world.ids.get(name, [1]) for name in names]
    found = []
    for chosen in itertools.product(*choices):
        url = path.format(**dict(zip(names, chosen, strict=True)))
        found += [url + q.format(show_id=world.ids["show_id"][0]) for q in QUERIES.get(path, [""])]
    return found


def reading(app: Flask) -> list[str]:
    return [line.path for line in lines(app) if line.method == "GET"]


def answers(app: Flask, world: World, headers: dict[str, str], *more: str) -> dict[str, Any]:
    """What every GET answers, by URL; lists with as many rows as they give."""
    said = {}
    with app.test_client() as client:
        for path in reading(app):
            for url, extra in itertools.product(urls(path, world), ("", *more)):
                response = client.get(url + extra, headers=headers)
                said[url + extra] = response.get_data(as_text=True)
                response.close()
    return said


@pytest.mark.parametrize("who", OUTSIDERS)
def test_nobody_reads_what_is_somebody_elses(app, world, marked, who):
    everything = ("?per_page=100", "?all=true&per_page=100", f"?q={MARK}", "?status=draft")
    said = answers(app, world, marked[who], *everything)

    leaks = {url: body for url, body in said.items() if MARK in body.lower() and MARK not in url}
    assert leaks == {}
    found = [url for url, body in said.items() if MARK in url and '"items": [{' in body]
    assert found == []


def test_the_mark_would_be_seen(app, world, marked):
    """An admin, who may see everything, does: the marks are where the answers come from."""
    said = answers(app, world, marked["admin"], "?per_page=100", "?all=true&per_page=100")

    seen = {url.split("?")[0] for url, body in said.items() if MARK in body.lower()}
    event_id, show_id = world.ids["event_id"][1], world.ids["show_id"][0]
    for path in (
        "/bookings/",
        f"/bookings/{world.ids['booking_id'][0]}",
        f"/events/{event_id}",
        f"/shows/{show_id}/attendees",
        f"/shows/{show_id}/stocks",
        f"/organisers/{world.ids['organiser_id'][0]}/members",
        "/ticket_holders/",
        "/audit/",
    ):
        assert path in seen
