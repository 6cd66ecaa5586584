"""/events: what is put on, from draft to done."""

from typing import Any

from flask import Response
from sqlalchemy import Select

from controllers.callers import for_caller
from models import Event, EventStatus
from models.booking import HasSales
from models.event import EventMovedOn, ModerationMovedOn, NothingToSell, ShowsToCome
from models.permissions import Permission, authorize
from models.show import VenueTaken
from models.values import Caller, ShownEvent
from schemas.event_schema import (
    CancelPreviewSchema,
    CancelSchema,
    DryRunParameters,
    EditEventSchema,
    EventFilters,
    EventInputSchema,
    EventSchema,
    MyEventFilters,
)
from services import event_life_service, event_service, moderation_service
from services.moderation_service import ModerationOff, NotApproved
from services.verification_service import OrganiserNotVerified
from utils.http import Blueprint, answer, if_match, refuses

events_bp = Blueprint("events", __name__, url_prefix="/events", description=__doc__)


@events_bp.get("/")
@events_bp.page(EventSchema(), filters=EventFilters(), read=event_service.read)
@for_caller(Permission.CATALOGUE_READ)
def list_events(wanted: dict[str, Any], caller: Caller) -> Select[int]:
    """Published events, by their next show; in another state with `status`."""
    return event_service.search(caller, wanted)


@events_bp.get("/mine")
@events_bp.page(EventSchema(), filters=MyEventFilters(), read=event_service.read)
@for_caller(Permission.SALES_READ)
def list_my_events(wanted: dict[str, Any], caller: Caller) -> Select[int]:
    """The events of the organisers that you work for, in every state."""
    return event_service.mine(caller, wanted)


@events_bp.post("/")
@events_bp.arguments(EventInputSchema())
@events_bp.response(201, EventSchema(), location="/events/{o.id}")
@for_caller(Permission.EVENT_EDIT)
def create_event(facts: dict[str, Any], caller: Caller) -> Event:
    """Draft an event; nobody else sees it before it is published."""
    return event_service.create(caller, **facts)


@events_bp.get("/<id:event_id>")
@events_bp.response(200, EventSchema())
@for_caller(Permission.CATALOGUE_READ)
def show_event(event_id: int, caller: Caller) -> ShownEvent:
    """One event."""
    return event_service.show(event_id, caller=caller)


@events_bp.patch("/<id:event_id>")
@events_bp.arguments(EditEventSchema(partial=True))
@events_bp.response(200, EventSchema())
@refuses(HasSales, OrganiserNotVerified)
@for_caller(Permission.EVENT_EDIT)
def edit_event(changes: dict[str, Any], event_id: int, caller: Caller) -> Event:
    """Change what you name; title, artist and age limit stay once places are sold.

    Before that, while events are moderated, another title, artist or age limit waits for an
    approval, out of the public's sight.
    """
    event = _editable(event_id, caller)
    return event_service.edit(if_match(event), changes, caller=caller)


@events_bp.put("/<id:event_id>")
@events_bp.arguments(EventInputSchema())
@events_bp.response(200, EventSchema())
@refuses(HasSales, OrganiserNotVerified)
@for_caller(Permission.EVENT_EDIT)
def replace_event(facts: dict[str, Any], event_id: int, caller: Caller) -> Event:
    """Set everything; what you leave out goes back to its default."""
    event = _editable(event_id, caller)
    return event_service.edit(if_match(event), facts, caller=caller)


@events_bp.delete("/<id:event_id>")
@events_bp.query(DryRunParameters())
@events_bp.response(200, EventSchema(), or_else=CancelPreviewSchema())
@refuses(EventMovedOn)
@for_caller(Permission.EVENT_EDIT)
def delete_event(wanted: dict[str, Any], event_id: int, caller: Caller) -> Event | Response:
    """Cancel an event with its shows and bookings; `dry_run` says what that would end."""
    event = _editable(event_id, caller)
    if wanted["dry_run"]:
        return answer(PREVIEW, event_life_service.preview_cancel(event))
    return event_life_service.cancel(_held_to_version(event))


@events_bp.post("/<id:event_id>/submit")
@events_bp.response(200, EventSchema())
@refuses(ModerationOff, EventMovedOn, ModerationMovedOn, OrganiserNotVerified)
@for_caller(Permission.EVENT_EDIT)
def submit_event(event_id: int, caller: Caller) -> Event:
    """Ask for the approval that publishing needs while events are moderated."""
    return moderation_service.submit(_editable(event_id, caller))


@events_bp.post("/<id:event_id>/publish")
@events_bp.response(200, EventSchema())
@refuses(EventMovedOn, NothingToSell, VenueTaken, NotApproved, OrganiserNotVerified)
@for_caller(Permission.EVENT_EDIT)
def publish_event(event_id: int, caller: Caller) -> Event:
    """Announce an event and open its sale."""
    return event_life_service.publish(_editable(event_id, caller))


@events_bp.post("/<id:event_id>/unpublish")
@events_bp.response(200, EventSchema())
@refuses(EventMovedOn, HasSales)
@for_caller(Permission.EVENT_EDIT)
def unpublish_event(event_id: int, caller: Caller) -> Event:
    """Make an event a draft again, before anything is sold."""
    return event_life_service.unpublish(_editable(event_id, caller))


@events_bp.post("/<id:event_id>/cancel")
@events_bp.arguments(CancelSchema(), required=False)
@events_bp.response(200, EventSchema())
@refuses(EventMovedOn)
@for_caller(Permission.EVENT_EDIT)
def cancel_event(wanted: dict[str, Any], event_id: int, caller: Caller) -> Event:
    """Cancel an event with its shows and bookings, and say why."""
    return event_life_service.cancel(_editable(event_id, caller), **wanted)


@events_bp.post("/<id:event_id>/complete")
@events_bp.response(200, EventSchema())
@refuses(EventMovedOn, ShowsToCome)
@for_caller(Permission.EVENT_EDIT)
def complete_event(event_id: int, caller: Caller) -> Event:
    """Close the book on an event whose shows are all over."""
    return event_life_service.complete(_editable(event_id, caller))


def _editable(event_id: int, caller: Caller) -> Event:
    event = event_service.find(event_id, caller=caller)
    authorize(caller, Permission.EVENT_EDIT, event)
    return event


def _held_to_version(event: Event) -> Event:
    """A repeated DELETE gets its answer again, whatever version it names."""
    return event if event.status == EventStatus.CANCELLED else if_match(event)


PREVIEW = CancelPreviewSchema()
