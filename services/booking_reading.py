"""Bookings as their answers show them: one statement for any number, and no rows kept."""

from collections.abc import Iterable
from typing import Any

from models.booking import BookingStatus, Channel, PaymentStatus
from models.ticket import TicketStatus
from models.values import PlacedBooking
from utils.money import Money
from utils.statement import Statement

READ = Statement(
    "bookings",
    """
    SELECT b.id, b.reference, b.show_id, b.channel, b.payment_status, b.total_amount, b.currency,
           b.held_at, b.held_until, b.ticket_holder_id, b.user_id, b.note, b.comp_reason,
           b.extended, b.confirmed_at, b.cancelled_at, b.version, b.attendees,
           CASE WHEN b.status = 'held' AND b.held_until <= (SELECT clock_timestamp())
                THEN 'expired' ELSE b.status END AS current_status,
           json_build_object('id', h.id, 'name', h.name, 'email', h.email) AS ticket_holder,
           (SELECT json_agg(json_build_object(
                       'id', l.id, 'tier_id', l.tier_id, 'price_id', l.price_id,
                       'tier', CASE WHEN t.id IS NOT NULL
                                    THEN json_build_object('id', t.id, 'name', t.name) END,
                       'price', CASE WHEN p.id IS NOT NULL
                                     THEN json_build_object('id', p.id, 'name', p.name) END,
                       'quantity', l.quantity, 'unit_amount', l.unit_amount,
                       'currency', l.currency) ORDER BY l.id)
              FROM booking_lines l
              LEFT JOIN tiers t ON t.id = l.tier_id LEFT JOIN prices p ON p.id = l.price_id
             WHERE l.booking_id = b.id) AS lines,
           (SELECT json_agg(json_build_object(
                       'id', p.id, 'line_id', p.line_id, 'section', k.section_name,
                       'row', p."row", 'number', p.number, 'key', p.key) ORDER BY p.id)
              FROM places p JOIN stocks k ON k.id = p.stock_id
             WHERE p.booking_id = b.id) AS places,
           (SELECT json_agg(json_build_object(
                       'id', t.id, 'place_id', t.place_id, 'line_id', t.line_id, 'code', t.code,
                       'status', t.status, 'ticket_holder',
                       json_build_object('id', n.id, 'name', n.name, 'email', n.email))
                       ORDER BY t.id)
              FROM tickets t JOIN ticket_holders n ON n.id = t.ticket_holder_id
             WHERE t.booking_id = b.id) AS tickets
      FROM bookings b JOIN ticket_holders h ON h.id = b.ticket_holder_id
     WHERE b.id = ANY(CAST(:ids AS bigint[]))
     ORDER BY b.id DESC
    """,
)


def read(ids: Iterable[int]) -> list[PlacedBooking]:
    """The bookings of these ids, whoever's they are, newest first."""
    return [_booking(facts) for facts in READ.mappings(ids=list(ids))]


def _booking(facts: dict[str, Any]) -> PlacedBooking:
    lines, tickets = facts.pop("lines") or [], facts.pop("tickets") or []
    for line in lines:
        line["unit_price"] = unit = Money(line.pop("unit_amount"), line.pop("currency"))
        line["amount"] = unit * line["quantity"]
    for ticket in tickets:
        ticket["status"] = TicketStatus(ticket["status"])
    return PlacedBooking(
        channel=Channel(facts.pop("channel")),
        payment_status=PaymentStatus(facts.pop("payment_status")),
        current_status=BookingStatus(facts.pop("current_status")),
        total=Money(facts.pop("total_amount"), facts.pop("currency")),
        lines=lines,
        places=facts.pop("places") or [],
        tickets=tickets,
        **facts,
    )
