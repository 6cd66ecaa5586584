"""The same request, many times at once."""

from collections import Counter

import pytest
from sqlalchemy import func, select

from init import db
from models import Booking
from models.values import Once, WantedLine, WantedPlaces
from services import hold_service
from services.idempotency_service import Replay
from tests.factories import TierFactory, UserFactory
from tests.races.conftest import caller_of, outcome


@pytest.fixture
def duplicates(in_parallel):
    """Ten requests with one key, for each of so many keys; what each was answered."""

    def send(keys):
        tier = TierFactory(capacity=200)
        callers = {key: caller_of(UserFactory()) for key in keys}
        wanted = WantedPlaces(tier.show_id, (WantedLine(tier_id=tier.id, quantity=1),))

        def once(key):
            request = Once(key, callers[key].key, b"same", lambda b: (201, None, b"%d" % b.id))
            try:
                made = hold_service.place(callers[key], wanted, once=request)
            except Replay as replay:
                return key, int(replay.body)
            return key, made.id

        return in_parallel([key for key in keys for _ in range(10)], once)

    return send


def test_one_key_is_one_booking_and_one_answer(duplicates, sound):
    keys = [f"key-{number}" for number in range(10)]

    answers = duplicates(keys)

    assert len(answers) == 100
    assert len(set(answers)) == 10
    assert db.session.scalar(select(func.count()).select_from(Booking)) == 10
    assert sound() == []


def test_unless_they_wait_for_each_other(duplicates, sound, monkeypatch):
    """The control: without the lock they all book, and the constraint has to undo it."""
    monkeypatch.setattr(hold_service, "lock_keys", lambda keys: None)

    with pytest.raises(Exception, match="uq_idempotency_keys_scope"):
        duplicates(["key"])


def test_a_refused_request_keeps_nothing(in_parallel, sound):
    tier = TierFactory(capacity=0)
    caller = caller_of(UserFactory())
    wanted = WantedPlaces(tier.show_id, (WantedLine(tier_id=tier.id, quantity=1),))
    once = [Once("key", caller.key, b"same", lambda b: (201, None, b"")) for _ in range(10)]

    def send(request):
        return outcome(lambda: hold_service.place(caller, wanted, once=request).current_status)

    assert Counter(in_parallel(once, send)) == {"sold-out": 10}
