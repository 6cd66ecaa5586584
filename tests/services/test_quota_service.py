"""What a quota is counted from: what went at the price, and what is free beyond the limit."""

import pytest
from sqlalchemy import text

from init import db
from models import Price, SectionLimit
from models.values import WantedLine, WantedPlaces
from services import hold_service, quota_service
from tests.factories import ShowFactory, TicketHolderFactory, TierFactory, UserFactory, VenueFactory
from tests.races.conftest import caller_of

MANY = 2000
BOUGHT = text(
    """
    WITH made AS (
        INSERT INTO bookings (reference, show_id, status, channel, payment_status,
                              ticket_holder_id, email_key, total_amount, currency, held_at,
                              held_until)
        SELECT :first + n, :show_id, 'held', 'web', 'unpaid', :holder_id, n, 0, 'KES', now(),
               now() + interval '15 minutes'
          FROM generate_series(1, :many) AS n
        RETURNING id)
    INSERT INTO booking_lines (booking_id, show_id, tier_id, price_id, quantity, unit_amount,
                               currency)
    SELECT id, :show_id, :tier_id, :price_id, 1, 0, 'KES' FROM made
    """
)


@pytest.fixture(params=["force_custom_plan", "force_generic_plan"])
def plan(session, request):
    """How the database reads `statement`, planned for these values and planned for any."""

    def explain(statement, **facts):
        session.execute(text("ANALYZE places, bookings, booking_lines"))
        session.execute(text(f"SET LOCAL plan_cache_mode = {request.param}"))
        statement.all(**facts)
        lines = session.connection().exec_driver_sql(
            f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {statement.call}", facts
        )
        return "\n".join(line for (line,) in lines)

    return explain


@pytest.fixture
def tier(session):
    venue = VenueFactory(layout=[("Floor", MANY), ("Hall", MANY)])
    return TierFactory(show=ShowFactory(venue=venue), capacity=MANY, price=0)


@pytest.fixture
def child(tier):
    price = Price(tier_id=tier.id, name="Child", amount=0, currency="KES", capacity=10)
    db.session.add(price)
    db.session.commit()
    return price


def test_a_price_is_counted_from_its_own_lines(session, plan, tier, child):
    holder_id = TicketHolderFactory().id
    for number, sold in enumerate([tier, *(TierFactory() for _ in range(9))]):
        session.execute(
            BOUGHT,
            {
                "show_id": sold.show_id,
                "tier_id": sold.id,
                "price_id": sold.prices[0].id,
                "holder_id": holder_id,
                "first": number * MANY,
                "many": MANY,
            },
        )

    read = plan(quota_service.AT_PRICES, tier_ids=[tier.id], price_ids=[child.id], except_id=0)

    assert "ix_booking_lines_tier_id" in read
    assert "Seq Scan on booking_lines" not in read
    assert f"rows={MANY}" not in read


def test_a_section_is_counted_no_further_than_it_matters(plan, tier):
    read = plan(
        quota_service.IN_SECTIONS,
        show_id=tier.show_id,
        sections=["Floor"],
        most=[MANY - 10],
        more=0,
    )

    assert "using ix_places_free" in read
    assert f"rows={MANY}" not in read


def test_only_what_is_limited_costs_a_statement_more(tier, child, count_statements):
    hall = TierFactory(show=tier.show, section="Hall", capacity=10, price=0)
    limit = SectionLimit(
        show_id=tier.show_id, section_id=hall.stocks[0].section_id, max_places=5, max_per_buyer=5
    )
    db.session.add(limit)
    db.session.commit()
    caller, show_id = caller_of(UserFactory()), tier.show_id
    lines = {
        "plain": WantedLine(1, tier_id=tier.id, price_id=tier.prices[0].id),
        "price": WantedLine(1, tier_id=tier.id, price_id=child.id),
        "section": WantedLine(1, tier_id=hall.id),
    }
    costs = {}
    for name, line in lines.items():
        hold_service.place(caller, WantedPlaces(show_id, (line,)), once=None)
        count_statements.clear()
        hold_service.place(caller, WantedPlaces(show_id, (line,)), once=None)
        costs[name] = len(count_statements)

    assert costs["price"] == costs["plain"] + 1
    assert costs["section"] == costs["plain"] + 2
