"""The life of a show: cancelled, postponed, dated anew, its sale paused and resumed.

Sellers hold the show for the time of a sale, and every change of state locks it: what is sold is
sold before the change or not at all.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import select

from init import db
from models import EventStatus, Show, ShowStatus
from models.event import EventMovedOn
from models.show import ShowCancelled
from models.values import Caller
from services import (
    audit_service,
    booking_service,
    outbox_service,
    show_edit_service,
    venue_calendar,
)
from services.show_service import fresh
from utils.clock import now
from utils.transaction import lock, transaction


def cancel(show: Show, *, reason: str | None = None) -> Show:
    """Cancel a show with all its bookings; one that is cancelled already stays as it is."""
    with transaction():
        event = lock(show.event)
        if lock(show).status == ShowStatus.CANCELLED:
            return show
        if event.status == EventStatus.COMPLETED:
            raise EventMovedOn("The event is completed; its shows are history.")
        cancel_locked(show, reason=reason)
    return fresh(show)


def cancel_locked(show: Show, *, reason: str | None) -> None:
    """Cancel a show that the surrounding transaction has locked."""
    before = _state(show)
    show.move(ShowStatus.CANCELLED)
    show.cancelled_at = db.session.scalar(select(now()))
    show.cancel_reason = reason
    show.occupies_venue = False
    db.session.flush()
    booking_service.cancel_all(show, reason=reason)
    outbox_service.publish("show.cancelled", show_id=show.id)
    audit_service.record("show.cancel", show, before=before, after=_state(show), reason=reason)


def preview_cancel(show: Show) -> dict[str, int]:
    """What cancelling would end: shows, live bookings, places."""
    if show.status == ShowStatus.CANCELLED:
        return {"shows": 0, "bookings": 0, "places": 0}
    return {"shows": 1, **booking_service.preview_cancel([show.id])}


def postpone(show: Show) -> Show:
    """Take a show's date away; bookings keep their places, and nothing is sold meanwhile."""
    with transaction():
        _require_running(show)
        before = _state(lock(show))
        show.move(ShowStatus.POSTPONED)
        show.starts_at = show.doors_at = show.ends_at = None
        show.occupies_venue = False
        outbox_service.publish("show.postponed", show_id=show.id)
        audit_service.record("show.postpone", show, before=before, after=_state(show))
    return fresh(show)


def reschedule(
    show: Show,
    *,
    caller: Caller,
    starts_at: datetime,
    doors_at: datetime | None,
    ends_at: datetime | None,
    **moving: Any,
) -> Show:
    """Give a show a new date, and with `venue_id` another venue; bookings keep their places.

    While there are none at the event, it is approved again where events are moderated. Raises
    VenueTaken, and for the venue what show_edit_service.move_to does.
    """
    venue_id = moving.get("venue_id", show.venue_id)
    moves = venue_id != show.venue_id
    venue = None
    if moves and venue_id is not None:
        venue = venue_calendar.usable_venue(venue_id, caller=caller, event=show.event)
    with transaction(), db.session.no_autoflush:  # half of a new date is none, and cannot be kept
        map_of_venue = venue_calendar.lock_venue(venue)
        if not moves:
            venue_calendar.lock_venues_of(Show.id == show.id)
        _require_running(show)
        before = _state(show_edit_service.lock_and_ask_again(show, caller))
        show.move(ShowStatus.RESCHEDULED)
        if moves:
            show_edit_service.move_to(show, venue, map_of_venue)
            show.time_zone = venue.time_zone if venue else show.time_zone
        show_edit_service.set_times(
            show, show, starts_at=starts_at, doors_at=doors_at, ends_at=ends_at
        )
        venue_calendar.settle(show, show.event)
        outbox_service.publish("show.rescheduled", show_id=show.id)
        audit_service.record("show.reschedule", show, before=before, after=_state(show))
    return fresh(show)


def pause(show: Show) -> Show:
    """Stop the sale for the moment; what is held can still be confirmed."""
    return _set_paused(show, True)


def resume(show: Show) -> Show:
    """Let the sale go on."""
    return _set_paused(show, False)


def _set_paused(show: Show, paused: bool) -> Show:
    with transaction():
        if lock(show).status == ShowStatus.CANCELLED:
            raise ShowCancelled("A cancelled show has no sale.")
        if show.sales_paused != paused:
            before, after = {"sales_paused": not paused}, {"sales_paused": paused}
            action = "show.pause" if paused else "show.resume"
            audit_service.record(action, show, before=before, after=after)
        show.sales_paused = paused
    return fresh(show)


def _state(show: Show) -> dict[str, Any]:
    """What the audit keeps of a show's life."""
    return {name: getattr(show, name) for name in ("status", "starts_at", "venue_id")}


def _require_running(show: Show) -> None:
    """Lock the event and refuse when it is over; a cancelled one's shows say so themselves."""
    if lock(show.event).status == EventStatus.COMPLETED:
        raise EventMovedOn("The event is completed; its shows are history.")
