"""Each invariant fires when it is broken, and stays silent when it is not."""

import pytest
from sqlalchemy import text

from models import MemberRole
from services import verify_service
from tests.factories import ShowFactory, StockFactory, TierFactory, UserFactory, member

# What breaks each invariant, done behind the application's back, guards off.
BREAK = {
    "stock-is-its-places": "UPDATE stocks SET capacity = capacity + 1",
    "stock-of-its-show": "UPDATE places SET show_id = (SELECT max(id) FROM shows)"
    " WHERE booking_id IS NULL AND show_id = (SELECT min(id) FROM shows)",
    "claimed-by-the-living": "UPDATE bookings SET status = 'expired' WHERE status = 'held'",
    "lines-have-their-places": "UPDATE booking_lines SET quantity = quantity + 1",
    "confirmed-has-tickets": "UPDATE tickets SET status = 'void'",
    "tickets-are-of-the-confirmed": "UPDATE bookings SET status = 'held'",
    "one-live-ticket-a-place": "DROP INDEX uq_tickets_live_place;"
    " INSERT INTO tickets (show_id, booking_id, line_id, place_id, ticket_holder_id, code, status)"
    " SELECT show_id, booking_id, line_id, place_id, ticket_holder_id, code || 'X', status"
    " FROM tickets",
    "total-is-the-sum": "UPDATE bookings SET total_amount = total_amount + 1",
    "one-show-at-a-time": "ALTER TABLE shows DROP CONSTRAINT ex_shows_one_at_a_time;"
    " UPDATE shows SET venue_id = (SELECT min(venue_id) FROM shows),"
    " starts_at = now() + interval '1 day', ends_at = now() + interval '2 days'",
    "occupies-its-venue": "UPDATE shows SET occupies_venue = NOT occupies_venue",
    "seats-are-on-the-map": """UPDATE places SET key = id, "row" = 'A', number = id""",
    "stocks-fit-the-section": "UPDATE sections SET capacity = 1",
    "stocks-fit-the-licence": "UPDATE shows SET licensed_capacity = 1",
    "within-the-limits": "UPDATE tiers SET max_per_buyer = 1",
    "prices-within-their-capacity": "UPDATE prices SET capacity = 1, updated_at = '2020-01-01'",
    "sections-within-their-limits": "INSERT INTO section_limits (show_id, section_id, max_places,"
    " set_at) SELECT show_id, section_id, 3, '2020-01-01' FROM stocks WHERE section_id IS NOT NULL"
    " ON CONFLICT DO NOTHING",
    "keys-sell-through-api": "INSERT INTO api_keys (organiser_id, name, mode, scopes, prefix,"
    " secret_hash) SELECT id, 'Shop', 'test', '{sell}', 'gm_test_', '' FROM organisers LIMIT 1;"
    " UPDATE bookings SET channel = 'api', sold_by_key_id = (SELECT id FROM api_keys)",
    "used-once": "UPDATE tickets SET status = 'used'",
    "cancelled-shows-are-empty": "UPDATE shows SET status = 'cancelled'",
    "unseen-is-unsold": "UPDATE events SET moderation = 'rejected'",
    "confirmations-are-told": "DELETE FROM outbox_messages",
}


@pytest.fixture
def world(client, as_user, session):
    """A show with a hold and a sale, and another show."""
    tier = TierFactory(show=ShowFactory(), price=0, capacity=10)
    StockFactory(show=tier.show, name="House", capacity=2)
    TierFactory()
    headers = as_user(UserFactory())
    order = {"show_id": tier.show_id, "items": [{"tier_id": tier.id, "quantity": 2}]}
    client.post("/bookings/", json=order, headers=headers)
    client.post("/bookings/", json=order | {"confirm": True}, headers=headers)
    member(tier.event.organiser, MemberRole.DOOR)
    return tier


def test_a_sound_world_breaks_nothing(world):
    assert verify_service.broken() == []


@pytest.mark.parametrize("invariant", verify_service.INVARIANTS)
def test_the_invariant_fires(world, session, invariant):
    session.execute(text("SET LOCAL session_replication_role = replica"))  # no foreign keys now
    for statement in BREAK[invariant].split(";"):
        session.execute(text(statement))

    assert invariant in {breach.invariant for breach in verify_service.broken()}


def test_what_one_buyer_has_of_a_section_is_looked_at_too(world, session):
    session.execute(
        text(BREAK["sections-within-their-limits"].replace("max_places", "max_per_buyer"))
    )

    assert {breach.invariant for breach in verify_service.broken()} == {
        "sections-within-their-limits"
    }


@pytest.mark.parametrize(
    "invariant", ["prices-within-their-capacity", "sections-within-their-limits"]
)
def test_what_was_sold_before_a_limit_was_set_breaks_nothing(world, session, invariant):
    session.execute(text(BREAK[invariant].replace("'2020-01-01'", "clock_timestamp()")))

    assert verify_service.broken() == []
