"""When the database, or a connection to it, goes away."""

import threading

import psycopg2
import pytest
from sqlalchemy import create_engine, text

from init import db
from tests.factories import TierFactory

GUEST = {"name": "Asha", "email": "asha@example.com"}


@pytest.fixture
def terminate(database_uri):
    """Ends every connection of the application, as an administrator would."""
    engine = create_engine(database_uri, isolation_level="AUTOCOMMIT")

    def end_all():
        with engine.connect() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND application_name = 'gigmate'"
                )
            )

    yield end_all
    engine.dispose()


def test_a_lost_connection_is_503_once_and_then_healed(app, committed, terminate):
    def ready():
        return app.test_client().get("/ready")

    assert ready().status_code == 200

    statuses = []
    for _ in range(3):
        terminate()
        response = ready()
        statuses.append(response.status_code)
        if response.status_code == 503:
            assert response.headers["Retry-After"]
            assert response.json["code"] == "unavailable"
        assert ready().status_code == 200

    assert set(statuses) <= {200, 503}


def test_a_sale_that_begins_over_a_dead_connection_begins_again(app, committed, terminate):
    tier = TierFactory(price=0, capacity=9)
    client, order = app.test_client(), {"items": [{"tier_id": tier.id, "quantity": 1}]}
    order |= {"show_id": tier.show_id, "buyer": {"name": "Asha", "email": "asha@example.com"}}
    assert client.post("/bookings/", json=order).status_code == 201
    db.session.remove()

    for _ in range(2):
        terminate()
        assert client.post("/bookings/", json=order).status_code == 201


def test_a_connection_lost_after_the_last_word_takes_no_answer_away(app, committed, terminate):
    def cut(response):
        terminate()
        return response

    app.after_request_funcs.setdefault(None, []).append(cut)
    try:
        assert app.test_client().get("/ready").status_code == 200
    finally:
        app.after_request_funcs[None].remove(cut)
    assert app.test_client().get("/ready").status_code == 200


def test_a_connection_lost_inside_a_sale_sells_nothing(app, committed, terminate, monkeypatch):
    from services import hold_service

    tier = TierFactory(price=0)
    order = {
        "show_id": tier.show_id,
        "items": [{"tier_id": tier.id, "quantity": 1}],
        "buyer": GUEST,
        "confirm": True,
    }
    db.session.rollback()
    place = hold_service.claim_service.claim

    def cut(*args, **options):
        places = place(*args, **options)
        terminate()
        return places

    monkeypatch.setattr(hold_service.claim_service, "claim", cut)
    assert app.test_client().post("/bookings/", json=order).status_code == 503
    monkeypatch.undo()

    assert app.test_client().post("/bookings/", json=order).status_code == 201
    assert db.session.scalar(text("SELECT count(*) FROM bookings")) == 1


def test_a_commit_whose_answer_is_lost_is_told_by_its_retry(app, committed, monkeypatch):
    tier = TierFactory(price=0)
    order = {
        "show_id": tier.show_id,
        "items": [{"tier_id": tier.id, "quantity": 1}],
        "buyer": GUEST,
        "confirm": True,
    }
    key = {"Idempotency-Key": "the-same-twice"}
    db.session.rollback()
    commit = db.engine.dialect.do_commit

    def commit_and_die(connection):
        commit(connection)
        raise psycopg2.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(db.engine.dialect, "do_commit", commit_and_die)
    assert app.test_client().post("/bookings/", json=order, headers=key).status_code == 503
    monkeypatch.undo()

    again = app.test_client().post("/bookings/", json=order, headers=key)
    assert (again.status_code, again.headers.get("Idempotent-Replayed")) == (201, "true")
    assert db.session.scalar(text("SELECT count(*) FROM bookings")) == 1


def test_without_a_free_connection_the_answer_is_busy_and_soon(app, committed, monkeypatch):
    db.session.remove()
    db.engine.dispose()  # a new pool, from which nobody has anything
    pool = db.engine.pool
    monkeypatch.setattr(pool, "_timeout", 0.1)
    taken = [db.engine.connect() for _ in range(pool.size())]
    answers = []
    try:
        thread = threading.Thread(target=lambda: answers.append(app.test_client().get("/ready")))
        thread.start()
        thread.join(10)
    finally:
        for connection in taken:
            connection.close()

    assert (answers[0].status_code, answers[0].json["code"]) == (503, "busy")
    assert app.test_client().get("/ready").status_code == 200
