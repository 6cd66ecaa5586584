"""What changes of the catalogue leave in the audit: state, money, capacity and whose it is."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from init import db
from models import AuditEntry, EventStatus, MemberRole, Role, Show
from tests.factories import (
    AdminFactory,
    EventFactory,
    OrganiserFactory,
    ShowFactory,
    StockFactory,
    TierFactory,
    UserFactory,
    VenueFactory,
    member,
)
from tests.factories.sales import booked

DRAFT = {"status": EventStatus.DRAFT, "published_at": None}
LATER = datetime.now(UTC).replace(microsecond=0) + timedelta(days=60)
KES = {"amount": 300_000, "currency": "KES"}


@pytest.fixture
def organiser(session):
    return OrganiserFactory()


@pytest.fixture
def manager(organiser, as_user):
    return as_user(member(organiser, MemberRole.MANAGER))


@pytest.fixture
def admin(session, as_user):
    return as_user(AdminFactory())


@pytest.fixture
def show(organiser):
    return ShowFactory(event=EventFactory(organiser=organiser))


def entries(target_type=None):
    query = select(AuditEntry).order_by(AuditEntry.id)
    if target_type:
        query = query.where(AuditEntry.target_type == target_type)
    return list(db.session.scalars(query))


def told(target_type=None):
    return [(one.action, one.before, one.after) for one in entries(target_type)]


def life(status):
    return {"status": status, "moderation": "not_required"}


class TestEvents:
    def test_its_life(self, client, organiser, manager):
        draft = EventFactory(organiser=organiser, **DRAFT)
        TierFactory(show=ShowFactory(event=draft))
        path = f"/events/{draft.id}"

        client.post(f"{path}/publish", headers=manager)
        client.post(f"{path}/unpublish", headers=manager)
        for _ in range(2):
            client.post(f"{path}/cancel", json={"reason": "Rain"}, headers=manager)

        assert told("event") == [
            ("event.publish", life("draft"), life("published")),
            ("event.unpublish", life("published"), life("draft")),
            ("event.cancel", life("draft"), life("cancelled")),
        ]
        last = entries("event")[-1]
        assert (last.reason, last.organiser_id, last.origin) == ("Rain", organiser.id, "api")
        assert [action for action, _, _ in told("show")] == ["show.cancel"]

    def test_its_end(self, client, organiser, manager):
        event = EventFactory(organiser=organiser)

        client.post(f"/events/{event.id}/complete", headers=manager)

        assert told() == [("event.complete", life("published"), life("completed"))]

    def test_a_refusal_leaves_nothing(self, client, show, manager):
        booked(show)

        refusal = client.post(f"/events/{show.event_id}/unpublish", headers=manager)

        assert (refusal.status_code, told()) == (409, [])

    def test_both_read_whom_it_was_given_to(self, client, show, admin, organiser):
        other = OrganiserFactory()
        given = {"organiser_id": other.id}

        client.patch(f"/events/{show.event_id}", json=given, headers=admin)

        before, after = {"organiser_id": organiser.id}, {"organiser_id": other.id}
        assert told() == [("event.hand_over", before, after)] * 2
        assert [entry.organiser_id for entry in entries()] == [organiser.id, other.id]

    def test_words_are_no_matter_for_it(self, client, show, manager):
        client.patch(f"/events/{show.event_id}", json={"description": "B"}, headers=manager)

        assert told() == []


class TestShows:
    def test_its_pauses(self, client, show, manager):
        for step in ("pause", "pause", "resume"):
            client.post(f"/shows/{show.id}/{step}", headers=manager)

        on, off = {"sales_paused": False}, {"sales_paused": True}
        assert told() == [("show.pause", on, off), ("show.resume", off, on)]
        assert {(entry.target_id, entry.organiser_id) for entry in entries()} == {
            (show.id, show.organiser_id)
        }

    def test_its_life(self, client, show, manager):
        booked(show)
        started, venue_id = show.starts_at, show.venue_id
        path, new = f"/shows/{show.id}", {"starts_at": LATER.isoformat()}

        client.post(f"{path}/postpone", headers=manager)
        client.post(f"{path}/reschedule", json=new, headers=manager)
        for _ in range(2):
            client.delete(path, headers=manager)

        facts = [(e.action, e.before["status"], e.after["status"]) for e in entries("show")]
        assert facts == [
            ("show.postpone", "confirmed", "postponed"),
            ("show.reschedule", "postponed", "rescheduled"),
            ("show.cancel", "rescheduled", "cancelled"),
        ]
        postponed, rescheduled, _ = entries("show")
        assert datetime.fromisoformat(postponed.before["starts_at"]) == started
        assert postponed.after["starts_at"] is None
        assert datetime.fromisoformat(rescheduled.after["starts_at"]) == LATER
        assert rescheduled.after["venue_id"] == venue_id

    def test_where_it_moves(self, client, show, manager):
        before, venue = show.venue_id, VenueFactory()
        change = {"venue_id": venue.id, "licensed_capacity": 90}

        client.patch(f"/shows/{show.id}", json=change, headers=manager)
        client.patch(f"/shows/{show.id}", json=change, headers=manager)

        assert told() == [
            (
                "show.edit",
                {"venue_id": before, "licensed_capacity": None},
                {"venue_id": venue.id, "licensed_capacity": 90},
            )
        ]


class TestStocks:
    def test_its_capacity(self, client, show, manager):
        wanted = {"name": "Press", "section": "Floor", "capacity": 5}
        made = client.post(f"/shows/{show.id}/stocks", json=wanted, headers=manager).json
        path = f"/stocks/{made['id']}"

        client.patch(path, json={"name": "House"}, headers=manager)
        client.patch(path, json={"capacity": 8}, headers=manager)
        for _ in range(2):
            client.delete(path, headers=manager)

        assert told() == [
            ("stock.create", {}, {"capacity": 5}),
            ("stock.edit", {"capacity": 5}, {"capacity": 8}),
            ("stock.delete", {"capacity": 8}, {"capacity": 0}),
        ]
        assert {entry.organiser_id for entry in entries()} == {show.organiser_id}

    def test_a_refusal_leaves_nothing(self, client, show, manager):
        stock = StockFactory(show=show, capacity=2)

        refusal = client.patch(f"/stocks/{stock.id}", json={"capacity": 10**5}, headers=manager)

        assert (refusal.status_code, told()) == (409, [])


class TestTiers:
    def test_its_prices_and_windows(self, client, show, manager):
        tier = TierFactory(show=show, price=250_000)
        [price] = tier.prices
        path = f"/tiers/{tier.id}"
        before = {
            "on_sale_at": None,
            "off_sale_at": None,
            "prices": [{"id": price.id, "amount": 250_000, "fee": 0, "currency": "KES"}],
        }
        dearer = {**before, "prices": [{**before["prices"][0], "amount": 300_000}]}

        client.patch(path, json={"price": KES}, headers=manager)
        client.patch(path, json={"price": KES, "description": "Dear"}, headers=manager)
        client.patch(path, json={"on_sale_at": LATER.isoformat()}, headers=manager)
        for _ in range(2):
            client.delete(path, headers=manager)

        assert [action for action, _, _ in told()] == ["tier.edit", "tier.edit", "tier.delete"]
        assert told()[0] == ("tier.edit", before, dearer)
        assert datetime.fromisoformat(entries()[1].after["on_sale_at"]) == LATER
        assert entries()[2].before == entries()[1].after

    def test_a_new_one_and_its_places(self, client, show, manager):
        wanted = {"name": "VIP", "price": KES, "capacity": 3}

        client.post(f"/shows/{show.id}/tiers", json=wanted, headers=manager)
        client.post(f"/events/{show.event_id}/tiers", json=wanted, headers=manager)

        actions = ["stock.create", "tier.create", "tier.create"]
        assert [action for action, _, _ in told()] == actions
        assert entries("tier")[0].after["prices"][0]["amount"] == 300_000

    def test_its_own_capacity(self, client, show, manager):
        tier = TierFactory(show=show, capacity=4)

        client.patch(f"/tiers/{tier.id}", json={"capacity": 6}, headers=manager)

        assert told() == [("stock.edit", {"capacity": 4}, {"capacity": 6})]

    def test_what_a_second_night_copies(self, client, show, manager):
        TierFactory(show=show, capacity=4)

        wanted = {"starts_at": LATER.isoformat()}
        made = client.post(f"/shows/{show.id}/copy", json=wanted, headers=manager).json

        assert [action for action, _, _ in told()] == ["stock.create", "tier.create"]
        assert db.session.get(Show, made["id"]) is not None


class TestVenuesAndOrganisers:
    def test_a_halls_capacity_and_end(self, client, organiser, manager):
        venue = VenueFactory(organiser_id=organiser.id)
        show = ShowFactory(event=EventFactory(organiser=organiser), venue=venue)
        path = f"/venues/{venue.id}"

        client.patch(path, json={"name": "Hall"}, headers=manager)
        client.patch(path, json={"capacity": 6000}, headers=manager)
        for _ in range(2):
            client.delete(path, headers=manager)

        assert told() == [
            ("venue.edit", {"capacity": 5000}, {"capacity": 6000}),
            ("venue.delete", {"show_ids": [show.id]}, {}),
        ]

    def test_a_hall_that_is_given_away(self, client, organiser, admin):
        venue = VenueFactory(organiser_id=organiser.id)

        client.patch(f"/venues/{venue.id}", json={"organiser_id": None}, headers=admin)

        before, after = {"organiser_id": organiser.id}, {"organiser_id": None}
        assert told() == [("venue.hand_over", before, after)]

    def test_an_organisers_beginning_and_end(self, client, as_user):
        user = UserFactory(role=Role.ORGANISER)
        facts = {"name": "B&W", "email": "office@example.com"}
        made = client.post("/organisers/", json=facts, headers=as_user(user)).json

        for _ in range(2):
            client.delete(f"/organisers/{made['id']}", headers=as_user(user))

        assert told() == [
            ("organiser.create", {}, {"owner_user_id": user.id}),
            ("organiser.delete", {}, {}),
        ]
        assert {entry.organiser_id for entry in entries()} == {made["id"]}
