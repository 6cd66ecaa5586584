"""Seats that change their stock, and stocks that are released, while people buy."""

import threading
from collections import Counter

import pytest
from sqlalchemy import select, text

from init import db
from models import Place, Show, Stock
from models.values import WantedLine
from services import hold_service, stock_places, stock_release, stock_service
from tests.factories import ShowFactory, StockFactory, TierFactory, UserFactory, VenueFactory
from tests.factories.claims import claim
from tests.races.conftest import attempt, caller_of, outcome, without

SEATS = [f"STALLS/A-{n}" for n in range(1, 31)]


def take(stock_id, seats):
    stock = db.session.get_one(Stock, stock_id)
    return outcome(lambda: stock_service.edit(stock, {"take_seats": seats}) and "taken")


def stock_of(key):
    db.session.rollback()
    return db.session.scalar(select(Place.stock_id).where(Place.key == key))


class TestTaking:
    @pytest.fixture
    def tier(self, committed):
        show = ShowFactory(venue=VenueFactory(layout=[("Stalls", {"A": 30}), ("Floor", 5)]))
        return TierFactory(show=show, section="Stalls", max_per_buyer=100)

    @pytest.fixture
    def house_id(self, tier):
        stock = StockFactory(show=tier.show, section_name="Floor", name="Spare", capacity=1)
        db.session.execute(
            text(
                "INSERT INTO stocks (show_id, section_id, section_name, name, kind, capacity)"
                " SELECT show_id, section_id, section_name, 'House', kind, 0"
                " FROM stocks WHERE section_name = 'Stalls'"
            )
        )
        db.session.commit()
        assert stock.capacity == 1
        return db.session.scalar(select(Stock.id).where(Stock.name == "House"))

    def test_a_seat_is_taken_or_sold_and_never_both(self, tier, house_id, in_parallel, sound):
        show_id, tier_id, stalls = tier.show_id, tier.id, tier.stocks[0].id
        buyers = {key: caller_of(UserFactory()) for key in SEATS}
        db.session.rollback()
        deeds = [(verb, key) for key in SEATS for verb in ("take", "buy")]

        def one(deed):
            verb, key = deed
            if verb == "take":
                return take(house_id, [key])
            return attempt(buyers[key], show_id, WantedLine(1, tier_id=tier_id, seats=(key,)))

        outcomes = dict(zip(deeds, in_parallel(deeds, one), strict=True))

        for key in SEATS:
            bought, taken = outcomes["buy", key], outcomes["take", key]
            assert (bought, taken) in {
                ("held", "capacity-in-use"),
                ("invalid", "taken"),
                ("busy", "taken"),
            }
            assert stock_of(key) == (house_id if taken == "taken" else stalls)
        assert Counter(outcomes.values())["taken"] > 0
        assert sound() == []

    @pytest.fixture
    def claiming(self, app, tier, house_id):
        """Another connection that has a seat locked, and in the end claims it."""
        spare = db.session.scalars(select(Stock).where(Stock.name == "Spare")).one()
        booking = claim(spare, 1, "held")
        line = db.session.scalars(select(Place).where(Place.booking_id == booking.id)).one()
        facts = {"booking_id": booking.id, "line_id": line.line_id, "key": SEATS[0]}
        db.session.rollback()
        update = text(
            "UPDATE places SET booking_id = :booking_id, line_id = :line_id WHERE key = :key"
        )
        locked, done = threading.Event(), threading.Event()

        def run():
            with app.app_context(), db.engine.begin() as connection:
                connection.execute(update, facts)
                locked.set()
                done.wait(5)

        thread = threading.Thread(target=run)
        thread.start()
        locked.wait(5)
        yield done
        done.set()
        thread.join()

    def test_passes_over_a_seat_that_is_being_claimed(self, tier, house_id, claiming, monkeypatch):
        monkeypatch.setattr(stock_service, "lock_show", lambda _show: None)

        assert take(house_id, [SEATS[0]]) == "capacity-in-use"

        assert stock_of(SEATS[0]) == tier.stocks[0].id

    def test_without_the_row_lock_it_would_take_it(self, house_id, claiming, monkeypatch):
        monkeypatch.setattr(stock_service, "lock_show", lambda _show: None)
        monkeypatch.setattr(
            stock_places,
            "MOVE_SEATS",
            without(stock_places, "MOVE_SEATS", "FOR UPDATE SKIP LOCKED"),
        )
        threading.Timer(0.2, claiming.set).start()

        assert take(house_id, [SEATS[0]]) == "taken"

        assert stock_of(SEATS[0]) == house_id  # and somebody holds it


class TestTakingBack:
    """A buyer who has read what is released, and claims after it was taken back."""

    @pytest.fixture
    def tier(self, committed):
        return TierFactory(stocks=[])

    @pytest.fixture
    def meanwhile(self, app, tier, monkeypatch):
        """What was released is taken back between the buyer's look and the claim."""
        house = StockFactory(show=tier.show, name="House", capacity=5)
        stock_release.release(house, tier_id=tier.id)
        house_id = house.id
        db.session.rollback()
        gate, once = hold_service.through_the_gate, threading.Event()

        def take_back():
            with app.app_context():
                stock_release.take_back(db.session.get_one(Stock, house_id))

        def late(*args, **more):
            if not once.is_set():
                once.set()
                thread = threading.Thread(target=take_back)
                thread.start()
                thread.join()
            return gate(*args, **more)

        monkeypatch.setattr(hold_service, "through_the_gate", late)

    def test_gets_nothing(self, tier, meanwhile, sound):
        buyer, show_id, tier_id = caller_of(UserFactory()), tier.show_id, tier.id
        db.session.rollback()

        assert attempt(buyer, show_id, WantedLine(1, tier_id=tier_id)) == "sold-out"

        assert sound() == []

    def test_if_the_show_did_not_change_with_it_would_get_some(self, tier, meanwhile, monkeypatch):
        buyer, show_id, tier_id = caller_of(UserFactory()), tier.show_id, tier.id
        db.session.rollback()
        monkeypatch.setattr(Show, "touch", lambda _show: None)

        assert attempt(buyer, show_id, WantedLine(1, tier_id=tier_id)) == "held"
