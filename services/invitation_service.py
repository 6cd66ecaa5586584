"""Invitations: how people come to work for an organiser, by a link that is mailed to them.

Nobody learns from one whether an address has an account. Lock order: the organiser, the invitation.
"""

import hmac
import re
from datetime import timedelta

from sqlalchemy import Select, exists, func, select

from config import settings
from init import db
from models import MemberRole, Organiser, OrganiserInvitation, OrganiserMember, Role, User
from models.values import Caller
from services import audit_service, member_service, outbox_service
from utils.clock import now
from utils.errors import Conflict, Forbidden, NotFound
from utils.tokens import derived
from utils.transaction import lock, transaction

TOKEN = re.compile(r"([1-9][0-9]{0,18})\.([0-9a-f]{64})")


class InvitationNotValid(Conflict):
    """There is no such invitation any more: it expired, was withdrawn, used, or never made."""

    code, title = "invitation-not-valid", "The invitation is not valid"


class InvitedAnother(Forbidden):
    """The invitation was mailed to another address than your account's.

    Sign in with the account of that address, or ask to be invited at yours.
    """

    code, title = "invited-another", "The invitation is somebody else's"


def open_of(organiser: Organiser) -> Select[OrganiserInvitation]:
    """The invitations of `organiser` that can be accepted at this moment, the newest first."""
    return (
        _of(organiser)
        .where(OrganiserInvitation.expires_at > now())
        .order_by(OrganiserInvitation.id.desc())
    )


def invite(
    caller: Caller, organiser: Organiser, *, email: str, role: MemberRole
) -> OrganiserInvitation:
    """Mail somebody an offer to work for `organiser`; an open one to the same address is replaced.

    Raises AlreadyMember, which those who may invite can see in the list of members.
    """
    with transaction():
        _require_there(lock(organiser))
        member_service.require_no_member(organiser, email)
        same = func.lower(OrganiserInvitation.email) == func.lower(email)
        for before in db.session.scalars(_of(organiser).where(same)):
            before.withdrawn_at = db.session.scalar(select(now()))
        invitation = OrganiserInvitation(
            organiser_id=organiser.id,
            email=email,
            role=role,
            invited_by_user_id=caller.user_id,
            expires_at=now() + timedelta(days=settings.invitation_days),
        )
        db.session.add(invitation)
        db.session.flush()
        outbox_service.publish("mail.invitation", invitation_id=invitation.id)
        _record("member.invite", invitation, after={"role": role})
    return invitation


def withdraw(organiser: Organiser, invitation_id: int) -> None:
    """Take an invitation back; one that is not open any more stays as it is."""
    ours = select(OrganiserInvitation).where(OrganiserInvitation.organiser_id == organiser.id)
    with transaction():
        lock(organiser)
        invitation = db.session.scalar(ours.where(OrganiserInvitation.id == invitation_id))
        if invitation is None:
            raise NotFound(f"There is no invitation {invitation_id}.")
        lock(invitation)
        if invitation.accepted_at or invitation.withdrawn_at:
            return
        invitation.withdrawn_at = db.session.scalar(select(now()))
        _record("member.uninvite", invitation, before={"role": invitation.role})


def accept(caller: Caller, token: str) -> OrganiserMember:
    """Make the caller, to whose address a link was mailed, the member that it offers; once.

    Raises InvitationNotValid, InvitedAnother and AlreadyMember.
    """
    invitation = _with(token)
    with transaction():
        organiser = lock(db.session.get_one(Organiser, invitation.organiser_id))
        _require_open(lock(invitation), organiser)
        _require_inviter(invitation)
        if invitation.email.lower() != (caller.email or "").lower():
            raise InvitedAnother("Sign in with the account of the address that it was sent to.")
        invitation.accepted_at = db.session.scalar(select(now()))
        member = member_service.admit(organiser, caller.user_id, invitation.role)
        after = {"role": member.role, "user_id": member.user_id}
        _record("member.accept", invitation, after=after)
    return member


def token_of(invitation_id: int) -> str:
    """What the link of an invitation carries; only this installation can work it out."""
    return f"{invitation_id}.{derived('invitation', invitation_id)}"


def _with(token: str) -> OrganiserInvitation:
    parts = TOKEN.fullmatch(token)
    if parts is None or not hmac.compare_digest(token_of(int(parts[1])), token):
        raise _not_valid()
    invitation = db.session.get(OrganiserInvitation, int(parts[1]))
    if invitation is None:
        raise _not_valid()
    return invitation


def _require_open(invitation: OrganiserInvitation, organiser: Organiser) -> None:
    over = db.session.scalar(select(now() >= invitation.expires_at))
    if over or invitation.accepted_at or invitation.withdrawn_at or organiser.deleted_at:
        raise _not_valid()


def _require_inviter(invitation: OrganiserInvitation) -> None:
    """What somebody offered who may not offer it any more is worth nothing."""
    if invitation.invited_by_user_id is None:  # a command did
        return
    inviter = db.session.get(User, invitation.invited_by_user_id)
    if inviter is None or inviter.banned_at or inviter.deleted_at:
        raise _not_valid()
    owns = exists().where(
        OrganiserMember.organiser_id == invitation.organiser_id,
        OrganiserMember.user_id == inviter.id,
        OrganiserMember.role == MemberRole.OWNER,
    )
    if inviter.role != Role.ADMIN and not db.session.scalar(select(owns)):
        raise _not_valid()


def _require_there(organiser: Organiser) -> None:
    if organiser.deleted_at is not None:
        raise NotFound(f"There is no organiser {organiser.id}.")


def _not_valid() -> InvitationNotValid:
    return InvitationNotValid("Ask for a new one.")


def _of(organiser: Organiser) -> Select[OrganiserInvitation]:
    """Those that nobody has accepted or withdrawn."""
    return select(OrganiserInvitation).where(
        OrganiserInvitation.organiser_id == organiser.id,
        OrganiserInvitation.accepted_at.is_(None),
        OrganiserInvitation.withdrawn_at.is_(None),
    )


def _record(
    action: str,
    invitation: OrganiserInvitation,
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    audit_service.record_of(
        action,
        "invitation",
        invitation.id,
        organiser_id=invitation.organiser_id,
        before=before,
        after=after,
    )
