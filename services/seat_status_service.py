"""Which seats of a show are not free: all of them, or what changed since an answer was given.

Nobody counts anything. A place says in which transaction it was last given or taken back
(`places.changed_in`), a booking in which one its seats became sold, or its deadline moved
(`bookings.settled_in`). An answer's cursor says which transactions it had not seen, and news is
what those have written, however late they committed. What changes without anyone writing goes by
the instants of the two answers: holds whose time has run out, stocks whose release has come. What
is on offer may change in other ways; all of those count up the show's version, and then, as for
whoever reads in other words than before, the answer is the whole.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson

from config import settings
from models.stock import seat_prefix
from models.values import Caller
from services import layout_service, seen_show_service
from services.seat_cursor import Cursor, Snapshot
from services.seen_show_service import SeenShow
from utils.clock import in_zone
from utils.errors import Busy, Invalid
from utils.ready_text import ReadyText
from utils.statement import Statement
from utils.ttl_cache import TtlCache

SHOWS_REMEMBERED = 50
MOST_CHANGES = 5_000  # with more, the whole is as good
OLDEST_CURSOR = timedelta(hours=1)
TIMES_TRIED = 3
LAST_XID = 2**64 - 1
TAKEN, HELD, SOLD, HOUSE, UNASSIGNED, FREE = "taken", "held", "sold", "house", "unassigned", "free"

PUBLIC = dict.fromkeys((HELD, SOLD, HOUSE, UNASSIGNED), TAKEN) | {FREE: FREE}
STAFF = {word: word for word in (HELD, SOLD, HOUSE, UNASSIGNED, FREE)}

# A stock is of the house while no tier sells it. A place that is neither free nor held is sold.
HOUSES = """
    k AS MATERIALIZED (
        SELECT id, NOT (EXISTS (SELECT FROM tier_stocks ts WHERE ts.stock_id = stocks.id)
                        OR (release_at <= statement_timestamp()
                            AND EXISTS (SELECT FROM tiers t WHERE t.id = stocks.release_tier_id
                                           AND t.deleted_at IS NULL))) IS TRUE AS is_house
          FROM stocks WHERE show_id = :show_id)
"""
AT = """
    s.version, s.seat_map_version_id, statement_timestamp(), pg_current_snapshot()::text,
    pg_current_xact_id_if_assigned()::text
"""

# The seats of a section that are in no stock are looked for only where there are such.
WHOLE = Statement(
    "seat_status",
    f"""
    WITH {HOUSES},
    h AS MATERIALIZED (
        SELECT id, held_until <= statement_timestamp() AS is_dead
          FROM bookings WHERE show_id = :show_id AND status = 'held'),
    part AS (SELECT id, prefix
               FROM unnest(CAST(:section_ids AS bigint[]), CAST(:prefixes AS text[]))
                    AS part(id, prefix) JOIN sections USING (id)
              WHERE capacity > (SELECT coalesce(sum(capacity), 0) FROM stocks
                                 WHERE show_id = :show_id AND section_id = part.id))
    SELECT {AT},
           (SELECT string_agg(to_json(key)::text || state, ',')
              FROM (SELECT p.key,
                           CASE WHEN p.booking_id IS NOT NULL AND NOT coalesce(h.is_dead, false)
                                THEN CASE WHEN h.id IS NULL THEN CAST(:sold AS text)
                                     ELSE CAST(:held AS text) END
                                WHEN k.is_house THEN CAST(:house AS text) END AS state
                      FROM places p JOIN k ON k.id = p.stock_id LEFT JOIN h ON h.id = p.booking_id
                     WHERE p.show_id = :show_id AND p.key IS NOT NULL) AS each
             WHERE state IS NOT NULL),
           (SELECT string_agg(to_json(key)::text || CAST(:unassigned AS text), ',')
              FROM (SELECT part.prefix || m."row" || '-' || m.number AS key
                      FROM part JOIN map_seats m ON m.section_id = part.id) AS seat
             WHERE NOT EXISTS (SELECT FROM places p
                                WHERE p.show_id = :show_id AND p.key = seat.key))
      FROM shows s WHERE s.id = :show_id
    """,  # noqa: S608 (every part is a constant)
)

# Ranges of transactions: each that was under way, and all that came later. They are looked up one
# by one, in subqueries, where the planner expects a little of whatever it does not know: so it
# plans once, for the index. Of `changed_in = ANY(…)` it would expect most of a show, whose places
# were made in one transaction, and plan anew each time, which takes longer than the reading. (Its
# `LIMIT :ranges` leaves nothing out; it says that they are few.)
CHANGES = Statement(
    "seat_changes",
    f"""
    WITH {HOUSES},
    unseen AS MATERIALIZED (
        SELECT unnest(CAST(:firsts AS xid8[])) AS first, unnest(CAST(:lasts AS xid8[])) AS last
         LIMIT :ranges),
    b AS MATERIALIZED (
        SELECT unnest((
            SELECT array_agg(id)
              FROM (SELECT id FROM bookings
                     WHERE show_id = :show_id AND settled_in IS NOT NULL
                       AND settled_in BETWEEN unseen.first AND unseen.last
                     LIMIT :most + 1) AS few)) AS id FROM unseen
        UNION SELECT id FROM bookings
         WHERE show_id = :show_id AND status = 'held' AND held_until > :as_of
           AND held_until <= statement_timestamp()),
    changed AS MATERIALIZED (
        SELECT id FROM (
            SELECT unnest((
                SELECT array_agg(id)
                  FROM (SELECT id FROM places
                         WHERE show_id = :show_id AND key IS NOT NULL
                           AND changed_in BETWEEN unseen.first AND unseen.last
                         LIMIT :most + 1) AS few)) AS id FROM unseen
            UNION SELECT id FROM places
             WHERE booking_id = ANY(ARRAY(SELECT id FROM b)) AND key IS NOT NULL
            UNION SELECT unnest((
                SELECT array_agg(id) FROM places
                 WHERE show_id = :show_id AND key IS NOT NULL AND stock_id = stocks.id))
              FROM stocks WHERE show_id = :show_id AND release_at > :as_of
               AND release_at <= statement_timestamp()) AS news
         LIMIT :most + 1)
    SELECT {AT}, (SELECT greatest((SELECT count(*) FROM changed), (SELECT count(*) FROM b))),
           (SELECT string_agg(to_json(p.key)::text || coalesce(
                        (SELECT CASE WHEN status <> 'held' THEN CAST(:sold AS text)
                                     WHEN held_until > statement_timestamp()
                                     THEN CAST(:held AS text) END
                           FROM bookings WHERE id = p.booking_id),
                        CASE WHEN k.is_house THEN CAST(:house AS text) END,
                        CAST(:free AS text)), ',')
              FROM places p JOIN k ON k.id = p.stock_id
             WHERE p.id = ANY(ARRAY(SELECT id FROM changed)))
      FROM shows s WHERE s.id = :show_id
    """,  # noqa: S608 (every part is a constant)
    alone=True,
)


@dataclass(frozen=True, slots=True)
class SeatStatus:
    """An answer: `seats` is the inside of a JSON object, as PostgreSQL wrote it."""

    show_id: int
    map_id: int | None
    map_path: str
    time_zone: str
    whole: bool
    cursor: Cursor
    seats: str

    def rendered(self) -> ReadyText:
        """The JSON of the answer."""
        told = {
            "show_id": self.show_id,
            "seat_map_version_id": self.map_id,
            "seat_map": self.map_path,
            "as_of": in_zone(self.cursor.as_of, self.time_zone).isoformat(),
            "cursor": str(self.cursor),
            "whole": self.whole,
            "seats": orjson.Fragment(f"{{{self.seats}}}"),
        }
        return ReadyText(orjson.dumps(told))


@dataclass(frozen=True, slots=True)
class Shared:
    """A whole answer that many get, with its text."""

    status: SeatStatus
    text: ReadyText


_recent: TtlCache[tuple[int, bool], Shared] = TtlCache(
    lambda: settings.availability_seconds, largest=SHOWS_REMEMBERED
)


def of_show(show_id: int, *, caller: Caller, since: str | None = None) -> ReadyText:
    """The JSON of which seats are not free, in the words that `caller` may read.

    Without `since` it may be settings.availability_seconds old, and whoever asks shares it. With
    the cursor of an earlier answer it is what has changed since then, exactly; the whole where
    that cannot be said. Raises Invalid for what is no cursor of this show.
    """
    if since is None:
        show = seen_show_service.find_recent(show_id, caller=caller)
        return whole(show, staff=seen_show_service.is_staff(caller, show)).text
    cursor = Cursor.read(since)
    if cursor.show_id != show_id:
        raise Invalid.at("since", "Is a cursor of another show.")
    show = seen_show_service.find(show_id, caller=caller)
    staff = seen_show_service.is_staff(caller, show)
    recent = cursor.as_of + OLDEST_CURSOR >= show.read_at
    if recent and cursor.staff == staff and cursor.version == show.version:
        changes = _changes(show, cursor)
        if changes is not None:
            return changes.rendered()
    return _no_older(show, cursor, staff=staff).text


def whole(show: SeenShow, *, staff: bool) -> Shared:
    """Every seat that is not free, at most settings.availability_seconds old."""
    return _recent.get((show.id, staff), lambda: _whole(show, staff=staff))


def _no_older(show: SeenShow, cursor: Cursor, *, staff: bool) -> Shared:
    """The whole, not from before the cursor, nor of an earlier version of the show."""
    shared = whole(show, staff=staff)
    of = shared.status.cursor
    if of.version < show.version or cursor.as_of > of.as_of:
        _recent.forget((show.id, staff))
        seen_show_service.forget(show.id)
        shared = whole(show, staff=staff)
    return shared


def _whole(show: SeenShow, *, staff: bool) -> Shared:
    for _ in range(TIMES_TRIED):
        layout = layout_service.of_show(show)
        parts = [section for section in layout.sections if section.rows]
        row = WHOLE.first(
            show_id=show.id,
            section_ids=[section.id for section in parts],
            prefixes=[seat_prefix(section.name) for section in parts],
            **_words(staff),
        )
        if row is not None and row[1] == show.map_id:
            *at, seats, unassigned = row
            text = ",".join(part for part in (seats, unassigned) if part)
            status = _status(show, at, staff=staff, whole=True, seats=text)
            return Shared(status, status.rendered())
        again = seen_show_service.read(show.id)  # it was given another map at this moment
        if again is None:
            break
        show = again
    raise Busy("The show is being changed at this moment; try again.")


def _changes(show: SeenShow, cursor: Cursor) -> SeatStatus | None:
    """What changed since a cursor; None where that cannot be said, or is too much."""
    unseen = cursor.snapshot
    row = CHANGES.first(
        show_id=show.id,
        as_of=cursor.as_of,
        firsts=_array(*unseen.under_way, unseen.next_xid),
        lasts=_array(*unseen.under_way, LAST_XID),
        ranges=len(unseen.under_way) + 1,
        most=MOST_CHANGES,
        free=f':"{FREE}"',
        **_words(cursor.staff),
    )
    if row is None:
        return None
    *at, count, seats = row
    status = _status(show, at, staff=cursor.staff, whole=False, seats=seats or "")
    now = status.cursor
    # A database that was put back has numbers and times before those of cursors it gave out.
    gave_it = cursor.as_of <= now.as_of and unseen.next_xid <= int(at[3].split(":")[1])
    same = now.version == cursor.version and status.map_id == show.map_id
    return status if count <= MOST_CHANGES and gave_it and same else None


def _status(
    show: SeenShow, at: Sequence[Any], *, staff: bool, whole: bool, seats: str
) -> SeatStatus:
    version, map_id, as_of, snapshot, own = at
    cursor = Cursor(show.id, version, staff, as_of, Snapshot.read(snapshot, own))
    return SeatStatus(show.id, map_id, show.map_path, show.time_zone, whole, cursor, seats)


def _array(*xids: int) -> str:
    return f"{{{','.join(map(str, xids))}}}"


def _words(staff: bool) -> Mapping[str, str]:
    """What each state is called, as the value of a JSON member."""
    words = STAFF if staff else PUBLIC
    return {state: f':"{words[state]}"' for state in (HELD, SOLD, HOUSE, UNASSIGNED)}
