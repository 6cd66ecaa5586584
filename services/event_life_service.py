"""The life of an event: drafted, published, cancelled or completed.

Every step counts up the versions of the shows, so that nobody sells by what was read before.
"""

from typing import Any

from sqlalchemy import Select, and_, func, select

from init import db
from models import Event, EventStatus, Show
from models.event import NothingToSell, ShowsToCome
from services import (
    audit_service,
    booking_service,
    moderation_service,
    outbox_service,
    show_life_service,
    venue_calendar,
    verification_service,
)
from services.catalogue_conditions import require_no_sales, sellable, takes_place, to_come
from utils.clock import now
from utils.transaction import lock, lock_all, transaction


def publish(event: Event) -> Event:
    """Announce a draft and open its sale.

    Raises NothingToSell, VenueTaken, NotApproved where an admin approves first, and
    OrganiserNotVerified where only verified organisers put events on.
    """
    with transaction():
        venue_calendar.lock_venues_of(Show.event_id == event.id)
        before = _state(lock(event))
        event.move(EventStatus.PUBLISHED)
        verification_service.require_verified(event.organiser_id)
        moderation_service.require_approved(event)
        shows = lock_all(_shows(event))
        offered = select(func.count()).select_from(Show)
        if not db.session.scalar(offered.where(Show.event_id == event.id, to_come(), sellable())):
            raise NothingToSell("Give a show to come a tier with a price and places first.")
        event.published_at = db.session.scalar(select(now()))
        for show in shows:
            show.touch()
            venue_calendar.settle(show, event)
        outbox_service.publish("event.published", event_id=event.id)
        audit_service.record("event.publish", event, before=before, after=_state(event))
    return _fresh(event)


def unpublish(event: Event) -> Event:
    """Take an announcement back. Raises HasSales once somebody holds or has bought places."""
    with transaction():
        before = _state(lock(event))
        event.move(EventStatus.DRAFT)
        shows = lock_all(_shows(event))
        require_no_sales("People have places; cancel instead.", Show.event_id == event.id)
        event.published_at = None
        for show in shows:
            show.touch()
            show.occupies_venue = False
        audit_service.record("event.unpublish", event, before=before, after=_state(event))
    return _fresh(event)


def cancel(event: Event, *, reason: str | None = None) -> Event:
    """Cancel an event with its shows and their bookings; a cancelled one stays as it is."""
    with transaction():
        before = _state(lock(event))
        if event.status == EventStatus.CANCELLED:
            return event
        event.move(EventStatus.CANCELLED)
        event.cancelled_at = db.session.scalar(select(now()))
        for show in lock_all(_shows(event).where(takes_place())):
            show_life_service.cancel_locked(show, reason=reason)
        outbox_service.publish("event.cancelled", event_id=event.id)
        audit_service.record(
            "event.cancel", event, before=before, after=_state(event), reason=reason
        )
    return _fresh(event)


def preview_cancel(event: Event) -> dict[str, int]:
    """What cancelling would end: shows, live bookings, places."""
    ending = select(Show.id).where(Show.event_id == event.id, takes_place())
    ids = list(db.session.scalars(ending))
    return {"shows": len(ids), **booking_service.preview_cancel(ids)}


def complete(event: Event) -> Event:
    """Close the book on an event that is over. Raises ShowsToCome."""
    with transaction():
        before = _state(lock(event))
        event.move(EventStatus.COMPLETED)
        for show in lock_all(_shows(event)):
            show.touch()
        ahead = and_(Show.event_id == event.id, to_come())
        shows = db.session.scalar(select(func.count()).select_from(Show).where(ahead))
        if shows:
            raise ShowsToCome("Not all of its shows are over or cancelled.", shows=shows)
        audit_service.record("event.complete", event, before=before, after=_state(event))
    return _fresh(event)


def _state(event: Event) -> dict[str, Any]:
    """What the audit keeps of an event's life."""
    return {"status": event.status, "moderation": event.moderation}


def _shows(event: Event) -> Select[Show]:
    return select(Show).where(Show.event_id == event.id)


def _fresh(event: Event) -> Event:
    db.session.refresh(event)
    return event
