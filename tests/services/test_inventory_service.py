"""What every buyer of an on-sale runs looks at few rows, however many places there are."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from models.sale import SaleStock
from models.seat_map import SectionKind
from services import (
    claim_service,
    hold_service,
    idempotency_service,
    inventory_service,
    seat_choice_service,
)
from services.seat_choice_service import Hall
from tests.factories import StockFactory

MANY = 5000


@pytest.fixture(params=["force_custom_plan", "force_generic_plan"])
def plan(session, request):
    """How the database reads `statement`, planned for these values and planned for any."""

    def explain(statement, **facts):
        session.execute(text("ANALYZE places, idempotency_keys"))
        session.execute(text(f"SET LOCAL plan_cache_mode = {request.param}"))
        statement.all(**facts)
        lines = session.connection().exec_driver_sql(
            f"EXPLAIN (ANALYZE, COSTS OFF) {statement.call}", facts
        )
        return "\n".join(line for (line,) in lines)

    return explain


@pytest.fixture
def last():
    """A stock whose places come behind those of other shows."""
    return [StockFactory(capacity=MANY, show__venue__capacity=MANY) for _ in range(3)][-1]


def claiming(stock):
    here = {"show_id": stock.show_id, "stock_ids": [stock.id], "seats": []}
    return {
        "GATE": (hold_service.GATE, here | {"quantity": 2, "line_count": 1, "turn_key": 0}),
        "WAIT": (claim_service.WAIT, here | {"quantities": [2]}),
        "LOOK": (
            inventory_service.LOOK,
            here | {"booking_id": 0, "at_most": 2, "scope": "user:1", "key": "none"},
        ),
    }


@pytest.mark.parametrize("name", ["GATE", "WAIT", "LOOK"])
def test_a_claim_reads_no_more_places_than_it_wants(plan, last, name):
    statement, facts = claiming(last)[name]

    read = plan(statement, **facts)

    assert "using ix_places_free" in read
    assert "Rows Removed by Filter" not in read.split("on places")[1]
    assert f"rows={MANY}" not in read


def test_free_seats_are_read_no_further_than_wanted(plan, last):
    seats = Hall([SaleStock(last.id, "Stalls", SectionKind.SEATED, "Stalls", MANY)])

    read = plan(seat_choice_service.FREE_SEATS, at_most=20, **seats._facts())

    assert "using ix_places_free" in read
    assert "Rows Removed by Filter" not in read
    assert f"rows={MANY}" not in read
    assert [seat.ordinal for seat in seats.read(3)] == [1, 2, 3]


def test_forgetting_old_answers_reads_a_few_of_them(plan, session):
    session.execute(
        text(
            "INSERT INTO idempotency_keys (scope, key, fingerprint, status, body, created_at)"
            " SELECT 'user:1', n, '', 201, '', now() - interval '25 hours'"
            " FROM generate_series(1, :many) AS n"
        ),
        {"many": MANY},
    )

    read = plan(idempotency_service.FORGET, scope="user:1", key="none", kept=timedelta(hours=24))

    assert "Rows Removed by Filter" not in read
