"""/organisers/<id>/invitations, /invitations: coming to work for an organiser."""

from typing import Any

from sqlalchemy import Select

from controllers.callers import for_caller
from controllers.rate_limits import limit_asking
from models import Organiser, OrganiserInvitation, OrganiserMember
from models.permissions import Permission, authorize
from models.values import Caller
from schemas.organiser_schema import (
    AcceptInvitationSchema,
    InvitationSchema,
    InviteSchema,
    MemberSchema,
)
from services import invitation_service, organiser_service
from services.invitation_service import InvitationNotValid, InvitedAnother
from services.member_service import AlreadyMember
from utils.http import Blueprint, refuses

invitations_bp = Blueprint("invitations", __name__, description=__doc__)


@invitations_bp.get("/organisers/<id:organiser_id>/invitations")
@invitations_bp.page(InvitationSchema())
@for_caller(Permission.MEMBER_EDIT)
def list_invitations(organiser_id: int, caller: Caller) -> Select[OrganiserInvitation]:
    """The invitations that are open, the newest first."""
    return invitation_service.open_of(_inviting(organiser_id, caller))


@invitations_bp.post("/organisers/<id:organiser_id>/invitations")
@invitations_bp.arguments(InviteSchema())
@invitations_bp.response(201, InvitationSchema())
@limit_asking
@refuses(AlreadyMember)
@for_caller(Permission.MEMBER_EDIT)
def invite_member(wanted: dict[str, Any], organiser_id: int, caller: Caller) -> OrganiserInvitation:
    """Mail somebody a link by which they come to work for an organiser; the newest counts."""
    return invitation_service.invite(caller, _inviting(organiser_id, caller), **wanted)


@invitations_bp.delete("/organisers/<id:organiser_id>/invitations/<id:invitation_id>")
@invitations_bp.response(204)
@for_caller(Permission.MEMBER_EDIT)
def withdraw_invitation(organiser_id: int, invitation_id: int, caller: Caller) -> None:
    """Take an invitation back."""
    invitation_service.withdraw(_inviting(organiser_id, caller), invitation_id)


@invitations_bp.post("/invitations/accept")
@invitations_bp.arguments(AcceptInvitationSchema())
@invitations_bp.response(200, MemberSchema())
@refuses(InvitationNotValid, InvitedAnother, AlreadyMember)
@for_caller(Permission.INVITATION_ACCEPT)
def accept_invitation(wanted: dict[str, str], caller: Caller) -> OrganiserMember:
    """Begin to work for the organiser that invited your address."""
    authorize(caller, Permission.INVITATION_ACCEPT)
    return invitation_service.accept(caller, wanted["token"])


def _inviting(organiser_id: int, caller: Caller) -> Organiser:
    organiser = organiser_service.find(organiser_id, caller=caller)
    authorize(caller, Permission.MEMBER_EDIT, organiser)
    return organiser
