"""/shows: events on a date at a venue."""

from typing import Any

from flask import Response
from sqlalchemy import Select

from controllers.callers import for_caller
from models import Show, ShowStatus
from models.booking import HasSales
from models.event import EventMovedOn
from models.permissions import Permission, authorize
from models.show import HasPrices, ShowCancelled, ShowMovedOn, VenueTaken
from models.values import Caller
from models.venue import CapacityInUse
from schemas.event_schema import CancelPreviewSchema, DryRunParameters
from schemas.show_schema import (
    CopyShowSchema,
    EditedShowSchema,
    EditShowSchema,
    NewShowSchema,
    ReplaceShowSchema,
    RescheduleSchema,
    ShowFilters,
    ShowSchema,
)
from services import event_service, show_edit_service, show_life_service, show_service
from services.show_map_service import MapDoesNotFit
from services.stock_room import CapacityExceeded
from utils.http import Blueprint, answer, if_match, refuses

shows_bp = Blueprint("shows", __name__, url_prefix="/shows", description=__doc__)
EDITS_REFUSED = (
    HasSales,
    HasPrices,
    ShowCancelled,
    ShowMovedOn,
    VenueTaken,
    CapacityInUse,
    CapacityExceeded,
    MapDoesNotFit,
)


@shows_bp.get("/")
@shows_bp.page(ShowSchema(), filters=ShowFilters())
@for_caller(Permission.CATALOGUE_READ)
def list_shows(wanted: dict[str, Any], caller: Caller) -> Select[Show]:
    """Shows that take place, by date; in another state with `status`."""
    return show_service.search(caller, wanted)


@shows_bp.post("/")
@shows_bp.arguments(NewShowSchema())
@shows_bp.response(201, EditedShowSchema(), location="/shows/{o.id}")
@refuses(EventMovedOn, VenueTaken)
@for_caller(Permission.SHOW_EDIT)
def create_show(facts: dict[str, Any], caller: Caller) -> Show:
    """Put an event on; its price list is copied, and `warnings` say what is in the way."""
    event = event_service.named(facts.pop("event_id"), caller=caller)
    authorize(caller, Permission.SHOW_EDIT, event)
    return show_edit_service.create(event, caller=caller, **facts)


@shows_bp.get("/<id:show_id>")
@shows_bp.response(200, ShowSchema())
@for_caller(Permission.CATALOGUE_READ)
def show_show(show_id: int, caller: Caller) -> Show:
    """One show."""
    return show_service.find(show_id, caller=caller)


@shows_bp.patch("/<id:show_id>")
@shows_bp.arguments(EditShowSchema(partial=True))
@shows_bp.response(200, EditedShowSchema())
@refuses(*EDITS_REFUSED)
@for_caller(Permission.SHOW_EDIT)
def edit_show(changes: dict[str, Any], show_id: int, caller: Caller) -> Show:
    """Change what you name, as far as nobody has bought anything else."""
    show = _editable(show_id, caller)
    return show_edit_service.edit(if_match(show), changes, caller=caller)


@shows_bp.put("/<id:show_id>")
@shows_bp.arguments(ReplaceShowSchema())
@shows_bp.response(200, EditedShowSchema())
@refuses(*EDITS_REFUSED)
@for_caller(Permission.SHOW_EDIT)
def replace_show(facts: dict[str, Any], show_id: int, caller: Caller) -> Show:
    """Set everything; what you leave out goes back to its default."""
    show = _editable(show_id, caller)
    return show_edit_service.edit(if_match(show), facts, caller=caller)


@shows_bp.delete("/<id:show_id>")
@shows_bp.query(DryRunParameters())
@shows_bp.response(200, ShowSchema(), or_else=CancelPreviewSchema())
@refuses(EventMovedOn)
@for_caller(Permission.SHOW_EDIT)
def delete_show(wanted: dict[str, Any], show_id: int, caller: Caller) -> Show | Response:
    """Cancel a show with its bookings; `dry_run` says what that would end."""
    show = _editable(show_id, caller)
    if wanted["dry_run"]:
        return answer(PREVIEW, show_life_service.preview_cancel(show))
    return show_life_service.cancel(_held_to_version(show))


@shows_bp.post("/<id:show_id>/postpone")
@shows_bp.response(200, ShowSchema())
@refuses(EventMovedOn, ShowCancelled, ShowMovedOn)
@for_caller(Permission.SHOW_EDIT)
def postpone_show(show_id: int, caller: Caller) -> Show:
    """Take the date away for now; bookings stay, the sale stops."""
    return show_life_service.postpone(_editable(show_id, caller))


@shows_bp.post("/<id:show_id>/reschedule")
@shows_bp.arguments(RescheduleSchema())
@shows_bp.response(200, EditedShowSchema())
@refuses(EventMovedOn, ShowCancelled, VenueTaken, HasSales, CapacityInUse)
@for_caller(Permission.SHOW_EDIT)
def reschedule_show(wanted: dict[str, Any], show_id: int, caller: Caller) -> Show:
    """Set a new date, and perhaps another venue; bookings stay."""
    return show_life_service.reschedule(_editable(show_id, caller), caller=caller, **wanted)


@shows_bp.post("/<id:show_id>/pause")
@shows_bp.response(200, ShowSchema())
@refuses(ShowCancelled)
@for_caller(Permission.SHOW_EDIT)
def pause_show(show_id: int, caller: Caller) -> Show:
    """Stop the sale for the moment."""
    return show_life_service.pause(_editable(show_id, caller))


@shows_bp.post("/<id:show_id>/resume")
@shows_bp.response(200, ShowSchema())
@refuses(ShowCancelled)
@for_caller(Permission.SHOW_EDIT)
def resume_show(show_id: int, caller: Caller) -> Show:
    """Let the sale go on."""
    return show_life_service.resume(_editable(show_id, caller))


@shows_bp.post("/<id:show_id>/copy")
@shows_bp.arguments(CopyShowSchema())
@shows_bp.response(201, EditedShowSchema(), location="/shows/{o.id}")
@refuses(EventMovedOn, VenueTaken)
@for_caller(Permission.SHOW_EDIT)
def copy_show(wanted: dict[str, Any], show_id: int, caller: Caller) -> Show:
    """A second night: the same place, currency and offer at another time."""
    return show_edit_service.copy(_editable(show_id, caller), **wanted)


def _editable(show_id: int, caller: Caller) -> Show:
    show = show_service.find(show_id, caller=caller)
    authorize(caller, Permission.SHOW_EDIT, show)
    return show


def _held_to_version(show: Show) -> Show:
    """A repeated DELETE gets its answer again, whatever version it names."""
    return show if show.status == ShowStatus.CANCELLED else if_match(show)


PREVIEW = CancelPreviewSchema()
