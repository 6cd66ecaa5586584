"""Two buyers who would leave a seat alone between them."""

import time
from collections import Counter

import pytest
from sqlalchemy import select

from init import db
from models import Place
from models.values import WantedLine
from services import claim_service, orphan_service, seat_choice_service
from tests.factories import ShowFactory, TierFactory, UserFactory
from tests.races.conftest import attempt, caller_of

ROWS = "ABCDEFGHIJKLMN"
LEFT, RIGHT = (1, 2), (4, 5)


@pytest.fixture
def strict(committed):
    """Rows of five seats: whoever takes two at each end leaves one alone."""
    show = ShowFactory(venue__layout=[("Stalls", dict.fromkeys(ROWS, 5))], avoid_single_seats=True)
    return TierFactory(show=show, section="Stalls", max_per_buyer=100)


@pytest.fixture
def locks_off(monkeypatch):
    """Nobody waits for whoever is at work in a row."""
    monkeypatch.setattr(orphan_service, "keys_of", lambda _show_id, _seats: [])
    monkeypatch.setattr(seat_choice_service._Rows, "has", lambda _rows, _choice: True)


@pytest.fixture
def slowly(monkeypatch):
    """Some time passes between looking and claiming."""
    claim = claim_service.claim

    def later(*facts, **options):
        time.sleep(0.05)
        return claim(*facts, **options)

    monkeypatch.setattr(claim_service, "claim", later)


def both_ends(in_parallel, tier, rows):
    show_id, tier_id = tier.show_id, tier.id
    wanted = [(row, end) for row in rows for end in (LEFT, RIGHT)]
    buyers = [caller_of(user) for user in UserFactory.create_batch(len(wanted))]

    def buy(each):
        buyer, (row, end) = each
        seats = tuple(f"STALLS/{row}-{number}" for number in end)
        return attempt(buyer, show_id, WantedLine(2, tier_id, seats=seats))

    return Counter(in_parallel(list(zip(buyers, wanted, strict=True)), buy))


def left_alone(tier):
    """Free seats whose neighbours in their row of five are all taken."""
    db.session.rollback()
    query = select(Place.row, Place.ordinal).where(
        Place.show_id == tier.show_id, Place.booking_id.is_(None)
    )
    free = {(row, ordinal) for row, ordinal in db.session.execute(query)}
    return [(row, n) for row, n in free if (row, n - 1) not in free and (row, n + 1) not in free]


def test_two_who_strand_a_seat_together_do_not_both_get_through(in_parallel, strict, sound, slowly):
    outcomes = both_ends(in_parallel, strict, ROWS[:6])

    assert outcomes == {"held": 6, "would-strand-a-seat": 6}
    assert left_alone(strict) == []
    assert sound() == []


def test_without_the_locks_of_rows_they_would(in_parallel, strict, locks_off, slowly):
    outcomes = both_ends(in_parallel, strict, ROWS[:6])

    assert outcomes["held"] > 6
    assert left_alone(strict) != []


def best_and_chosen(in_parallel, tier):
    show_id, tier_id = tier.show_id, tier.id
    buyers = [caller_of(user) for user in UserFactory.create_batch(12)]

    def buy(numbered):
        number, buyer = numbered
        row = ROWS[number // 2]
        seats = tuple(f"STALLS/{row}-{each}" for each in RIGHT)
        chosen, best = WantedLine(2, tier_id, seats=seats), WantedLine(2, tier_id)
        return attempt(buyer, show_id, chosen if number % 2 else best)

    return Counter(in_parallel(list(enumerate(buyers)), buy))


def test_the_best_seats_and_chosen_ones_leave_none_alone_either(in_parallel, strict, sound):
    outcomes = best_and_chosen(in_parallel, strict)

    assert set(outcomes) <= {"held", "would-strand-a-seat", "seat-taken"}
    assert left_alone(strict) == []
    assert sound() == []


def test_without_the_locks_of_rows_the_best_would(in_parallel, strict, locks_off, slowly):
    for _ in range(5):
        best_and_chosen(in_parallel, strict)
        if left_alone(strict):
            return
    pytest.fail("nobody was ever stranded")
