"""Counting what a buyer has reads that buyer's bookings, however many others there are."""

import pytest
from sqlalchemy import text

from services import limit_service
from tests.factories import TierFactory, UserFactory

OTHERS = 3000


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
def test_a_count_reads_the_bookings_of_one_buyer(session, mode):
    tier, buyer = TierFactory(capacity=10), UserFactory()
    session.execute(
        text(
            "INSERT INTO bookings (reference, show_id, status, channel, payment_status,"
            " ticket_holder_id, email_key, total_amount, currency, held_at, held_until)"
            " SELECT n, :show, 'held', 'web', 'unpaid', min(h.id), n || '@example.com', 0, 'KES',"
            " now(), now() + interval '15 minutes'"
            " FROM ticket_holders h, generate_series(1, :others) AS n GROUP BY n"
        ),
        {"show": tier.show_id, "others": OTHERS},
    )
    session.execute(text("ANALYZE bookings"))
    session.execute(text(f"SET LOCAL plan_cache_mode = {mode}"))
    facts = {"show_id": tier.show_id, "user_id": buyer.id, "email_key": "1@example.com"}
    facts["except_id"] = 0
    limit_service.HAVE.all(**facts)

    explained = session.connection().exec_driver_sql(
        f"EXPLAIN (ANALYZE, COSTS OFF) {limit_service.HAVE.call}", facts
    )
    plan = "\n".join(line for (line,) in explained)

    assert "on ix_bookings_buyer_email" in plan
    assert "Seq Scan on bookings" not in plan
    assert f"rows={OTHERS}" not in plan
