"""/venues: halls, and how they are laid out."""

from typing import Any

from sqlalchemy import Select

from controllers.callers import for_caller
from models import Venue
from models.booking import HasSales
from models.permissions import Permission, authorize
from models.values import Caller
from models.venue import CapacityInUse
from schemas.venue_schema import EditVenueSchema, VenueFilters, VenueInputSchema, VenueSchema
from services import venue_service
from utils.http import Blueprint, if_match, refuses

venues_bp = Blueprint("venues", __name__, url_prefix="/venues", description=__doc__)


@venues_bp.get("/")
@venues_bp.page(VenueSchema(), filters=VenueFilters())
@for_caller(Permission.CATALOGUE_READ)
def list_venues(wanted: dict[str, Any], caller: Caller) -> Select[Venue]:
    """Venues, by name."""
    return venue_service.search(caller, wanted)


@venues_bp.post("/")
@venues_bp.arguments(VenueInputSchema())
@venues_bp.response(201, VenueSchema(), location="/venues/{o.id}")
@for_caller(Permission.VENUE_EDIT)
def create_venue(facts: dict[str, Any], caller: Caller) -> Venue:
    """Add a hall of your organiser's; an admin's belongs to everyone."""
    return venue_service.create(caller, **facts)


@venues_bp.get("/<id:venue_id>")
@venues_bp.response(200, VenueSchema())
@for_caller(Permission.CATALOGUE_READ)
def show_venue(venue_id: int, caller: Caller) -> Venue:
    """One venue."""
    return venue_service.find(venue_id, caller=caller)


@venues_bp.patch("/<id:venue_id>")
@venues_bp.arguments(EditVenueSchema(partial=True))
@venues_bp.response(200, VenueSchema())
@refuses(CapacityInUse)
@for_caller(Permission.VENUE_EDIT)
def edit_venue(changes: dict[str, Any], venue_id: int, caller: Caller) -> Venue:
    """Change what you name; new sections are for shows to come."""
    venue = venue_service.find(venue_id, caller=caller)
    authorize(caller, Permission.VENUE_EDIT, venue)
    return venue_service.edit(if_match(venue), changes, caller=caller)


@venues_bp.put("/<id:venue_id>")
@venues_bp.arguments(VenueInputSchema())
@venues_bp.response(200, VenueSchema())
@refuses(CapacityInUse)
@for_caller(Permission.VENUE_EDIT)
def replace_venue(facts: dict[str, Any], venue_id: int, caller: Caller) -> Venue:
    """Set everything; what you leave out goes back to its default, the map apart."""
    venue = venue_service.find(venue_id, caller=caller)
    authorize(caller, Permission.VENUE_EDIT, venue)
    return venue_service.edit(if_match(venue), facts, caller=caller)


@venues_bp.delete("/<id:venue_id>")
@venues_bp.response(204, versioned=True)
@refuses(HasSales)
@for_caller(Permission.VENUE_EDIT)
def delete_venue(venue_id: int, caller: Caller) -> None:
    """Delete a hall; its shows to come are "To Be Announced" from then on."""
    if venue_service.is_gone(venue_id, caller=caller):
        return
    venue = venue_service.find(venue_id, caller=caller)
    authorize(caller, Permission.VENUE_EDIT, venue)
    venue_service.delete(if_match(venue))
