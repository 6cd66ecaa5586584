"""Moderation of events, seen from outside: what waits, what is approved, what stays unseen."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from config import settings
from init import db
from models import (
    AuditEntry,
    Booking,
    Event,
    EventStatus,
    MemberRole,
    Moderation,
    OutboxMessage,
    Place,
    Show,
    Verification,
)
from services import sale_service
from tests.factories import (
    AdminFactory,
    EventFactory,
    OrganiserFactory,
    ShowFactory,
    TierFactory,
    UserFactory,
    VenueFactory,
    member,
)
from tests.factories.sales import booked

DRAFT = {"status": EventStatus.DRAFT, "published_at": None}
NEXT_YEAR = "2031-01-01T20:00:00+03:00"
UNSEEN = [Moderation.PENDING, Moderation.REJECTED]
SOON = (datetime.now(UTC) + timedelta(days=30, hours=1)).isoformat()
REASON = {"reason": "Name the artist that plays."}


@pytest.fixture
def moderated(monkeypatch):
    monkeypatch.setattr(settings, "moderation", True)


@pytest.fixture
def organiser(session):
    return OrganiserFactory(name="Sol Generation")


@pytest.fixture
def manager(organiser, as_user):
    return as_user(member(organiser, MemberRole.MANAGER))


@pytest.fixture
def admin(session, as_user):
    return as_user(AdminFactory())


def offered(organiser, **facts):
    """An event with a show that could be sold."""
    event = EventFactory(organiser=organiser, **facts)
    TierFactory(show=ShowFactory(event=event), capacity=4, price=0)
    return event


@pytest.fixture
def draft(organiser):
    return offered(organiser, **DRAFT)


@pytest.fixture
def event(organiser):
    return offered(organiser, moderation=Moderation.APPROVED)


def code(response):
    return response.status_code, response.json.get("code")


def moderation_of(event):
    return db.session.scalar(select(Event.moderation).where(Event.id == event.id))


def versions_of(event):
    return db.session.scalars(select(Show.version).where(Show.event_id == event.id)).all()


def audited(action):
    entries = db.session.scalars(select(AuditEntry).where(AuditEntry.action == action))
    return [(entry.before, entry.after, entry.reason) for entry in entries]


class TestSubmit:
    def test_a_draft_waits_is_approved_and_goes_public(
        self, client, moderated, draft, manager, admin
    ):
        path = f"/events/{draft.id}"

        submitted = client.post(f"{path}/submit", headers=manager)
        assert (submitted.status_code, submitted.json["moderation"]) == (200, "pending")
        refusal = client.post(f"{path}/publish", headers=manager)
        assert code(refusal) == (409, "not-approved")
        assert refusal.json["moderation"] == "pending"
        approved = client.post(f"{path}/approve", headers=admin)
        assert approved.json["moderation"] == "approved"
        assert client.get(path).status_code == 404
        assert client.post(f"{path}/publish", headers=manager).status_code == 200
        assert client.get(path).json["moderation"] == "approved"

        pending, told = {"moderation": "pending"}, {"moderation": "approved"}
        assert audited("event.submit") == [({"moderation": "not_required"}, pending, None)]
        assert audited("event.approve") == [(pending, told, None)]
        topics = select(OutboxMessage.topic).order_by(OutboxMessage.id)
        assert db.session.scalars(topics).all() == [
            "event.submitted",
            "event.approved",
            "event.published",
        ]

    def test_what_was_never_submitted_is_not_published(self, client, moderated, draft, manager):
        refusal = client.post(f"/events/{draft.id}/publish", headers=manager)

        assert code(refusal) == (409, "not-approved")
        assert refusal.json["moderation"] == "not_required"

    def test_what_is_rejected_says_why_and_may_be_submitted_again(
        self, client, moderated, draft, manager, admin
    ):
        path = f"/events/{draft.id}"
        client.post(f"{path}/submit", headers=manager)

        rejected = client.post(f"{path}/reject", json=REASON, headers=admin)

        assert rejected.json["moderation"] == "rejected"
        assert client.get(path, headers=manager).json["moderation_reason"] == REASON["reason"]
        assert code(client.post(f"{path}/publish", headers=manager)) == (409, "not-approved")
        again = client.post(f"{path}/submit", headers=manager)
        assert (again.json["moderation"], again.json["moderation_reason"]) == ("pending", None)
        assert audited("event.reject") == [
            ({"moderation": "pending"}, {"moderation": "rejected"}, REASON["reason"])
        ]

    @pytest.mark.parametrize("moderation", [Moderation.PENDING, Moderation.APPROVED])
    def test_happens_once(self, client, moderated, organiser, manager, moderation):
        event = offered(organiser, moderation=moderation, **DRAFT)

        refusal = client.post(f"/events/{event.id}/submit", headers=manager)

        assert code(refusal) == (409, "moderation-moved-on")
        assert refusal.json["moderation"] == moderation

    def test_takes_nothing_away_that_is_public(self, client, moderated, organiser, manager):
        event = offered(organiser)

        refusal = client.post(f"/events/{event.id}/submit", headers=manager)

        assert code(refusal) == (409, "moderation-moved-on")
        assert client.get(f"/events/{event.id}").status_code == 200

    @pytest.mark.parametrize("status", [EventStatus.CANCELLED, EventStatus.COMPLETED])
    def test_is_too_late_for_what_is_over(self, client, moderated, organiser, manager, status):
        event = offered(organiser, status=status)

        assert code(client.post(f"/events/{event.id}/submit", headers=manager)) == (
            409,
            "event-moved-on",
        )

    def test_without_moderation_nobody_is_asked(self, client, draft, manager, admin):
        path = f"/events/{draft.id}"

        assert code(client.post(f"{path}/submit", headers=manager)) == (409, "moderation-off")
        rejected = client.post(f"{path}/reject", json=REASON, headers=admin)
        assert code(rejected) == (409, "moderation-off")
        assert client.post(f"{path}/publish", headers=manager).status_code == 200

    @pytest.mark.parametrize("moderation", UNSEEN)
    def test_what_waited_when_moderation_ended_is_published(
        self, client, organiser, manager, moderation
    ):
        event = offered(organiser, moderation=moderation, moderation_reason="No", **DRAFT)

        published = client.post(f"/events/{event.id}/publish", headers=manager)

        assert (published.status_code, published.json["moderation"]) == (200, "not_required")
        assert client.get(f"/events/{event.id}").json["moderation_reason"] is None


class TestDecide:
    def test_a_published_event_goes_out_of_sight_before_its_first_sale(
        self, client, moderated, event, admin
    ):
        before = versions_of(event)

        rejected = client.post(f"/events/{event.id}/reject", json=REASON, headers=admin)

        assert (rejected.status_code, rejected.json["status"]) == (200, "published")
        assert client.get(f"/events/{event.id}").status_code == 404
        assert versions_of(event) > before

    @pytest.mark.parametrize("state", ["held", "confirmed"])
    def test_after_the_first_sale_it_stays(self, client, moderated, event, admin, state):
        booked(db.session.scalars(select(Show)).one(), state)

        refusal = client.post(f"/events/{event.id}/reject", json=REASON, headers=admin)

        assert code(refusal) == (409, "has-sales")
        assert client.get(f"/events/{event.id}").status_code == 200

    def test_a_rejection_can_be_taken_back(self, client, moderated, organiser, admin):
        event = offered(organiser, moderation=Moderation.REJECTED, moderation_reason="No")

        approved = client.post(f"/events/{event.id}/approve", headers=admin)

        assert (approved.json["moderation"], approved.json["moderation_reason"]) == (
            "approved",
            None,
        )
        assert client.get(f"/events/{event.id}").status_code == 200

    @pytest.mark.parametrize("moderation", [Moderation.NOT_REQUIRED, Moderation.APPROVED])
    def test_only_what_waits_or_was_rejected_is_approved(
        self, client, moderated, organiser, admin, moderation
    ):
        event = offered(organiser, moderation=moderation, **DRAFT)

        refusal = client.post(f"/events/{event.id}/approve", headers=admin)

        assert code(refusal) == (409, "moderation-moved-on")

    def test_what_nobody_submitted_is_not_rejected(self, client, moderated, draft, admin):
        refusal = client.post(f"/events/{draft.id}/reject", json=REASON, headers=admin)

        assert code(refusal) == (409, "moderation-moved-on")

    @pytest.mark.parametrize("step", ["approve", "reject"])
    def test_is_too_late_for_what_is_over(self, client, moderated, organiser, admin, step):
        event = offered(organiser, status=EventStatus.CANCELLED, moderation=Moderation.PENDING)
        body = {"json": REASON} if step == "reject" else {}

        refusal = client.post(f"/events/{event.id}/{step}", headers=admin, **body)

        assert code(refusal) == (409, "event-moved-on")

    @pytest.mark.parametrize("reason", [None, "", "  ", "x" * 1001])
    def test_a_rejection_says_why(self, client, moderated, event, admin, reason):
        body = {"reason": reason}

        response = client.post(f"/events/{event.id}/reject", json=body, headers=admin)

        assert response.status_code == 400
        assert moderation_of(event) == Moderation.APPROVED

    def test_is_no_organisers_own(self, client, moderated, organiser, manager):
        event = offered(organiser, moderation=Moderation.PENDING, **DRAFT)

        for step, body in (("approve", {}), ("reject", {"json": REASON})):
            response = client.post(f"/events/{event.id}/{step}", headers=manager, **body)
            assert response.status_code == 403
        assert moderation_of(event) == Moderation.PENDING

    def test_no_body_approves(self, client, moderated, draft, manager):
        for facts in ({"moderation": "approved"}, {"status": "published"}):
            response = client.patch(f"/events/{draft.id}", json=facts, headers=manager)
            assert response.status_code == 400
        assert moderation_of(draft) == Moderation.NOT_REQUIRED

    def test_what_was_changed_since_it_was_read_is_not_approved(
        self, client, moderated, draft, manager, admin
    ):
        path = f"/events/{draft.id}"
        client.post(f"{path}/submit", headers=manager)
        read = admin | {"If-Match": client.get(path, headers=admin).headers["ETag"]}
        client.patch(path, json={"title": "Something else"}, headers=manager)

        assert client.post(f"{path}/approve", headers=read).status_code == 412
        assert moderation_of(draft) == Moderation.PENDING


class TestEdit:
    @pytest.mark.parametrize("change", [{"title": "B"}, {"artist": None}, {"age_limit": 18}])
    def test_another_promise_is_approved_again(self, client, moderated, event, manager, change):
        before = versions_of(event)

        edited = client.patch(f"/events/{event.id}", json=change, headers=manager)

        assert (edited.status_code, edited.json["moderation"]) == (200, "pending")
        assert client.get(f"/events/{event.id}").status_code == 404
        assert versions_of(event) > before
        assert len(audited("event.submit")) == 1

    @pytest.mark.parametrize(
        "change",
        [{"starts_at": SOON}, {"venue_id": None}, {"time_zone": "Africa/Kampala"}],
    )
    def test_so_is_another_date_or_place_of_a_show(self, client, moderated, event, manager, change):
        show = ShowFactory(event=event)

        edited = client.patch(f"/shows/{show.id}", json=change, headers=manager)

        assert edited.status_code == 200
        assert moderation_of(event) == Moderation.PENDING
        assert min(versions_of(event)) > 1
        assert client.get(f"/shows/{show.id}").status_code == 404

    def test_so_is_a_show_that_is_rescheduled(self, client, moderated, event, manager):
        show = db.session.scalars(select(Show)).one()
        new = {"starts_at": NEXT_YEAR, "venue_id": VenueFactory().id}

        response = client.post(f"/shows/{show.id}/reschedule", json=new, headers=manager)

        assert response.status_code == 200
        assert moderation_of(event) == Moderation.PENDING

    def test_what_ticket_holders_have_is_rescheduled_in_sight(
        self, client, moderated, event, manager
    ):
        show = db.session.scalars(select(Show)).one()
        booked(show)

        new = {"starts_at": NEXT_YEAR}
        response = client.post(f"/shows/{show.id}/reschedule", json=new, headers=manager)

        assert response.status_code == 200
        assert moderation_of(event) == Moderation.APPROVED
        assert client.get(f"/shows/{show.id}").status_code == 200

    def test_so_is_what_was_published_before_there_was_moderation(
        self, client, moderated, organiser, manager
    ):
        event = offered(organiser)

        client.patch(f"/events/{event.id}", json={"title": "B"}, headers=manager)

        assert moderation_of(event) == Moderation.PENDING

    def test_an_approved_draft_is_approved_again(self, client, moderated, organiser, manager):
        event = offered(organiser, moderation=Moderation.APPROVED, **DRAFT)

        client.patch(f"/events/{event.id}", json={"title": "B"}, headers=manager)

        assert moderation_of(event) == Moderation.PENDING

    def test_a_rejected_one_that_is_public_waits_again(self, client, moderated, organiser, manager):
        event = offered(organiser, moderation=Moderation.REJECTED, moderation_reason="No")

        edited = client.patch(f"/events/{event.id}", json={"title": "B"}, headers=manager)

        assert (edited.json["moderation"], edited.json["moderation_reason"]) == ("pending", None)

    @pytest.mark.parametrize(
        "change", [{"description": "B"}, {"title": "As it was"}, {"tags": ["b"]}]
    )
    def test_what_promises_nothing_else_stays_public(
        self, client, moderated, organiser, manager, change
    ):
        event = offered(organiser, title="As it was", moderation=Moderation.APPROVED)

        client.patch(f"/events/{event.id}", json=change, headers=manager)

        assert moderation_of(event) == Moderation.APPROVED

    def test_so_does_what_an_admin_edits(self, client, moderated, event, admin):
        show = db.session.scalars(select(Show)).one()
        change = {"starts_at": SOON}

        client.patch(f"/events/{event.id}", json={"title": "B"}, headers=admin)
        assert client.patch(f"/shows/{show.id}", json=change, headers=admin).status_code == 200

        assert moderation_of(event) == Moderation.APPROVED
        assert client.get(f"/events/{event.id}").json["title"] == "B"

    def test_after_the_first_sale_it_is_refused(self, client, moderated, event, manager):
        booked(db.session.scalars(select(Show)).one())

        refusal = client.patch(f"/events/{event.id}", json={"title": "B"}, headers=manager)

        assert code(refusal) == (409, "has-sales")
        assert moderation_of(event) == Moderation.APPROVED

    def test_a_refused_edit_asks_for_nothing(self, client, moderated, event, manager):
        show = db.session.scalars(select(Show)).one()
        past = {"starts_at": "2020-01-01T20:00:00Z"}

        assert client.patch(f"/shows/{show.id}", json=past, headers=manager).status_code == 400

        assert moderation_of(event) == Moderation.APPROVED

    def test_without_moderation_nothing_waits(self, client, organiser, manager):
        event = offered(organiser)

        edited = client.patch(f"/events/{event.id}", json={"title": "B"}, headers=manager)

        assert edited.json["moderation"] == "not_required"
        assert client.get(f"/events/{event.id}").status_code == 200


@pytest.mark.parametrize("moderation", UNSEEN)
class TestPublicSight:
    """Published, and pending or rejected: for the public there is no such event."""

    @pytest.fixture
    def hidden(self, organiser, moderation):
        event = EventFactory(organiser=organiser, title="Unseen", moderation=moderation)
        venue = VenueFactory(layout=[("Stalls", {"A": 4})])
        self.show = ShowFactory(event=event, venue=venue)
        self.tier = TierFactory(show=self.show, section="Stalls", price=0)
        offered(organiser, title="Seen")
        return event

    @pytest.fixture
    def elsewhere(self, as_user):
        return as_user(member(OrganiserFactory()))

    def everyone_else(self, as_user, elsewhere):
        return ({}, as_user(UserFactory()), elsewhere)

    def test_one_by_one(self, client, hidden, as_user, elsewhere, manager, admin):
        place = db.session.scalars(select(Place).where(Place.show_id == self.show.id)).first()
        paths = [
            f"/events/{hidden.id}",
            f"/events/{hidden.id}/tiers",
            f"/shows/{self.show.id}",
            f"/shows/{self.show.id}/availability",
            f"/shows/{self.show.id}/seats",
            f"/shows/{self.show.id}/tiers",
            f"/tiers/{self.tier.id}",
            f"/tiers/{self.tier.id}/availability",
            f"/seats?show_id={self.show.id}",
            f"/seats/{place.id}",
        ]

        for path in paths:
            for headers in self.everyone_else(as_user, elsewhere):
                assert client.get(path, headers=headers).status_code == 404, path
            for headers in (manager, admin):
                assert client.get(path, headers=headers).status_code == 200, path

    def test_in_lists(self, client, hidden, as_user, elsewhere):
        queries = [
            "/events/?q=unseen",
            f"/events/?organiser_id={hidden.organiser_id}&q=unseen",
            "/events/?status=published&q=unseen",
            "/events/?on_sale=true&q=unseen",
            f"/events/?venue_id={self.show.venue_id}",
            f"/shows/?event_id={hidden.id}",
            f"/shows/?venue_id={self.show.venue_id}",
            "/shows/?q=unseen",
            "/shows/?status=confirmed&q=unseen",
            "/events/mine?q=unseen",
        ]

        for query in queries:
            for headers in self.everyone_else(as_user, elsewhere):
                response = client.get(query, headers=headers)
                if query.startswith("/events/mine") and response.status_code == 401:
                    continue
                assert (response.status_code, response.json["items"]) == (200, []), query
        items = client.get("/events/").json["items"]
        assert [item["title"] for item in items] == ["Seen"]

    def test_nothing_of_it_is_sold(self, client, hidden, manager, as_user):
        basket = {"show_id": self.show.id, "items": [{"tier_id": self.tier.id, "quantity": 1}]}
        buyer = {"buyer": {"name": "Asha", "email": "asha@example.com"}}
        desk = {"channel": "desk", "confirm": True}

        unseen, unsold = (404, "not-found"), (409, "not-published")
        asked = (({}, buyer, unseen), (as_user(UserFactory()), {}, unseen), (manager, desk, unsold))
        for headers, more, expected in asked:
            refusal = client.post("/bookings/", json=basket | more, headers=headers)
            assert code(refusal) == expected
            quoted = client.post("/bookings/quote", json=basket, headers=headers)
            assert code(quoted) == expected
        assert db.session.scalar(select(Booking)) is None

    def test_a_sheet_says_so(self, client, hidden):
        assert not sale_service.sheet(self.show.id).is_public

    def test_its_organiser_reads_why(self, client, hidden, manager, moderation):
        hidden.moderation_reason = "Who plays?"
        db.session.commit()

        shown = client.get(f"/events/{hidden.id}", headers=manager).json
        listed = client.get("/events/mine?q=unseen", headers=manager).json["items"]

        assert (shown["moderation"], shown["moderation_reason"]) == (moderation, "Who plays?")
        assert listed == [shown]


class TestList:
    def test_what_waited_longest_comes_first(self, client, moderated, manager, admin, organiser):
        now = datetime.now(UTC)
        waiting = [
            offered(
                organiser,
                title=f"{hours} hours",
                moderation=Moderation.PENDING,
                submitted_at=now - timedelta(hours=hours),
                **DRAFT,
            )
            for hours in (1, 3, 2)
        ]
        for moderation in (m for m in Moderation if m != Moderation.PENDING):
            EventFactory(organiser=OrganiserFactory(), moderation=moderation)

        listed = client.get("/moderation/events", headers=admin).json

        assert [item["title"] for item in listed["items"]] == ["3 hours", "2 hours", "1 hours"]
        assert listed["pagination"]["total"] == len(waiting)
        assert listed["items"][0]["submitted_at"] is not None
        second = client.get("/moderation/events?page=2&per_page=1", headers=admin).json["items"]
        assert [item["title"] for item in second] == ["2 hours"]
        rejected = client.get("/moderation/events?moderation=rejected", headers=admin).json
        assert [item["moderation"] for item in rejected["items"]] == ["rejected"]
        assert client.get("/moderation/events?moderation=new", headers=admin).status_code == 400

    def test_is_nobody_elses(self, client, moderated, manager, as_user):
        offered(OrganiserFactory(), moderation=Moderation.PENDING, **DRAFT)

        assert client.get("/moderation/events").status_code == 401
        for headers in (manager, as_user(UserFactory())):
            response = client.get("/moderation/events", headers=headers)
            assert response.status_code == 403
            assert "items" not in response.json

    def test_costs_the_same_whatever_the_page(self, client, moderated, admin, count_statements):
        counts = []
        for _ in range(2):
            for _ in range(3):
                offered(OrganiserFactory(), moderation=Moderation.PENDING, **DRAFT)
            count_statements.clear()
            assert client.get("/moderation/events", headers=admin).status_code == 200
            counts.append(len(count_statements))

        assert counts[0] == counts[1]


class TestVerifiedOrganisersOnly:
    @pytest.fixture
    def verified_only(self, monkeypatch):
        monkeypatch.setattr(settings, "verified_organisers_only", True)

    @pytest.mark.parametrize(
        "verification", [v for v in Verification if v != Verification.VERIFIED]
    )
    def test_nobody_else_publishes_or_submits(
        self, client, moderated, verified_only, as_user, verification, admin
    ):
        organiser = OrganiserFactory(verification=verification)
        headers = as_user(member(organiser))
        draft = offered(organiser, **DRAFT)
        approved = offered(organiser, moderation=Moderation.APPROVED, **DRAFT)

        for path in (f"/events/{draft.id}/submit", f"/events/{approved.id}/publish"):
            for who in (headers, admin):
                refusal = client.post(path, headers=who)
                assert code(refusal) == (409, "organiser-not-verified")
                assert refusal.json["verification"] == verification

    def test_verified_ones_do(self, client, verified_only, as_user):
        organiser = OrganiserFactory(verification=Verification.VERIFIED)
        draft = offered(organiser, **DRAFT)

        response = client.post(f"/events/{draft.id}/publish", headers=as_user(member(organiser)))

        assert response.status_code == 200

    def test_nobodys_event_is_the_admins_to_publish(self, client, verified_only, admin):
        draft = offered(None, **DRAFT)

        assert client.post(f"/events/{draft.id}/publish", headers=admin).status_code == 200
