"""When and where shows are: times that make sense, and one show at a time in a venue."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select

from init import db
from models import Event, EventStatus, SeatMap, SeatMapVersion, Show, Venue
from models.permissions import Permission, allowed
from models.show import HAPPENING, VenueTaken
from models.values import Caller
from utils.clock import now
from utils.errors import Forbidden, Invalid, constraint
from utils.transaction import lock, lock_all

LONGEST = timedelta(days=14)
USUAL = timedelta(hours=4)

constraint("ex_shows_one_at_a_time", VenueTaken("Another show was just put there at that time."))


def usual_length(event: Event) -> timedelta:
    """How long a show of `event` takes, unless it is told."""
    return timedelta(minutes=event.duration_minutes) if event.duration_minutes else USUAL


def require_sensible(show: Show) -> None:
    """Refuse doors after the start, an end before it, and a show of more than 14 days."""
    if show.starts_at is None or show.ends_at is None:
        return
    if show.doors_at is not None and show.doors_at > show.starts_at:
        raise Invalid.at("doors_at", "The doors open after the show starts.")
    if show.ends_at <= show.starts_at:
        raise Invalid.at("ends_at", "The show ends before it starts.")
    if show.ends_at - show.starts_at > LONGEST:
        raise Invalid.at("ends_at", "A show lasts 14 days at most; make several.")


def require_future(starts_at: datetime) -> None:
    """Refuse a start that is past by the database's clock."""
    if starts_at <= db.session.scalars(select(now())).one():
        raise Invalid.at("starts_at", "This is past.")


def usable_venue(venue_id: int, *, caller: Caller, event: Event) -> Venue:
    """The venue that a body names, if the event may take place there.

    Raises Invalid where there is none, Forbidden where it is another organiser's own.
    """
    there = select(Venue).where(Venue.id == venue_id, Venue.deleted_at.is_(None))
    venue = db.session.scalar(there)
    if venue is None:
        raise Invalid.at("venue_id", f"There is no venue {venue_id}.")
    own = venue.organiser_id in (None, event.organiser_id)
    if not own and not allowed(caller, Permission.VENUE_EDIT, venue):
        raise Forbidden("The venue is another organiser's own.", permission=Permission.VENUE_EDIT)
    return venue


def lock_venue(venue: Venue | None) -> int | None:
    """Keep a venue and its map as they are; the version of the map that new shows get."""
    if venue is None:
        return None
    if lock(venue).deleted_at is not None:
        raise Invalid.at("venue_id", f"There is no venue {venue.id}.")
    query = select(SeatMapVersion.id).join(SeatMap, SeatMap.id == SeatMapVersion.seat_map_id)
    current = SeatMap.venue_id == venue.id, SeatMap.is_default, SeatMapVersion.replaced_at.is_(None)
    return db.session.scalar(query.where(*current))


def lock_venues_of(*where: ColumnElement[bool]) -> None:
    """Let whoever else wants a venue of these shows wait: two who find it free would deadlock."""
    lock_all(select(Venue).where(Venue.id.in_(select(Show.venue_id).where(*where))))


def settle(show: Show, event: Event) -> None:
    """Give a published event's show its venue for its time; warn a draft that it is taken.

    Raises VenueTaken. Changes to `show` may be pending: they are written here, after the look.
    """
    happens = show.status in HAPPENING and None not in (show.venue_id, show.starts_at)
    public = event.status == EventStatus.PUBLISHED
    with db.session.no_autoflush:
        others = _others_there(show, event) if happens else []
        taken = [other.id for other in others if other.occupies_venue]
        if public and taken:
            raise VenueTaken(f"Show {taken[0]} is at this venue then.", show_id=taken[0])
        show.occupies_venue = happens and public
    db.session.flush()
    show.warnings = [] if public else [_warning(other) for other in others]


def _others_there(show: Show, event: Event) -> list[Show]:
    """The shows of the same venue and time: public ones, and the organiser's own plans."""
    ours = and_(Event.organiser_id == event.organiser_id, Show.status.in_(HAPPENING))
    return list(
        db.session.scalars(
            select(Show)
            .join(Event, Event.id == Show.event_id)
            .where(
                Show.id != show.id,
                Show.venue_id == show.venue_id,
                Show.starts_at < show.ends_at,
                Show.ends_at > show.starts_at,
                or_(Show.occupies_venue, ours),
            )
            .order_by(Show.starts_at, Show.id)
            .limit(10)
        )
    )


def _warning(other: Show) -> dict[str, Any]:
    detail = f"Show {other.id} is at this venue then."
    return {"code": VenueTaken.code, "detail": detail, "show_id": other.id}
