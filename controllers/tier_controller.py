"""/tiers: what is on offer at a show, and an event's price list, which new shows copy."""

from typing import Any

from sqlalchemy import Select

from controllers.callers import for_caller
from models import Tier
from models.permissions import Permission, authorize
from models.values import Caller
from models.venue import CapacityInUse
from schemas.tier_schema import EditTierSchema, TierInputSchema, TierSchema
from services import event_service, show_service, tier_service
from services.stock_room import CapacityExceeded
from services.stock_seats import SeatInStock
from services.stock_service import NameTaken
from services.tier_places import StockShared
from utils.http import Blueprint, if_match, refuses

tiers_bp = Blueprint("tiers", __name__, description=__doc__)


@tiers_bp.get("/events/<id:event_id>/tiers")
@tiers_bp.page(TierSchema())
@for_caller(Permission.CATALOGUE_READ)
def list_price_list(event_id: int, caller: Caller) -> Select[Tier]:
    """An event's price list, in its order."""
    return tier_service.of_event(event_service.find(event_id, caller=caller), caller=caller)


@tiers_bp.post("/events/<id:event_id>/tiers")
@tiers_bp.arguments(TierInputSchema())
@tiers_bp.response(201, TierSchema(), location="/tiers/{o.id}")
@refuses(NameTaken)
@for_caller(Permission.EVENT_EDIT)
def plan_tier(facts: dict[str, Any], event_id: int, caller: Caller) -> Tier:
    """Add a tier to an event's price list; prices may be in several currencies."""
    event = event_service.find(event_id, caller=caller)
    authorize(caller, Permission.EVENT_EDIT, event)
    return tier_service.plan(event, facts)


@tiers_bp.get("/shows/<id:show_id>/tiers")
@tiers_bp.page(TierSchema())
@for_caller(Permission.CATALOGUE_READ)
def list_tiers(show_id: int, caller: Caller) -> Select[Tier]:
    """What a show offers, in its order."""
    return tier_service.of_show(show_service.find(show_id, caller=caller), caller=caller)


@tiers_bp.post("/shows/<id:show_id>/tiers")
@tiers_bp.arguments(TierInputSchema())
@tiers_bp.response(201, TierSchema(), location="/tiers/{o.id}")
@refuses(CapacityExceeded, NameTaken, SeatInStock)
@for_caller(Permission.SHOW_EDIT)
def create_tier(facts: dict[str, Any], show_id: int, caller: Caller) -> Tier:
    """Offer places at a show: of a section, with a stock made for it, or from stocks you name."""
    show = show_service.find(show_id, caller=caller)
    authorize(caller, Permission.SHOW_EDIT, show)
    return tier_service.create(show, facts)


@tiers_bp.get("/tiers/<id:tier_id>")
@tiers_bp.response(200, TierSchema())
@for_caller(Permission.CATALOGUE_READ)
def show_tier(tier_id: int, caller: Caller) -> Tier:
    """One tier with its prices."""
    return tier_service.find(tier_id, caller=caller)


@tiers_bp.patch("/tiers/<id:tier_id>")
@tiers_bp.arguments(EditTierSchema(partial=True))
@tiers_bp.response(200, TierSchema())
@refuses(CapacityExceeded, CapacityInUse, NameTaken, SeatInStock, StockShared)
@for_caller(Permission.SHOW_EDIT)
def edit_tier(changes: dict[str, Any], tier_id: int, caller: Caller) -> Tier:
    """Change what you name; what is held keeps the price it was held at."""
    tier = tier_service.find(tier_id, caller=caller)
    authorize(caller, Permission.SHOW_EDIT, tier)
    return tier_service.edit(if_match(tier), changes)


@tiers_bp.put("/tiers/<id:tier_id>")
@tiers_bp.arguments(TierInputSchema())
@tiers_bp.response(200, TierSchema())
@refuses(CapacityExceeded, CapacityInUse, NameTaken, SeatInStock, StockShared)
@for_caller(Permission.SHOW_EDIT)
def replace_tier(facts: dict[str, Any], tier_id: int, caller: Caller) -> Tier:
    """Set everything; what you leave out goes back to its default, the places apart."""
    tier = tier_service.find(tier_id, caller=caller)
    authorize(caller, Permission.SHOW_EDIT, tier)
    return tier_service.edit(if_match(tier), facts)


@tiers_bp.delete("/tiers/<id:tier_id>")
@tiers_bp.response(204, versioned=True)
@for_caller(Permission.SHOW_EDIT)
def delete_tier(tier_id: int, caller: Caller) -> None:
    """Take a tier off sale for good; its stocks stay, and so does what it sold."""
    if tier_service.is_gone(tier_id, caller=caller):
        return
    tier = tier_service.find(tier_id, caller=caller)
    authorize(caller, Permission.SHOW_EDIT, tier)
    tier_service.delete(if_match(tier))
