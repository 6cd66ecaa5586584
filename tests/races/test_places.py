"""The last places, one seat, several tiers."""

import random
from collections import Counter

import pytest
from sqlalchemy import func, select, text

from init import db
from models import Place
from models.values import WantedLine
from services import claim_service
from tests.factories import ShowFactory, TierFactory, UserFactory
from tests.races.conftest import attempt, caller_of, without
from utils.statement import Statement

SLOWLY = "UPDATE places SET ordinal = ordinal + 0 * length(pg_sleep(0.05)::text),"


@pytest.fixture
def locks_off(monkeypatch):
    """Claims pick free rows without locking them, as a plain SELECT and UPDATE would."""
    for name in ("CLAIM_ANY", "CLAIM_CHOSEN"):
        unlocked = without(claim_service, name, "FOR UPDATE SKIP LOCKED")
        slow = unlocked.sql.replace("UPDATE places SET", SLOWLY, 1)
        monkeypatch.setattr(claim_service, name, Statement("slow", slow))


def buyers(count):
    return [caller_of(user) for user in UserFactory.create_batch(count)]


def one_each(in_parallel, tier, count, **line):
    wanted = WantedLine(tier_id=tier.id, **({"quantity": 1} | line))
    show_id = tier.show_id
    return Counter(in_parallel(buyers(count), lambda buyer: attempt(buyer, show_id, wanted)))


def test_the_last_places_go_to_exactly_as_many_buyers(in_parallel, sound):
    tier = TierFactory(capacity=10)

    outcomes = one_each(in_parallel, tier, 60)

    assert outcomes == {"held": 10, "sold-out": 50}
    assert sound() == []


def test_without_the_lock_the_last_places_go_to_more(in_parallel, sound, locks_off):
    tier = TierFactory(capacity=2)

    outcomes = one_each(in_parallel, tier, 12)

    assert outcomes["held"] > 2
    assert sound() != []


def test_one_seat_has_one_taker_and_the_others_hear_its_name(in_parallel, sound):
    show = ShowFactory(venue__layout=[("Stalls", {"A": 3})])
    tier = TierFactory(show=show, section="Stalls")

    outcomes = one_each(in_parallel, tier, 40, seats=("STALLS/A-2",))

    assert outcomes == {"held": 1, "seat-taken": 39}
    assert sound() == []


def test_without_the_lock_one_seat_has_several_takers(in_parallel, sound, locks_off):
    show = ShowFactory(venue__layout=[("Stalls", {"A": 3})])
    tier = TierFactory(show=show, section="Stalls")

    outcomes = one_each(in_parallel, tier, 12, seats=("STALLS/A-2",))

    assert outcomes["held"] > 1


def test_bookings_over_three_tiers_neither_deadlock_nor_leave_places_over(in_parallel, sound):
    show = ShowFactory()
    tiers = [TierFactory(show=show, capacity=30).id for _ in range(3)]
    show_id = show.id

    def buy(numbered):
        number, buyer = numbered
        order = random.Random(number).sample(tiers, 3)
        return attempt(buyer, show_id, *(WantedLine(tier_id=tier, quantity=1) for tier in order))

    outcomes = Counter(in_parallel(list(enumerate(buyers(48))), buy))

    assert outcomes == {"held": 30, "sold-out": 18}
    free = select(func.count()).select_from(Place).where(Place.booking_id.is_(None))
    assert db.session.scalar(free) == 0
    assert sound() == []


def test_waiting_for_rows_in_any_order_would_deadlock(in_parallel, committed):
    """The control: two who lock the same seats in opposite orders, and wait, kill each other."""
    show = ShowFactory(venue__layout=[("Stalls", {"A": 2})])
    tier = TierFactory(show=show, section="Stalls")
    show_id = tier.show_id
    seats = ["STALLS/A-1", "STALLS/A-2"]

    def lock_both(order):
        try:
            for seat in order:
                db.session.execute(
                    text("SELECT id FROM places WHERE show_id = :s AND key = :k FOR UPDATE"),
                    {"s": show_id, "k": seat},
                )
                db.session.execute(text("SELECT pg_sleep(0.2)"))
        except Exception as error:
            db.session.rollback()
            return getattr(getattr(error, "orig", None), "pgcode", None)
        db.session.rollback()
        return "locked"

    outcomes = in_parallel([seats, seats[::-1]], lock_both)

    assert sorted(outcomes) == ["40P01", "locked"]
