"""/relocations: shows on their way to another hall, with all that they have sold."""

from typing import Any

from flask import Response
from sqlalchemy import Select

from controllers.callers import for_caller
from models import Relocation, RelocationMove, Show
from models.event import EventMovedOn
from models.permissions import Permission, authorize
from models.relocation import RelocationMovedOn
from models.show import ShowCancelled, ShowMovedOn, VenueTaken
from models.values import Caller
from schemas.event_schema import DryRunParameters
from schemas.relocation_schema import (
    MoveSchema,
    RelocateSchema,
    RelocationPreviewSchema,
    RelocationSchema,
)
from services import relocation_reading, relocation_service, show_service
from services.relocation_service import AlreadyThere, CannotBePlaced
from services.stock_room import CapacityExceeded
from utils.errors import Forbidden, Invalid
from utils.http import Blueprint, answer, refuses

relocations_bp = Blueprint("relocations", __name__, description=__doc__)
NOT_TO_BE_MOVED = (
    CannotBePlaced,
    CapacityExceeded,
    VenueTaken,
    ShowCancelled,
    ShowMovedOn,
    EventMovedOn,
)


@relocations_bp.post("/shows/<id:show_id>/relocate")
@relocations_bp.arguments(RelocateSchema())
@relocations_bp.query(DryRunParameters())
@relocations_bp.response(
    200, RelocationSchema(), location="/relocations/{o.id}", or_else=RelocationPreviewSchema()
)
@refuses(*NOT_TO_BE_MOVED, AlreadyThere, RelocationMovedOn, Forbidden)
@for_caller(Permission.SHOW_EDIT)
def relocate_show(
    facts: dict[str, Any], wanted: dict[str, Any], show_id: int, caller: Caller
) -> Relocation | Response:
    """Move what a show has sold to another version of a seat map, or to another venue.

    Everybody moves at once, or nobody: parties stay together as far as there is room, and keep
    their stocks, prices and tickets. `dry_run` says who would go where. May be repeated, also when
    the answer was lost, and then goes on where it stopped.
    """
    show = _editable(show_id, caller)
    if wanted["dry_run"]:
        return answer(PREVIEW, relocation_service.preview(show, facts, caller=caller))
    return relocation_service.relocate(show, facts, caller=caller)


@relocations_bp.get("/shows/<id:show_id>/relocations")
@relocations_bp.page(RelocationSchema())
@for_caller(Permission.SHOW_EDIT)
def list_relocations(show_id: int, caller: Caller) -> Select[Relocation]:
    """A show's relocations, newest first."""
    return relocation_reading.of_show(_editable(show_id, caller), caller=caller)


@relocations_bp.get("/relocations/<id:relocation_id>")
@relocations_bp.response(200, RelocationSchema())
@for_caller(Permission.SHOW_EDIT)
def show_relocation(relocation_id: int, caller: Caller) -> Relocation:
    """One relocation: how far it is, and what becomes of how many."""
    return _mine(relocation_id, caller)


@relocations_bp.get("/relocations/<id:relocation_id>/moves")
@relocations_bp.page(MoveSchema(), endless=True)
@for_caller(Permission.SHOW_EDIT)
def list_moves(relocation_id: int, caller: Caller) -> Select[RelocationMove]:
    """Who goes where: the parties whose seats are called otherwise from then on."""
    return relocation_reading.moves_of(_mine(relocation_id, caller))


@relocations_bp.post("/relocations/<id:relocation_id>/apply")
@relocations_bp.response(200, RelocationSchema())
@refuses(*NOT_TO_BE_MOVED, RelocationMovedOn, Invalid, Forbidden)
@for_caller(Permission.SHOW_EDIT)
def apply_relocation(relocation_id: int, caller: Caller) -> Relocation:
    """Go on with a relocation that was planned and not done; may be repeated."""
    return relocation_service.apply(_mine(relocation_id, caller), caller=caller)


def _editable(show_id: int, caller: Caller) -> Show:
    show = show_service.find(show_id, caller=caller)
    authorize(caller, Permission.SHOW_EDIT, show)
    return show


def _mine(relocation_id: int, caller: Caller) -> Relocation:
    relocation = relocation_reading.find(relocation_id, caller=caller)
    authorize(caller, Permission.SHOW_EDIT, relocation)
    return relocation


PREVIEW = RelocationPreviewSchema()
