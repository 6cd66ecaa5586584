"""/moderation: what waits for an admin, and what the admin says to it."""

from typing import Any

from sqlalchemy import Select

from controllers.callers import for_caller
from models import Event, Organiser
from models.booking import HasSales
from models.event import EventMovedOn, ModerationMovedOn
from models.organiser import VerificationMovedOn
from models.permissions import Permission, authorize
from models.values import Caller
from schemas.event_schema import (
    EventSchema,
    ModeratedEventSchema,
    ModerationFilters,
    RejectSchema,
)
from schemas.organiser_schema import (
    RefuseSchema,
    VerificationFilters,
    VerificationSchema,
)
from services import event_service, moderation_service, organiser_service, verification_service
from services.moderation_service import ModerationOff
from utils.http import Blueprint, if_match, refuses

moderation_bp = Blueprint("moderation", __name__, description=__doc__)


@moderation_bp.get("/moderation/events")
@moderation_bp.page(ModeratedEventSchema(), filters=ModerationFilters(), read=event_service.read)
@for_caller(Permission.EVENT_MODERATE)
def list_moderated_events(wanted: dict[str, Any], caller: Caller) -> Select[int]:
    """The events that wait for an approval, the longest first; in another state on request."""
    authorize(caller, Permission.EVENT_MODERATE)
    return moderation_service.search(wanted)


@moderation_bp.post("/events/<id:event_id>/approve")
@moderation_bp.response(200, EventSchema(), conditional=True)
@refuses(EventMovedOn, ModerationMovedOn)
@for_caller(Permission.EVENT_MODERATE)
def approve_event(event_id: int, caller: Caller) -> Event:
    """Let an event be public; with If-Match, only as you read it."""
    return moderation_service.approve(if_match(_moderated(event_id, caller)))


@moderation_bp.post("/events/<id:event_id>/reject")
@moderation_bp.arguments(RejectSchema())
@moderation_bp.response(200, EventSchema(), conditional=True)
@refuses(ModerationOff, EventMovedOn, ModerationMovedOn, HasSales)
@for_caller(Permission.EVENT_MODERATE)
def reject_event(wanted: dict[str, Any], event_id: int, caller: Caller) -> Event:
    """Keep an event from the public, or before its first sale take it away, and say why."""
    return moderation_service.reject(if_match(_moderated(event_id, caller)), **wanted)


@moderation_bp.get("/moderation/organisers")
@moderation_bp.page(VerificationSchema(), filters=VerificationFilters())
@for_caller(Permission.ORGANISER_VERIFY)
def list_applications(wanted: dict[str, Any], caller: Caller) -> Select[Organiser]:
    """The organisers that have applied, the longest ago first; in another state on request."""
    authorize(caller, Permission.ORGANISER_VERIFY)
    return verification_service.search(wanted)


@moderation_bp.post("/organisers/<id:organiser_id>/verify")
@moderation_bp.response(200, VerificationSchema(), conditional=True)
@refuses(VerificationMovedOn)
@for_caller(Permission.ORGANISER_VERIFY)
def verify_organiser(organiser_id: int, caller: Caller) -> Organiser:
    """Say that an organiser is who it says."""
    return verification_service.verify(_looked_at(organiser_id, caller))


@moderation_bp.post("/organisers/<id:organiser_id>/refuse")
@moderation_bp.arguments(RefuseSchema())
@moderation_bp.response(200, VerificationSchema(), conditional=True)
@refuses(VerificationMovedOn)
@for_caller(Permission.ORGANISER_VERIFY)
def refuse_organiser(wanted: dict[str, Any], organiser_id: int, caller: Caller) -> Organiser:
    """Refuse an application, or take a verification back, and say why."""
    return verification_service.refuse(_looked_at(organiser_id, caller), **wanted)


def _moderated(event_id: int, caller: Caller) -> Event:
    event = event_service.find(event_id, caller=caller)
    authorize(caller, Permission.EVENT_MODERATE, event)
    return event


def _looked_at(organiser_id: int, caller: Caller) -> Organiser:
    organiser = organiser_service.find(organiser_id, caller=caller)
    authorize(caller, Permission.ORGANISER_VERIFY, organiser)
    return if_match(organiser)
