"""Capacity that moves while buyers claim, and makers of stocks who come together."""

import threading
import time
from collections import Counter

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm.exc import StaleDataError

from init import db
from models import Place, Show, Stock
from models.values import STRANGER, WantedBuyer, WantedLine
from services import sale_service, stock_places, stock_room, stock_service
from tests.factories import ShowFactory, StockFactory, TierFactory, VenueFactory
from tests.factories.claims import claim
from tests.races.conftest import attempt, outcome, without


def places_of(stock_id):
    db.session.rollback()
    return db.session.scalar(
        select(func.count()).select_from(Place).where(Place.stock_id == stock_id)
    )


def resize(stock_id, capacity):
    stock = db.session.get_one(Stock, stock_id)
    return outcome(lambda: stock_service.edit(stock, {"capacity": capacity}) and "resized")


def make(show_id, name, capacity=60):
    show = db.session.get_one(Show, show_id)
    facts = {"name": name, "section": "Floor", "capacity": capacity}
    return outcome(lambda: stock_service.create(show, facts) and "made")


class TestResizing:
    def test_up_and_down_while_buyers_claim(self, committed, in_parallel, sound):
        tier = TierFactory(capacity=40)
        show_id, tier_id, stock_id = tier.show_id, tier.id, tier.stocks[0].id
        db.session.rollback()
        deeds = []
        for number in range(60):
            deeds.append(("buy", number))
            if number % 4 == 0:
                deeds.append(("resize", (70, 30, 55, 5)[number // 4 % 4]))

        def one(deed):
            verb, number = deed
            if verb == "resize":
                return resize(stock_id, number)
            buyer = WantedBuyer(f"Buyer {number}", f"buyer{number}@example.com")
            return attempt(STRANGER, show_id, WantedLine(1, tier_id=tier_id), buyer=buyer)

        outcomes = Counter(in_parallel(deeds, one))

        assert outcomes.keys() <= {"held", "sold-out", "resized", "capacity-in-use"}
        assert outcomes["held"] > 0
        assert outcomes["resized"] > 0
        assert sound() == []
        _sheet, counts = sale_service.counted_sheet(show_id)
        assert counts[stock_id].held == outcomes["held"]
        assert counts[stock_id].free + outcomes["held"] == places_of(stock_id)

    def test_two_who_raise_it_do_not_add_up(self, committed, in_parallel, sound):
        stock_id = StockFactory(capacity=10).id
        db.session.rollback()

        assert in_parallel([30] * 6, lambda capacity: resize(stock_id, capacity)) == ["resized"] * 6

        assert places_of(stock_id) == 30
        assert sound() == []

    def test_without_the_locks_they_would_but_for_the_version(
        self, committed, in_parallel, sound, monkeypatch
    ):
        stock_id = StockFactory(capacity=10).id
        db.session.rollback()
        _take_locks_off(monkeypatch)

        def raise_it(capacity):
            try:
                return resize(stock_id, capacity)
            except StaleDataError:
                return "too late"

        outcomes = Counter(in_parallel([30] * 6, raise_it))

        assert outcomes["too late"] > 0
        assert sound() == []


class TestLowering:
    @pytest.fixture
    def stock_id(self, committed):
        """A stock of one place, which somebody is claiming at this instant."""
        stock_id = StockFactory(capacity=1).id
        db.session.rollback()
        return stock_id

    @pytest.fixture
    def claiming(self, app, stock_id):
        """Another connection that has the place locked, and in the end claims it."""
        spare = StockFactory(show=db.session.get_one(Stock, stock_id).show, capacity=1)
        booking = claim(spare, 1, "held")
        line = db.session.scalars(select(Place).where(Place.booking_id == booking.id)).one()
        facts = {"booking_id": booking.id, "line_id": line.line_id, "stock_id": stock_id}
        db.session.rollback()
        update = text(
            "UPDATE places SET booking_id = :booking_id, line_id = :line_id"
            " WHERE stock_id = :stock_id"
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

    def test_passes_over_a_place_that_is_being_claimed(self, stock_id, claiming, monkeypatch):
        monkeypatch.setattr(stock_service, "lock_show", lambda _show: None)

        assert resize(stock_id, 0) == "capacity-in-use"

        assert places_of(stock_id) == 1

    def test_without_the_row_lock_it_would_take_it_away(self, stock_id, claiming, monkeypatch):
        monkeypatch.setattr(stock_service, "lock_show", lambda _show: None)
        monkeypatch.setattr(
            stock_places,
            "REMOVE_LAST",
            without(stock_places, "REMOVE_LAST", "FOR UPDATE SKIP LOCKED"),
        )
        threading.Timer(0.2, claiming.set).start()

        assert resize(stock_id, 0) == "resized"

        assert places_of(stock_id) == 0  # and somebody holds it


class TestMakers:
    @pytest.fixture
    def show_id(self, committed):
        show_id = ShowFactory(venue=VenueFactory(capacity=100)).id
        db.session.rollback()
        return show_id

    def test_stay_within_the_section_together(self, show_id, in_parallel, sound):
        outcomes = in_parallel(list("abcdef"), lambda name: make(show_id, name))

        assert Counter(outcomes) == {"made": 1, "capacity-exceeded": 5}
        assert sound() == []

    def test_without_the_lock_they_would_not(self, show_id, in_parallel, monkeypatch):
        _take_locks_off(monkeypatch)
        monkeypatch.setattr(Show, "touch", lambda _show: None)  # its version would tell, too

        outcomes = in_parallel(list("abcdef"), lambda name: make(show_id, name))

        assert Counter(outcomes)["made"] > 1

    def test_of_the_same_seats_one_gets_them(self, committed, in_parallel, sound):
        show_id = ShowFactory(venue=VenueFactory(layout=[("Stalls", {"A": 30})])).id
        db.session.rollback()

        def take(name):
            show = db.session.get_one(Show, show_id)
            return outcome(
                lambda: stock_service.create(show, {"name": name, "rows": ["A"]}) and "made"
            )

        assert Counter(in_parallel(list("abcdef"), take)) == {"made": 1, "seat-in-stock": 5}
        assert sound() == []


def _take_locks_off(monkeypatch):
    """No lock, and time between looking and writing for the others to look too."""
    monkeypatch.setattr(stock_service, "lock_show", lambda _show: None)
    monkeypatch.setattr(stock_service, "lock", lambda row: row)
    look = stock_room.require_room

    def look_and_dawdle(*args):
        look(*args)
        time.sleep(0.1)

    monkeypatch.setattr(stock_room, "require_room", look_and_dawdle)
