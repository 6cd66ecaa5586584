"""Relocating a show: what it has sold moves to another version of a map, or to another venue.

First the plan is written down, then all of it is done in one transaction: a process that dies at
any moment leaves the old hall or the new one, and `apply` goes on from there. What was sold or
cancelled since the plan was made is planned anew under the lock, and the rest stays as planned.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete as delete_rows
from sqlalchemy import insert, select, text

from init import db
from models import (
    Booking,
    EventStatus,
    Relocation,
    RelocationMove,
    RelocationStatus,
    SeatMap,
    SeatMapVersion,
    Show,
    ShowStatus,
    Unplaced,
    Venue,
)
from models.event import EventMovedOn
from models.relocation import RelocationMovedOn
from models.show import ShowCancelled, ShowMovedOn
from models.values import Caller
from services import (
    audit_service,
    booking_service,
    outbox_service,
    relocation_hall,
    relocation_places,
    relocation_reading,
    show_edit_service,
    venue_calendar,
)
from services.relocation_hall import Plan
from services.relocation_plan import Placed
from utils.clock import now
from utils.errors import ApiError, Conflict, Invalid
from utils.transaction import lock, transaction

TELL = text(
    """
    INSERT INTO outbox_messages (topic, payload)
    SELECT 'booking.relocated',
           jsonb_build_object('booking_id', id, 'relocation_id', CAST(:relocation_id AS bigint))
      FROM unnest(CAST(:booking_ids AS bigint[])) AS id ORDER BY id
    """
)
SHOWN = 100
NO_ROOM = "The show has moved, and there are not enough seats there."


class CannotBePlaced(Conflict):
    """The new hall has no seats for some: `bookings` says how many, and `places` how many seats.

    A preview (`?dry_run=true`) names them. Map their section to a larger one, move or cancel them
    first, or have them cancelled with `"unplaced": "cancel"`.
    """

    code, title = "cannot-be-placed", "There are not seats for everybody there"


class AlreadyThere(Conflict):
    """The show has this version of this map, and nobody has anywhere to go."""

    code, title = "already-there", "The show has that map already"


@dataclass(frozen=True)
class ShownMove:
    """Where a party would go."""

    booking_id: int
    reference: str
    outcome: str
    from_seats: Sequence[str]
    to_seats: Sequence[str]


@dataclass(frozen=True)
class Preview:
    """What relocating a show would do: the whole in numbers, and the first parties that move."""

    show_id: int
    to_venue_id: int
    seat_map_id: int
    seat_map_version: int
    summary: Mapping[str, int]
    moves: Sequence[ShownMove]
    more: int


def preview(show: Show, wanted: Mapping[str, Any], *, caller: Caller) -> Preview:
    """What relocating would do, and nothing done. Raises what `relocate` does, but for room."""
    venue, version = _target(show, wanted, caller)
    _require_movable(show)
    decided = relocation_hall.plan(show, venue, version.id, wanted.get("sections") or {})
    changed = sorted(decided.changed, key=lambda each: bool(each.seats))
    shown = changed[:SHOWN]
    ids = [each.party.booking_id for each in shown]
    known = select(Booking.id, Booking.reference).where(Booking.id.in_(ids))
    references = {row.id: row.reference for row in db.session.execute(known)}
    return Preview(
        show_id=show.id,
        to_venue_id=venue.id,
        seat_map_id=version.seat_map_id,
        seat_map_version=version.number,
        summary=decided.summary,
        moves=[
            ShownMove(
                booking_id=each.party.booking_id,
                reference=references[each.party.booking_id],
                outcome=each.outcome,
                **_keys(each),
            )
            for each in shown
        ],
        more=len(changed) - len(shown),
    )


def relocate(show: Show, wanted: Mapping[str, Any], *, caller: Caller) -> Relocation:
    """Move what a show has sold, all of it, or nothing is changed; may be repeated.

    Raises CannotBePlaced, AlreadyThere, Invalid for maps and sections that are not there,
    Forbidden for somebody else's venue, VenueTaken, CapacityExceeded, and ShowCancelled,
    ShowMovedOn and EventMovedOn where it is too late.
    """
    venue, version = _target(show, wanted, caller)
    _require_movable(show)
    if show.seat_map_version_id == version.id and show.venue_id == venue.id:
        return _done_before(show, version, caller)
    sections, unplaced = wanted.get("sections") or {}, wanted.get("unplaced", Unplaced.REFUSE)
    decided = relocation_hall.plan(show, venue, version.id, sections)
    _require_all_placed(decided, unplaced)
    relocation = _written_down(show, version, sections, unplaced, decided, caller)
    try:
        return apply(relocation, caller=caller)
    except ApiError:
        _give_up(relocation)
        raise


def apply(relocation: Relocation, *, caller: Caller) -> Relocation:
    """Do what was planned, all in one transaction; one that is applied already stays as it is.

    Raises what `relocate` does, and RelocationMovedOn where another one has taken its place.
    """
    show = relocation.show
    venue = venue_calendar.usable_venue(relocation.to_venue_id, caller=caller, event=show.event)
    with transaction():
        _lock(show, venue, caller)
        if lock(relocation).status == RelocationStatus.APPLIED:
            return relocation
        if relocation.status != RelocationStatus.PLANNED:
            raise RelocationMovedOn("Another relocation has taken the place of this one.")
        _require_movable(show)
        _require_map(relocation)
        booking_service.lock_living(show)
        decided = relocation_hall.plan(
            show,
            venue,
            relocation.to_version_id,
            relocation.sections,
            known=_known(relocation),
            is_locked=True,
        )
        _require_all_placed(decided, relocation.unplaced)
        without = sorted({party.booking_id for party in decided.unplaced})
        booking_service.cancel_locked(show, without, reason=NO_ROOM)
        _tell(show, relocation, decided, without)
        _move(show, venue, relocation, decided, without)
        relocation.summary = decided.summary
        relocation.move(RelocationStatus.APPLIED)
        relocation.applied_at = db.session.scalar(select(now()))
        _write_moves(relocation.id, decided)
    return relocation_reading.find(relocation.id, caller=caller)


def _target(show: Show, wanted: Mapping[str, Any], caller: Caller) -> tuple[Venue, SeatMapVersion]:
    """The venue and the map version that a request names; what it leaves out is the usual."""
    venue_id, seat_map_id = wanted.get("venue_id"), wanted.get("seat_map_id")
    if venue_id is None:
        there = select(SeatMap.venue_id).where(SeatMap.id == seat_map_id)
        venue_id = (db.session.scalar(there) if seat_map_id else None) or show.venue_id
    if venue_id is None:
        raise Invalid.at("venue_id", "The show is at no venue; say where it goes.")
    venue = venue_calendar.usable_venue(venue_id, caller=caller, event=show.event)
    query = select(SeatMapVersion).join(SeatMap, SeatMap.id == SeatMapVersion.seat_map_id)
    query = query.where(SeatMap.venue_id == venue.id, SeatMap.deleted_at.is_(None))
    query = query.where(SeatMap.id == seat_map_id if seat_map_id else SeatMap.is_default)
    number = wanted.get("seat_map_version")
    current = SeatMapVersion.replaced_at.is_(None)
    found = db.session.scalar(query.where(SeatMapVersion.number == number if number else current))
    if found is not None:
        return venue, found
    if number and db.session.scalar(query.where(current)) is not None:
        raise Invalid.at("seat_map_version", f"That map has no version {number}.")
    raise Invalid.at("seat_map_id", "That venue has no such seat map.")


def _require_movable(show: Show) -> None:
    if show.status == ShowStatus.CANCELLED:
        raise ShowCancelled("The show is cancelled.")
    if show.event.status == EventStatus.COMPLETED:
        raise EventMovedOn("The event is completed; its shows are history.")
    if show.ends_at is not None and db.session.scalar(select(now() >= show.ends_at)):
        raise ShowMovedOn("The show is over.")


def _require_map(relocation: Relocation) -> None:
    """Refuse a map that was deleted after it was found; its venue is locked by now."""
    there = select(SeatMap.id).where(SeatMap.id == relocation.seat_map_id)
    if db.session.scalar(there.where(SeatMap.deleted_at.is_(None))) is None:
        raise Invalid.at("seat_map_id", "That seat map was deleted.")


def _require_all_placed(decided: Plan, unplaced: Unplaced) -> None:
    left = decided.summary
    if unplaced == Unplaced.REFUSE and left["unplaced"]:
        raise CannotBePlaced(
            f"There are no seats for {left['unplaced_places']} places of "
            f"{left['unplaced_bookings']} bookings.",
            bookings=left["unplaced_bookings"],
            places=left["unplaced_places"],
        )


def _done_before(show: Show, version: SeatMapVersion, caller: Caller) -> Relocation:
    """The relocation that brought the show here, for whoever missed its answer."""
    query = relocation_reading.of_show(show, caller=caller).where(
        Relocation.to_version_id == version.id
    )
    done = db.session.scalar(query.where(Relocation.status == RelocationStatus.APPLIED).limit(1))
    if done is None:
        raise AlreadyThere("The show has this version of this map.")
    return done


def _written_down(
    show: Show,
    version: SeatMapVersion,
    sections: Mapping[str, str],
    unplaced: Unplaced,
    decided: Plan,
    caller: Caller,
) -> Relocation:
    """The plan, kept before anything is done; one for the same, not done yet, is taken up."""
    waiting = Relocation.show_id == show.id, Relocation.status == RelocationStatus.PLANNED
    with transaction():
        lock(show)
        if show.seat_map_version_id == version.id and show.venue_id == version.venue_id:
            return _done_before(show, version, caller)
        before = db.session.scalar(select(Relocation).where(*waiting))
        if before is not None:
            wanted = (version.id, dict(sections), unplaced)
            if (before.to_version_id, before.sections, before.unplaced) == wanted:
                return before
            before.move(RelocationStatus.GIVEN_UP)
            db.session.flush()
        relocation = Relocation(
            show_id=show.id,
            from_version_id=show.seat_map_version_id,
            to_version_id=version.id,
            from_venue_id=show.venue_id,
            to_venue_id=version.venue_id,
            sections=dict(sections),
            unplaced=unplaced,
            summary=decided.summary,
            status=RelocationStatus.PLANNED,
        )
        db.session.add(relocation)
        db.session.flush()
        _write_moves(relocation.id, decided)
    return relocation


def _give_up(relocation: Relocation) -> None:
    """What was refused is not left waiting for somebody to go on with it."""
    with transaction():
        if lock(relocation).status == RelocationStatus.PLANNED:
            relocation.move(RelocationStatus.GIVEN_UP)


def _lock(show: Show, venue: Venue, caller: Caller) -> None:
    """Lock where it goes, the event and the show, in the order in which everybody does."""
    venue_calendar.lock_venue(venue)
    lock(show.event)
    if venue.id == show.venue_id:
        lock(show)
    else:
        show_edit_service.lock_and_ask_again(show, caller)


def _known(relocation: Relocation) -> dict[int, str]:
    """The seats of the plan as it was written down, by place."""
    query = select(RelocationMove.place_ids, RelocationMove.to_seats)
    rows = db.session.execute(query.where(RelocationMove.relocation_id == relocation.id))
    return {
        place_id: key
        for place_ids, keys in rows
        for place_id, key in zip(place_ids, keys, strict=False)
    }


def _move(
    show: Show, venue: Venue, relocation: Relocation, decided: Plan, without: Sequence[int]
) -> None:
    """Everything that the show has, and the show itself, in a transaction that has it locked."""
    before = _where(show)
    remaining = _without(decided, set(without))
    relocation_places.write(show, remaining)
    with db.session.no_autoflush:
        if venue.id != show.venue_id:
            show.venue_id, show.time_zone = venue.id, venue.time_zone
        show.seat_map_version_id = relocation.to_version_id
        show.touch()
        venue_calendar.settle(show, show.event)
    after = {**_where(show), **{k: v for k, v in decided.summary.items() if v}}
    audit_service.record("show.relocate", show, before=before, after=after)


def _where(show: Show) -> dict[str, Any]:
    return {"venue_id": show.venue_id, "seat_map_version_id": show.seat_map_version_id}


def _without(decided: Plan, booking_ids: set[int]) -> Plan:
    """The plan when these bookings are cancelled: whatever they would have had is free."""
    if not booking_ids:
        return decided
    gone = [each for each in decided.placed if each.party.booking_id in booking_ids]
    freed = [(seat, each.party.stock_id) for each in gone for seat in each.seats]
    stay = [each for each in decided.placed if each.party.booking_id not in booking_ids]
    return Plan(decided.moves, stay, [*decided.free, *freed], decided.limits)


def _tell(show: Show, relocation: Relocation, decided: Plan, without: Sequence[int]) -> None:
    """Word to everybody whose seats have other names, or who goes to another venue."""
    moves_house = show.venue_id != relocation.to_venue_id
    told = decided.placed if moves_house else decided.changed
    ids = {each.party.booking_id for each in told} - set(without)
    facts = {"relocation_id": relocation.id, "booking_ids": sorted(ids)}
    db.session.execute(TELL, facts)
    if moves_house and show.event.published_at is not None:
        outbox_service.publish("show.moved", show_id=show.id)


def _keys(placed: Placed) -> dict[str, list[str]]:
    return {
        "from_seats": [person.key for person in placed.party.people],
        "to_seats": [seat.key for seat in placed.seats],
    }


def _write_moves(relocation_id: int, decided: Plan) -> None:
    """The parties that move, in place of those that were written down before."""
    old = RelocationMove.relocation_id == relocation_id
    db.session.execute(delete_rows(RelocationMove).where(old))
    rows = [
        {
            "relocation_id": relocation_id,
            "booking_id": each.party.booking_id,
            "outcome": each.outcome,
            "place_ids": [person.place_id for person in each.party.people],
            **_keys(each),
        }
        for each in decided.changed
    ]
    if rows:
        db.session.execute(insert(RelocationMove), rows)
