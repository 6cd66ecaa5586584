"""Which version of which seat map a show pins, and how it moves to another.

A show keeps its version until somebody moves the pin. What people have stays theirs: their seats
are in the new version by the same keys, or the pin stays where it is.
"""

from typing import Any

from sqlalchemy import select, text

from init import db
from models import SeatMap, SeatMapVersion, Section, Show
from models.stock import seat_prefix
from services import audit_service
from services.stock_room import CapacityExceeded
from utils.errors import Conflict, Invalid

SHOWN = 10  # in a sentence; `seats` has all


class MapDoesNotFit(Conflict):
    """The new version lacks what the show has given out, or what its stocks are of.

    `seats` are those that somebody has and that it does not have; `sections` are those that it
    lacks, or has as a floor where the show has seats, or the other way round; delete their stocks
    first.
    """

    code, title = "map-does-not-fit", "The new map lacks what the show has given out"


# Sections of the old version with those of the new one that they become: paired by Python, because
# keys are written by it, and the capitals of a database's locale may be others.
FOLLOWING = """
    SELECT * FROM unnest(CAST(:old_ids AS bigint[]), CAST(:new_ids AS bigint[]),
                         CAST(:names AS text[]), CAST(:kinds AS text[]))
                  AS following (old_id, new_id, name, kind)
"""
# Every seat of the new version by its key, as a place of the show would have it.
SEATS = """
    SELECT c.prefix || m."row" || '-' || m.number AS key, m.position, m.off_centre, m.kind
      FROM unnest(CAST(:section_ids AS bigint[]), CAST(:prefixes AS text[]))
           AS c (section_id, prefix)
      JOIN map_seats m ON m.section_id = c.section_id
     WHERE m.section_id = ANY(CAST(:section_ids AS bigint[]))
"""
# Of a version, or a show, that was just made the planner expects a few seats, and would compare
# each with each.
NEVER_EACH_WITH_EACH = text("SET LOCAL enable_nestloop = off")
AS_EVER = text("SET LOCAL enable_nestloop = on")
LACKING = text(
    f"""
    WITH seats AS ({SEATS})
    SELECT p.key FROM places p
     WHERE p.show_id = :show_id AND p.key IS NOT NULL AND p.booking_id IS NOT NULL
       AND NOT EXISTS (SELECT FROM seats WHERE seats.key = p.key)
     ORDER BY p.key
    """,  # noqa: S608 (all parts are constants)
)
OFFERED = text(
    """
    SELECT section_id, section_name, sum(capacity) AS places
      FROM stocks WHERE show_id = :show_id AND deleted_at IS NULL AND section_id IS NOT NULL
     GROUP BY section_id, section_name ORDER BY section_name
    """
)
# Those who free places lock them by id, and so do we: each waits for the other, and no two.
LOCK_WHAT_CHANGES = text(
    f"""
    WITH seats AS ({SEATS})
    SELECT count(*) FROM (
        SELECT p.id FROM places p LEFT JOIN seats s ON s.key = p.key
         WHERE p.show_id = :show_id AND p.key IS NOT NULL
           AND (s.position, s.off_centre, s.kind) IS DISTINCT FROM
               (p.ordinal, p.off_centre, p.seat_kind)
         ORDER BY p.id FOR UPDATE OF p) locked
    """,  # noqa: S608 (all parts are constants)
)
REMOVE_GONE = text(
    f"""
    WITH seats AS ({SEATS}),
    gone AS (
        DELETE FROM places p
         WHERE p.show_id = :show_id AND p.key IS NOT NULL AND p.booking_id IS NULL
           AND NOT EXISTS (SELECT FROM seats WHERE seats.key = p.key)
        RETURNING p.stock_id),
    fewer AS (
        UPDATE stocks k SET capacity = k.capacity - g.places
          FROM (SELECT stock_id, count(*) AS places FROM gone GROUP BY stock_id) g
         WHERE k.id = g.stock_id)
    SELECT count(*) FROM gone
    """,  # noqa: S608 (all parts are constants)
)
PLACE_ANEW = text(
    f"""
    WITH seats AS ({SEATS})
    UPDATE places p
       SET ordinal = s.position, off_centre = s.off_centre, seat_kind = s.kind,
           changed_in = pg_current_xact_id()
      FROM seats s
     WHERE p.show_id = :show_id AND p.key IS NOT NULL AND s.key = p.key
       AND (s.position, s.off_centre, s.kind) IS DISTINCT FROM
           (p.ordinal, p.off_centre, p.seat_kind)
    """,  # noqa: S608 (all parts are constants)
)
MOVE_STOCKS = text(
    f"""
    WITH following AS ({FOLLOWING})
    UPDATE stocks k
       SET section_id = f.new_id, section_name = f.name, kind = f.kind,
           version = k.version + 1, updated_at = clock_timestamp()
      FROM following f WHERE k.show_id = :show_id AND k.section_id = f.old_id
    """,  # noqa: S608 (all parts are constants)
)
LET_GO = text(
    """
    UPDATE stocks SET section_id = NULL
     WHERE show_id = :show_id AND section_id IN (
           SELECT id FROM sections WHERE seat_map_version_id = :from_id)
    """
)
MOVE_LIMITS = text(
    f"""
    WITH following AS ({FOLLOWING})
    UPDATE section_limits l SET section_id = f.new_id
      FROM following f WHERE l.show_id = :show_id AND l.section_id = f.old_id
    """,  # noqa: S608 (all parts are constants)
)
DROP_LIMITS = text(
    """
    DELETE FROM section_limits l USING sections c
     WHERE l.show_id = :show_id AND c.id = l.section_id AND c.seat_map_version_id <> :to_id
    """
)
TOUCH_TIERS = text(
    """
    UPDATE tiers SET version = version + 1, updated_at = clock_timestamp()
     WHERE show_id = :show_id AND deleted_at IS NULL
    """
)


def find_version(
    show: Show, *, seat_map_id: int | None = None, number: int | None = None
) -> SeatMapVersion:
    """The version that a request names: of this map, by number, else the one of today.

    Without `seat_map_id`, of the map that the show has. Raises Invalid where there is none, or
    where the map is not of the show's venue.
    """
    query = select(SeatMapVersion).join(SeatMap, SeatMap.id == SeatMapVersion.seat_map_id)
    query = query.where(SeatMap.deleted_at.is_(None), SeatMap.venue_id == show.venue_id)
    if seat_map_id is None:
        pinned = select(SeatMapVersion.seat_map_id).where(
            SeatMapVersion.id == show.seat_map_version_id
        )
        seat_map_id = db.session.scalar(pinned)
    query = query.where(SeatMap.id == seat_map_id)
    if number is None:
        version = db.session.scalar(query.where(SeatMapVersion.replaced_at.is_(None)))
        if version is None:
            raise Invalid.at("seat_map_id", f"There is no seat map {seat_map_id} here.")
        return version
    version = db.session.scalar(query.where(SeatMapVersion.number == number))
    if version is None:
        raise Invalid.at("seat_map_version", f"There is no version {number} of its map.")
    return version


def repin(show: Show, version: SeatMapVersion) -> None:
    """Give a show another version of a map, and its stocks the seats and sections of that one.

    Free seats that the version lacks leave their stocks, seats stay in the stocks that they are
    in, and new seats are in none. Runs in the caller's transaction, with the show locked
    (`stock_service.lock_show`) and its dead holds reaped. Raises MapDoesNotFit, and
    CapacityExceeded where a floor is smaller than the show's stocks of it.
    """
    if show.seat_map_version_id == version.id:
        return
    db.session.flush()
    facts = _facts(show, version)
    db.session.execute(NEVER_EACH_WITH_EACH)
    _require_fit(facts)
    before = db.session.get(SeatMapVersion, show.seat_map_version_id or 0)
    db.session.execute(LOCK_WHAT_CHANGES, facts)
    removed = db.session.scalar(REMOVE_GONE, facts)
    for statement in (PLACE_ANEW, MOVE_STOCKS, LET_GO, MOVE_LIMITS, DROP_LIMITS, TOUCH_TIERS):
        db.session.execute(statement, facts)
    db.session.execute(AS_EVER)
    show.seat_map_version_id = version.id
    show.touch()
    db.session.flush()
    db.session.expire(show, ["pinned_map"])
    audit_service.record(
        "show.repin",
        show,
        before=_named(before),
        after=_named(version) | {"seats_removed": removed},
    )


def _named(version: SeatMapVersion | None) -> dict[str, Any]:
    if version is None:
        return {"seat_map_id": None, "seat_map_version": None}
    return {"seat_map_id": version.seat_map_id, "seat_map_version": version.number}


def _facts(show: Show, version: SeatMapVersion) -> dict[str, Any]:
    """What the statements are told: which section becomes which, and the prefixes of keys."""
    there = _sections(version.id)
    by_name = {(seat_prefix(part.name), part.kind.has_seats): part for part in there}
    pairs = [
        (old, by_name.get((seat_prefix(old.name), old.kind.has_seats)))
        for old in _sections(show.seat_map_version_id)
    ]
    following = [(old, new) for old, new in pairs if new is not None]
    return {
        "show_id": show.id,
        "from_id": show.seat_map_version_id,
        "to_id": version.id,
        "section_ids": [part.id for part in there],
        "prefixes": [seat_prefix(part.name) for part in there],
        "old_ids": [old.id for old, _ in following],
        "new_ids": [new.id for _, new in following],
        "names": [new.name for _, new in following],
        "kinds": [new.kind.value for _, new in following],
        "floors": {old.id: new.capacity for old, new in following if not new.kind.has_seats},
    }


def _sections(version_id: int | None) -> list[Section]:
    query = select(Section).where(Section.seat_map_version_id == version_id)
    return list(db.session.scalars(query.order_by(Section.position)))


def _require_fit(facts: dict[str, Any]) -> None:
    """Refuse a version that lacks seats that somebody has, or sections that stocks are of."""
    seats = list(db.session.scalars(LACKING, facts))
    offered = db.session.execute(OFFERED, facts).all()
    stay = set(facts["old_ids"])
    sections = [part.section_name for part in offered if part.section_id not in stay]
    if seats or sections:
        lacking = ", ".join([*seats, *sections][:SHOWN])
        what = "seats that somebody has" if seats else "sections that stocks are of"
        raise MapDoesNotFit(
            f"This version lacks {what}: {lacking}.", seats=seats, sections=sections
        )
    for part in offered:
        limit = facts["floors"].get(part.section_id, part.places)
        if part.places > limit:
            raise CapacityExceeded(
                f"{part.section_name} holds {limit} in this version; the show offers "
                f"{part.places}.",
                limit=limit,
                left=0,
                scope="section",
            )
