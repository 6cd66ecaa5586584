"""Many parties for the same best seats, and buyers who choose theirs meanwhile."""

import random
from collections import Counter

import pytest
from sqlalchemy import func, select, text

from init import db
from models import BookingLine, Place
from models.sale import SaleStock
from models.seat_map import SectionKind
from models.values import WantedLine
from services import seat_choice_service
from services.best_seats import Party, choose
from services.seat_choice_service import Hall
from services.seat_runs import runs_of
from tests.factories import ShowFactory, TierFactory, UserFactory
from tests.races.conftest import attempt, booked, caller_of, without
from utils.statement import Statement

SLOWLY = "UPDATE places SET ordinal = ordinal + 0 * length(pg_sleep(0.05)::text),"
LAST_ROW = {"A": 4}


@pytest.fixture
def locks_off(monkeypatch):
    """Claims take the rows that they found free without locking them."""
    unlocked = without(seat_choice_service, "CLAIM_SEATS", "FOR UPDATE SKIP LOCKED")
    slow = unlocked.sql.replace("UPDATE places SET", SLOWLY, 1)
    monkeypatch.setattr(seat_choice_service, "CLAIM_SEATS", Statement("slow", slow))


def hall(rows, **more):
    show = ShowFactory(venue__layout=[("Stalls", rows)], **more)
    return TierFactory(show=show, section="Stalls", max_per_buyer=100)


def buyers(count):
    return [caller_of(user) for user in UserFactory.create_batch(count)]


def free_seats(tier):
    """The seats that are free when all is over."""
    db.session.rollback()
    stocks = db.session.scalars(select(Place.stock_id).where(Place.show_id == tier.show_id))
    ids = sorted(set(stocks))
    seats = Hall(SaleStock(id_, "Stalls", SectionKind.SEATED, "Stalls", 0) for id_ in ids).read(
        10_000
    )
    db.session.rollback()
    return seats


def sold_blocks(show_id):
    """The ordinals that each line has, and how many it asked for."""
    query = (
        select(BookingLine.quantity, func.array_agg(Place.ordinal))
        .join(Place, Place.line_id == BookingLine.id)
        .where(BookingLine.show_id == show_id)
        .group_by(BookingLine.id)
    )
    return [(quantity, sorted(ordinals)) for quantity, ordinals in db.session.execute(query)]


def test_parties_for_the_same_blocks_are_sent_apart(in_parallel, sound):
    tier = hall(dict.fromkeys("ABCDE", 12))
    show_id, tier_id = tier.show_id, tier.id
    sizes = [random.Random(7).choice((2, 3, 4)) for _ in range(32)]
    parties = list(zip(buyers(32), sizes, strict=True))

    def buy(party):
        buyer, size = party
        line = WantedLine(tier_id=tier_id, quantity=size, together=True)
        return size, attempt(buyer, show_id, line)

    outcomes = in_parallel(parties, buy)

    left = free_seats(tier)
    longest = max((len(run.seats) for run in runs_of(left)), default=0)
    assert {word for _size, word in outcomes} <= {"held", "no-adjacent-seats", "sold-out"}
    refused = [size for size, word in outcomes if word != "held"]
    assert all(size > longest for size in refused)
    assert len(left) == 60 - sum(size for size, word in outcomes if word == "held")
    for quantity, ordinals in sold_blocks(show_id):
        assert ordinals == list(range(ordinals[0], ordinals[0] + quantity))
    assert sound() == []


def test_everybody_sits_while_as_many_seats_are_free(in_parallel, sound):
    tier = hall(dict.fromkeys("ABC", 10))
    show_id, line = tier.show_id, WantedLine(tier_id=tier.id, quantity=4)

    outcomes = Counter(in_parallel(buyers(20), lambda buyer: attempt(buyer, show_id, line)))

    assert outcomes == {"held": 7, "sold-out": 13}
    assert len(free_seats(tier)) == 2
    assert sound() == []


def test_the_last_block_goes_to_one_party(in_parallel, sound):
    tier = hall(LAST_ROW)
    show_id, line = tier.show_id, WantedLine(tier_id=tier.id, quantity=3, together=True)

    outcomes = Counter(in_parallel(buyers(20), lambda buyer: attempt(buyer, show_id, line)))

    assert outcomes == {"held": 1, "sold-out": 19}
    assert sound() == []


def test_without_the_lock_the_last_block_goes_to_several(in_parallel, sound, locks_off):
    tier = hall(LAST_ROW)
    show_id, line = tier.show_id, WantedLine(tier_id=tier.id, quantity=3, together=True)

    outcomes = Counter(in_parallel(buyers(12), lambda buyer: attempt(buyer, show_id, line)))

    assert outcomes["held"] > 1


def test_the_best_and_the_chosen_do_not_meet(in_parallel, sound):
    tier = hall(dict.fromkeys("ABC", 8))
    show_id, tier_id = tier.show_id, tier.id

    def buy(numbered):
        number, buyer = numbered
        row = "ABC"[number % 3]
        chosen = WantedLine(2, tier_id, seats=(f"STALLS/{row}-4", f"STALLS/{row}-5"))
        best = WantedLine(2, tier_id, together=True)
        return attempt(buyer, show_id, chosen if number % 2 else best)

    outcomes = Counter(in_parallel(list(enumerate(buyers(24))), buy))

    assert set(outcomes) <= {"held", "seat-taken", "no-adjacent-seats"}
    left = free_seats(tier)
    assert len(left) == 24 - 2 * outcomes["held"]
    if outcomes["no-adjacent-seats"]:
        assert choose(left, Party(2, together=True)) is None
    assert sound() == []


def test_dead_holds_give_way_to_parties(in_parallel, sound):
    tier = hall(dict.fromkeys("ABCDEFGH", 4))
    show_id = tier.show_id
    line = WantedLine(tier_id=tier.id, quantity=4, together=True)
    for buyer in buyers(8):
        booked(buyer, show_id, line)
    past = "UPDATE bookings SET held_at = held_at - interval '1 hour', held_until = held_at"
    db.session.execute(text(past))
    db.session.commit()

    outcomes = Counter(in_parallel(buyers(20), lambda buyer: attempt(buyer, show_id, line)))

    assert outcomes == {"held": 8, "sold-out": 12}
    assert sound() == []


def test_one_after_the_other_gets_exactly_the_best(committed):
    tier = hall(dict.fromkeys("ABCD", 7))
    show_id, tier_id = tier.show_id, tier.id

    for buyer, size in zip(buyers(8), (2, 3, 1, 4, 2, 3, 2, 2), strict=True):
        expected = [seat.id for seat in choose(free_seats(tier), Party(size))]
        booking_id = booked(buyer, show_id, WantedLine(tier_id=tier_id, quantity=size))
        got = select(Place.id).where(Place.booking_id == booking_id).order_by(Place.ordinal)
        assert db.session.scalars(got).all() == expected
