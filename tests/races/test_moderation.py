"""An admin's word against a sale, and a link against itself, at the same instant."""

import time
from collections import Counter

import pytest
from sqlalchemy import func, select

from config import settings
from init import db
from models import Event, Moderation, OrganiserMember
from models.values import WantedLine
from services import invitation_service, moderation_service
from services.invitation_service import token_of
from tests.factories import InvitationFactory, TierFactory, UserFactory
from tests.races.conftest import attempt, caller_of, outcome

BUYERS = 12


@pytest.fixture
def moderated(monkeypatch):
    monkeypatch.setattr(settings, "moderation", True)


def reject_while_it_sells(in_parallel, delays):
    """What came of a rejection amid sales, and of each sale."""
    tier = TierFactory(price=0, capacity=100)
    show_id, event_id = tier.show_id, tier.event_id
    line = WantedLine(tier_id=tier.id, quantity=1)
    jobs = [(caller_of(UserFactory()), delay) for delay in delays]

    def act(job):
        buyer, delay = job
        time.sleep(delay)
        if buyer is not None:
            return attempt(buyer, show_id, line)
        event = db.session.get_one(Event, event_id)
        return outcome(lambda: moderation_service.reject(event, reason="No").moderation)

    outcomes = Counter(in_parallel([(None, 0.05), *jobs], act))
    db.session.rollback()
    return outcomes, db.session.scalar(select(Event.moderation))


@pytest.mark.parametrize("first", ["the admin", "the buyers"])
def test_what_is_rejected_was_not_sold(in_parallel, moderated, sound, first):
    delays = [0.05 + n * 0.005 if first == "the admin" else n * 0.02 for n in range(BUYERS)]

    outcomes, moderation = reject_while_it_sells(in_parallel, delays)

    if moderation == Moderation.REJECTED:
        assert outcomes == {"rejected": 1, "not-found": BUYERS}
    else:
        assert outcomes == {"has-sales": 1, "held": BUYERS}
    assert sound() == []


def test_a_rejection_that_locks_no_show_hides_what_is_sold(
    in_parallel, moderated, sound, monkeypatch
):
    look = moderation_service.require_no_sales

    def look_slowly(*about):
        look(*about)
        time.sleep(0.5)

    monkeypatch.setattr(moderation_service, "require_no_sales", look_slowly)
    monkeypatch.setattr(moderation_service, "lock_all", lambda _query: [])

    outcomes, moderation = reject_while_it_sells(in_parallel, [0.3] * BUYERS)

    assert (moderation, outcomes["held"]) == (Moderation.REJECTED, BUYERS)
    assert {breach.invariant for breach in sound()} == {"unseen-is-unsold"}


def accept_together(in_parallel, monkeypatch):
    admit = invitation_service.member_service.admit

    def admit_slowly(*facts):
        time.sleep(0.2)
        return admit(*facts)

    monkeypatch.setattr(invitation_service.member_service, "admit", admit_slowly)
    user = UserFactory()
    token = token_of(InvitationFactory(email=user.email).id)

    def accept(caller):
        return outcome(lambda: invitation_service.accept(caller, token).role)

    outcomes = Counter(in_parallel([caller_of(user)] * 4, accept))
    db.session.rollback()
    return outcomes, db.session.scalar(select(func.count()).select_from(OrganiserMember))


def test_a_link_is_good_once(in_parallel, committed, monkeypatch):
    outcomes, members = accept_together(in_parallel, monkeypatch)

    assert (outcomes, members) == ({"door": 1, "invitation-not-valid": 3}, 1)


def test_without_the_lock_they_would_all_find_it_good(in_parallel, committed, monkeypatch):
    monkeypatch.setattr(invitation_service, "lock", lambda row: row)

    outcomes, members = accept_together(in_parallel, monkeypatch)

    assert (outcomes, members) == ({"door": 1, "already-member": 3}, 1)
