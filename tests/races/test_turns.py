"""Whoever changes a show gets their turn, however many buy at it."""

import threading
import time

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from init import db
from models import Show
from models.show import turn_key
from services import booking_service, show_life_service
from tests.factories import TierFactory
from utils.statement import Statement

WAITING = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)
STRAIGHT = Statement("straight", "SELECT status FROM shows WHERE id = :show_id FOR SHARE")


def second_seller(app, sell):
    """What becomes of a sale that begins while the organiser waits for the one before."""
    show_id = TierFactory().show_id
    db.session.commit()
    paused = threading.Event()

    def pause():
        with app.app_context():
            show_life_service.pause(db.session.get_one(Show, show_id))
            paused.set()

    sell(show_id)  # the first seller, who is at it
    organiser = threading.Thread(target=pause)
    organiser.start()
    try:
        with db.engine.connect() as looking:
            while not looking.scalar(WAITING):
                looking.rollback()  # or it would see the same for ever
                time.sleep(0.01)
        with app.app_context():
            db.session.execute(text("SET LOCAL lock_timeout = '300ms'"))
            try:
                sell(show_id)
                return "overtakes"
            except OperationalError:
                return "waits"
            finally:
                db.session.rollback()
    finally:
        db.session.rollback()
        organiser.join()
        assert paused.is_set()


@pytest.mark.usefixtures("committed")
def test_a_sale_waits_behind_the_organiser(app):
    def sell(show_id):
        booking_service.KEEP_SHOW.run(show_id=show_id, turn_key=turn_key(show_id))

    assert second_seller(app, sell) == "waits"


@pytest.mark.usefixtures("committed")
def test_without_turns_it_would_overtake(app):
    assert second_seller(app, lambda show_id: STRAIGHT.run(show_id=show_id)) == "overtakes"
