"""Moderation: while it is on (settings.moderation), the public sees only what an admin approved.

Every step counts up the versions of the shows, so that nobody sells by what was read before.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, select

from config import settings
from init import db
from models import Event, EventStatus, Moderation, Show
from models.event import EventMovedOn, ModerationMovedOn
from models.values import Caller
from services import audit_service, outbox_service, verification_service
from services.catalogue_conditions import live_bookings, require_no_sales
from utils.clock import now
from utils.errors import Conflict
from utils.transaction import lock, lock_all, transaction

RUNNING = (EventStatus.DRAFT, EventStatus.PUBLISHED)


class ModerationOff(Conflict):
    """Nobody moderates events here: publish without asking."""

    code, title = "moderation-off", "Events are not moderated here"


class NotApproved(Conflict):
    """An admin approves an event before it is published; `moderation` says how far that is."""

    code, title = "not-approved", "The event is not approved"


def search(wanted: dict[str, Any]) -> Select[int]:
    """The ids of the events in one state of moderation, those first that have waited longest."""
    waiting = select(Event.id).where(Event.moderation == wanted["moderation"])
    return waiting.order_by(Event.submitted_at.asc().nulls_last(), Event.id)


def submit(event: Event) -> Event:
    """Ask an admin to approve a draft, or to look again at what was rejected.

    Raises ModerationOff, EventMovedOn, ModerationMovedOn and OrganiserNotVerified.
    """
    _require_on()
    with transaction():
        _require_running(lock(event))
        drafted = event.status == EventStatus.DRAFT and event.moderation == Moderation.NOT_REQUIRED
        if not drafted and event.moderation != Moderation.REJECTED:
            raise ModerationMovedOn(
                "Only a draft, or what was rejected, is submitted.", moderation=event.moderation
            )
        verification_service.require_verified(event.organiser_id)
        ask_again(event, lock_all(_shows(event)))
    return _fresh(event)


def approve(event: Event) -> Event:
    """Let an event that waits, or was rejected, be public. Raises ModerationMovedOn."""
    with transaction():
        _require_running(lock(event))
        _step(event, Moderation.APPROVED, "event.approve", lock_all(_shows(event)))
        outbox_service.publish("event.approved", event_id=event.id)
    return _fresh(event)


def reject(event: Event, *, reason: str) -> Event:
    """Keep an event from the public, or take it out of its sight; its organiser reads why.

    Raises ModerationOff, ModerationMovedOn, and HasSales once somebody has places.
    """
    _require_on()
    with transaction():
        _require_running(lock(event))
        if event.status == EventStatus.DRAFT and event.moderation == Moderation.NOT_REQUIRED:
            raise ModerationMovedOn("It was not submitted yet.", moderation=event.moderation)
        shows = lock_all(_shows(event))
        require_no_sales("People have places; cancel instead.", Show.event_id == event.id)
        _step(event, Moderation.REJECTED, "event.reject", shows, reason=reason)
        outbox_service.publish("event.rejected", event_id=event.id)
    return _fresh(event)


def require_approved(event: Event) -> None:
    """Let a locked event be published: approved while moderation is on, whatever it is after."""
    if settings.moderation:
        if event.moderation != Moderation.APPROVED:
            raise NotApproved("Submit it and wait for the approval.", moderation=event.moderation)
    elif event.moderation in (Moderation.PENDING, Moderation.REJECTED):
        event.moderate(Moderation.NOT_REQUIRED)


def must_ask_again(event: Event, caller: Caller) -> bool:
    """Whether what `caller` changes of an event's promises, or its shows', needs an approval.

    It does while nobody has places, where the event is published or was approved. Later its date
    and place are the ticket holders' business, and what they bought stays.
    """
    if not settings.moderation or caller.is_admin or event.status not in RUNNING:
        return False
    if event.moderation == Moderation.PENDING:
        return False
    if event.status == EventStatus.DRAFT and event.moderation != Moderation.APPROVED:
        return False
    return live_bookings(Show.event_id == event.id) == 0


def ask_again(event: Event, shows: Iterable[Show]) -> None:
    """Have a locked event, whose `shows` are locked, wait for an approval, out of sight."""
    _step(event, Moderation.PENDING, "event.submit", shows)
    event.submitted_at = db.session.scalar(select(now()))
    outbox_service.publish("event.submitted", event_id=event.id)


def _step(
    event: Event,
    to: Moderation,
    action: str,
    shows: Iterable[Show],
    *,
    reason: str | None = None,
) -> None:
    before = event.moderation
    event.moderate(to, reason=reason)
    for show in shows:
        show.touch()
    audit_service.record(
        action, event, before={"moderation": before}, after={"moderation": to}, reason=reason
    )


def _require_on() -> None:
    if not settings.moderation:
        raise ModerationOff("Publish it; nobody has to approve.")


def _require_running(event: Event) -> None:
    if event.status not in RUNNING:
        raise EventMovedOn(f"The event is {event.status}.")


def _shows(event: Event) -> Select[Show]:
    return select(Show).where(Show.event_id == event.id)


def _fresh(event: Event) -> Event:
    db.session.refresh(event)
    return event
