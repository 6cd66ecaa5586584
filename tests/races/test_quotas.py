"""Many buyers, and no more places than go at a price, or of a section."""

import threading
from collections import Counter

import pytest
from sqlalchemy import text, update

from init import db
from models import Price, SectionLimit
from models.values import STRANGER, WantedBuyer, WantedLine
from services import quota_service
from tests.factories import TierFactory, UserFactory
from tests.races.conftest import attempt, booked, caller_of

BUYERS = 30


def rush(in_parallel, tier):
    """One place for each of thirty buyers at once: how many got what answer."""
    wanted, show_id = WantedLine(1, tier_id=tier.id), tier.show_id

    def buy(number):
        buyer = WantedBuyer(f"Buyer {number}", f"buyer{number}@example.com")
        return attempt(STRANGER, show_id, wanted, buyer=buyer)

    return Counter(in_parallel(range(BUYERS), buy))


@pytest.fixture
def no_lock(monkeypatch):
    """Nobody waits for anybody."""
    monkeypatch.setattr(quota_service, "keys_of", lambda *_args, **_more: [])


class TestAPrice:
    @pytest.fixture
    def tier(self, committed):
        tier = TierFactory(capacity=100)
        db.session.execute(update(Price).where(Price.tier_id == tier.id).values(capacity=10))
        db.session.commit()
        return tier

    def test_goes_to_no_more_than_it_may(self, tier, in_parallel, sound):
        assert rush(in_parallel, tier) == {"held": 10, "price-sold-out": 20}
        assert sound() == []

    def test_counted_without_the_lock_it_goes_to_more(self, tier, in_parallel, sound, no_lock):
        db.session.execute(text("UPDATE prices SET updated_at = now() - interval '1 day'"))
        db.session.commit()

        assert rush(in_parallel, tier)["held"] > 10
        assert {breach.invariant for breach in sound()} == {"prices-within-their-capacity"}


class TestASection:
    @pytest.fixture
    def tier(self, committed):
        tier = TierFactory(capacity=100)
        section_id = tier.stocks[0].section_id
        db.session.add(SectionLimit(show_id=tier.show_id, section_id=section_id, max_places=10))
        db.session.commit()
        return tier

    def test_is_sold_no_further_than_its_limit(self, tier, in_parallel, sound):
        assert rush(in_parallel, tier) == {"held": 10, "section-limit-reached": 20}
        assert sound() == []

    def test_counted_without_the_lock_it_is_sold_further(self, tier, in_parallel, sound, no_lock):
        assert rush(in_parallel, tier)["held"] > 10
        assert {breach.invariant for breach in sound()} == {"sections-within-their-limits"}


class TestAHoldThatRanOutWhileItIsBeingConfirmed:
    """Whoever confirms it has looked already whether it lives; only the commit is missing."""

    @pytest.fixture
    def tier(self, committed):
        tier = TierFactory(capacity=10)
        section_id = tier.stocks[0].section_id
        db.session.execute(update(Price).where(Price.tier_id == tier.id).values(capacity=1))
        db.session.add(SectionLimit(show_id=tier.show_id, section_id=section_id, max_places=1))
        db.session.commit()
        return tier

    @pytest.fixture
    def confirming(self, app, tier):
        """Another connection that has the only hold locked, and in the end confirms it."""
        buyer = caller_of(UserFactory())
        booking_id = booked(buyer, tier.show_id, WantedLine(1, tier_id=tier.id))
        past = text(
            "UPDATE bookings SET held_at = held_at - interval '20 minutes',"
            " held_until = held_until - interval '20 minutes'"
        )
        db.session.execute(past)
        db.session.commit()
        locked, done = threading.Event(), threading.Event()

        def run():
            with app.app_context(), db.engine.begin() as connection:
                one = {"id": booking_id}
                connection.execute(text("SELECT id FROM bookings WHERE id = :id FOR UPDATE"), one)
                locked.set()
                done.wait(5)

        thread = threading.Thread(target=run)
        thread.start()
        locked.wait(5)
        yield
        done.set()
        thread.join()

    def test_still_counts(self, tier, confirming):
        other = caller_of(UserFactory())

        assert attempt(other, tier.show_id, WantedLine(1, tier_id=tier.id)) == "busy"

    def test_counted_by_the_clock_alone_it_would_not(self, tier, confirming, monkeypatch):
        alive = "AND (b.status = 'confirmed' OR b.held_until > (SELECT clock_timestamp()))"
        monkeypatch.setattr(
            quota_service, "AT_PRICES", _with(quota_service.AT_PRICES, "'comp'", alive)
        )
        monkeypatch.setattr(quota_service, "require_section_left", lambda *_args, **_more: None)
        other = caller_of(UserFactory())

        assert attempt(other, tier.show_id, WantedLine(1, tier_id=tier.id)) == "held"


def _with(statement, after, more):
    """A statement with a condition more."""
    assert after in statement.sql
    return type(statement)("counted_otherwise", statement.sql.replace(after, f"{after} {more}"))
