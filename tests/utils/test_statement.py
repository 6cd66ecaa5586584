"""Prepared once per connection, and like any other statement when something goes wrong."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DataError, IntegrityError, OperationalError

from config import settings
from init import db
from utils.statement import Statement

ADD = Statement(
    "add", "SELECT CAST(:one AS bigint) + CAST(:other AS bigint) AS total, '50%' AS most"
)

CUT_ME = "SELECT pg_terminate_backend(pg_backend_pid())"
CUT = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.mark.parametrize("prepare", [True, False])
def test_returns_tuples_and_mappings(session, monkeypatch, prepare):
    monkeypatch.setattr(settings, "prepare", prepare)

    assert ADD.all(one=1, other=2) == [(3, "50%")]
    assert ADD.one(one=1, other=2) == ADD.first(one=1, other=2) == (3, "50%")
    assert ADD.mapping(one=1, other=2) == {"total": 3, "most": "50%"}
    assert ADD.scalar(one=1, other=2) == 3


def test_finds_nothing_as_none(session):
    nothing = Statement("nothing", "SELECT id FROM shows WHERE id = :id")

    assert nothing.all(id=0) == []
    assert nothing.first(id=0) is nothing.mapping(id=0) is nothing.scalar(id=0) is None


def test_is_planned_once_on_a_connection(session):
    known = text("SELECT count(*) FROM pg_prepared_statements WHERE name = :name")

    for _ in range(3):
        ADD.run(one=1, other=2)

    assert session.scalar(known, {"name": ADD.name}) == 1


def test_outlives_a_transaction_that_is_rolled_back(committed):
    fresh = Statement("fresh", "SELECT CAST(:days AS interval)")
    fresh.run(days=timedelta(days=1))
    db.session.rollback()

    assert fresh.scalar(days=timedelta(days=2)) == timedelta(days=2)


def test_leaves_casts_and_times_alone():
    assert Statement("casts", "SELECT '12:30'::time, :at::date").text == (
        "SELECT '12:30'::time, %(at)s::date"
    )


def test_refusals_of_the_database_are_sqlalchemys(committed):
    without_a_title = Statement("untitled", "INSERT INTO events (title) VALUES (:title)")

    with pytest.raises(IntegrityError, match="events"):
        without_a_title.run(title=None)


def test_a_lost_connection_is_replaced(committed):
    cut = Statement("cut", CUT_ME)

    with pytest.raises(OperationalError) as lost:
        cut.run()

    assert lost.value.connection_invalidated
    db.session.rollback()
    assert ADD.scalar(one=2, other=2) == 4


class TestAlone:
    """Reading without a transaction."""

    @pytest.fixture
    def isolated(self):
        return Statement("isolated", "SELECT CAST(:n AS bigint)", alone=True)

    def test_leaves_no_transaction_open(self, committed, isolated):
        isolated.run(n=1)

        assert not db.session.registry.has()
        with db.engine.connect() as connection:  # the one that was borrowed
            connection.execute(text("SET LOCAL lock_timeout = 1"))
            assert connection.scalar(text("SHOW lock_timeout")) == "1ms"

    def test_reads_what_its_session_has_written(self, session, isolated):
        db.session.execute(text("CREATE TEMPORARY TABLE mine ON COMMIT DROP AS SELECT 7 AS n"))

        assert Statement("mine", "SELECT n FROM mine", alone=True).scalar() == 7

    def test_an_error_leaves_a_usable_connection(self, committed):
        divide = Statement("divide", "SELECT 1 / CAST(:n AS bigint)", alone=True)

        with pytest.raises(DataError):
            divide.run(n=0)

        assert divide.scalar(n=1) == 1
        assert ADD.scalar(one=1, other=1) == 2

    def test_a_connection_that_has_died_is_replaced(self, committed, isolated):
        isolated.run(n=1)
        with db.engine.connect() as administrator:
            administrator.execute(CUT)

        assert isolated.scalar(n=2) == 2

    def test_is_given_up_when_the_next_one_dies_too(self, committed):
        with pytest.raises(OperationalError) as lost:
            Statement("cut_alone", CUT_ME, alone=True).run()

        assert lost.value.connection_invalidated
        assert ADD.scalar(one=2, other=2) == 4

    def test_switching_costs_no_round_trip(self, committed):
        with db.engine.connect() as connection:
            driver = connection.connection.dbapi_connection
            connection.execute(text("SELECT 1"))
            connection.rollback()
            last = text("SELECT query FROM pg_stat_activity WHERE pid = :pid")
            driver.autocommit = True
            driver.autocommit = False
            with db.engine.connect() as looking:
                seen = looking.scalar(last, {"pid": driver.info.backend_pid})

        assert seen == "ROLLBACK"
