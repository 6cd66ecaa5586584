"""/shows/<id>/relocate and /relocations: everybody moves, or nobody."""

import pytest
from sqlalchemy import select, text

from init import db
from models import (
    AuditEntry,
    Booking,
    BookingStatus,
    Event,
    MemberRole,
    OutboxMessage,
    Place,
    Relocation,
    RelocationStatus,
    SeatKind,
    SectionLimit,
    Show,
    Stock,
    Ticket,
    Venue,
)
from models.layout import WantedRow, WantedSeat, seated
from models.values import STRANGER
from schemas.seat_map_reading import read_map
from services import relocation_service, seat_map_service, verify_service
from tests.controllers.test_booking_controller import age
from tests.factories import (
    OrganiserFactory,
    ShowFactory,
    StockFactory,
    TierFactory,
    UserFactory,
    VenueFactory,
    member,
    wanted_section,
)


@pytest.fixture
def show(session):
    return ShowFactory(venue__layout=[("Stalls", {"A": 8, "B": 8, "C": 8}), ("Floor", 50)])


@pytest.fixture
def stalls(show):
    return TierFactory(show=show, section="Stalls", price=0)


@pytest.fixture
def manager(as_user, show):
    return as_user(member(show.event.organiser, MemberRole.MANAGER))


@pytest.fixture
def buyer(as_user):
    return as_user(UserFactory())


@pytest.fixture
def place(client, buyer):
    """A booking of seats, confirmed unless told; the answer that it got."""

    def booked(tier, *seats, confirm=True, by=None, quantity=None):
        item = {"tier_id": tier.id} | ({"seats": list(seats)} if seats else {"quantity": quantity})
        body = {"show_id": tier.show_id, "items": [item], "confirm": confirm}
        answer = client.post("/bookings/", json=body, headers=by or buyer)
        assert answer.status_code == 201, answer.text
        return answer.json

    return booked


@pytest.fixture
def relocate(client, show, manager):
    def asked(by=None, dry_run=False, **body):
        query = "?dry_run=true" if dry_run else ""
        here = f"/shows/{show.id}/relocate{query}"
        return client.post(here, json=body, headers=by or manager)

    return asked


def laid_out(venue, *sections):
    """A new version of a venue's map; its number."""
    wanted = [s if not isinstance(s, tuple) else wanted_section(*s) for s in sections]
    version = seat_map_service.lay_out(venue, wanted)
    db.session.commit()
    return version


def seats_of(client, booking, headers):
    now = client.get(f"/bookings/{booking['id']}", headers=headers).json
    return [place["key"] for place in now["places"]]


def state():
    """All that a move could change, to see that nothing has."""
    db.session.expire_all()
    return {
        table: db.session.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2")).all()
        for table in ("shows", "places", "stocks", "bookings", "tickets", "section_limits")
    }


class TestSameHall:
    def test_keeps_who_can_stay_and_moves_the_others_together(
        self, client, show, stalls, place, relocate, buyer
    ):
        stays = place(stalls, "STALLS/A-1", "STALLS/A-2")
        goes = place(stalls, "STALLS/C-3", "STALLS/C-4", "STALLS/C-5")
        laid_out(show.venue, ("Stalls", {"A": 8, "B": 8, "BB": 8}), ("Floor", 50))

        answer = relocate()

        assert answer.status_code == 200, answer.text
        told = answer.json
        assert told["status"] == "applied"
        assert told["summary"] == {
            "bookings": 2,
            "parties": 2,
            "places": 5,
            "kept": 1,
            "together": 1,
            "split": 0,
            "unplaced": 0,
            "unplaced_bookings": 0,
            "unplaced_places": 0,
        }
        assert answer.headers["Location"] == f"/relocations/{told['id']}"
        assert seats_of(client, stays, buyer) == ["STALLS/A-1", "STALLS/A-2"]
        rows = {key.split("-")[0] for key in seats_of(client, goes, buyer)}
        assert rows == {"STALLS/BB"}
        assert verify_service.broken() == []

    def test_writes_what_the_new_map_says_into_every_seat(
        self, show, stalls, place, relocate, session
    ):
        place(stalls, "STALLS/A-1")
        rows = [
            WantedRow("A", tuple(WantedSeat(str(n), after_gap=n == 5) for n in range(1, 9))),
            WantedRow("Z", tuple(WantedSeat(str(n)) for n in range(1, 5))),
        ]
        version = laid_out(show.venue, seated("Stalls", rows), ("Floor", 50))

        assert relocate().status_code == 200

        session.expire_all()
        wrong = session.execute(
            text(
                """
                SELECT p.key, p.ordinal, m.position FROM places p
                  FULL JOIN (SELECT m.*, c.name FROM map_seats m
                               JOIN sections c ON c.id = m.section_id
                              WHERE c.seat_map_version_id = :version_id) m
                    ON p.key = upper(m.name) || '/' || m."row" || '-' || m.number
                 WHERE (p.key IS NOT NULL OR m.id IS NOT NULL)
                   AND (p.ordinal, p.off_centre, p."row", p.number)
                       IS DISTINCT FROM (m.position, m.off_centre, m."row", m.number)
                """
            ),
            {"version_id": version.id},
        ).all()
        assert wrong == []
        stock = session.scalars(select(Stock).where(Stock.show_id == show.id)).one()
        assert (stock.capacity, stock.section_id) == (12, version.sections[0].id)
        assert session.get(Show, show.id).seat_map_version_id == version.id

    def test_tickets_stay_the_same_and_so_do_those_who_are_inside(
        self, client, show, stalls, place, relocate, manager, buyer, session
    ):
        sold = place(stalls, "STALLS/C-1", "STALLS/C-2")
        door = f"/shows/{show.id}/check_ins"
        client.post(door, json={"code": sold["tickets"][0]["code"]}, headers=manager)
        laid_out(show.venue, ("Stalls", {"A": 8, "B": 8}), ("Floor", 50))

        assert relocate().status_code == 200

        now = client.get(f"/bookings/{sold['id']}", headers=buyer).json
        assert [t["code"] for t in now["tickets"]] == [t["code"] for t in sold["tickets"]]
        assert [t["place_id"] for t in now["tickets"]] == [t["place_id"] for t in sold["tickets"]]
        assert [t["status"] for t in now["tickets"]] == ["used", "valid"]
        assert verify_service.broken() == []

    def test_living_holds_go_along_and_dead_ones_do_not(
        self, client, show, stalls, place, relocate, buyer, session
    ):
        alive = place(stalls, "STALLS/C-1", confirm=False)
        dead = place(stalls, "STALLS/C-2", confirm=False)
        age(session, dead["id"], 20)
        laid_out(show.venue, ("Stalls", {"A": 8, "B": 8}), ("Floor", 50))

        told = relocate().json

        assert told["summary"]["bookings"] == 1
        now = client.get(f"/bookings/{alive['id']}", headers=buyer)
        assert now.json["held_until"] == alive["held_until"]
        assert now.json["places"][0]["row"] in "AB"
        assert session.get(Booking, dead["id"]).status == BookingStatus.EXPIRED
        confirmed = client.post(f"/bookings/{alive['id']}/confirm", headers=buyer)
        assert confirmed.status_code == 200
        assert verify_service.broken() == []

    def test_selling_goes_on_in_the_new_hall(self, show, stalls, place, relocate):
        place(stalls, "STALLS/A-1")
        laid_out(show.venue, ("Stalls", {"A": 8, "Z": 4}), ("Floor", 50))
        relocate()

        assert place(stalls, "STALLS/Z-4")["places"][0]["key"] == "STALLS/Z-4"
        assert verify_service.broken() == []

    def test_leaves_word_and_an_entry(self, show, stalls, place, relocate, session):
        stays, goes = place(stalls, "STALLS/A-1"), place(stalls, "STALLS/C-1")
        laid_out(show.venue, ("Stalls", {"A": 8, "B": 8}), ("Floor", 50))

        told = relocate().json

        topic = OutboxMessage.topic == "booking.relocated"
        words = session.scalars(select(OutboxMessage.payload).where(topic)).all()
        assert words == [{"booking_id": goes["id"], "relocation_id": told["id"]}]
        assert stays["id"] != goes["id"]
        action = AuditEntry.action == "show.relocate"
        entry = session.scalars(select(AuditEntry).where(action)).one()
        assert entry.target_id == show.id
        assert entry.before["seat_map_version_id"] != entry.after["seat_map_version_id"]

    def test_counts_the_versions_up_of_what_changed(
        self, client, show, stalls, place, relocate, buyer
    ):
        stays, goes = place(stalls, "STALLS/A-1"), place(stalls, "STALLS/C-1")

        def etags():
            things = f"/bookings/{stays['id']}", f"/bookings/{goes['id']}", f"/shows/{show.id}"
            return [client.get(url, headers=buyer).headers["ETag"] for url in things]

        before = etags()
        laid_out(show.venue, ("Stalls", {"A": 8, "B": 8}), ("Floor", 50))
        relocate()
        after = etags()

        assert [old == new for old, new in zip(before, after, strict=True)] == [True, False, False]


class TestStocks:
    def test_seats_stay_in_their_stocks_and_new_ones_make_up_for_lost_ones(
        self, client, show, manager, relocate, session
    ):
        early = {"name": "Early", "section": "Stalls", "rows": ["A"]}
        late = {"name": "Late", "section": "Stalls", "rows": ["B"]}  # row C is for nobody
        for body in (early, late):
            assert client.post(f"/shows/{show.id}/stocks", json=body, headers=manager).json
        laid_out(show.venue, ("Stalls", {"A": 6, "B": 8, "C": 8, "D": 6}), ("Floor", 50))

        assert relocate().status_code == 200

        rows = dict.fromkeys(("Early", "Late"), None)
        for name in rows:
            query = select(Place.key).join(Stock).where(Stock.name == name).order_by(Place.ordinal)
            rows[name] = session.scalars(query).all()
        assert rows["Early"] == [*(f"STALLS/A-{n}" for n in range(1, 7)), *_row("D", 1, 6)]
        assert rows["Late"] == _row("B", 1, 8)
        assert verify_service.broken() == []

    def test_another_hall_has_seats_for_each_stock_though_no_row_is_called_the_same(
        self, client, show, manager, relocate, session, as_user, place
    ):
        tiers = {}
        for name, row in (("Front", "A"), ("Middle", "B"), ("Back", "C")):
            body = {"name": name, "section": "Stalls", "rows": [row]}
            client.post(f"/shows/{show.id}/stocks", json=body, headers=manager)
            stock = session.scalars(select(Stock).where(Stock.name == name)).one()
            tiers[name] = TierFactory(show=show, stocks=[stock], price=0)
            place(tiers[name], f"STALLS/{row}-1", f"STALLS/{row}-2")
        laid_out(show.venue, ("Stalls", {"1": 12, "2": 12}), ("Floor", 50))

        told = relocate().json

        assert told["summary"]["together"] == 3
        for name, first in (("Front", "STALLS/1-1"), ("Middle", "STALLS/1-9"), ("Back", None)):
            stock = session.scalars(select(Stock).where(Stock.name == name)).one()
            session.refresh(stock)
            assert stock.capacity == 8
            keys = select(Place.key).where(Place.stock_id == stock.id).order_by(Place.ordinal)
            assert first in (None, session.scalars(keys).first())
        assert verify_service.broken() == []

    def test_floors_go_along_by_name_and_have_to_fit(
        self, client, show, stalls, place, relocate, session
    ):
        floor = TierFactory(show=show, section="Floor", capacity=40, price=0)
        sold = place(floor, quantity=2)
        laid_out(show.venue, ("Stalls", {"A": 8}), ("Floor", 30))

        refused = relocate()
        assert (refused.status_code, refused.json["code"]) == (409, "capacity-exceeded")
        assert (refused.json["scope"], refused.json["limit"]) == ("section", 30)

        version = laid_out(show.venue, ("Stalls", {"A": 8}), ("Pit", 40))
        assert relocate().status_code == 400
        told = relocate(sections={"Floor": "Pit"})
        assert told.status_code == 200, told.text
        stock = floor.stocks[0]
        session.refresh(stock)
        assert (stock.section_name, stock.section_id) == ("Pit", version.sections[1].id)
        assert session.get(Booking, sold["id"]).status == BookingStatus.CONFIRMED
        assert verify_service.broken() == []

    def test_the_limits_of_sections_follow(self, show, stalls, relocate, session):
        stock = stalls.stocks[0]
        session.add(SectionLimit(show_id=show.id, section_id=stock.section_id, max_per_buyer=3))
        session.commit()
        version = laid_out(show.venue, ("Parterre", {"A": 8}), ("Floor", 50))

        assert relocate(sections={"Stalls": "Parterre"}).status_code == 200

        limits = session.scalars(select(SectionLimit)).all()
        assert [(x.section_id, x.max_per_buyer) for x in limits] == [(version.sections[0].id, 3)]


def _row(row, first, last):
    return [f"STALLS/{row}-{n}" for n in range(first, last + 1)]


class TestAnotherVenue:
    @pytest.fixture
    def hall(self):
        layout = [("Parterre", {"1": 10, "2": 10, "3": 10}), ("Floor", 80)]
        return VenueFactory(layout=layout, time_zone="Europe/London", city="London")

    def test_takes_the_show_there_with_everybody(
        self, client, show, stalls, place, relocate, hall, buyer, session
    ):
        sold = [place(stalls, f"STALLS/{row}-4", f"STALLS/{row}-5") for row in "ABC"]

        told = relocate(venue_id=hall.id, sections={"Stalls": "Parterre"}).json

        assert (told["status"], told["venue_id"]) == ("applied", hall.id)
        now = client.get(f"/shows/{show.id}").json
        assert now["venue"]["id"] == hall.id if "venue" in now else True
        session.expire_all()
        assert session.get(Show, show.id).time_zone == "Europe/London"
        # As far from the stage, and from the middle, as they were.
        rows = [seats_of(client, booking, buyer) for booking in sold]
        assert rows == [[f"PARTERRE/{n}-5", f"PARTERRE/{n}-6"] for n in (1, 2, 3)]
        topics = session.scalars(select(OutboxMessage.topic)).all()
        assert topics.count("booking.relocated") == 3
        assert topics.count("show.moved") == 1
        assert verify_service.broken() == []

    def test_that_is_taken_then_is_refused_and_nothing_is_left_waiting(
        self, show, stalls, place, relocate, hall, session
    ):
        place(stalls, "STALLS/A-1")
        other = ShowFactory(venue=hall, starts_at=show.starts_at)
        before = state()

        answer = relocate(venue_id=hall.id, sections={"Stalls": "Parterre"})

        assert (answer.status_code, answer.json["code"]) == (409, "venue-taken")
        assert answer.json["show_id"] == other.id
        assert state() == before
        statuses = session.scalars(select(Relocation.status)).all()
        assert statuses == [RelocationStatus.GIVEN_UP]

    def test_of_somebody_else_is_refused(self, show, stalls, relocate, session):
        theirs = VenueFactory(organiser_id=OrganiserFactory().id)

        assert relocate(venue_id=theirs.id).status_code == 403
        assert relocate(venue_id=theirs.id, dry_run=True).status_code == 403
        assert relocate(seat_map_id=theirs.seat_map.seat_map_id).status_code == 403

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"venue_id": 999_999}, "venue_id"),
            ({"seat_map_id": 999_999}, "seat_map_id"),
            ({"seat_map_version": 9}, "seat_map_version"),
            ({"sections": {"Stalls": "Nowhere"}, "seat_map_version": 2}, "sections"),
            ({"sections": {"Stals": "Stalls"}, "seat_map_version": 2}, "sections"),
            ({"sections": {"Stalls": "Floor"}, "seat_map_version": 2}, "sections"),
            ({"sections": {"Stalls": " "}}, "sections.Stalls.value"),
            ({"unplaced": "stand"}, "unplaced"),
        ],
    )
    def test_that_is_not_there_is_named(self, show, stalls, relocate, body, field):
        laid_out(show.venue, ("Stalls", {"A": 8}), ("Floor", 50))

        answer = relocate(**body)

        assert answer.status_code == 400, answer.text
        assert [error["field"] for error in answer.json["errors"]] == [field]

    def test_with_less_room_than_the_licence_is_no_place_to_go(self, show, stalls, relocate):
        show.licensed_capacity = 24
        db.session.commit()
        laid_out(show.venue, ("Stalls", {"A": 25}), ("Floor", 50))

        answer = relocate()

        assert (answer.status_code, answer.json["scope"]) == (409, "licence")


class TestNoRoom:
    @pytest.fixture
    def crowded(self, show, stalls, place):
        """Nine seats sold to three parties, and a new map with eight."""
        sold = [place(stalls, *_row(row, 1, 3)) for row in "ABC"]
        laid_out(show.venue, ("Stalls", {"X": 4, "Y": 4}), ("Floor", 50))
        return sold

    def test_is_refused_and_changes_nothing(self, crowded, relocate, session):
        before = state()

        answer = relocate()

        assert (answer.status_code, answer.json["code"]) == (409, "cannot-be-placed")
        assert (answer.json["bookings"], answer.json["places"]) == (1, 3)
        assert state() == before
        assert session.scalars(select(Relocation)).all() == []

    def test_may_cancel_them_with_word(self, client, crowded, relocate, session, buyer):
        told = relocate(unplaced="cancel").json

        assert (told["summary"]["unplaced_bookings"], told["summary"]["together"]) == (1, 2)
        statuses = [
            client.get(f"/bookings/{booking['id']}", headers=buyer).json["status"]
            for booking in crowded
        ]
        assert sorted(statuses) == ["cancelled", "confirmed", "confirmed"]
        gone = crowded[statuses.index("cancelled")]["id"]
        told = OutboxMessage.topic == "booking.cancelled"
        [word] = session.scalars(select(OutboxMessage.payload).where(told))
        assert word["booking_id"] == gone
        assert word["reason"]
        assert session.scalars(
            select(AuditEntry.target_id).where(AuditEntry.action == "booking.cancel")
        ).all() == [gone]
        moved = OutboxMessage.topic == "booking.relocated"
        assert len(session.scalars(select(OutboxMessage).where(moved)).all()) == 2
        void = select(Ticket.status).where(Ticket.booking_id == gone)
        assert set(session.scalars(void)) == {"void"}
        assert verify_service.broken() == []

    def test_is_named_by_the_preview_which_does_nothing(self, crowded, relocate, session):
        before = state()

        told = relocate(dry_run=True)

        assert told.status_code == 200, told.text
        assert told.json["summary"]["unplaced"] == 1
        first = told.json["moves"][0]
        assert (first["outcome"], first["to"], len(first["from"])) == ("unplaced", [], 3)
        assert first["reference"] in {booking["reference"] for booking in crowded}
        assert state() == before
        assert session.scalars(select(Relocation)).all() == []

    def test_larger_parties_are_split_before_anybody_is_left_out(
        self, client, show, stalls, place, relocate, buyer
    ):
        sold = place(stalls, *_row("A", 1, 6))
        laid_out(show.venue, ("Stalls", {"X": 4, "Y": 4}), ("Floor", 50))

        told = relocate().json

        assert told["summary"]["split"] == 1
        rows = [key[7] for key in seats_of(client, sold, buyer)]
        assert sorted((rows.count("X"), rows.count("Y"))) in ([2, 4], [3, 3])


def test_wheelchairs_go_to_accessible_seats_with_their_companions(
    client, manager, buyer, place, session, as_user
):
    def row(label, at):
        kinds = {at: SeatKind.ACCESSIBLE, at + 1: SeatKind.COMPANION}
        return WantedRow(label, tuple(WantedSeat(str(n), kind=kinds.get(n)) for n in range(1, 7)))

    layout = [seated("Stalls", [row("A", 1), row("B", 1)])]
    show = ShowFactory(venue__layout=layout)
    boss = as_user(member(show.event.organiser))
    tier = TierFactory(show=show, section="Stalls", price=0)
    party = place(tier, "STALLS/A-1", "STALLS/A-2", "STALLS/A-3")
    alone = place(tier, "STALLS/B-1")
    laid_out(show.venue, seated("Stalls", [row("P", 4), row("Q", 5)]))

    told = client.post(f"/shows/{show.id}/relocate", json={}, headers=boss).json

    assert told["summary"]["together"] == 2
    kinds = dict(session.execute(select(Place.key, Place.seat_kind)).all())
    keys = dict.fromkeys(("party", "alone"))
    keys["party"] = seats_of(client, party, buyer)
    keys["alone"] = seats_of(client, alone, buyer)
    assert kinds[keys["alone"][0]] == SeatKind.ACCESSIBLE
    assert sum(kinds[key] == SeatKind.ACCESSIBLE for key in keys["party"]) == 1
    assert sum(kinds[key] == SeatKind.COMPANION for key in keys["party"]) == 1
    # The very person who had the accessible seat has one again.
    first = next(p["id"] for p in party["places"] if p["key"] == "STALLS/A-1")
    assert session.scalar(select(Place.seat_kind).where(Place.id == first)) == SeatKind.ACCESSIBLE
    assert verify_service.broken() == []


class TestAgain:
    def test_a_repeated_request_gets_the_same_relocation(self, show, stalls, place, relocate):
        place(stalls, "STALLS/C-1")
        laid_out(show.venue, ("Stalls", {"A": 8}), ("Floor", 50))

        first, again = relocate(), relocate()

        assert again.status_code == 200
        assert again.json == first.json

    def test_where_it_is_already_is_no_place_to_go(self, stalls, relocate):
        answer = relocate()

        assert (answer.status_code, answer.json["code"]) == (409, "already-there")

    def test_there_and_back_again(self, client, show, stalls, place, relocate, buyer):
        sold = place(stalls, "STALLS/C-1", "STALLS/C-2")
        laid_out(show.venue, ("Stalls", {"A": 8}), ("Floor", 50))
        relocate()

        back = relocate(seat_map_version=1)

        assert back.json["summary"]["kept"] == 1  # in row A, which both maps have
        assert {key[:9] for key in seats_of(client, sold, buyer)} == {"STALLS/A-"}
        assert verify_service.broken() == []

    def test_apply_of_what_is_applied_changes_nothing(
        self, client, show, stalls, place, relocate, manager
    ):
        place(stalls, "STALLS/C-1")
        laid_out(show.venue, ("Stalls", {"A": 8}), ("Floor", 50))
        told = relocate().json
        before = state()

        again = client.post(f"/relocations/{told['id']}/apply", headers=manager)

        assert (again.status_code, again.json) == (200, told)
        assert state() == before

    def test_apply_of_a_plan_whose_map_was_deleted_is_refused(
        self, client, show, relocate, manager, monkeypatch
    ):
        hall = {"name": "Winter", "sections": [{"name": "Floor", "kind": "standing"}]}
        hall["sections"][0]["capacity"] = 50
        version = seat_map_service.create(show.venue, read_map(hall), caller=STRANGER)
        with monkeypatch.context() as patched:  # the process died here
            patched.setattr(relocation_service, "apply", lambda relocation, **_: relocation)
            planned = relocate(seat_map_id=version.id).json
        assert planned["status"] == "planned"
        seat_map_service.delete(version)
        before = state()

        answer = client.post(f"/relocations/{planned['id']}/apply", headers=manager)

        assert (answer.status_code, answer.json["code"]) == (400, "invalid")
        assert state() == before


class TestLooking:
    def test_shows_who_went_where(self, client, show, stalls, place, relocate, manager):
        goes = place(stalls, "STALLS/C-1", "STALLS/C-2")
        laid_out(show.venue, ("Stalls", {"A": 8}), ("Floor", 50))
        told = relocate().json

        here = f"/relocations/{told['id']}"
        assert client.get(here, headers=manager).json == told
        listed = client.get(f"/shows/{show.id}/relocations", headers=manager).json["items"]
        assert listed == [told]
        [move] = client.get(f"{here}/moves", headers=manager).json["items"]
        assert move["booking_id"] == goes["id"]
        assert move["reference"] == goes["reference"]
        assert (move["outcome"], move["from"]) == ("together", _row("C", 1, 2))
        assert [key[:9] for key in move["to"]] == ["STALLS/A-"] * 2

    def test_costs_the_same_for_any_number(
        self, client, show, stalls, place, relocate, manager, count_statements
    ):
        for row in "BC":
            place(stalls, f"STALLS/{row}-1")
        laid_out(show.venue, ("Stalls", {"A": 8}), ("Floor", 50))
        told = relocate().json
        costs = []
        for size in (1, 2):
            count_statements.clear()
            client.get(f"/relocations/{told['id']}/moves?per_page={size}", headers=manager)
            costs.append(len(count_statements))
        assert costs[0] == costs[1]

    def test_is_for_those_who_run_the_show(self, client, show, stalls, place, relocate, as_user):
        place(stalls, "STALLS/C-1")
        laid_out(show.venue, ("Stalls", {"A": 8}), ("Floor", 50))
        told = relocate().json
        door = as_user(member(show.event.organiser, MemberRole.DOOR))
        stranger = as_user(member(OrganiserFactory()))
        for path in ("", "/moves"):
            here = f"/relocations/{told['id']}{path}"
            assert client.get(here, headers=door).status_code == 403
            assert client.get(here, headers=stranger).status_code == 404


class TestTooLate:
    def test_for_a_cancelled_show(self, client, show, stalls, relocate, manager):
        client.delete(f"/shows/{show.id}", headers=manager)
        laid_out(show.venue, ("Stalls", {"A": 8}), ("Floor", 50))

        answer = relocate()

        assert (answer.status_code, answer.json["code"]) == (409, "show-cancelled")

    def test_for_one_that_is_over(self, show, stalls, relocate, session):
        session.execute(
            text("UPDATE shows SET starts_at = now() - interval '9 h', ends_at = now()")
        )
        session.commit()
        laid_out(show.venue, ("Stalls", {"A": 8}), ("Floor", 50))

        answer = relocate()

        assert (answer.status_code, answer.json["code"]) == (409, "show-moved-on")

    def test_a_draft_of_somebody_else_does_not_exist(self, client, show, as_user, session):
        session.get(Event, show.event_id).status = "draft"
        session.get(Event, show.event_id).published_at = None
        session.commit()
        stranger = as_user(member(OrganiserFactory()))

        here = f"/shows/{show.id}/relocate"
        assert client.post(here, json={}, headers=stranger).status_code == 404
        assert session.get(Venue, show.venue_id) is not None


def test_house_seats_stay_house_seats(client, show, manager, relocate, session):
    StockFactory(show=show, section_name="Stalls", name="House")
    laid_out(show.venue, ("Stalls", {"A": 8, "N": 4}), ("Floor", 50))

    assert relocate().status_code == 200

    stock = session.scalars(select(Stock).where(Stock.name == "House")).one()
    session.refresh(stock)
    assert stock.capacity == 12
