"""What must hold after each commit, and what an ordering has led to."""

import json
from typing import Any

from psycopg2.extensions import connection

from services.verify_service import INVARIANTS

BREACHES = "\nUNION ALL\n".join(
    f"(SELECT '{name}' AS invariant, broken.* FROM ({query}) AS broken(id, detail))"
    for name, (_meaning, query) in INVARIANTS.items()
)

# Everything that matters and nothing that is drawn by lot: ids, codes, which of several places.
# A hold that has run out is gone, whether or not somebody has cleared it away.
STATE = """
WITH living AS (
    SELECT b.*, b.status = 'confirmed' OR b.status = 'held'
                AND b.held_until > (SELECT clock_timestamp()) AS lives
      FROM bookings b)
SELECT json_build_object(
    'show', (SELECT json_agg(status) FROM shows),
    'organiser deleted', (SELECT json_agg(deleted_at IS NOT NULL) FROM organisers),
    'capacity', (SELECT json_agg(capacity ORDER BY id) FROM stocks WHERE deleted_at IS NULL),
    'free', (SELECT count(*) FROM places p
              WHERE NOT EXISTS (SELECT FROM living b WHERE b.id = p.booking_id AND b.lives)),
    'bookings', (SELECT json_agg(facts ORDER BY facts::text) FROM (
        SELECT json_build_array(
                   CASE WHEN b.reference IN ('HOLD', 'SOLD', 'DEAD') THEN b.reference
                        ELSE coalesce(u.name, b.email) END,
                   CASE WHEN b.status = 'held' AND NOT b.lives THEN 'expired' ELSE b.status END,
                   CASE WHEN b.extended THEN 'extended' END,
                   (SELECT sum(quantity) FROM booking_lines l WHERE l.booking_id = b.id),
                   (SELECT count(*) FROM places p WHERE p.booking_id = b.id AND b.lives),
                   (SELECT string_agg(t.status, ' ' ORDER BY t.status) FROM tickets t
                     WHERE t.booking_id = b.id),
                   h.name) AS facts
          FROM living b LEFT JOIN users u ON u.id = b.user_id
          JOIN ticket_holders h ON h.id = b.ticket_holder_id) AS named),
    'check-ins', (SELECT count(*) FROM check_ins),
    'told', (SELECT json_agg(topic ORDER BY topic) FROM outbox_messages))
"""


class Judge:
    """Looks at the database from a connection of its own."""

    def __init__(self, watch: connection) -> None:
        self.watch = watch
        self.breaches: list[str] = []
        self.looked = False
        self._prepared = False

    def begin(self) -> None:
        """Forget what was found in the last ordering."""
        self.breaches = []
        self.looked = False

    def look(self) -> None:
        """Note every row that breaks an invariant at this instant."""
        self.looked = True
        for invariant, row, detail in self._rows("EXECUTE breaches"):
            found = f"{invariant}: {row}: {detail}"
            if found not in self.breaches:
                self.breaches.append(found)

    def state(self) -> str:
        """What the database has come to, comparable between orderings."""
        [(state,)] = self._rows("EXECUTE state")
        return json.dumps(state, sort_keys=True)

    def _rows(self, sql: str) -> list[Any]:
        with self.watch.cursor() as cursor:
            if not self._prepared:
                cursor.execute(f"PREPARE breaches AS {BREACHES}")
                cursor.execute(f"PREPARE state AS {STATE}")
                self._prepared = True
            cursor.execute(sql)
            return cursor.fetchall()
