"""Whoever only asks what changed ends with what whoever reads everything sees."""

import random
import threading
import time

import orjson
import pytest
from sqlalchemy import text

from config import settings
from init import db
from models.values import STRANGER, Caller, WantedLine
from services import (
    basket_service,
    booking_service,
    claim_service,
    hold_service,
    seat_status_service,
)
from tests.factories import AdminFactory, ShowFactory, StockFactory, TierFactory, UserFactory
from tests.races.conftest import attempt, booked, caller_of, find, outcome
from utils.transaction import transaction

ROWS = dict.fromkeys("ABCDEF", 10)
SEATS = [f"STALLS/{row}-{n}" for row, size in ROWS.items() for n in range(1, size + 1)]


@pytest.fixture
def tier(committed):
    return TierFactory(
        show=ShowFactory(venue__layout=[("Stalls", ROWS)]),
        section="Stalls",
        max_per_buyer=1000,
    )


class Follower:
    """A client that reads the whole once, and then only what changed."""

    def __init__(self, show_id, caller=STRANGER):
        self.show_id, self.caller = show_id, caller
        self.seats, self.cursor, self.wholes = {}, None, 0
        self.poll()

    def poll(self):
        text = seat_status_service.of_show(self.show_id, caller=self.caller, since=self.cursor)
        db.session.rollback()
        answer = orjson.loads(text.body)
        if answer["whole"]:
            self.wholes += 1
            self.seats = {}
        self.seats |= answer["seats"]
        self.seats = {key: word for key, word in self.seats.items() if word != "free"}
        self.cursor = answer["cursor"]
        return answer["seats"]

    @property
    def is_right(self):
        return self.seats == Follower(self.show_id, self.caller).seats


class ByTheTime(Follower):
    """The control: asks for what was changed after its last look, as by an `updated_at`."""

    def poll(self):
        since = getattr(self, "since", None)
        query = "SELECT key, booking_id IS NOT NULL FROM places WHERE show_id = :show_id"
        if since is not None:
            query += " AND changed_in > CAST(:since AS xid8)"
        rows = db.session.execute(text(query), {"show_id": self.show_id, "since": since}).all()
        self.seats |= {key: "taken" for key, is_taken in rows if is_taken}
        query = "SELECT max(changed_in::text::bigint)::text FROM places WHERE show_id = :show_id"
        self.since = db.session.scalar(text(query), {"show_id": self.show_id})
        db.session.rollback()

    @property
    def is_right(self):
        return self.seats == Follower(self.show_id).seats


def line(tier_id, *seats):
    return WantedLine(quantity=len(seats), tier_id=tier_id, seats=seats)


@pytest.mark.parametrize(("kind", "right"), [(Follower, True), (ByTheTime, False)])
def test_who_begins_early_and_commits_late_is_not_missed(app, tier, kind, right):
    """The control reads by the greatest number that it has seen, and passes over the late one."""
    show_id, tier_id = tier.show_id, tier.id
    early, late = (caller_of(user) for user in UserFactory.create_batch(2))
    follower = kind(show_id)
    claimed, let_go = threading.Event(), threading.Event()
    held_up = claim_service.claim

    def claim_and_wait(*args, **kwargs):
        places = held_up(*args, **kwargs)
        claimed.set()
        assert let_go.wait(10)
        return places

    def dawdle():
        with app.app_context():
            wanted = line(tier_id, "STALLS/A-1", "STALLS/A-2")
            claim_service.claim = claim_and_wait
            outcomes.append(attempt(early, show_id, wanted))
            db.session.remove()

    outcomes = []
    thread = threading.Thread(target=dawdle)
    thread.start()
    try:
        assert claimed.wait(10)
        claim_service.claim = held_up
        assert attempt(late, show_id, line(tier_id, "STALLS/B-1")) == "held"
        db.session.rollback()
        follower.poll()
        assert set(follower.seats) == {"STALLS/B-1"}
    finally:
        claim_service.claim = held_up
        let_go.set()
        thread.join()
    assert outcomes == ["held"]

    follower.poll()

    assert follower.is_right is right
    assert follower.wholes <= 1 if right else True


def test_what_a_savepoint_took_belongs_to_the_whole_transaction(tier):
    """Its own number is another, and is never under way for a snapshot."""
    show_id = tier.show_id
    follower = Follower(show_id)
    with db.engine.connect() as connection:
        connection.execute(text("SELECT pg_current_xact_id()"))
        with connection.begin_nested():
            connection.execute(
                text(
                    "UPDATE places SET off_centre = 99, changed_in = pg_current_xact_id()"
                    " WHERE show_id = :show_id AND key = 'STALLS/A-1'"
                ),
                {"show_id": show_id},
            )
        booked(caller_of(UserFactory()), show_id, line(tier.id, "STALLS/C-1"))
        assert set(follower.poll()) == {"STALLS/C-1"}
        connection.commit()

    assert follower.poll() == {"STALLS/A-1": "free"}
    assert follower.poll() == {}


@pytest.mark.parametrize("seed", range(2))
def test_followers_end_with_what_is_there(app, in_parallel, tier, sound, seed, monkeypatch):
    """Buyers hold, change, extend, confirm and give back, and let holds die, all at once."""
    settings.update(availability_seconds=0.0)
    show_id, tier_id = tier.show_id, tier.id
    house = StockFactory(show=tier.show, name="House", capacity=1)
    assert house.id
    admin = AdminFactory()
    staff = Caller(user_id=admin.id, role=admin.role)
    buyers = [caller_of(user) for user in UserFactory.create_batch(6)]
    over = threading.Event()
    followers = [Follower(show_id), Follower(show_id, staff)]

    def buy(caller, dice):
        holds = []
        for _ in range(14):
            time.sleep(dice.random() * 0.02)
            if holds and dice.random() < 0.6:
                act(caller, holds.pop(dice.randrange(len(holds))), dice)
                continue
            seats = dice.sample(SEATS, dice.randint(1, 3))
            try:
                holds.append(booked(caller, show_id, line(tier_id, *seats)))
            except Exception:
                db.session.rollback()

    def act(caller, booking_id, dice):
        kind = dice.choice(["cancel", "confirm", "change", "extend", "die", "die", "dawdle"])

        def deed():
            booking = find(booking_id, caller)
            if kind == "cancel":
                booking_service.cancel(caller, booking)
            elif kind == "confirm":
                booking_service.confirm(staff, find(booking_id, staff), once=None)
            elif kind == "change":
                wanted = line(tier_id, *dice.sample(SEATS, 2))
                basket_service.replace_items(caller, booking, [wanted])
            elif kind == "extend":
                hold_service.extend(caller, booking, once=None)
            elif kind == "dawdle":
                with transaction():
                    booking_service.cancel(caller, booking)
                    time.sleep(0.05)
            else:
                die_soon(booking_id, dice.random() * 0.2)

        outcome(deed)
        db.session.rollback()

    def die_soon(booking_id, seconds):
        """A hold that was made to be over soon: nobody has seen it end before."""
        with transaction():
            db.session.execute(
                text(
                    "UPDATE bookings SET held_until = clock_timestamp() + :s * interval '1 second'"
                    " WHERE id = :id AND status = 'held' AND held_until > clock_timestamp()"
                ),
                {"id": booking_id, "s": 0.3 + seconds},
            )

    def one(who):
        if isinstance(who, Follower):
            while not over.is_set():
                who.poll()
                time.sleep(0.002)
            return True
        number, caller = who
        buy(caller, random.Random(f"{seed} {number}"))
        with lock:
            left.discard(number)
            if not left:
                over.set()
        return True

    lock, left = threading.Lock(), set(range(len(buyers)))
    in_parallel([*followers, *enumerate(buyers)], one)
    time.sleep(0.6)

    for follower in followers:
        follower.poll()
        assert follower.wholes == 1
        assert follower.is_right
    assert sound() == []
