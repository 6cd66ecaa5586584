"""How many places are left, and whether they can be bought now."""

from controllers.callers import for_caller
from models.permissions import Permission
from models.values import Caller
from schemas.availability_schema import ShowAvailabilitySchema, TierAvailabilitySchema
from services import availability_service, tier_service
from services.availability_service import ShowAvailability, TierAvailability
from utils.http import Blueprint

availability_bp = Blueprint("availability", __name__, description=__doc__)


@availability_bp.get("/shows/<id:show_id>/availability")
@availability_bp.response(200, ShowAvailabilitySchema())
@for_caller(Permission.CATALOGUE_READ)
def show_availability(show_id: int, caller: Caller) -> ShowAvailability:
    """What can be bought at a show, as a whole and tier by tier."""
    return availability_service.of_show(show_id, caller=caller)


@availability_bp.get("/tiers/<id:tier_id>/availability")
@availability_bp.response(200, TierAvailabilitySchema())
@for_caller(Permission.CATALOGUE_READ)
def show_tier_availability(tier_id: int, caller: Caller) -> TierAvailability:
    """What can be bought of one tier of a show."""
    return availability_service.of_tier(tier_service.find(tier_id, caller=caller), caller=caller)
