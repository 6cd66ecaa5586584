"""Swapping seats while others want them, or want something else of the booking."""

import random
import time
from collections import Counter

import pytest

from init import db
from models import Place
from models.values import WantedLine, WantedSwap
from services import booking_service, claim_service, swap_service
from tests.factories import ShowFactory, TierFactory, UserFactory
from tests.races.conftest import attempt, booked, caller_of, find, outcome, without
from utils.statement import Statement

ROWS = "ABCDEFGHIJ"
SLOWLY = "UPDATE places SET ordinal = ordinal + 0 * length(pg_sleep(0.2)::text),"


@pytest.fixture
def stalls():
    layout = [("Stalls", dict.fromkeys(ROWS, 4))]
    show = ShowFactory(venue__layout=layout)
    return TierFactory(show=show, section="Stalls", price=0, max_per_buyer=50)


@pytest.fixture
def locks_off(monkeypatch):
    """Seats are claimed without being locked, as a plain SELECT and UPDATE would."""
    unlocked = without(claim_service, "CLAIM_CHOSEN", "FOR UPDATE SKIP LOCKED")
    slow = Statement("slow", unlocked.sql.replace("UPDATE places SET", SLOWLY, 1))
    monkeypatch.setattr(claim_service, "CLAIM_CHOSEN", slow)


def seat(row, number):
    return f"STALLS/{row}-{number}"


def chosen(tier, *seats):
    return WantedLine(len(seats), tier_id=tier, seats=seats)


def swapping(caller, booking_id, *pairs):
    wanted = [WantedSwap(*pair) for pair in pairs]
    return outcome(
        lambda: (
            "swapped"
            if swap_service.swap(caller, find(booking_id, caller), wanted, once=None)
            else None
        )
    )


def race_for_the_targets(in_parallel, stalls):
    """Swaps and sales of the same ten seats."""
    tier, show_id = stalls.id, stalls.show_id
    movers = [caller_of(user) for user in UserFactory.create_batch(10)]
    buyers = [caller_of(user) for user in UserFactory.create_batch(10)]
    jobs = []
    for row, mover, buyer in zip(ROWS, movers, buyers, strict=True):
        booking_id = booked(mover, show_id, chosen(tier, seat(row, 1)))
        jobs += [("swap", mover, booking_id, row), ("sale", buyer, None, row)]

    def act(job):
        what, caller, booking_id, row = job
        if what == "sale":
            return attempt(caller, show_id, chosen(tier, seat(row, 4)))
        return swapping(caller, booking_id, (seat(row, 1), seat(row, 4)))

    return Counter(in_parallel(jobs, act))  # the two who want the same start together


def test_a_swap_against_a_sale_of_its_target_has_one_winner(in_parallel, sound, stalls):
    outcomes = race_for_the_targets(in_parallel, stalls)

    assert outcomes["seat-taken"] == 10
    assert outcomes["swapped"] + outcomes["held"] == 10
    assert sound() == []


def test_without_the_lock_both_would_have_the_seat(in_parallel, sound, stalls, locks_off):
    race_for_the_targets(in_parallel, stalls)

    assert sound() != []


def test_two_who_want_each_others_seats_keep_their_own(in_parallel, sound, stalls):
    """Neither is free, and nobody waits for the other."""
    tier, show_id = stalls.id, stalls.show_id
    pairs = []
    for row in ROWS:
        for here, there in ((1, 2), (2, 1)):
            caller = caller_of(UserFactory())
            booking_id = booked(caller, show_id, chosen(tier, seat(row, here)))
            pairs.append((caller, booking_id, seat(row, here), seat(row, there)))

    outcomes = in_parallel(pairs, lambda p: swapping(p[0], p[1], (p[2], p[3])))

    assert Counter(outcomes) == {"seat-taken": 20}
    assert sound() == []


def test_several_who_want_one_seat_free_as_many_as_they_take(in_parallel, sound, stalls):
    tier, show_id = stalls.id, stalls.show_id
    movers = [
        (caller, booked(caller, show_id, chosen(tier, seat(row, 1))), seat(row, 1))
        for row, caller in ((row, caller_of(UserFactory())) for row in ROWS)
    ]

    outcomes = Counter(in_parallel(movers, lambda m: swapping(m[0], m[1], (m[2], seat("J", 4)))))

    assert outcomes == {"swapped": 1, "seat-taken": 9}
    taken = db.session.query(Place).filter(Place.booking_id.is_not(None)).count()
    assert taken == 10
    assert sound() == []


@pytest.mark.parametrize("other", ["confirm", "cancel", "swap"])
def test_a_swap_against_what_else_is_done_to_the_booking(in_parallel, sound, stalls, other):
    """Both are done, one after the other, or the swap finds the booking gone."""
    tier, show_id, caller = stalls.id, stalls.show_id, caller_of(UserFactory())
    jobs = []
    for row in ROWS:
        booking_id = booked(caller, show_id, chosen(tier, seat(row, 1), seat(row, 2)))
        jobs += [("swap", booking_id, row), (other, booking_id, row)]
    dice = random.Random(3)
    dice.shuffle(jobs)

    def act(job):
        what, booking_id, row = job
        time.sleep(dice.random() * 0.03)
        if what == "swap":
            return swapping(caller, booking_id, (seat(row, 1), seat(row, 4)))
        booking = find(booking_id, caller)
        if what == "confirm":
            deed = lambda: booking_service.confirm(caller, booking, once=None)  # noqa: E731
        else:
            deed = lambda: booking_service.cancel(caller, booking)  # noqa: E731
        return outcome(lambda: deed() and f"{what} done")

    outcomes = Counter(in_parallel(jobs, act))

    if other == "swap":  # the second finds that the booking has the seat no more
        assert outcomes == {"swapped": 10, "invalid": 10}
    else:
        assert outcomes[f"{other} done"] == 10
        assert outcomes["swapped"] + outcomes["booking-moved-on"] == 10
        if other == "confirm":
            assert outcomes["swapped"] == 10
    assert sound() == []
