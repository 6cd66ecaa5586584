"""One buyer, many requests at once, and a limit."""

from collections import Counter

from models.values import STRANGER, WantedBuyer, WantedLine
from services import hold_service
from tests.factories import TierFactory, UserFactory
from tests.races.conftest import attempt, caller_of


def rush(in_parallel, tier, callers, **more):
    wanted, show_id = WantedLine(tier_id=tier.id, quantity=1), tier.show_id
    return Counter(in_parallel(callers, lambda c: attempt(c, show_id, wanted, **more)))


def test_a_buyer_gets_no_more_than_the_limit(in_parallel, sound):
    tier = TierFactory(capacity=100, max_per_buyer=4)

    outcomes = rush(in_parallel, tier, [caller_of(UserFactory())] * 20)

    assert outcomes == {"held": 4, "limit-reached": 16}
    assert sound() == []


def test_a_mailbox_gets_no_more_either(in_parallel, sound):
    tier = TierFactory(capacity=100, max_per_buyer=4)

    outcomes = rush(in_parallel, tier, [STRANGER] * 20, buyer=WantedBuyer("A", "a@example.com"))

    assert outcomes == {"held": 4, "limit-reached": 16}
    assert sound() == []


def test_counted_without_the_advisory_lock_a_buyer_gets_more(in_parallel, sound, monkeypatch):
    tier = TierFactory(capacity=100, max_per_buyer=4)
    monkeypatch.setattr(hold_service, "lock_keys", lambda keys: None)

    outcomes = rush(in_parallel, tier, [caller_of(UserFactory())] * 20)

    assert outcomes["held"] > 4
    assert {breach.invariant for breach in sound()} == {"within-the-limits"}
