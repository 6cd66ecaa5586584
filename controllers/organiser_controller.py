"""/organisers: who puts events on, and who works for them."""

from typing import Any

from sqlalchemy import Select

from controllers.callers import for_caller
from models import MemberRole, Organiser, OrganiserMember
from models.booking import HasSales
from models.organiser import VerificationMovedOn
from models.permissions import Permission, authorize
from models.values import Caller
from schemas.organiser_schema import (
    AddMemberSchema,
    ApplySchema,
    EditMemberSchema,
    EditOrganiserSchema,
    MemberSchema,
    OrganiserFilters,
    OrganiserInputSchema,
    OrganiserSchema,
    VerificationSchema,
)
from services import member_service, organiser_service, verification_service
from services.member_service import AlreadyMember, InviteInstead, LastOwner
from utils.http import Blueprint, if_match, refuses

organisers_bp = Blueprint("organisers", __name__, url_prefix="/organisers", description=__doc__)


@organisers_bp.get("/")
@organisers_bp.page(OrganiserSchema(), filters=OrganiserFilters())
@for_caller(Permission.CATALOGUE_READ)
def list_organisers(wanted: dict[str, Any], caller: Caller) -> Select[Organiser]:
    """Organisers, by name."""
    return organiser_service.search(caller, wanted)


@organisers_bp.post("/")
@organisers_bp.arguments(OrganiserInputSchema())
@organisers_bp.response(201, OrganiserSchema(), location="/organisers/{o.id}")
@for_caller(Permission.ORGANISER_CREATE)
def create_organiser(facts: dict[str, Any], caller: Caller) -> Organiser:
    """Found an organiser; you are its first owner."""
    authorize(caller, Permission.ORGANISER_CREATE)
    return organiser_service.create(caller, **facts)


@organisers_bp.get("/<id:organiser_id>")
@organisers_bp.response(200, OrganiserSchema())
@for_caller(Permission.CATALOGUE_READ)
def show_organiser(organiser_id: int, caller: Caller) -> Organiser:
    """One organiser."""
    return organiser_service.find(organiser_id, caller=caller)


@organisers_bp.patch("/<id:organiser_id>")
@organisers_bp.arguments(EditOrganiserSchema(partial=True))
@organisers_bp.response(200, OrganiserSchema())
@for_caller(Permission.ORGANISER_EDIT)
def edit_organiser(changes: dict[str, Any], organiser_id: int, caller: Caller) -> Organiser:
    """Change what you name; under another name, you are verified again."""
    organiser = organiser_service.find(organiser_id, caller=caller)
    authorize(caller, Permission.ORGANISER_EDIT, organiser)
    return organiser_service.edit(if_match(organiser), changes, caller=caller)


@organisers_bp.put("/<id:organiser_id>")
@organisers_bp.arguments(OrganiserInputSchema())
@organisers_bp.response(200, OrganiserSchema())
@for_caller(Permission.ORGANISER_EDIT)
def replace_organiser(facts: dict[str, Any], organiser_id: int, caller: Caller) -> Organiser:
    """Set everything; what you leave out goes back to its default."""
    organiser = organiser_service.find(organiser_id, caller=caller)
    authorize(caller, Permission.ORGANISER_EDIT, organiser)
    return organiser_service.edit(if_match(organiser), facts, caller=caller)


@organisers_bp.delete("/<id:organiser_id>")
@organisers_bp.response(204, versioned=True)
@refuses(HasSales)
@for_caller(Permission.ORGANISER_DELETE)
def delete_organiser(organiser_id: int, caller: Caller) -> None:
    """Delete an organiser; what it put on is "To Be Determined" from then on."""
    if organiser_service.is_gone(organiser_id, caller=caller):
        return
    organiser = organiser_service.find(organiser_id, caller=caller)
    authorize(caller, Permission.ORGANISER_DELETE, organiser)
    organiser_service.delete(if_match(organiser))


@organisers_bp.get("/<id:organiser_id>/verification")
@organisers_bp.response(200, VerificationSchema())
@for_caller(Permission.MEMBER_READ)
def show_verification(organiser_id: int, caller: Caller) -> Organiser:
    """How far an organiser's verification is, and why it was refused."""
    organiser = organiser_service.find(organiser_id, caller=caller)
    authorize(caller, Permission.MEMBER_READ, organiser)
    return organiser


@organisers_bp.post("/<id:organiser_id>/apply")
@organisers_bp.arguments(ApplySchema(), required=False)
@organisers_bp.response(200, VerificationSchema())
@refuses(VerificationMovedOn)
@for_caller(Permission.ORGANISER_APPLY)
def apply_for_verification(wanted: dict[str, Any], organiser_id: int, caller: Caller) -> Organiser:
    """Ask an admin to verify who an organiser is."""
    organiser = organiser_service.find(organiser_id, caller=caller)
    authorize(caller, Permission.ORGANISER_APPLY, organiser)
    return verification_service.apply(organiser, **wanted)


@organisers_bp.get("/<id:organiser_id>/members")
@organisers_bp.page(MemberSchema())
@for_caller(Permission.MEMBER_READ)
def list_members(organiser_id: int, caller: Caller) -> Select[OrganiserMember]:
    """Who works for an organiser."""
    organiser = organiser_service.find(organiser_id, caller=caller)
    authorize(caller, Permission.MEMBER_READ, organiser)
    return member_service.of(organiser)


@organisers_bp.post("/<id:organiser_id>/members")
@organisers_bp.arguments(AddMemberSchema())
@organisers_bp.response(
    201, MemberSchema(), location="/organisers/{o.organiser_id}/members/{o.user_id}"
)
@refuses(AlreadyMember, InviteInstead)
@for_caller(Permission.MEMBER_ADD)
def add_member(wanted: dict[str, Any], organiser_id: int, caller: Caller) -> OrganiserMember:
    """Let an existing account work for an organiser at once; its owners invite instead."""
    organiser = organiser_service.find(organiser_id, caller=caller)
    authorize(caller, Permission.MEMBER_EDIT, organiser)
    return member_service.add(caller, organiser, **wanted)


@organisers_bp.get("/<id:organiser_id>/members/<id:user_id>")
@organisers_bp.response(200, MemberSchema())
@for_caller(Permission.MEMBER_READ)
def show_member(organiser_id: int, user_id: int, caller: Caller) -> OrganiserMember:
    """One member."""
    organiser = organiser_service.find(organiser_id, caller=caller)
    authorize(caller, Permission.MEMBER_READ, organiser)
    return member_service.find(organiser, user_id)


@organisers_bp.patch("/<id:organiser_id>/members/<id:user_id>")
@organisers_bp.arguments(EditMemberSchema())
@organisers_bp.response(200, MemberSchema())
@refuses(LastOwner)
@for_caller(Permission.MEMBER_EDIT)
def edit_member(
    wanted: dict[str, MemberRole], organiser_id: int, user_id: int, caller: Caller
) -> OrganiserMember:
    """Give a member another role."""
    organiser = organiser_service.find(organiser_id, caller=caller)
    authorize(caller, Permission.MEMBER_EDIT, organiser)
    member = member_service.find(organiser, user_id)
    return member_service.change_role(organiser, member, wanted["role"])


@organisers_bp.delete("/<id:organiser_id>/members/<id:user_id>")
@organisers_bp.response(204)
@refuses(LastOwner)
@for_caller(Permission.MEMBER_EDIT)
def remove_member(organiser_id: int, user_id: int, caller: Caller) -> None:
    """Let a member go; members may also remove themselves."""
    organiser = organiser_service.find(organiser_id, caller=caller)
    if user_id != caller.user_id:
        authorize(caller, Permission.MEMBER_EDIT, organiser)
    member_service.remove(organiser, user_id)
