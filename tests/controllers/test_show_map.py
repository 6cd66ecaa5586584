"""The map that a show pins, and how the pin moves, seen from outside."""

import pytest
from sqlalchemy import Engine, event, func, select, text

from init import db
from models import (
    AuditEntry,
    MemberRole,
    Place,
    SeatMap,
    SeatMapVersion,
    Section,
    SectionLimit,
    Show,
    Stock,
    Tier,
)
from models.layout import WantedRow, WantedSeat, WantedSection, plain_row, seated
from models.seat_map import SeatKind, SectionKind
from services import seat_map_service, verify_service
from tests.factories import (
    EventFactory,
    OrganiserFactory,
    ShowFactory,
    StockFactory,
    TierFactory,
    VenueFactory,
    member,
)
from tests.factories.claims import claim

HALL = [("Stalls", {"A": 4, "B": 4}), ("Floor", 100)]


def stalls(**rows):
    """Rows of the Stalls, each as the numbers of its seats in their order."""
    return seated("Stalls", [plain_row(label, numbers) for label, numbers in rows.items()])


def floor(capacity=100, name="Floor"):
    return WantedSection(name, SectionKind.STANDING, capacity)


@pytest.fixture
def organiser(session):
    return OrganiserFactory()


@pytest.fixture
def manager(organiser, as_user):
    return as_user(member(organiser, MemberRole.MANAGER))


@pytest.fixture
def show(organiser):
    venue = VenueFactory(layout=HALL)
    return ShowFactory(event=EventFactory(organiser=organiser), venue=venue)


def laid_out_anew(show, *sections):
    """A new version of the map of the show's venue; its number."""
    version = seat_map_service.lay_out(show.venue, sections)
    db.session.commit()
    return version.number


def another_map(show, *sections, name="Ball"):
    seat_map = SeatMap(venue_id=show.venue_id, name=name)
    db.session.add(seat_map)
    db.session.flush()
    default = db.session.scalar(
        select(SeatMap).where(SeatMap.venue_id == show.venue_id, SeatMap.is_default)
    )
    default.is_default = False
    db.session.flush()
    seat_map.is_default = True
    db.session.flush()
    seat_map_service.lay_out(show.venue, sections)
    seat_map.is_default = False
    db.session.flush()
    default.is_default = True
    db.session.commit()
    return seat_map


def seats(show):
    """The show's seats with their places in the row, in order."""
    query = select(Place.key, Place.ordinal, Place.off_centre, Place.seat_kind)
    query = query.where(Place.show_id == show.id, Place.key.is_not(None))
    return [tuple(row) for row in db.session.execute(query.order_by(Place.ordinal))]


def code(response):
    return response.status_code, response.json["code"]


class TestPin:
    def test_a_show_says_which_map_it_pins(self, client, show):
        laid_out_anew(show, stalls(A="12"))

        answer = client.get(f"/shows/{show.id}").json

        seat_map_id = db.session.scalar(select(SeatMap.id).where(SeatMap.venue_id == show.venue_id))
        assert (answer["seat_map_id"], answer["seat_map_version"]) == (seat_map_id, 1)

    def test_a_new_show_gets_the_map_that_it_names(self, client, show, manager):
        ball = another_map(show, floor(300, "Ball room"))
        wanted = {
            "event_id": show.event_id,
            "venue_id": show.venue_id,
            "starts_at": "2040-01-01T20:00:00Z",
            "currency": "KES",
        }

        named = client.post("/shows/", json=wanted | {"seat_map_id": ball.id}, headers=manager)
        usual = client.post(
            "/shows/", json=wanted | {"starts_at": "2041-01-01T20:00:00Z"}, headers=manager
        )

        assert named.status_code == 201
        assert (named.json["seat_map_id"], named.json["seat_map_version"]) == (ball.id, 1)
        assert usual.json["seat_map_id"] != ball.id
        laid_out_anew(show, floor(10))
        later = wanted | {"starts_at": "2042-01-01T20:00:00Z"}
        second = client.post("/shows/", json=later | {"seat_map_version": 1}, headers=manager)
        current = client.post(
            "/shows/", json=wanted | {"starts_at": "2043-01-01T20:00:00Z"}, headers=manager
        )
        assert (second.json["seat_map_version"], current.json["seat_map_version"]) == (1, 2)

    @pytest.mark.parametrize(
        ("named", "field"),
        [
            ({"seat_map_id": 999_999}, "seat_map_id"),
            ({"seat_map_version": 9}, "seat_map_version"),
            ({"seat_map_version": 0}, "seat_map_version"),
            ({"seat_map_id": None}, "seat_map_id"),
            ({"seat_map_id": "1"}, "seat_map_id"),
        ],
    )
    def test_names_what_is_no_map_of_the_venue(self, client, show, manager, named, field):
        wanted = {
            "event_id": show.event_id,
            "venue_id": show.venue_id,
            "starts_at": "2040-01-01T20:00:00Z",
            "currency": "KES",
        }

        for response in (
            client.post("/shows/", json=wanted | named, headers=manager),
            client.patch(f"/shows/{show.id}", json=named, headers=manager),
        ):
            assert response.status_code == 400
            assert [error["field"] for error in response.json["errors"]] == [field]

    def test_a_map_of_another_venue_is_none_of_this_one(self, client, show, manager):
        other = ShowFactory(event=show.event)
        seat_map_id = db.session.scalar(
            select(SeatMap.id).where(SeatMap.venue_id == other.venue_id)
        )

        change = {"seat_map_id": seat_map_id}
        response = client.patch(f"/shows/{show.id}", json=change, headers=manager)

        assert response.json["errors"][0]["field"] == "seat_map_id"
        assert client.get(f"/shows/{show.id}").json["seat_map_id"] != seat_map_id


class TestRepin:
    def test_what_stays_keeps_its_stock_and_gets_its_new_order(self, client, show, manager):
        stock = StockFactory(show=show, section_name="Stalls")
        standing = StockFactory(show=show, capacity=30)
        before = db.session.get(Show, show.id).version
        row = WantedRow(
            "B",
            (
                WantedSeat("3"),
                WantedSeat("1", kind=SeatKind.ACCESSIBLE),
                WantedSeat("9", after_gap=True),
            ),
        )
        number = laid_out_anew(show, floor(60), seated("STALLS", [row]), floor(5, "Bar"))

        response = client.patch(
            f"/shows/{show.id}", json={"seat_map_version": number}, headers=manager
        )

        assert (response.status_code, response.json["seat_map_version"]) == (200, 2)
        assert seats(show) == [
            ("STALLS/B-3", 1, -3, None),
            ("STALLS/B-1", 2, -1, SeatKind.ACCESSIBLE),
        ]
        db.session.expire_all()
        assert (stock.capacity, stock.section_name) == (2, "STALLS")
        pinned = db.session.get(Show, show.id)
        assert pinned.version > before
        versions = {
            db.session.get(Section, each.section_id).seat_map_version_id
            for each in (stock, standing)
        }
        assert versions == {pinned.seat_map_version_id}
        assert verify_service.broken() == []

    def test_limits_of_sections_follow_by_name(self, client, show, manager):
        for section in seat_map_service.current_sections(show.venue):
            db.session.add(SectionLimit(show_id=show.id, section_id=section.id, max_per_buyer=4))
        number = laid_out_anew(show, stalls(A="1234"), floor(50, "Bar"))

        client.patch(f"/shows/{show.id}", json={"seat_map_version": number}, headers=manager)

        named = select(Section.name, SectionLimit.max_per_buyer)
        named = named.join(Section, Section.id == SectionLimit.section_id)
        assert [tuple(row) for row in db.session.execute(named)] == [("Stalls", 4)]

    def test_seats_that_somebody_has_must_be_there(self, client, show, manager):
        stock = StockFactory(show=show, section_name="Stalls")
        claim(stock, 2, "held", seats=["STALLS/B-2", "STALLS/A-1"])
        number = laid_out_anew(show, stalls(A="1234", B="134"))
        before = seats(show)

        path, change = f"/shows/{show.id}", {"seat_map_version": number}
        response = client.patch(path, json=change, headers=manager)

        assert code(response) == (409, "map-does-not-fit")
        assert (response.json["seats"], response.json["sections"]) == (["STALLS/B-2"], [])
        assert client.get(path).json["seat_map_version"] == 1
        assert seats(show) == before
        kept = laid_out_anew(show, stalls(B="2", A="1"))
        response = client.patch(path, json={"seat_map_version": kept}, headers=manager)
        assert response.status_code == 200
        assert [seat[0] for seat in seats(show)] == ["STALLS/B-2", "STALLS/A-1"]
        query = select(func.count()).where(Place.booking_id.is_not(None))
        assert db.session.scalar(query) == 2
        assert verify_service.broken() == []

    def test_seats_of_dead_holds_are_nobodys(self, client, show, manager):
        stock = StockFactory(show=show, section_name="Stalls")
        claim(stock, 1, "dead", seats=["STALLS/B-2"])
        number = laid_out_anew(show, stalls(A="1234"))

        response = client.patch(
            f"/shows/{show.id}", json={"seat_map_version": number}, headers=manager
        )

        assert response.status_code == 200
        assert len(seats(show)) == 4

    def test_stocks_of_sections_that_are_gone_are_deleted_first(self, client, show, manager):
        stock = StockFactory(show=show, section_name="Stalls")
        number = laid_out_anew(show, floor(100), floor(20, "Stalls"))

        path, change = f"/shows/{show.id}", {"seat_map_version": number}
        response = client.patch(path, json=change, headers=manager)

        assert code(response) == (409, "map-does-not-fit")
        assert (response.json["seats"], response.json["sections"]) == ([], ["Stalls"])
        assert client.delete(f"/stocks/{stock.id}", headers=manager).status_code == 204
        assert client.patch(path, json=change, headers=manager).status_code == 200

    def test_a_floor_must_hold_what_is_offered_of_it(self, client, show, manager):
        StockFactory(show=show, capacity=30)
        StockFactory(show=show, capacity=31)
        path = f"/shows/{show.id}"

        number = laid_out_anew(show, floor(60))
        response = client.patch(path, json={"seat_map_version": number}, headers=manager)
        assert code(response) == (409, "capacity-exceeded")
        assert (response.json["limit"], response.json["scope"]) == (60, "section")

        number = laid_out_anew(show, floor(61))
        response = client.patch(path, json={"seat_map_version": number}, headers=manager)
        assert response.status_code == 200

    def test_the_same_version_again_changes_nothing(self, client, show, manager):
        path = f"/shows/{show.id}"
        before = client.get(path).headers["ETag"]

        response = client.patch(path, json={"seat_map_version": 1}, headers=manager)

        assert (response.status_code, response.headers["ETag"]) == (200, before)
        assert db.session.scalar(select(func.count()).select_from(AuditEntry)) == 0

    def test_a_new_version_leaves_shows_where_they_are(self, client, show):
        StockFactory(show=show, section_name="Stalls")
        before = seats(show)

        laid_out_anew(show, stalls(A="21"))

        assert client.get(f"/shows/{show.id}").json["seat_map_version"] == 1
        assert seats(show) == before

    def test_sheets_and_tiers_that_were_read_before_are_out_of_date(self, client, show, manager):
        tier = TierFactory(show=show, section="Stalls")
        path = f"/tiers/{tier.id}"
        etag = client.get(path, headers=manager).headers["ETag"]
        number = laid_out_anew(show, stalls(A="1"))

        client.patch(f"/shows/{show.id}", json={"seat_map_version": number}, headers=manager)

        changed = client.get(path, headers=manager | {"If-None-Match": etag})
        assert changed.status_code == 200
        assert db.session.get(Tier, tier.id).version > 1
        there = client.get(f"/shows/{show.id}/availability").json
        assert [each["available"] for each in there["tiers"]] == [1]

    def test_who_moved_the_pin_is_written_down(self, client, show, manager):
        StockFactory(show=show, section_name="Stalls")
        number = laid_out_anew(show, stalls(A="12"))

        client.patch(f"/shows/{show.id}", json={"seat_map_version": number}, headers=manager)

        entry = db.session.scalars(select(AuditEntry)).one()
        assert (entry.action, entry.target_id) == ("show.repin", show.id)
        assert (entry.before["seat_map_version"], entry.after["seat_map_version"]) == (1, 2)
        assert entry.after["seats_removed"] == 6

    def test_never_compares_each_seat_with_each(self, client, show, manager):
        """Of a hall that was just made nothing is known: 80,000 seats would take for ever."""
        StockFactory(show=show, section_name="Stalls")
        laid_out_anew(show, stalls(A="1234", B="12"), floor())
        plans = []

        def explain(_connection, cursor, statement, facts, *_):
            if "map_seats" in statement and "places" in statement:
                cursor.execute(f"EXPLAIN (COSTS OFF) {statement}", facts)
                plans.append("\n".join(line for (line,) in cursor))

        event.listen(Engine, "before_cursor_execute", explain)
        try:
            response = client.patch(
                f"/shows/{show.id}", json={"seat_map_version": 2}, headers=manager
            )
        finally:
            event.remove(Engine, "before_cursor_execute", explain)

        assert response.status_code == 200
        assert len(plans) >= 4
        assert not [plan for plan in plans if "Nested Loop" in plan]
        assert db.session.scalar(text("SHOW enable_nestloop")) == "on"

    def test_costs_as_many_statements_whatever_there_is(
        self, client, show, manager, count_statements
    ):
        StockFactory(show=show, section_name="Stalls")

        def moved(*sections):
            number = laid_out_anew(show, *sections)
            path, change = f"/shows/{show.id}", {"seat_map_version": number}
            count_statements.clear()
            assert client.patch(path, json=change, headers=manager).status_code == 200
            return len(count_statements)

        rows = {label: [str(n) for n in range(40)] for label in "ABCDEFGHIJ"}
        few = moved(stalls(A="12"))
        stock = StockFactory(show=show, name="More")
        assert stock.capacity == 10
        assert moved(stalls(**rows), floor(90)) == few

    def test_a_show_without_stocks_takes_any_version(self, client, show, manager):
        ball = another_map(show, floor(300, "Ball room"))

        response = client.patch(f"/shows/{show.id}", json={"seat_map_id": ball.id}, headers=manager)

        assert response.json["seat_map_id"] == ball.id
        version = db.session.get(Show, show.id).seat_map_version_id
        assert db.session.get(SeatMapVersion, version).seat_map_id == ball.id
        assert db.session.scalar(select(func.count()).select_from(Stock)) == 0
