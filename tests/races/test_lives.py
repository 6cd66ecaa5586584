"""Two who want different things of one booking, ticket or show, at the same instant."""

import random
import threading
import time
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from init import db
from models import Booking, Show, ShowStatus, Ticket, TicketHolder
from models.values import WantedLine
from services import (
    basket_service,
    booking_service,
    buyer_service,
    check_in_service,
    hold_service,
    inventory_service,
    ticket_holder_service,
    ticket_service,
)
from tests.factories import TicketHolderFactory, TierFactory, UserFactory, member
from tests.races.conftest import attempt, booked, caller_of, find, outcome, without
from utils.transaction import lock, transaction

MOMENTS = 25
WAITING = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)
EXTEND = text(
    "UPDATE bookings SET held_until = clock_timestamp() + interval '5 minutes', extended = true,"
    " version = version + 1 WHERE id = :id"
)
HELD = "pg_advisory_xact_lock_shared(:turn_key)", "FOR SHARE OF s"  # the show, by a sale


def about_to_die(tier, caller, count, within):
    """Holds that die at some moment of the next `within` seconds."""
    line = WantedLine(tier_id=tier.id, quantity=1)
    ids = [booked(caller, tier.show_id, line) for _ in range(count)]
    db.session.execute(
        text(
            "UPDATE bookings SET held_at = held_at - interval '15 minutes',"
            " held_until = clock_timestamp() + random() * :within"
        ),
        {"within": timedelta(seconds=within)},
    )
    db.session.commit()
    return ids


@pytest.fixture
def storm(in_parallel):
    """Reap a show over and over while `deed` is done to each booking at a random moment."""

    def run(ids, show_id, caller, deed):
        def act(job):
            booking_id, delay = job
            time.sleep(delay)
            if booking_id is None:
                inventory_service.reap(show_id)
                return None
            return outcome(lambda: deed(find(booking_id, caller)).current_status)

        dice = random.Random(7)
        jobs = [(booking_id, dice.random() * 0.1) for booking_id in ids]
        jobs += [(None, dice.random() * 0.1) for _ in range(2 * len(ids))]
        dice.shuffle(jobs)
        return Counter(in_parallel(jobs, act))

    return run


def test_confirm_against_reap_has_one_winner(storm, sound):
    tier, caller = TierFactory(price=0, capacity=100, max_per_buyer=100), caller_of(UserFactory())
    ids = about_to_die(tier, caller, MOMENTS, within=0.3)

    outcomes = storm(
        ids, tier.show_id, caller, lambda b: booking_service.confirm(caller, b, once=None)
    )

    assert outcomes["confirmed"] + outcomes["hold-expired"] == MOMENTS
    assert sound() == []


def test_a_confirmation_that_does_not_look_revives_the_dead(storm, sound, monkeypatch):
    tier, caller = TierFactory(price=0, capacity=100, max_per_buyer=100), caller_of(UserFactory())
    ids = about_to_die(tier, caller, MOMENTS, within=0.01)
    monkeypatch.setattr(booking_service, "require_held", lambda status: None)
    monkeypatch.setattr(Booking, "move", lambda booking, to: setattr(booking, "status", to))
    monkeypatch.setattr(ticket_service, "issue", lambda *facts: None)
    time.sleep(0.02)
    inventory_service.reap(tier.show_id)

    def confirm(booking):
        return booking_service.confirm(caller, booking, once=None)

    storm(ids, tier.show_id, caller, confirm)

    assert "lines-have-their-places" in {breach.invariant for breach in sound()}


def test_extend_against_reap_has_one_winner(storm, sound):
    tier, caller = TierFactory(capacity=100, max_per_buyer=100), caller_of(UserFactory())
    ids = about_to_die(tier, caller, MOMENTS, within=0.3)

    outcomes = storm(ids, tier.show_id, caller, lambda b: hold_service.extend(caller, b, once=None))

    alive = db.session.scalars(select(Booking.id).where(Booking.status == "held")).all()
    assert outcomes["held"] + outcomes["hold-expired"] == MOMENTS
    assert len(alive) >= outcomes["held"]
    assert sound() == []


def test_reaping_without_looking_again_kills_the_extended(in_parallel, sound, monkeypatch):
    """The control: a reaper that waits, and then expires what it had seen before."""
    tier, caller = TierFactory(), caller_of(UserFactory())
    booking_id = booked(caller, tier.show_id, WantedLine(tier_id=tier.id, quantity=1))
    blind = without(
        inventory_service,
        "EXPIRE",
        "FOR UPDATE SKIP LOCKED",
        "AND held_until <= (SELECT clock_timestamp())",
    )
    monkeypatch.setattr(inventory_service, "EXPIRE", blind)
    hold_service.extend(caller, find(booking_id, caller), once=None)

    inventory_service.reap(tier.show_id)

    assert db.session.scalar(select(Booking.status)) == "expired"


def test_a_hold_reaped_by_another_is_not_taken_for_sold(committed, monkeypatch):
    """Looked for after counting, it would be neither free nor dead."""
    tier = TierFactory(capacity=1)
    [dead] = about_to_die(tier, caller_of(UserFactory()), 1, within=0)
    look = inventory_service._look

    def looked_just_before(show_id, *more):
        seen = look(show_id, *more)
        db.session.rollback()
        inventory_service.reap(show_id)
        return seen

    monkeypatch.setattr(inventory_service, "_look", looked_just_before)

    line = WantedLine(tier_id=tier.id, quantity=1)
    assert attempt(caller_of(UserFactory()), tier.show_id, line) == "held"
    assert db.session.get_one(Booking, dead).status == "expired"


def test_renaming_a_holder_against_confirming_waits_its_turn(in_parallel, sound, monkeypatch):
    user, tier = UserFactory(), TierFactory(price=0)
    holder_id, caller = TicketHolderFactory(user_id=user.id).id, caller_of(user)
    line = WantedLine(tier_id=tier.id, quantity=1)
    booking_id = booked(caller, tier.show_id, line, ticket_holder_id=holder_id)
    issue = ticket_service.issue

    def issue_late(*facts):
        time.sleep(0.3)
        issue(*facts)

    def rename():
        time.sleep(0.1)
        holder = db.session.get_one(TicketHolder, holder_id)
        return ticket_holder_service.edit(holder, {"name": "Wanjiru"}).name

    def confirm():
        return booking_service.confirm(caller, find(booking_id, caller), once=None).current_status

    monkeypatch.setattr(ticket_service, "issue", issue_late)

    assert in_parallel([confirm, rename], lambda deed: deed()) == ["confirmed", "Wanjiru"]
    assert sound() == []


def test_cancelling_the_show_against_sales_leaves_nobody_holding(in_parallel, sound):
    tier = TierFactory(price=0, capacity=100)
    wanted, show_id = WantedLine(tier_id=tier.id, quantity=1), tier.show_id
    callers = [caller_of(user) for user in UserFactory.create_batch(30)]

    def act(caller):
        if caller is None:
            time.sleep(0.02)
            return cancel_show(show_id)
        return attempt(caller, show_id, wanted, confirm=True)

    outcomes = Counter(in_parallel([*callers[:15], None, *callers[15:]], act))

    assert outcomes["cancelled"] == 1
    assert outcomes["confirmed"] + outcomes["show-cancelled"] == 30
    assert sound() == []


def test_a_sale_that_does_not_stop_at_the_gate_outlives_its_show(in_parallel, sound, monkeypatch):
    tier = TierFactory(price=0)
    wanted, show_id = WantedLine(tier_id=tier.id, quantity=1), tier.show_id
    caller = caller_of(UserFactory())
    monkeypatch.setattr(hold_service, "GATE", without(hold_service, "GATE", *HELD))
    written = buyer_service.written

    def dawdle(buyer):
        time.sleep(0.5)
        return written(buyer)

    monkeypatch.setattr(buyer_service, "written", dawdle)

    def act(who):
        if who is None:
            time.sleep(0.1)
            return cancel_show(show_id)
        return attempt(who, show_id, wanted, confirm=True)

    in_parallel([caller, None], act)

    assert {breach.invariant for breach in sound()} >= {"cancelled-shows-are-empty"}


def cancel_show(show_id):
    with transaction():
        show = lock(db.session.get_one(Show, show_id))
        show.move(ShowStatus.CANCELLED)
        show.occupies_venue = False
        booking_service.cancel_all(show, reason=None)
    return show.status


def scan_twice(in_parallel):
    tier = TierFactory(price=0)
    buyer, steward = caller_of(UserFactory()), caller_of(member(tier.event.organiser))
    booked(buyer, tier.show_id, WantedLine(tier_id=tier.id, quantity=1), confirm=True)
    code, show_id = db.session.scalar(select(Ticket.code)), tier.show_id

    def scan(gate):
        show = db.session.get_one(Show, show_id)
        admit = check_in_service.admit
        return outcome(lambda: bool(admit(steward, show, ticket_code=code, gate=gate, once=None)))

    return Counter(in_parallel([f"Gate {number}" for number in range(10)], scan))


def test_two_doors_admit_one_ticket_once(in_parallel, sound):
    assert scan_twice(in_parallel) == {"True": 1, "already-used": 9}
    assert sound() == []


def test_doors_that_do_not_lock_leave_it_to_the_constraint(in_parallel, sound, monkeypatch):
    for name, guard in (("LOCK_BOOKING", "FOR UPDATE"), ("ADMIT", "AND status = 'valid'")):
        unguarded = without(check_in_service, name, guard)
        monkeypatch.setattr(check_in_service, name, unguarded)

    with pytest.raises(Exception, match="uq_check_ins_ticket_id"):
        scan_twice(in_parallel)


def test_a_change_waits_for_whoever_is_extending_the_hold(app, sound):
    tier, caller = TierFactory(price=0, capacity=3, max_per_buyer=10), caller_of(UserFactory())
    [booking_id] = about_to_die(tier, caller, 1, within=0)
    told = []

    def change():
        wanted = [WantedLine(tier_id=tier_id, quantity=2)]
        with app.app_context():
            booking = find(booking_id, caller)
            deed = basket_service.replace_items
            told.append(outcome(lambda: deed(caller, booking, wanted).current_status))

    tier_id = tier.id
    db.session.commit()
    db.session.execute(EXTEND, {"id": booking_id})
    buyer = threading.Thread(target=change)
    buyer.start()
    with db.engine.connect() as looking:
        while buyer.is_alive() and not looking.scalar(WAITING):
            looking.rollback()  # or it would see the same for ever
            time.sleep(0.01)
    db.session.commit()
    buyer.join()

    assert told == ["held"]
    assert sound() == []
