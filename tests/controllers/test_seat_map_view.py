"""/shows/<id>/seat_map, /seat_offers and /seat_map.svg, seen from outside."""

import math
import re
from array import array
from datetime import timedelta
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
from sqlalchemy import select

from init import db
from models import (
    AvailabilityDisplay,
    EventStatus,
    Place,
    SeatMapVersion,
    Section,
    SectionKind,
    Stock,
)
from models.layout import WantedRow, WantedSeat, WantedSection, plain_row, seated
from models.seat_map import SeatKind
from schemas.seat_map_view_schema import SeatMapViewSchema, SeatOffersSchema, SeatStatusSchema
from services import seat_drawing_service
from services.layout_service import LaidOutRow, LaidOutSection, Layout
from services.seat_drawing_service import Seen, draw
from services.seat_offer_service import ASSIGNED, Assigned
from tests.factories import (
    AdminFactory,
    EventFactory,
    OrganiserFactory,
    ShowFactory,
    StockFactory,
    TierFactory,
    VenueFactory,
    member,
)
from tests.factories.claims import claim
from utils.money import Money
from utils.ready_text import ReadyText

LAYOUT = [("Stalls", {"A": 3, "B": 2}), ("Balcony", {"A": 2}), ("Floor", 20)]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def organiser(session):
    return OrganiserFactory()


@pytest.fixture
def staff(organiser, as_user):
    return as_user(member(organiser))


@pytest.fixture
def show(organiser):
    return ShowFactory(event=EventFactory(organiser=organiser), venue=VenueFactory(layout=LAYOUT))


@pytest.fixture
def stalls(show):
    return TierFactory(show=show, name="Stalls", section="Stalls")


@pytest.fixture
def balcony(show):
    return StockFactory(show=show, section_name="Balcony")


def at(show, what):
    return f"/shows/{show.id}/{what}"


class TestMap:
    def test_has_sections_rows_and_seats_as_people_sit(self, client, show):
        answer = client.get(at(show, "seat_map")).json

        names = [(section["name"], section["kind"]) for section in answer["sections"]]
        assert names == [("Stalls", "seated"), ("Balcony", "seated"), ("Floor", "standing")]
        stalls, _, floor = answer["sections"]
        assert [row["label"] for row in stalls["rows"]] == ["A", "B"]
        assert stalls["rows"][0]["seats"] == [
            {"key": f"STALLS/A-{n}", "number": str(n), "position": n, "x": n - 2, "y": 0}
            for n in (1, 2, 3)
        ]
        assert [seat["position"] for seat in stalls["rows"][1]["seats"]] == [5, 6]
        assert "rows" not in floor
        assert len(floor["outline"]) == 4
        assert answer["seat_map_version_id"] == show.seat_map_version_id
        assert answer["stage"] is None

    def test_says_what_seats_are_only_where_they_are_special(self, client, organiser):
        row = WantedRow(
            "A",
            (
                WantedSeat("1", kind=SeatKind.ACCESSIBLE),
                WantedSeat("3", kind=SeatKind.COMPANION),
                WantedSeat("5", after_gap=True, restricted_view=True),
            ),
        )
        venue = VenueFactory(layout=[seated("Circle", [row])])
        show = ShowFactory(event=EventFactory(organiser=organiser), venue=venue)

        [section] = client.get(at(show, "seat_map")).json["sections"]

        first, second, third = section["rows"][0]["seats"]
        assert (first["kind"], second["kind"]) == ("accessible", "companion")
        assert (third["restricted_view"], third["position"]) == (True, second["position"] + 2)
        assert not {"kind", "restricted_view"} & {*third} - {"restricted_view"}
        assert "restricted_view" not in first

    def test_every_key_is_that_of_a_place(self, client, organiser):
        layout = [("Side Stalls (left)", {"A": 2}), ("Straße", {"Ä": 1})]
        show = ShowFactory(
            event=EventFactory(organiser=organiser), venue=VenueFactory(layout=layout)
        )
        told = {
            seat["key"]
            for section in client.get(at(show, "seat_map")).json["sections"]
            for row in section["rows"]
            for seat in row["seats"]
        }
        assert told == {"SIDE_STALLS_(LEFT)/A-1", "SIDE_STALLS_(LEFT)/A-2", "STRASSE/Ä-1"}
        assert set(client.get(at(show, "seat_status")).json["seats"]) == told

    def test_may_be_kept_for_ever(self, client, show):
        first = client.get(at(show, "seat_map"))
        assert first.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        etag = first.headers["ETag"]
        assert not etag.startswith("W/")

        again = client.get(at(show, "seat_map"), headers={"If-None-Match": etag})

        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["ETag"] == etag
        assert client.get(at(show, "seat_map"), headers={"If-None-Match": '"x"'}).data == first.data

    def test_is_called_what_its_map_was_called_then(self, client, show, as_user):
        """Whoever has kept it would never hear of another name."""
        version = db.session.get(SeatMapVersion, show.seat_map_version_id)
        renamed = client.patch(
            f"/seat_maps/{version.seat_map_id}",
            json={"name": "Winter"},
            headers=as_user(AdminFactory()),
        )
        assert renamed.status_code == 200

        assert client.get(at(show, "seat_map")).json["name"] == version.name == "Main"

    def test_compressed_it_is_another_text(self, client, organiser):
        venue = VenueFactory(layout=[("Stalls", {"A": 50})])
        show = ShowFactory(event=EventFactory(organiser=organiser), venue=venue)
        plain = client.get(at(show, "seat_map"))
        gzip = {"Accept-Encoding": "gzip, br"}
        small = client.get(at(show, "seat_map"), headers=gzip)

        assert small.headers["Content-Encoding"] == "gzip"
        assert small.headers["ETag"] != plain.headers["ETag"]
        for etag in (small.headers["ETag"], plain.headers["ETag"]):
            headers = {**gzip, "If-None-Match": etag}
            assert client.get(at(show, "seat_map"), headers=headers).status_code == 304

    def test_of_a_show_that_has_another_version_is_not_there(self, client, show):
        other = VenueFactory(layout=LAYOUT)
        version = db.session.scalar(
            select(SeatMapVersion.id).where(SeatMapVersion.venue_id == other.id)
        )
        ours = show.seat_map_version_id
        assert client.get(at(show, f"seat_map?version={ours}")).status_code == 200
        assert client.get(at(show, f"seat_map?version={version}")).status_code == 404
        assert client.get(at(show, "seat_map?version=0")).status_code == 400
        assert client.get(at(show, "seat_map?version=x")).status_code == 400

        show.seat_map_version_id = version
        db.session.commit()

        status = client.get(at(show, "seat_status")).json
        assert status["seat_map_version_id"] == version
        assert client.get(status["seat_map"]).json["seat_map_version_id"] == version
        assert client.get(at(show, f"seat_map?version={ours}")).status_code == 404

    def test_of_a_draft_is_kept_by_nobody_else(self, client, organiser, staff):
        event = EventFactory(organiser=organiser, status=EventStatus.DRAFT, published_at=None)
        draft = ShowFactory(event=event, venue=VenueFactory(layout=LAYOUT))
        answer = client.get(at(draft, "seat_map"), headers=staff)
        assert answer.headers["Cache-Control"].startswith("private")

    def test_a_show_without_a_map_has_no_sections(self, client, session):
        show = ShowFactory(venue=None)
        answer = client.get(at(show, "seat_map"))
        assert answer.json["sections"] == []
        assert answer.json["seat_map_version_id"] is None
        assert answer.headers["Cache-Control"] == "public, no-cache"
        assert client.get(at(show, "seat_map?version=1")).status_code == 404
        assert client.get(at(show, "seat_map.svg")).status_code == 200
        assert client.get(at(show, "seat_offers")).json["areas"] == []

    def test_outlines_hold_all_seats_and_nothing_is_out_of_bounds(self, client, organiser):
        venue = VenueFactory(layout=[*LAYOUT, ("Terrace", 4000)])
        show = ShowFactory(event=EventFactory(organiser=organiser), venue=venue)

        answer = client.get(at(show, "seat_map")).json

        left, top, width, height = answer["bounds"]
        for section in answer["sections"]:
            xs, ys = zip(*section["outline"], strict=True)
            assert left <= min(xs) <= max(xs) <= left + width
            assert top <= min(ys) <= max(ys) <= top + height
            for seat in (seat for row in section.get("rows", ()) for seat in row["seats"]):
                assert min(xs) < seat["x"] < max(xs)
                assert min(ys) < seat["y"] < max(ys)
        floor, terrace = (section["outline"] for section in answer["sections"][2:])
        assert max(y for _, y in floor) < min(y for _, y in terrace)


class TestOffers:
    def test_names_whole_sections_rows_and_single_seats(self, client, show, stalls, staff):
        client.patch(
            f"/stocks/{stalls.stocks[0].id}",
            json={"remove_seats": ["STALLS/B-1"]},
            headers=staff,
        )
        path = at(show, "stocks")
        body = {"name": "Box", "section": "Stalls", "seats": ["STALLS/B-1"]}
        box = client.post(path, json=body, headers=staff).json["id"]
        vip = TierFactory(show=show, name="VIP", stocks=[db.session.get(Stock, box)], price=9_900)
        floor = TierFactory(show=show, name="Floor", capacity=7, section="Floor")

        answer = client.get(at(show, "seat_offers")).json

        assert [tier["name"] for tier in answer["tiers"]] == ["Stalls", "VIP", "Floor"]
        assert answer["tiers"][1]["prices"][0]["price"] == {"amount": 9_900, "currency": "KES"}
        nothing = {"sections": [], "rows": [], "seats": []}
        assert answer["areas"] == [
            {
                "tier_ids": [stalls.id],
                "sections": [],
                "rows": [{"section": "Stalls", "rows": ["A"]}],
                "seats": ["STALLS/B-2"],
            },
            {**nothing, "tier_ids": [vip.id], "seats": ["STALLS/B-1"]},
            {**nothing, "tier_ids": [floor.id], "sections": ["Floor"]},
        ]

    def test_what_nobody_sells_is_in_no_area(self, client, show, balcony):
        assert client.get(at(show, "seat_offers")).json["areas"] == []

    def test_a_row_that_lacks_a_seat_is_not_whole(self, client, show, stalls, staff):
        body = {"remove_seats": ["STALLS/A-2"]}
        client.patch(f"/stocks/{stalls.stocks[0].id}", json=body, headers=staff)

        [area] = client.get(at(show, "seat_offers")).json["areas"]

        assert area["rows"] == [{"section": "Stalls", "rows": ["B"]}]
        assert area["seats"] == ["STALLS/A-1", "STALLS/A-3"]

    def test_stocks_fall_to_the_next_tier(self, client, show, stalls):
        later = TierFactory(show=show, name="Later", stocks=[])
        stalls.then_tier_id = later.id
        db.session.commit()
        [area] = client.get(at(show, "seat_offers")).json["areas"]
        assert area["tier_ids"] == [stalls.id]

        stalls.off_sale_at = show.starts_at - timedelta(days=90)
        db.session.commit()

        [area] = client.get(at(show, "seat_offers")).json["areas"]
        assert area["tier_ids"] == [stalls.id, later.id]

    def test_reads_the_places_once_however_many_rows_are_split(self, client, show, stalls, staff):
        body = {"remove_seats": ["STALLS/A-1", "STALLS/B-1"]}
        client.patch(f"/stocks/{stalls.stocks[0].id}", json=body, headers=staff)
        assert client.get(at(show, "seat_offers")).status_code == 200
        rows = {"sections": ["Stalls"] * 2, "rows": ["A", "B"], "sizes": [3, 2]}

        explained = db.session.connection().exec_driver_sql(
            f"EXPLAIN (COSTS OFF) {ASSIGNED.call}", {"show_id": show.id, **rows}
        )

        plan = "\n".join(line for (line,) in explained)
        assert len(re.findall(r"(?: on| using \S+ on) places", plan)) == 1, plan

    def test_has_a_tag_by_what_it_says(self, client, show, stalls):
        first = client.get(at(show, "seat_offers"))
        headers = {"If-None-Match": first.headers["ETag"]}
        assert client.get(at(show, "seat_offers"), headers=headers).status_code == 304

        TierFactory(show=show, name="VIP", section="Balcony")

        assert client.get(at(show, "seat_offers"), headers=headers).status_code == 200

    def test_costs_as_many_statements_however_many_tiers(self, client, show, count_statements):
        counts = []
        for number in range(2):
            for each in range(1 + 10 * number):
                TierFactory(show=show, name=f"{number} {each}", capacity=1)
            client.get(at(show, "seat_offers"))
            path = at(show, "seat_offers")
            count_statements.clear()
            assert client.get(path).status_code == 200
            counts.append(len(count_statements))
        assert counts[0] == counts[1] <= 3


def test_answers_are_what_the_document_says(client, organiser, staff):
    """They are written without their schemas, for speed."""
    seats = (WantedSeat("1", kind=SeatKind.ACCESSIBLE, restricted_view=True), WantedSeat("2"))
    layout = [seated("Circle", [WantedRow("A", seats)]), ("Floor", 20)]
    show = ShowFactory(event=EventFactory(organiser=organiser), venue=VenueFactory(layout=layout))
    version = db.session.get(SeatMapVersion, show.seat_map_version_id)
    version.stage = {"x": 0, "y": -9, "width": 4, "height": 2, "label": "Stage"}
    TierFactory(show=show, section="Floor", capacity=20)
    db.session.commit()
    empty = ShowFactory(event=EventFactory(organiser=organiser), venue=None)
    schemas = {
        "seat_map": SeatMapViewSchema(),
        "seat_status": SeatStatusSchema(),
        "seat_offers": SeatOffersSchema(),
    }
    for what, schema in schemas.items():
        for each in (show, empty):
            answer = client.get(at(each, what), headers=staff).json
            assert schema.validate(answer) == {}
            assert answer.keys() == schema.fields.keys()


def picture(client, show, headers=None):
    response = client.get(at(show, "seat_map.svg"), headers=headers)
    assert response.status_code == 200
    assert response.content_type == "image/svg+xml"
    return response.text, ElementTree.fromstring(response.data)


def titles(root):
    return [title.text for title in root.iter(f"{SVG}title")]


class TestPicture:
    def test_says_how_many_are_free_and_from_what_price(self, client, show, stalls, balcony):
        floor = TierFactory(show=show, name="Floor", section="Floor", capacity=20, price=150_00)
        claim(floor.stocks[0], 5)
        claim(stalls.stocks[0], 1, seats=["STALLS/A-1"])

        _, root = picture(client, show)

        assert root.get("role") == "img"
        said = titles(root)
        assert said[0] == f"{show.event.title}: the seats"
        assert "Stalls: 4 of 5 free, from KES 2,500.00" in said
        assert "Balcony: nothing left" in said
        assert "Floor, standing: 15 of 20 free, from KES 150.00" in said
        description = root.find(f"{SVG}desc").text
        assert "Stalls: 4 of 5 free" in description
        assert root.get("aria-labelledby") == "t d"

    def test_of_a_small_hall_names_each_seat(self, client, show, stalls, balcony, staff):
        claim(stalls.stocks[0], 1, seats=["STALLS/A-1"])
        claim(stalls.stocks[0], 1, "held", seats=["STALLS/A-2"])

        public, mine = titles(picture(client, show)[1]), titles(picture(client, show, staff)[1])

        assert "STALLS/A-1, taken" in public
        assert "STALLS/A-2, taken" in public
        assert "STALLS/A-3, free, Stalls KES 2,500.00" in public
        assert "BALCONY/A-1, taken" in public
        assert "STALLS/A-1, sold" in mine
        assert "STALLS/A-2, held" in mine
        assert "BALCONY/A-1, of the house" in mine

    def test_draws_every_seat_once_in_a_shape_of_its_state(self, client, show, stalls, monkeypatch):
        monkeypatch.setattr(seat_drawing_service, "SEATS_OF_A_SMALL_HALL", 0)
        claim(stalls.stocks[0], 2, seats=["STALLS/A-1", "STALLS/B-2"])

        _, root = picture(client, show)

        drawn = {}
        for path in root.iter(f"{SVG}path"):
            if path.get("transform") is None and path.get("class") not in ("rim", "floor"):
                strokes = len(re.findall("[hv]", path.get("d")))
                drawn[path.get("class")] = drawn.get(path.get("class"), 0) + strokes
        assert drawn == {"f b0": 3, "taken": 4}

    def test_tells_no_numbers_where_the_organiser_shows_words(self, client, show, stalls, staff):
        show.availability_display = AvailabilityDisplay.WORD
        db.session.commit()
        assert "Stalls: places free, from KES 2,500.00" in titles(picture(client, show)[1])
        assert "Stalls: 5 of 5 free, from KES 2,500.00" in titles(picture(client, show, staff)[1])

    def test_what_people_call_things_stays_text(self, client, organiser):
        evil = '"><script>alert(1)</script><g onload="x'
        layout = [
            seated(evil, [plain_row("<b>&", ["1<", "2"])]),
            WantedSection(f"Floor {evil}", SectionKind.STANDING, 20),
        ]
        venue = VenueFactory(layout=layout, name=f"Hall {evil}")
        event = EventFactory(organiser=organiser, title=f"]]> {evil} \x0b\ufffe")
        show = ShowFactory(event=event, venue=venue)
        TierFactory(show=show, name=f"Tier {evil}", section=evil)
        version = db.session.get(SeatMapVersion, show.seat_map_version_id)
        version.stage = {"x": 0, "y": -9, "width": 4, "height": 2, "label": evil}
        db.session.commit()

        text, root = picture(client, show)

        allowed = {"svg", "title", "desc", "style", "rect", "g", "polygon", "path", "text"}
        assert {element.tag.removeprefix(SVG) for element in root.iter()} <= allowed
        assert not [name for element in root.iter() for name in element.attrib if name[:2] == "on"]
        assert "<script" not in text
        assert any(evil in (element.text or "") for element in root.iter(f"{SVG}text"))
        styles = [element.text for element in root.iter(f"{SVG}style")]
        assert evil not in "".join(styles)

    def test_may_run_nothing(self, client, show):
        response = client.get(at(show, "seat_map.svg"))
        [policy] = response.headers.getlist("Content-Security-Policy")
        assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'")
        assert "sandbox" in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"

    def test_is_for_light_dark_and_paper(self, client, show):
        text, _ = picture(client, show)
        assert "prefers-color-scheme:dark" in text
        assert "@media print" in text

    def test_seats_that_are_not_like_others_say_so(self, client, organiser, monkeypatch):
        row = WantedRow(
            "A",
            (
                WantedSeat("1", kind=SeatKind.ACCESSIBLE),
                WantedSeat("2", kind=SeatKind.COMPANION, restricted_view=True),
                WantedSeat("3", restricted_view=True),
                WantedSeat("4"),
            ),
        )
        venue = VenueFactory(layout=[seated("Circle", [row])])
        show = ShowFactory(event=EventFactory(organiser=organiser), venue=venue)
        claim(TierFactory(show=show, name="All", section="Circle").stocks[0], 1, "confirmed")

        text, root = picture(client, show)

        assert titles(root)[2:] == [
            "CIRCLE/A-1, accessible, taken",
            "CIRCLE/A-2, companion, restricted view, free, All KES 2,500.00",
            "CIRCLE/A-3, restricted view, free, All KES 2,500.00",
            "CIRCLE/A-4, free, All KES 2,500.00",
        ]
        assert text.count('class="f b0 o"') == 2
        assert "accessible, companion or restricted view" in text

    def test_of_a_stadium_is_small(self):
        """Seats in curves, of which every other one is taken: no two steps are alike."""
        spots = [(round(9.7 * n), round(40 * math.sin(n / 50))) for n in range(200)]
        rows = tuple(
            LaidOutRow(
                str(depth),
                tuple(f"S/{depth}-{n}" for n in range(200)),
                array("i", (x for x, _ in spots)),
                array("i", (y + 10 * depth for _, y in spots)),
            )
            for depth in range(400)
        )
        section = LaidOutSection(1, "S", SectionKind.SEATED, 80_000, rows, ((0, 0), (9, 0), (9, 9)))
        layout = Layout(1, (section,), None, (0, 0, 2000, 4000), ReadyText(b""), "")
        taken = {key: "taken" for row in rows for key in row.keys[::2]}
        sheet = SimpleNamespace(tiers={1: SimpleNamespace(name="All", prices=())})
        offers = Assigned(sheet, {"S": (1,)}, {}, {}, {})
        show = SimpleNamespace(title="Cup", venue=None)

        svg = draw(Seen(show, layout, taken, offers, {}, staff=True))

        assert "S: 40,000 of 80,000 free" in svg
        assert len(svg) < 2_000_000
        assert svg.count("<path") < 10

    def test_tables_are_rows(self, client, organiser):
        table = WantedSection(
            "Cabaret", SectionKind.TABLES, 4, (plain_row("T1", ["1", "2", "3", "4"]),)
        )
        venue = VenueFactory(layout=[table])
        show = ShowFactory(event=EventFactory(organiser=organiser), venue=venue)
        TierFactory(show=show, section="Cabaret")
        assert "Cabaret: 4 of 4 free, from KES 2,500.00" in titles(picture(client, show)[1])


def test_a_section_of_seats_none_of_which_is_placed_is_still_drawn(client, show, staff):
    section = db.session.scalar(select(Section).where(Section.name == "Stalls"))
    assert section is not None
    assert db.session.scalar(select(Place.id).where(Place.show_id == show.id)) is None
    assert "Stalls: nothing left" in titles(picture(client, show)[1])


@pytest.mark.parametrize(
    ("amount", "currency", "told"),
    [
        (125000, "EUR", "EUR 1,250.00"),
        (5, "KES", "KES 0.05"),
        (1500, "JPY", "JPY 1,500"),
        (1500, "KWD", "KWD 1.500"),
        (-250, "EUR", "EUR -2.50"),
    ],
)
def test_money_reads_as_people_write_it(amount, currency, told):
    assert str(Money(amount, currency)) == told
