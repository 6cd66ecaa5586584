"""/seats: the numbered places of a show."""

from typing import Any

from sqlalchemy import Select

from controllers.callers import for_caller
from models import Place
from models.permissions import Permission
from models.values import Caller
from schemas.seat_schema import OfferedSeatSchema, SeatFilters, SeatOfShowFilters, SeatSchema
from services import seat_service, show_service
from services.seat_service import Seat
from utils.errors import NotFound
from utils.http import Blueprint, refuses

seats_bp = Blueprint("seats", __name__, description=__doc__)


@seats_bp.get("/shows/<id:show_id>/seats")
@seats_bp.page(SeatSchema(), filters=SeatFilters())
@for_caller(Permission.CATALOGUE_READ)
def list_seats_of_show(wanted: dict[str, Any], show_id: int, caller: Caller) -> Select[Place]:
    """A show's seats, in the order of its map."""
    show = show_service.find(show_id, caller=caller)
    return seat_service.of_show(show, wanted, caller=caller)


@seats_bp.get("/seats")
@seats_bp.page(SeatSchema(), filters=SeatOfShowFilters())
@refuses(NotFound)
@for_caller(Permission.CATALOGUE_READ)
def list_seats(wanted: dict[str, Any], caller: Caller) -> Select[Place]:
    """The seats of the show that you name, in the order of its map."""
    show = show_service.find(wanted["show_id"], caller=caller)
    return seat_service.of_show(show, wanted, caller=caller)


@seats_bp.get("/seats/<id:place_id>")
@seats_bp.response(200, OfferedSeatSchema())
@for_caller(Permission.CATALOGUE_READ)
def show_seat(place_id: int, caller: Caller) -> Seat:
    """One seat, and the tiers that sell it."""
    return seat_service.find(place_id, caller=caller)
