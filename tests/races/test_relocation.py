"""Relocating a show while it sells, twice at once, and killed at any moment."""

import random
from collections import Counter

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from init import db
from models import MemberRole, Place, Relocation, RelocationStatus, Show
from models.values import Caller, WantedLine
from services import (
    booking_service,
    relocation_places,
    relocation_reading,
    relocation_service,
    seat_map_service,
    stock_service,
)
from tests.factories import ShowFactory, TierFactory, UserFactory, member, wanted_section
from tests.races.conftest import attempt, booked, caller_of, find, outcome
from utils.transaction import lock

OLD = {"A": 10, "B": 10, "C": 10}
NEW = {"A": 10, "N": 12, "O": 12}


@pytest.fixture
def stage():
    """A show with a new map to go to, its tier and who may move it."""
    show = ShowFactory(venue__layout=[("Stalls", OLD)])
    tier = TierFactory(show=show, section="Stalls", price=0, max_per_buyer=100)
    organiser = show.event.organiser
    user = member(organiser, MemberRole.MANAGER)
    manager = Caller(user_id=user.id, memberships={organiser.id: MemberRole.MANAGER})
    seat_map_service.lay_out(show.venue, [wanted_section("Stalls", NEW)])
    db.session.commit()
    return show.id, tier.id, manager


def relocate(show_id, manager):
    show = db.session.get(Show, show_id, populate_existing=True)
    return relocation_service.relocate(show, {}, caller=manager)


def chosen(tier_id, *seats):
    return WantedLine(len(seats), tier_id=tier_id, seats=seats)


def sold(show_id, tier_id, *seats):
    caller = caller_of(UserFactory())
    booking_id = booked(caller, show_id, chosen(tier_id, *seats))
    booking_service.confirm(caller, find(booking_id, caller), once=None)
    return booking_id


def seats(row, *numbers):
    return [f"STALLS/{row}-{n}" for n in numbers]


def where_it_is(show_id):
    """Which of the two halls every seat of the show is in: old, new, or a mixture."""
    db.session.rollback()
    keys = set(db.session.scalars(select(Place.key).where(Place.show_id == show_id)))
    for name, layout in (("old", OLD), ("new", NEW)):
        if keys == {f"STALLS/{row}-{n + 1}" for row, size in layout.items() for n in range(size)}:
            return name
    return f"neither: {sorted(keys)}"


def race_with_sales(in_parallel, stage):
    show_id, tier_id, manager = stage
    for n in (1, 4, 7):
        sold(show_id, tier_id, *seats("C", n, n + 1))
    buyers = [caller_of(user) for user in UserFactory.create_batch(24)]
    jobs = [("move", None, None)]
    jobs += [("sale", buyer, seats("ABC"[n % 3], 1 + n % 10)) for n, buyer in enumerate(buyers)]
    random.Random(2).shuffle(jobs)

    def act(job):
        what, buyer, keys = job
        if what == "move":
            return outcome(lambda: relocate(show_id, manager).status)
        return attempt(buyer, show_id, chosen(tier_id, *keys))

    return Counter(in_parallel(jobs, act))


def test_sales_go_on_before_and_after_and_nobody_is_lost(in_parallel, sound, stage):
    outcomes = race_with_sales(in_parallel, stage)

    assert outcomes["applied"] == 1
    assert set(outcomes) <= {"applied", "held", "seat-taken", "invalid"}
    assert where_it_is(stage[0]) == "new"
    assert sound() == []


def test_without_the_shows_lock_a_sale_would_be_lost(in_parallel, sound, stage, monkeypatch):
    """The control: what is sold after the plan was made is swept away with the old seats."""
    show_id, tier_id, manager = stage
    caller = caller_of(UserFactory())
    plan = relocation_service.relocation_hall.plan

    def then_somebody_buys(*args, **facts):
        decided = plan(*args, **facts)
        if facts.get("is_locked"):
            in_parallel([caller], lambda who: bought.append(buy(who)))
        return decided

    def buy(who):
        return attempt(who, show_id, chosen(tier_id, *seats("C", 5)))

    bought: list[str] = []
    monkeypatch.setattr(relocation_service.relocation_hall, "plan", then_somebody_buys)
    monkeypatch.setattr(relocation_service, "_lock", lambda show, *_: db.session.refresh(show))

    relocate(show_id, manager)

    assert bought == ["held"]
    assert where_it_is(show_id).startswith("neither")


def test_with_the_lock_whoever_buys_meanwhile_waits_for_the_new_hall(
    in_parallel, sound, stage, monkeypatch
):
    show_id, tier_id, manager = stage
    buyers = [caller_of(user) for user in UserFactory.create_batch(6)]
    jobs = [("move", None, 0)] + [("sale", buyer, n + 1) for n, buyer in enumerate(buyers)]
    write = relocation_places.write

    def slowly(*args):
        db.session.execute(text("SELECT pg_sleep(0.3)"))
        write(*args)

    monkeypatch.setattr(relocation_places, "write", slowly)

    def act(job):
        what, buyer, n = job
        if what == "move":
            return outcome(lambda: relocate(show_id, manager).status)
        return attempt(buyer, show_id, chosen(tier_id, *seats("A", n)))

    outcomes = Counter(in_parallel(jobs, act))

    assert outcomes == {"applied": 1, "held": 6}  # row A is in both halls
    assert where_it_is(show_id) == "new"
    assert sound() == []


def test_twice_at_once_is_once(in_parallel, sound, stage):
    show_id, tier_id, manager = stage
    sold(show_id, tier_id, *seats("B", 1, 2, 3))

    ids = in_parallel(range(4), lambda _n: relocate(show_id, manager).id)

    assert len(set(ids)) == 1
    assert where_it_is(show_id) == "new"
    assert db.session.scalars(select(Relocation.status)).all() == [RelocationStatus.APPLIED]
    assert sound() == []


@pytest.mark.parametrize("deed", ["confirm", "cancel", "extend", "die"])
def test_against_what_is_done_to_holds(in_parallel, sound, stage, deed):
    show_id, tier_id, manager = stage
    caller = caller_of(UserFactory())
    ids = [booked(caller, show_id, chosen(tier_id, *seats(r, n))) for r in "BC" for n in (1, 5, 9)]
    if deed == "die":
        db.session.execute(
            text(
                "UPDATE bookings SET held_at = held_at - interval '15 minutes',"
                " held_until = clock_timestamp() + random() * interval '0.1 seconds'"
            )
        )
        db.session.commit()

    def act(booking_id):
        if booking_id is None:
            return outcome(lambda: relocate(show_id, manager).status)
        booking = find(booking_id, caller)
        if deed == "confirm":
            return outcome(lambda: booking_service.confirm(caller, booking, once=None) and "done")
        if deed == "cancel":
            return outcome(lambda: booking_service.cancel(caller, booking) and "done")
        if deed == "die":
            return outcome(lambda: attempt(caller, show_id, chosen(tier_id, *seats("A", 1))))
        return outcome(lambda: lock(booking) and "done")

    outcomes = Counter(in_parallel([*ids, None], act))

    assert outcomes["applied"] == 1
    if deed != "die":
        assert outcomes["done"] == 6
    assert where_it_is(show_id) == "new"
    assert sound() == []


STEPS = [
    (relocation_service, "apply"),
    (relocation_service, "_lock"),
    (relocation_service, "_tell"),
    (relocation_places, "write"),
    (relocation_places, "_put_down"),
    (relocation_places, "_add_free"),
    (relocation_places, "_move_stocks"),
    (relocation_places, "_move_limits"),
    (relocation_service.venue_calendar, "settle"),
    (relocation_service.audit_service, "record"),
    (relocation_service, "_write_moves"),
]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("module", "name"), STEPS, ids=[name for _, name in STEPS])
def test_killed_at_any_step_it_can_be_gone_on_with(sound, stage, monkeypatch, module, name, after):
    """The connection dies with the process: the old hall is whole, or the new one is."""
    show_id, tier_id, manager = stage
    stays = sold(show_id, tier_id, *seats("A", 1, 2))
    goes = sold(show_id, tier_id, *seats("C", 1, 2, 3))
    step = getattr(module, name)
    calls = []

    def killed(*args, **facts):
        calls.append(name)
        planned = name != "_write_moves" or len(calls) > 1  # the first time it is the plan itself
        if planned and not after:
            die()
        made = step(*args, **facts)
        if planned:
            die()
        return made

    def die():
        db.session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with monkeypatch.context() as patched:
        patched.setattr(module, name, killed)
        with pytest.raises(OperationalError):
            relocate(show_id, manager)
    db.session.remove()

    done = after and name == "apply"
    assert where_it_is(show_id) == ("new" if done else "old")
    assert sound() == []
    [relocation] = db.session.scalars(select(Relocation)).all()
    assert relocation.status == ("applied" if done else "planned")

    # Somebody cancels meanwhile, somebody buys, and the plan holds for the others.
    other = sold(show_id, tier_id, *seats("N" if done else "B", 9, 10))
    if name == "write":
        again = relocate(show_id, manager)
    else:
        again = relocation_service.apply(
            relocation_reading.find(relocation.id, caller=manager), caller=manager
        )
    assert (again.id, again.status) == (relocation.id, "applied")
    assert where_it_is(show_id) == "new"
    assert {stays, goes, other} == set(
        db.session.scalars(select(Place.booking_id).where(Place.booking_id.is_not(None)))
    )
    assert sound() == []


def test_a_plan_is_taken_up_where_it_was_left(sound, stage, monkeypatch):
    """What was written down is what is done, as far as it is still possible."""
    show_id, tier_id, manager = stage
    keeps = sold(show_id, tier_id, *seats("C", 1, 2))
    with monkeypatch.context() as patched:
        patched.setattr(relocation_service, "apply", lambda relocation, **_: relocation)
        planned = relocate(show_id, manager)
    [foretold] = [
        move.to_seats
        for move in db.session.scalars(relocation_reading.moves_of(planned))
        if move.booking_id == keeps
    ]
    for n in range(1, 9):  # these would all have been placed before it, and elsewhere
        sold(show_id, tier_id, *seats("B", n))

    show = db.session.get(Show, show_id)
    stock_service.lock_show(show)
    db.session.rollback()
    relocation_service.apply(planned, caller=manager)

    now = select(Place.key).where(Place.booking_id == keeps).order_by(Place.ordinal)
    assert db.session.scalars(now).all() == foretold
    assert sound() == []
