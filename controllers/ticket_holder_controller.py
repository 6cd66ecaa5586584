"""/ticket_holders: the people whom you, or your organiser, book for."""

from typing import Any

from sqlalchemy import Select

from controllers.callers import for_caller
from models import TicketHolder
from models.booking import HasSales
from models.permissions import Permission, authorize
from models.values import Caller
from schemas.ticket_holder_schema import (
    CreateTicketHolderSchema,
    EditTicketHolderSchema,
    ReplaceTicketHolderSchema,
    TicketHolderFilters,
    TicketHolderSchema,
)
from services import ticket_holder_service
from utils.http import Blueprint, if_match, refuses

ticket_holders_bp = Blueprint(
    "ticket_holders", __name__, url_prefix="/ticket_holders", description=__doc__
)


@ticket_holders_bp.get("/")
@ticket_holders_bp.page(TicketHolderSchema(), filters=TicketHolderFilters(), endless=True)
@for_caller(Permission.HOLDER_EDIT)
def list_ticket_holders(wanted: dict[str, Any], caller: Caller) -> Select[TicketHolder]:
    """Your ticket holders and those of organisers that you sell for, newest first."""
    return ticket_holder_service.search(caller, wanted)


@ticket_holders_bp.post("/")
@ticket_holders_bp.arguments(CreateTicketHolderSchema())
@ticket_holders_bp.response(201, TicketHolderSchema(), location="/ticket_holders/{o.id}")
@for_caller(Permission.HOLDER_EDIT)
def create_ticket_holder(person: dict[str, Any], caller: Caller) -> TicketHolder:
    """Write down a person to book for."""
    return ticket_holder_service.create(caller, **person)


@ticket_holders_bp.get("/<id:holder_id>")
@ticket_holders_bp.response(200, TicketHolderSchema())
@for_caller(Permission.HOLDER_EDIT)
def show_ticket_holder(holder_id: int, caller: Caller) -> TicketHolder:
    """One ticket holder."""
    return ticket_holder_service.find(holder_id, caller=caller)


@ticket_holders_bp.patch("/<id:holder_id>")
@ticket_holders_bp.arguments(EditTicketHolderSchema())
@ticket_holders_bp.response(200, TicketHolderSchema())
@for_caller(Permission.HOLDER_EDIT)
def edit_ticket_holder(changes: dict[str, Any], holder_id: int, caller: Caller) -> TicketHolder:
    """Change what you name."""
    holder = ticket_holder_service.find(holder_id, caller=caller)
    authorize(caller, Permission.HOLDER_EDIT, holder)
    return ticket_holder_service.edit(if_match(holder), changes)


@ticket_holders_bp.put("/<id:holder_id>")
@ticket_holders_bp.arguments(ReplaceTicketHolderSchema())
@ticket_holders_bp.response(200, TicketHolderSchema())
@for_caller(Permission.HOLDER_EDIT)
def replace_ticket_holder(changes: dict[str, Any], holder_id: int, caller: Caller) -> TicketHolder:
    """Write the whole person; what you leave out is emptied."""
    holder = ticket_holder_service.find(holder_id, caller=caller)
    authorize(caller, Permission.HOLDER_EDIT, holder)
    return ticket_holder_service.edit(if_match(holder), changes)


@ticket_holders_bp.delete("/<id:holder_id>")
@ticket_holders_bp.response(204)
@refuses(HasSales)
@for_caller(Permission.HOLDER_EDIT)
def delete_ticket_holder(holder_id: int, caller: Caller) -> None:
    """Forget a person who has nothing booked; may be repeated."""
    ticket_holder_service.delete(holder_id, caller=caller)
