"""/seat_maps, seen from outside."""

import json
import threading
import time
from datetime import timedelta

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from config import ROOT
from config import settings as configured
from init import db
from models import AuditEntry, MapSeat, MemberRole, SeatMap, SeatMapVersion, Section, Show, Venue
from schemas.seat_map_document import EXAMPLES, SCHEMA
from tests.factories import (
    LONG_AGO,
    AdminFactory,
    EventFactory,
    OrganiserFactory,
    ShowFactory,
    UserFactory,
    VenueFactory,
    member,
)

BALL = {
    "name": "Ball",
    "sections": [{"name": "Dance floor", "kind": "standing", "capacity": 400}],
}
STALLS = {"name": "Stalls", "kind": "seated", "rows": "A-B", "seats": "1-4"}
SEATED = {"name": "Seated", "sections": [STALLS]}


@pytest.fixture
def organiser(session):
    return OrganiserFactory()


@pytest.fixture
def manager(organiser, as_user):
    return as_user(member(organiser, MemberRole.MANAGER))


@pytest.fixture
def venue(organiser):
    return VenueFactory(organiser_id=organiser.id)


@pytest.fixture
def path(venue):
    return f"/venues/{venue.id}/seat_maps"


def seats(section="Stalls"):
    """The newest section of that name, seat by seat, in its order."""
    query = select(MapSeat).join(Section, Section.id == MapSeat.section_id)
    newest = select(func.max(Section.id)).where(Section.name == section).scalar_subquery()
    return list(db.session.scalars(query.where(Section.id == newest).order_by(MapSeat.position)))


def code(response):
    return response.status_code, response.json["code"]


def fields(response):
    assert response.status_code == 400
    return [error["field"] for error in response.json["errors"]]


def count(model):
    return db.session.scalar(select(func.count()).select_from(model))


class TestCreate:
    def test_makes_another_map_beside_the_default_one(self, client, path, manager):
        response = client.post(path, json=BALL, headers=manager)

        assert response.status_code == 201
        made = response.json
        assert (made["name"], made["is_default"], made["current_version"]) == ("Ball", False, 1)
        assert (made["sections"], made["seats"], made["capacity"]) == (1, 0, 400)
        assert response.headers["Location"] == f"/seat_maps/{made['id']}"
        shown = client.get(response.headers["Location"])
        assert (shown.json, shown.headers["ETag"]) == (made, response.headers["ETag"])

    def test_lays_out_what_is_regular_from_a_short_description(self, client, path, manager):
        section = {
            "name": "Stalls",
            "kind": "seated",
            "rows": "A-C without B",
            "seats": "5-1 odd | 2-6 even",
            "aisles_after": [4],
            "exceptions": [{"rows": "C", "seats": "1-3", "aisles_after": [2]}],
            "accessible": ["A-5"],
            "companion": ["A-3"],
            "restricted_view": ["C-3"],
        }

        response = client.post(path, json=SEATED | {"sections": [section]}, headers=manager)

        assert response.json["seats"] == 9
        laid = [(f"{s.row}-{s.number}", s.position, s.off_centre) for s in seats()]
        assert laid == [
            ("A-5", 1, -7),
            ("A-3", 2, -5),
            ("A-1", 3, -3),
            ("A-2", 5, 1),
            ("A-4", 6, 3),
            ("A-6", 8, 7),
            ("C-1", 10, -3),
            ("C-2", 11, -1),
            ("C-3", 13, 3),
        ]
        assert [s.kind and s.kind.value for s in seats()[:3]] == ["accessible", "companion", None]
        assert [s.restricted_view for s in seats()[-2:]] == [False, True]

    def test_lays_seats_round_a_table(self, client, path, manager):
        tables = [{"table": "T1", "seats": 4, "x": 10, "y": 20}, {"table": "T2", "seats": "1-2"}]
        section = {"name": "VIP", "kind": "tables", "tables": tables}

        response = client.post(path, json=SEATED | {"sections": [section]}, headers=manager)

        assert (response.status_code, response.json["seats"]) == (201, 6)
        round_it = [(s.row, s.number, s.x, s.y) for s in seats("VIP")[:4]]
        assert round_it == [
            ("T1", "1", 10, 19.1),
            ("T1", "2", 10.9, 20),
            ("T1", "3", 10, 20.9),
            ("T1", "4", 9.1, 20),
        ]

    @pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["name"])
    def test_takes_each_published_example(self, client, path, manager, example):
        assert client.post(path, json=example, headers=manager).status_code == 201

    def test_says_what_it_would_be_and_writes_nothing(self, client, path, manager):
        before = count(SeatMapVersion), count(MapSeat)
        document = SEATED | {"sections": [STALLS, BALL["sections"][0]]}

        response = client.post(f"{path}?dry_run=true", json=document, headers=manager)

        assert response.status_code == 200
        assert (response.json["seats"], response.json["capacity"]) == (8, 408)
        assert response.json["sections"][0] == {
            "name": "Stalls",
            "kind": "seated",
            "rows": 2,
            "seats": 8,
            "capacity": 8,
        }
        assert (count(SeatMapVersion), count(MapSeat)) == before
        too_large = {"sections": [{"name": "A", "kind": "standing", "capacity": 5001}]}
        refused = client.post(f"{path}?dry_run=true", json=SEATED | too_large, headers=manager)
        assert fields(refused) == ["sections"]

    def test_a_name_is_taken_once_at_a_venue(self, client, path, manager, organiser):
        client.post(path, json=BALL, headers=manager)

        assert code(client.post(path, json=BALL, headers=manager)) == (409, "name-taken")
        elsewhere = f"/venues/{VenueFactory(organiser_id=organiser.id).id}/seat_maps"
        assert client.post(elsewhere, json=BALL, headers=manager).status_code == 201

    def test_is_for_those_who_lay_out_the_venue(self, client, path, organiser, as_user):
        assert client.post(path, json=BALL).status_code == 401
        assert client.post(path, json=BALL, headers=as_user(UserFactory())).status_code == 403
        door = as_user(member(organiser, MemberRole.DOOR))
        assert client.post(path, json=BALL, headers=door).status_code == 403
        other = as_user(member(OrganiserFactory()))
        assert client.post(path, json=BALL, headers=other).status_code == 403
        assert client.post("/venues/999999/seat_maps", json=BALL, headers=door).status_code == 404
        shared = f"/venues/{VenueFactory().id}/seat_maps"
        assert client.post(shared, json=BALL, headers=other).status_code == 403
        admin = as_user(AdminFactory())
        assert client.post(shared, json=BALL, headers=admin).status_code == 201


class TestMistakes:
    @pytest.mark.parametrize(
        ("where", "change"),
        [
            ("sections.0.rows", {"rows": "T-A"}),
            ("sections.0.rows", {"rows": "A-"}),
            ("sections.0.rows", {"rows": []}),
            ("sections.0.rows.1", {"rows": ["A", "B/C"]}),
            ("sections.0.rows.1", {"rows": ["A", "A"]}),
            ("sections.0.rows.1", {"rows": ["A", "B\x1b"]}),
            ("sections.0.rows.0.row", {"rows": [{"row": " A"}]}),
            ("sections.0.rows.0.seats", {"rows": [{"row": "A", "seats": []}]}),
            ("sections.0.seats", {"seats": "1-4 without 9"}),
            ("sections.0.seats", {"seats": "1-2000"}),
            ("sections.0.seats", {"seats": 4}),
            ("sections.0.aisles_after.0", {"aisles_after": [5]}),
            ("sections.0.aisles_after.1", {"aisles_after": [2, 4]}),
            ("sections.0.aisles_after.0", {"aisles_after": [None]}),
            ("sections.0.rows.0.aisles_after.0", {"rows": [{"row": "A", "aisles_after": [9]}]}),
            ("sections.0.exceptions.0.rows", {"exceptions": [{"rows": "C", "seats": "1"}]}),
            ("sections.0.exceptions.0", {"exceptions": [{"rows": "A"}]}),
            ("sections.0.accessible.1", {"accessible": ["A-1", "C-1"]}),
            ("sections.0.companion.0", {"companion": ["A-1"]}),
            ("sections.0.companion.0", {"companion": ["A-1"], "accessible": ["A-3"]}),
            (
                "sections.0.companion.0",
                {"companion": ["A-3"], "accessible": ["A-2"], "aisles_after": [2]},
            ),
            ("sections.0.companion.0", {"companion": ["A-2"], "accessible": ["A-2", "A-1"]}),
            ("sections.0.capacity", {"capacity": 8}),
            ("sections.0.seats_per_row", {"seats_per_row": 4}),
            ("sections.0.outline", {"outline": [[0, 0], [1, 1]]}),
            ("sections.0.outline.2", {"outline": [[0, 0], [1, 1], [1]]}),
            ("sections.0.name", {"name": " "}),
            ("sections.0.name", {"name": "A\u202eB"}),
            ("sections.0.kind", {"kind": "lying"}),
        ],
    )
    def test_are_named_at_their_path(self, client, path, manager, where, change):
        before = count(SeatMap)

        response = client.post(path, json=SEATED | {"sections": [STALLS | change]}, headers=manager)

        assert fields(response)[0] == where
        assert count(SeatMap) == before

    @pytest.mark.parametrize(
        ("where", "seat"),
        [
            ("", "A/1"),
            ("", 3),
            (".number", {}),
            (".number", {"number": 3}),
            (".number", {"number": "x" * 11}),
            (".number", {"number": "1"}),
            (".x", {"number": "2", "x": "1", "y": 1}),
            (".x", {"number": "2", "x": True, "y": 1}),
            (".x", {"number": "2", "x": 100_001, "y": 1}),
            (".y", {"number": "2", "x": 1}),
            (".accessible", {"number": "2", "accessible": 1}),
            (".companion", {"number": "2", "accessible": True, "companion": True}),
            (".companion", {"number": "2", "companion": True}),
            (".aisle", {"number": "2", "aisle": True}),
        ],
    )
    def test_of_a_seat_are_named_at_the_seat(self, client, path, manager, where, seat):
        rows = [{"row": "A", "seats": ["9"]}, {"row": "B", "seats": [{"number": "1"}, seat]}]
        section = {"name": "Stalls", "kind": "seated", "rows": rows}

        response = client.post(path, json=SEATED | {"sections": [section]}, headers=manager)

        assert fields(response) == [f"sections.0.rows.1.seats.1{where}"]

    def test_say_what_is_there_twice(self, client, path, manager):
        rows = [{"row": "B", "seats": ["15", "15"]}, {"row": "B-1", "seats": ["5"]}]
        section = {"name": "VIP A", "kind": "seated", "rows": rows}
        twin = {"name": "vip_a", "kind": "standing", "capacity": 1}

        response = client.post(path, json=SEATED | {"sections": [section, twin]}, headers=manager)

        assert [(e["field"], e["detail"]) for e in response.json["errors"]] == [
            (
                "sections.0.rows.0.seats.1.number",
                "There is another B-15 in this section.",
            ),
            ("sections.1.name", "There is another section VIP_A."),
        ]

    def test_are_all_told_up_to_a_hundred(self, client, path, manager):
        rows = [{"row": "A", "seats": [{"number": "/"} for _ in range(150)]}]
        section = {"name": "Stalls", "kind": "seated", "rows": rows}

        response = client.post(path, json=SEATED | {"sections": [section]}, headers=manager)

        assert len(response.json["errors"]) == 100
        assert fields(response)[99] == "sections.0.rows.0.seats.99.number"

    @pytest.mark.parametrize(
        ("where", "change"),
        [
            ("name", {"name": ""}),
            ("name", {"name": "x" * 101}),
            ("name", {"name": 3}),
            ("note", {"note": "x" * 201}),
            ("stage.width", {"stage": {"x": 1, "y": 1, "width": 0, "height": 1}}),
            ("stage.height", {"stage": {"x": 1, "y": 1, "width": 1}}),
            ("stage", {"stage": "left"}),
            ("sections", {"sections": []}),
            ("sections", {"sections": {}}),
            ("sections.0", {"sections": [None]}),
            ("body.id", {"id": 3}),
        ],
    )
    def test_of_the_map_are_named(self, client, path, manager, where, change):
        assert fields(client.post(path, json=SEATED | change, headers=manager)) == [where]

    def test_a_map_holds_no_more_than_its_venue(self, client, path, manager):
        section = {"name": "A", "kind": "seated", "rows": 51, "seats_per_row": 100}

        response = client.post(path, json=SEATED | {"sections": [section]}, headers=manager)

        assert fields(response) == ["sections"]


class TestHostile:
    def test_a_few_bytes_do_not_become_a_billion_seats(self, client, path, manager):
        sections = [
            {"name": f"S{n}", "kind": "seated", "rows": "1-1000", "seats": "1-1000"}
            for n in range(500)
        ]
        started = time.monotonic()

        response = client.post(path, json=SEATED | {"sections": sections}, headers=manager)

        assert fields(response) == ["sections"]
        assert time.monotonic() - started < 5

    def test_long_descriptions_are_read_once_each_and_not_to_their_end(self, client, path, manager):
        row = "1-2000," * 280 + "1"
        rows = [{"row": str(n), "seats": row} for n in range(200)]
        section = {"name": "S", "kind": "seated", "rows": rows}
        started = time.monotonic()

        response = client.post(path, json=SEATED | {"sections": [section]}, headers=manager)

        assert len(fields(response)) == 100
        assert time.monotonic() - started < 5

    @pytest.mark.parametrize(
        "value",
        ["x" * 500_000, [[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]], {"a": {"b": {}}}, 1e308, None],
    )
    def test_whatever_is_sent_is_refused(self, client, path, manager, value):
        for document in (
            {"name": "A", "sections": value},
            {"name": "A", "sections": [value]},
            {"name": "A", "sections": [STALLS | {"rows": value}]},
            {"name": "A", "sections": [STALLS | {"rows": [value]}]},
            {"name": "A", "sections": [STALLS | {"rows": [{"row": "A", "seats": value}]}]},
            {"name": "A", "sections": [STALLS | {"rows": [{"row": "A", "seats": [value]}]}]},
            {"name": "A", "sections": [STALLS | {"aisles_after": [value]}]},
            {"name": "A", "sections": [STALLS | {"accessible": [value]}]},
            {"name": "A", "sections": [STALLS], "stage": value or "x"},
            {"name": value, "sections": [STALLS]},
        ):
            assert client.post(path, json=document, headers=manager).status_code == 400

    def test_only_who_lays_out_halls_may_send_much(self, client, path, manager, as_user):
        padded = json.dumps(SEATED) + " " * (configured.max_body_bytes + 1)
        sent = {"data": padded, "content_type": "application/json"}

        assert client.post(path, headers=manager, **sent).status_code == 201
        for headers in (as_user(UserFactory()), as_user(member(OrganiserFactory(), "door"))):
            response = client.post(path, headers=headers, **sent)
            assert code(response) == (413, "too-large")
            assert response.json["limit"] == configured.max_body_bytes
        more = json.dumps(SEATED) + " " * (configured.max_seat_map_bytes + 1)
        sent = {"data": more, "content_type": "application/json"}
        response = client.post(path, headers=manager, **sent)
        assert response.json["limit"] == configured.max_seat_map_bytes


class TestExchange:
    def test_a_stadium_goes_out_and_comes_in_again(self, client, path, venue, manager):
        venue.capacity = 80_000
        db.session.commit()
        rows = [
            {
                "row": str(row),
                "seats": [
                    {"number": str(n), "x": n + row / 7, "y": row * 1.3, "restricted_view": row > 9}
                    for n in range(1, 401)
                ],
            }
            for row in range(1, 101)
        ]
        sections = [{"name": f"Stand {n}", "kind": "seated", "rows": rows} for n in (1, 2)]

        made = client.post(path, json={"name": "Bowl", "sections": sections}, headers=manager)
        out = client.get(f"/seat_maps/{made.json['id']}/versions/1").json
        again = client.post(path, json=out | {"name": "Again"}, headers=manager)

        assert (made.status_code, again.status_code) == (201, 201)
        back = client.get(f"/seat_maps/{again.json['id']}/versions/1").json
        assert back == out | {"name": "Again"}
        assert made.json["seats"] == again.json["seats"] == 80_000

    def test_what_goes_out_fits_the_schema_and_is_the_same_when_it_comes_in(
        self, client, path, venue, manager
    ):
        validator = jsonschema_rs.Draft202012Validator(SCHEMA)
        numbers = iter(range(10**6))

        @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(documents())
        def holds(document):
            name = f"Map {next(numbers)}"
            made = client.post(path, json=document | {"name": name}, headers=manager)
            assert made.status_code == 201, made.json
            where = f"/seat_maps/{made.json['id']}/versions"
            out = client.get(f"{where}/1").json
            assert validator.is_valid(out)
            assert client.post(where, json=out, headers=manager).status_code == 201
            assert client.get(f"{where}/2").json == out
            first, second = (laid_out(made.json["id"], number) for number in (1, 2))
            assert first == second

        holds()


def laid_out(seat_map_id, number):
    query = (
        select(Section.name, Section.capacity, MapSeat)
        .join(MapSeat, MapSeat.section_id == Section.id, isouter=True)
        .join(SeatMapVersion, SeatMapVersion.id == Section.seat_map_version_id)
        .where(SeatMapVersion.seat_map_id == seat_map_id, SeatMapVersion.number == number)
        .order_by(Section.position, MapSeat.position)
    )
    same = ("row", "number", "position", "off_centre", "x", "y", "kind", "restricted_view")
    return [
        (name, capacity, seat and [getattr(seat, each) for each in same])
        for name, capacity, seat in db.session.execute(query)
    ]


LABELS = st.text(st.sampled_from("AB12-½é "), min_size=1, max_size=4).filter(
    lambda text: text == text.strip()
)
COORDINATES = st.floats(-1000, 1000)


@st.composite
def rows_of_seats(draw):
    """Seats of a row, each with what may be said of it."""
    row = []
    for number in draw(st.lists(LABELS, min_size=1, max_size=5, unique=True)):
        seat = {"number": number, "gap_before": draw(st.booleans())}
        if draw(st.booleans()):
            seat |= {"x": draw(COORDINATES), "y": draw(COORDINATES)}
        seat["accessible"] = draw(st.booleans())
        beside = row and row[-1]["accessible"] and not seat["gap_before"]
        if beside and not seat["accessible"]:
            seat["companion"] = draw(st.booleans())
        seat["restricted_view"] = draw(st.booleans())
        row.append(seat)
    return row


@st.composite
def documents(draw):
    """Maps that are as they should be."""
    sections = []
    for n in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(["standing", "seated", "tables"]))
        section = {"name": f"Part {n}", "kind": kind}
        if draw(st.booleans()):
            section["outline"] = draw(
                st.lists(st.lists(COORDINATES, min_size=2, max_size=2), min_size=3, max_size=4)
            )
        if kind == "standing":
            section["capacity"] = draw(st.integers(1, 500))
        else:
            of, each = ("rows", "row") if kind == "seated" else ("tables", "table")
            section[of] = [
                {each: f"R{row}", "seats": draw(st.one_of(rows_of_seats(), st.just("1-3 | 5-4")))}
                for row in range(draw(st.integers(1, 3)))
            ]
        sections.append(section)
    document = {"sections": sections}
    if draw(st.booleans()):
        document["stage"] = {"x": draw(COORDINATES), "y": 0, "width": 5, "height": 1.5}
        document["note"] = draw(st.sampled_from(["Summer", "With the orchestra pit"]))
    return document


class TestSchema:
    def test_is_published_with_examples(self, client):
        response = client.get("/seat_maps/schema")

        assert response.headers["Content-Type"] == "application/schema+json"
        assert response.json["$schema"].endswith("2020-12/schema")
        assert response.json["examples"] == EXAMPLES

    def test_is_in_the_documentation(self, client):
        there = json.loads((ROOT / "docs" / "seat_map.schema.json").read_text())

        assert there == client.get("/seat_maps/schema").json


class TestEdit:
    def test_renames_a_map_and_not_its_versions(self, client, path, manager):
        made = client.post(path, json=BALL, headers=manager).json
        here = f"/seat_maps/{made['id']}"
        before = client.get(f"{here}/versions/1")

        response = client.patch(here, json={"name": "Gala"}, headers=manager)

        assert response.json["name"] == "Gala"
        after = client.get(f"{here}/versions/1")
        assert (after.json, after.headers["ETag"]) == (before.json, before.headers["ETag"])
        main = client.get(path, headers=manager).json["items"][-1]
        taken = client.patch(here, json={"name": main["name"]}, headers=manager)
        assert code(taken) == (409, "name-taken")

    def test_new_shows_get_the_default(self, client, path, venue, manager, organiser):
        here = f"/seat_maps/{client.post(path, json=BALL, headers=manager).json['id']}"
        etag = client.get(f"/venues/{venue.id}").headers["ETag"]

        response = client.patch(here, json={"is_default": True}, headers=manager)

        assert response.json["is_default"] is True
        listed = client.get(path).json["items"]
        assert [(each["name"], each["is_default"]) for each in listed] == [
            ("Ball", True),
            ("Main", False),
        ]
        shown = client.get(f"/venues/{venue.id}")
        assert [section["name"] for section in shown.json["sections"]] == ["Dance floor"]
        assert shown.headers["ETag"] != etag
        show = {
            "event_id": EventFactory(organiser=organiser).id,
            "venue_id": venue.id,
            "starts_at": "2040-01-01T20:00:00Z",
            "currency": "KES",
        }
        made = client.post("/shows/", json=show, headers=manager)
        assert made.json["seat_map_id"] == response.json["id"]
        entry = db.session.scalars(
            select(AuditEntry).where(AuditEntry.action == "seat_map.make_default")
        ).one()
        assert entry.after == {"seat_map_id": response.json["id"]}

    def test_a_default_is_unmade_by_another_one(self, client, path, manager):
        [main] = client.get(path).json["items"]

        response = client.patch(
            f"/seat_maps/{main['id']}", json={"is_default": False}, headers=manager
        )

        assert fields(response) == ["is_default"]

    def test_a_default_fits_the_venue_as_it_is_now(self, client, path, venue, manager):
        here = f"/seat_maps/{client.post(path, json=BALL, headers=manager).json['id']}"
        client.patch(f"/venues/{venue.id}", json={"capacity": 399}, headers=manager)

        response = client.patch(here, json={"is_default": True}, headers=manager)

        assert fields(response) == ["is_default"]

    def test_a_stale_edit_is_refused(self, client, path, manager):
        here = f"/seat_maps/{client.post(path, json=BALL, headers=manager).json['id']}"
        stale = manager | {"If-Match": client.get(here).headers["ETag"]}
        assert client.post(f"{here}/versions", json=SEATED, headers=stale).status_code == 201

        for response in (
            client.patch(here, json={"name": "C"}, headers=stale),
            client.post(f"{here}/versions", json=BALL, headers=stale),
            client.delete(here, headers=stale),
        ):
            assert code(response) == (412, "precondition-failed")

    def test_a_map_of_somebody_else_is_to_look_at(self, client, path, manager, as_user):
        here = f"/seat_maps/{client.post(path, json=BALL, headers=manager).json['id']}"
        other = as_user(member(OrganiserFactory()))

        assert client.get(here, headers=other).status_code == 200
        assert client.patch(here, json={"name": "C"}, headers=other).status_code == 403
        assert client.post(f"{here}/versions", json=BALL, headers=other).status_code == 403
        assert client.delete(here, headers=other).status_code == 403


class TestVersions:
    def test_the_next_one_is_for_shows_to_come(self, client, path, venue, manager, organiser):
        [main] = client.get(path).json["items"]
        show = ShowFactory(event=EventFactory(organiser=organiser), venue=venue)
        here = f"/seat_maps/{main['id']}"

        response = client.post(
            f"{here}/versions", json=SEATED | {"note": "New chairs"}, headers=manager
        )

        assert response.status_code == 201
        assert response.headers["Location"] == f"{here}/versions/2"
        assert (response.json["number"], response.json["seats"]) == (2, 8)
        assert client.get(here).json["current_version"] == 2
        shown = client.get(f"/venues/{venue.id}").json
        assert (shown["seat_map_version"], shown["sections"][0]["name"]) == (2, "Stalls")
        assert client.get(f"/shows/{show.id}").json["seat_map_version"] == 1
        listed = client.get(f"{here}/versions").json["items"]
        assert [(v["number"], v["note"], v["replaced_at"] is None) for v in listed] == [
            (2, "New chairs", True),
            (1, None, False),
        ]

    def test_says_what_it_would_be(self, client, path, manager):
        [main] = client.get(path).json["items"]
        here = f"/seat_maps/{main['id']}/versions"

        response = client.post(f"{here}?dry_run=true", json=SEATED, headers=manager)

        assert (response.status_code, response.json["seats"]) == (200, 8)
        assert client.get(here).json["pagination"]["total"] == 1

    def test_a_version_can_be_kept_for_ever(self, client, path, manager):
        made = client.post(path, json=SEATED, headers=manager).json
        here = f"/seat_maps/{made['id']}/versions/1"

        response = client.get(here)

        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert not response.headers["ETag"].startswith("W/")
        have = client.get(here, headers={"If-None-Match": response.headers["ETag"]})
        assert (have.status_code, have.data) == (304, b"")
        assert have.headers["ETag"] == response.headers["ETag"]
        assert have.headers["Cache-Control"] == response.headers["Cache-Control"]

    def test_a_version_is_written_out_once(self, client, path, manager, count_statements):
        made = client.post(path, json=SEATED, headers=manager).json
        here = f"/seat_maps/{made['id']}/versions/1"
        first = client.get(here)
        count_statements.clear()

        again = client.get(here)

        assert (again.data, again.headers["ETag"]) == (first.data, first.headers["ETag"])
        assert not any("map_seats" in statement for statement in count_statements)

    @pytest.mark.parametrize("number", ["2", "0", "x", str(2**70)])
    def test_no_such_version(self, client, path, manager, number):
        made = client.post(path, json=SEATED, headers=manager).json

        assert client.get(f"/seat_maps/{made['id']}/versions/{number}").status_code == 404

    def test_lists_cost_the_same_however_many(self, client, path, manager, count_statements):
        def cost(where):
            count_statements.clear()
            assert client.get(where).status_code == 200
            return len(count_statements)

        made = client.post(path, json=SEATED, headers=manager).json
        versions = f"/seat_maps/{made['id']}/versions"
        few = cost(path), cost(versions)
        for n in range(4):
            more = SEATED | {"name": f"Map {n}"}
            client.post(path, json=more, headers=manager)
            client.post(versions, json=more, headers=manager)
        assert (cost(path), cost(versions)) == few


class TestDelete:
    def test_may_be_repeated_and_frees_the_name(self, client, path, manager):
        here = f"/seat_maps/{client.post(path, json=BALL, headers=manager).json['id']}"

        for _ in range(2):
            assert client.delete(here, headers=manager).status_code == 204

        assert client.get(here).status_code == 404
        assert client.get(f"{here}/versions").status_code == 404
        assert client.patch(here, json={"name": "C"}, headers=manager).status_code == 404
        assert len(client.get(path).json["items"]) == 1
        assert client.post(path, json=BALL, headers=manager).status_code == 201

    def test_the_default_stays(self, client, path, manager):
        [main] = client.get(path).json["items"]

        response = client.delete(f"/seat_maps/{main['id']}", headers=manager)

        assert code(response) == (409, "default-map")

    def test_shows_to_come_keep_it(self, client, path, venue, manager, organiser):
        made = client.post(path, json=BALL, headers=manager).json
        show = ShowFactory(event=EventFactory(organiser=organiser), venue=venue)
        here = f"/seat_maps/{made['id']}"
        pinned = {"seat_map_id": made["id"]}
        assert client.patch(f"/shows/{show.id}", json=pinned, headers=manager).status_code == 200
        client.post(f"{here}/versions", json=SEATED, headers=manager)

        response = client.delete(here, headers=manager)

        assert code(response) == (409, "map-in-use")
        assert response.json["shows"] == 1
        client.patch(f"/shows/{show.id}", json={"seat_map_version": 2}, headers=manager)
        assert code(client.delete(here, headers=manager)) == (409, "map-in-use")
        past = db.session.get(Show, show.id)
        past.starts_at, past.ends_at = LONG_AGO, LONG_AGO + timedelta(hours=3)
        db.session.commit()
        assert client.delete(here, headers=manager).status_code == 204
        assert client.get(f"/shows/{show.id}").json["seat_map_id"] == made["id"]

    def test_it_goes_with_its_venue(self, client, path, venue, manager):
        [main] = client.get(path).json["items"]
        client.delete(f"/venues/{venue.id}", headers=manager)

        assert client.get(path).status_code == 404
        assert client.get(f"/seat_maps/{main['id']}").status_code == 404


def test_the_largest_map_twice_at_once(app, committed, as_user):
    """Two who lay out 200,000 seats: one after the other, and the name is taken once."""
    venue_id = VenueFactory(capacity=200_000).id
    admin = as_user(AdminFactory())
    section = {"name": "Bowl", "kind": "seated", "rows": 200, "seats_per_row": 1000}
    outcomes = []

    def lay_out():
        with app.test_client() as client:
            response = client.post(
                f"/venues/{venue_id}/seat_maps",
                json={"name": "Bowl", "sections": [section]},
                headers=admin,
            )
            outcomes.append(response.status_code)

    threads = [threading.Thread(target=lay_out) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # The other one waits for the name to be taken, or gives up waiting.
    assert sorted(outcomes) in ([201, 409], [201, 503])
    assert count(MapSeat) == 200_000
    assert db.session.get(Venue, venue_id) is not None
