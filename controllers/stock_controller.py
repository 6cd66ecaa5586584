"""/stocks: named pools of a show's places, and limits of its sections, for those who run it."""

from typing import Any

from sqlalchemy import Select

from controllers.callers import for_caller
from models import Stock
from models.permissions import Permission, authorize
from models.values import Caller
from models.venue import CapacityInUse
from schemas.section_limit_schema import SectionLimitsSchema, SetSectionLimitsSchema
from schemas.stock_schema import (
    EditStockSchema,
    ReleaseStockSchema,
    StockInputSchema,
    StockSchema,
)
from services import section_limit_service, stock_release, stock_service
from services.section_limit_service import SectionLimits
from services.stock_room import CapacityExceeded
from services.stock_seats import SeatInStock
from services.stock_service import NameTaken
from utils.http import Blueprint, if_match, refuses

stocks_bp = Blueprint("stocks", __name__, description=__doc__)


@stocks_bp.get("/shows/<id:show_id>/stocks")
@stocks_bp.page(StockSchema())
@for_caller(Permission.STOCK_READ)
def list_stocks(show_id: int, caller: Caller) -> Select[Stock]:
    """A show's stocks, oldest first."""
    return stock_service.of_show(stock_service.find_show(show_id, caller=caller))


@stocks_bp.post("/shows/<id:show_id>/stocks")
@stocks_bp.arguments(StockInputSchema())
@stocks_bp.response(201, StockSchema(), location="/stocks/{o.id}")
@refuses(CapacityExceeded, CapacityInUse, SeatInStock, NameTaken)
@for_caller(Permission.STOCK_EDIT)
def create_stock(facts: dict[str, Any], show_id: int, caller: Caller) -> Stock:
    """Put places of a section into a pool of their own, or `take` them from other pools."""
    show = stock_service.find_show(show_id, caller=caller)
    authorize(caller, Permission.STOCK_EDIT, show)
    return stock_service.create(show, facts)


@stocks_bp.get("/shows/<id:show_id>/section_limits")
@stocks_bp.response(200, SectionLimitsSchema())
@for_caller(Permission.STOCK_READ)
def show_section_limits(show_id: int, caller: Caller) -> SectionLimits:
    """How many places of its sections a show sells at most, where that is less than all."""
    return section_limit_service.of_show(stock_service.find_show(show_id, caller=caller))


@stocks_bp.put("/shows/<id:show_id>/section_limits")
@stocks_bp.arguments(SetSectionLimitsSchema())
@stocks_bp.response(200, SectionLimitsSchema())
@for_caller(Permission.STOCK_EDIT)
def set_section_limits(wanted: dict[str, Any], show_id: int, caller: Caller) -> SectionLimits:
    """Say how many places of each section a show sells, and to one buyer; the rest is unlimited."""
    show = stock_service.find_show(show_id, caller=caller)
    authorize(caller, Permission.STOCK_EDIT, show)
    return section_limit_service.replace(if_match(show), wanted["items"])


@stocks_bp.get("/stocks/<id:stock_id>")
@stocks_bp.response(200, StockSchema())
@for_caller(Permission.STOCK_READ)
def show_stock(stock_id: int, caller: Caller) -> Stock:
    """One stock, and where its places are."""
    return stock_service.find(stock_id, caller=caller)


@stocks_bp.patch("/stocks/<id:stock_id>")
@stocks_bp.arguments(EditStockSchema())
@stocks_bp.response(200, StockSchema())
@refuses(CapacityExceeded, CapacityInUse, SeatInStock, NameTaken)
@for_caller(Permission.STOCK_EDIT)
def edit_stock(changes: dict[str, Any], stock_id: int, caller: Caller) -> Stock:
    """Rename a stock, make it larger, or smaller down to what people have; take seats of others."""
    stock = stock_service.find(stock_id, caller=caller)
    authorize(caller, Permission.STOCK_EDIT, stock)
    return stock_service.edit(if_match(stock), changes)


@stocks_bp.delete("/stocks/<id:stock_id>")
@stocks_bp.response(204, versioned=True)
@refuses(CapacityInUse)
@for_caller(Permission.STOCK_EDIT)
def delete_stock(stock_id: int, caller: Caller) -> None:
    """Give a stock up, while nobody has a place of it."""
    if stock_service.is_gone(stock_id, caller=caller):
        return
    stock = stock_service.find(stock_id, caller=caller)
    authorize(caller, Permission.STOCK_EDIT, stock)
    stock_service.delete(if_match(stock))


@stocks_bp.post("/stocks/<id:stock_id>/release")
@stocks_bp.arguments(ReleaseStockSchema())
@stocks_bp.response(200, StockSchema(), conditional=True)
@refuses(CapacityInUse)
@for_caller(Permission.STOCK_EDIT)
def release_stock(wanted: dict[str, Any], stock_id: int, caller: Caller) -> Stock:
    """Let a tier sell house seats, too, from a time on; nobody need do anything then."""
    stock = stock_service.find(stock_id, caller=caller)
    authorize(caller, Permission.STOCK_EDIT, stock)
    return stock_release.release(if_match(stock), **wanted)


@stocks_bp.delete("/stocks/<id:stock_id>/release")
@stocks_bp.response(200, StockSchema())
@for_caller(Permission.STOCK_EDIT)
def take_back_stock(stock_id: int, caller: Caller) -> Stock:
    """Keep to the house what is left of a released stock; what is sold stays sold."""
    stock = stock_service.find(stock_id, caller=caller)
    authorize(caller, Permission.STOCK_EDIT, stock)
    return stock_release.take_back(if_match(stock))
