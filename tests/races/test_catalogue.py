"""Two who change the catalogue at the same instant."""

import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from init import db
from models import (
    Event,
    EventStatus,
    MemberRole,
    OrganiserMember,
    Show,
    ShowStatus,
    Venue,
)
from services import member_service, venue_calendar
from tests.factories import (
    AdminFactory,
    EventFactory,
    OrganiserFactory,
    ShowFactory,
    TierFactory,
    VenueFactory,
    member,
)

SOON = (datetime.now(UTC) + timedelta(days=40)).isoformat()


@pytest.fixture
def outcomes(app, in_parallel):
    """What many requests come to, sent together: the code of the refusal, else the status."""

    def run(requests):
        def send(request):
            method, path, headers, body = request
            response = app.test_client().open(path, method=method, headers=headers, json=body)
            status = response.status_code
            return response.json["code"] if status >= 400 else str(status)

        return Counter(in_parallel(requests, send))

    return run


@pytest.fixture
def admin(committed, as_user):
    return as_user(AdminFactory())


def planned(venue):
    draft = EventFactory(status=EventStatus.DRAFT, published_at=None)
    return TierFactory(show=ShowFactory(event=draft, venue=venue), capacity=1).show


@pytest.mark.parametrize("look", [True, False])
def test_one_of_many_gets_the_venue(committed, admin, outcomes, monkeypatch, look):
    if not look:  # then the constraint alone decides
        monkeypatch.setattr(venue_calendar, "_others_there", lambda *_: [])
    venue = VenueFactory()
    drafts = [planned(venue).event_id for _ in range(8)]

    requests = [("POST", f"/events/{draft}/publish", admin, None) for draft in drafts]

    assert outcomes(requests) == {"200": 1, "venue-taken": 7}
    public = select(func.count()).where(Event.status == EventStatus.PUBLISHED)
    assert db.session.scalar(public) == 1
    assert db.session.scalar(select(func.count()).where(Show.occupies_venue)) == 1


def owners_leave_together(outcomes, as_user, monkeypatch):
    organiser = OrganiserFactory()
    look = member_service._require_another_owner

    def look_slowly(*args):
        look(*args)
        time.sleep(0.3)

    monkeypatch.setattr(member_service, "_require_another_owner", look_slowly)
    owners = [member(organiser) for _ in range(2)]
    path = f"/organisers/{organiser.id}/members"
    came_of_it = outcomes([("DELETE", f"{path}/{u.id}", as_user(u), None) for u in owners])
    left = select(func.count()).where(OrganiserMember.role == MemberRole.OWNER)
    return came_of_it, db.session.scalar(left)


def test_the_last_owner_stays(committed, as_user, outcomes, monkeypatch):
    came_of_it, left = owners_leave_together(outcomes, as_user, monkeypatch)

    assert (came_of_it, left) == ({"204": 1, "last-owner": 1}, 1)


def test_without_the_lock_all_would_go(committed, as_user, outcomes, monkeypatch):
    monkeypatch.setattr(member_service, "lock", lambda row: row)

    came_of_it, left = owners_leave_together(outcomes, as_user, monkeypatch)

    assert (came_of_it, left) == ({"204": 2}, 0)


def test_no_show_is_put_on_while_its_event_is_cancelled(committed, admin, outcomes):
    event = EventFactory()
    wanted = [
        {"event_id": event.id, "venue_id": VenueFactory().id, "starts_at": SOON, "currency": "KES"}
        for _ in range(6)
    ]
    requests = [("POST", "/shows/", admin, body) for body in wanted]
    requests.insert(3, ("POST", f"/events/{event.id}/cancel", admin, None))

    came_of_it = outcomes(requests)

    assert came_of_it["200"] == 1
    assert came_of_it["201"] + came_of_it["event-moved-on"] == 6
    alive = select(func.count()).where(Show.status != ShowStatus.CANCELLED)
    assert db.session.scalar(alive) == 0


def test_no_show_is_left_in_a_hall_that_goes(committed, admin, outcomes):
    venue = VenueFactory()
    wanted = [
        {"event_id": EventFactory().id, "venue_id": venue.id, "starts_at": SOON, "currency": "KES"}
        for _ in range(6)
    ]
    requests = [("POST", "/shows/", admin, body) for body in wanted]
    requests.insert(3, ("DELETE", f"/venues/{venue.id}", admin, None))

    came_of_it = outcomes(requests)

    assert came_of_it["204"] == 1
    assert sum(came_of_it[code] for code in ("201", "venue-taken", "invalid")) == 6
    db.session.expire_all()
    assert db.session.get(Venue, venue.id).deleted_at is not None
    there = select(func.count()).where(Show.venue_id == venue.id)
    assert db.session.scalar(there) == 0
