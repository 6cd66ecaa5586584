"""What must be true at any moment, also under load and with no worker running.

Each invariant is a query for the rows that break it: no rows, no harm. `broken()` asks all of
them in one statement, and so of one instant.
"""

from dataclasses import dataclass

from sqlalchemy import text

from init import db


@dataclass(frozen=True)
class Breach:
    """A row that breaks an invariant."""

    invariant: str
    id: int
    detail: str


# name: (what it means, a query of (id bigint, detail text))
INVARIANTS: dict[str, tuple[str, str]] = {
    "stock-is-its-places": (
        "A stock has as many places as its capacity.",
        """
        SELECT s.id, format('capacity %s, places %s', s.capacity, count(p.id))
          FROM stocks s LEFT JOIN places p ON p.stock_id = s.id
         GROUP BY s.id HAVING s.capacity <> count(p.id)
        """,
    ),
    "stock-of-its-show": (
        "A place, its stock and its booking are of the same show.",
        """
        SELECT p.id, format('place of show %s in stock of show %s', p.show_id, s.show_id)
          FROM places p JOIN stocks s ON s.id = p.stock_id WHERE p.show_id <> s.show_id
        UNION ALL
        SELECT p.id, format('place of show %s in booking of show %s', p.show_id, b.show_id)
          FROM places p JOIN bookings b ON b.id = p.booking_id WHERE p.show_id <> b.show_id
        """,
    ),
    "claimed-by-the-living": (
        "Every claimed place belongs to a held or confirmed booking.",
        """
        SELECT p.id, format('booking %s is %s', p.booking_id, coalesce(b.status, 'gone'))
          FROM places p LEFT JOIN bookings b ON b.id = p.booking_id
         WHERE p.booking_id IS NOT NULL
           AND (b.id IS NULL OR b.status NOT IN ('held', 'confirmed'))
        """,
    ),
    "lines-have-their-places": (
        "A held or confirmed booking has exactly the places of its lines.",
        """
        SELECT l.booking_id, format('line %s wants %s, has %s', l.id, l.quantity, count(p.id))
          FROM booking_lines l
          JOIN bookings b ON b.id = l.booking_id AND b.status IN ('held', 'confirmed')
          LEFT JOIN places p ON p.line_id = l.id AND p.booking_id = b.id
         GROUP BY l.id HAVING count(p.id) <> l.quantity
        UNION ALL
        SELECT b.id, 'no lines' FROM bookings b
         WHERE NOT EXISTS (SELECT FROM booking_lines l WHERE l.booking_id = b.id)
        """,
    ),
    "confirmed-has-tickets": (
        "A confirmed booking has one live ticket for each of its places.",
        """
        SELECT b.id, format('place %s has no live ticket of it', p.id)
          FROM bookings b JOIN places p ON p.booking_id = b.id
         WHERE b.status = 'confirmed'
           AND NOT EXISTS (SELECT FROM tickets t WHERE t.place_id = p.id AND t.booking_id = b.id
                                                   AND t.status <> 'void')
        """,
    ),
    "tickets-are-of-the-confirmed": (
        "A live ticket is for a place of its own, confirmed booking.",
        """
        SELECT t.id, format('ticket of booking %s (%s)', t.booking_id, b.status)
          FROM tickets t JOIN bookings b ON b.id = t.booking_id
          LEFT JOIN places p ON p.id = t.place_id AND p.booking_id = t.booking_id
         WHERE t.status <> 'void' AND (b.status <> 'confirmed' OR p.id IS NULL)
        """,
    ),
    "one-live-ticket-a-place": (
        "No place has two live tickets.",
        """
        SELECT place_id, format('%s live tickets', count(*)) FROM tickets
         WHERE status <> 'void' GROUP BY place_id HAVING count(*) > 1
        """,
    ),
    "total-is-the-sum": (
        "A booking's total is the sum of its lines, in its currency.",
        """
        SELECT b.id, format('total %s, lines %s', b.total_amount, sum(l.quantity * l.unit_amount))
          FROM bookings b JOIN booking_lines l ON l.booking_id = b.id
         GROUP BY b.id
        HAVING b.total_amount <> sum(l.quantity * l.unit_amount)
            OR bool_or(l.currency <> b.currency)
        """,
    ),
    "one-show-at-a-time": (
        "No two live shows of published events overlap at a venue.",
        """
        SELECT s.id, format('overlaps show %s', o.id)
          FROM shows s
          JOIN events e ON e.id = s.event_id AND e.status = 'published'
          JOIN shows o ON o.venue_id = s.venue_id AND o.id > s.id
           AND o.status IN ('confirmed', 'rescheduled')
           AND tstzrange(o.starts_at, o.ends_at) && tstzrange(s.starts_at, s.ends_at)
          JOIN events f ON f.id = o.event_id AND f.status = 'published'
         WHERE s.status IN ('confirmed', 'rescheduled')
        """,
    ),
    "occupies-its-venue": (
        "A show occupies its venue exactly while it and its event are live.",
        """
        SELECT s.id, format('occupies_venue is %s', s.occupies_venue)
          FROM shows s JOIN events e ON e.id = s.event_id
         WHERE s.venue_id IS NOT NULL AND s.starts_at IS NOT NULL
           AND s.occupies_venue <> (s.status IN ('confirmed', 'rescheduled')
                                    AND e.status IN ('published', 'completed'))
           AND NOT (e.status = 'completed')
        """,
    ),
    "seats-are-on-the-map": (
        "A seat of a show is in the version of the map that the show pins, at the same place.",
        """
        SELECT p.id, format('%s is at %s, on the map at %s', p.key, p.ordinal, m.position)
          FROM places p JOIN stocks k ON k.id = p.stock_id
          LEFT JOIN map_seats m ON m.section_id = k.section_id AND m."row" = p."row"
                               AND m.number = p.number
         WHERE p.key IS NOT NULL
           AND (m.id IS NULL OR (m.position, m.off_centre, m.kind) IS DISTINCT FROM
                                (p.ordinal, p.off_centre, p.seat_kind))
        UNION ALL
        SELECT k.id, format('stock of section %s, of another map than its show', c.name)
          FROM stocks k JOIN sections c ON c.id = k.section_id JOIN shows h ON h.id = k.show_id
         WHERE k.deleted_at IS NULL AND c.seat_map_version_id IS DISTINCT FROM h.seat_map_version_id
        """,
    ),
    "stocks-fit-the-section": (
        "The stocks of a section hold no more than the section.",
        """
        SELECT s.show_id, format('section %s holds %s, stocks %s', c.name, c.capacity,
                                 sum(s.capacity))
          FROM stocks s JOIN sections c ON c.id = s.section_id
         GROUP BY s.show_id, c.id HAVING sum(s.capacity) > c.capacity
        """,
    ),
    "stocks-fit-the-licence": (
        "The stocks of a show hold no more than its licence and its venue allow.",
        """
        SELECT h.id, format('licence %s, venue %s, stocks %s', h.licensed_capacity, v.capacity,
                            sum(s.capacity))
          FROM shows h JOIN stocks s ON s.show_id = h.id LEFT JOIN venues v ON v.id = h.venue_id
         GROUP BY h.id, v.id
        HAVING sum(s.capacity) > least(h.licensed_capacity, v.capacity)
        """,
    ),
    "within-the-limits": (
        "No buyer has more of a tier on the open sale than its limit.",
        """
        SELECT t.id, format('buyer %s has %s of %s', coalesce(b.user_id::text, b.email_key),
                            sum(l.quantity), t.max_per_buyer)
          FROM bookings b
          JOIN booking_lines l ON l.booking_id = b.id
          JOIN tiers t ON t.id = l.tier_id
         WHERE b.channel IN ('web', 'api')
           AND (b.status = 'confirmed'
                OR b.status = 'held' AND b.held_until > (SELECT clock_timestamp()))
         GROUP BY t.id, coalesce(b.user_id::text, b.email_key)
        HAVING sum(l.quantity) > t.max_per_buyer
        """,
    ),
    "prices-within-their-capacity": (
        "No more goes at a price than may, but for what went before that was set.",
        """
        SELECT p.id, format('%s at a price for %s', sum(l.quantity), p.capacity)
          FROM prices p
          JOIN booking_lines l ON l.tier_id = p.tier_id AND l.price_id = p.id
          JOIN bookings b ON b.id = l.booking_id
         WHERE p.capacity IS NOT NULL AND b.channel <> 'comp'
           AND (b.status = 'confirmed'
                OR b.status = 'held' AND b.held_until > (SELECT clock_timestamp()))
         GROUP BY p.id HAVING sum(l.quantity) > p.capacity AND max(b.held_at) > p.updated_at
        """,
    ),
    "sections-within-their-limits": (
        "No more of a section is taken, nor by one buyer, but for what was before that was set.",
        """
        WITH taken AS (
            SELECT x.*, b.channel, b.held_at, coalesce(b.user_id::text, b.email_key) AS buyer
              FROM section_limits x
              JOIN sections c ON c.id = x.section_id
              JOIN stocks k ON k.show_id = x.show_id AND k.section_name = c.name
              JOIN places p ON p.stock_id = k.id
              JOIN bookings b ON b.id = p.booking_id
             WHERE b.status = 'confirmed'
                OR b.status = 'held' AND b.held_until > (SELECT clock_timestamp()))
        SELECT show_id, format('%s of section %s, which sells %s', count(*), section_id, max_places)
          FROM taken GROUP BY show_id, section_id, max_places, set_at
        HAVING count(*) > max_places AND max(held_at) > set_at
        UNION ALL
        SELECT show_id, format('buyer %s has %s of section %s', buyer, count(*), section_id)
          FROM taken WHERE channel IN ('web', 'api')
         GROUP BY show_id, section_id, max_per_buyer, set_at, buyer
        HAVING count(*) > max_per_buyer AND max(held_at) > set_at
        """,
    ),
    "keys-sell-through-api": (
        "What a key sold is of the channel api, its key is there, and no test key's is confirmed.",
        """
        SELECT b.id, format('%s through %s by a %s key', b.status, b.channel, k.mode)
          FROM bookings b LEFT JOIN api_keys k ON k.id = b.sold_by_key_id
         WHERE b.sold_by_key_id IS NOT NULL
           AND (k.id IS NULL OR b.channel <> 'api' OR k.mode = 'test' AND b.status = 'confirmed')
        """,
    ),
    "used-once": (
        "A ticket that admitted somebody is used, and has one check-in.",
        """
        SELECT t.id, format('%s with %s check-ins', t.status, count(c.id))
          FROM tickets t LEFT JOIN check_ins c ON c.ticket_id = t.id
         GROUP BY t.id
        HAVING (t.status = 'used' AND count(c.id) <> 1) OR (t.status = 'valid' AND count(c.id) > 0)
        """,
    ),
    "cancelled-shows-are-empty": (
        "A cancelled show has no held or confirmed booking.",
        """
        SELECT b.id, format('%s at cancelled show %s', b.status, s.id)
          FROM bookings b JOIN shows s ON s.id = b.show_id
         WHERE s.status = 'cancelled' AND b.status IN ('held', 'confirmed')
        """,
    ),
    "unseen-is-unsold": (
        "What waits for an approval, or was rejected, has no hold that lives and no sale.",
        """
        SELECT b.id, format('%s at a show of event %s, which is %s', b.status, e.id, e.moderation)
          FROM events e JOIN shows s ON s.event_id = e.id JOIN bookings b ON b.show_id = s.id
         WHERE e.moderation IN ('pending', 'rejected')
           AND (b.status = 'confirmed'
                OR b.status = 'held' AND b.held_until > (SELECT clock_timestamp()))
        """,
    ),
    "confirmations-are-told": (
        "Every confirmation of the last day has its outbox row.",
        """
        SELECT b.id, 'confirmed without word' FROM bookings b
         WHERE b.confirmed_at > clock_timestamp() - interval '1 day'
           AND NOT EXISTS (SELECT FROM outbox_messages m WHERE m.topic = 'booking.confirmed'
                              AND m.payload ->> 'booking_id' = b.id::text)
        """,
    ),
}


def broken(limit: int = 100) -> list[Breach]:
    """The rows that break any invariant, at most `limit` of each; empty when all is well."""
    # Materialized: for the first hundred rows, which are not there, the planner would look up
    # one row after the other instead of reading each table once.
    queries = [
        f"(WITH broken(id, detail) AS MATERIALIZED ({query})"  # noqa: S608 (constants)
        f" SELECT '{name}' AS invariant, broken.* FROM broken LIMIT {limit:d})"
        for name, (_meaning, query) in INVARIANTS.items()
    ]
    db.session.execute(text("SET LOCAL statement_timeout = 0; SET LOCAL work_mem = '64MB'"))
    rows = db.session.execute(text("\nUNION ALL\n".join(queries)))
    return [Breach(*row) for row in rows]
