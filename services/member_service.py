"""The people who work for an organiser."""

from sqlalchemy import Select, func, select

from init import db
from models import MemberRole, Organiser, OrganiserMember, User
from models.permissions import Permission, allowed
from models.values import Caller
from services import audit_service
from utils.errors import Conflict, Forbidden, Invalid, NotFound, constraint
from utils.transaction import lock, transaction


class LastOwner(Conflict):
    """An organiser keeps at least one owner; make somebody else one first."""

    code, title = "last-owner", "An organiser keeps an owner"


class AlreadyMember(Conflict):
    """This account works for the organiser already; change its role instead."""

    code, title = "already-member", "A member already"


class InviteInstead(Forbidden):
    """Only admins make accounts members at once, or anyone could ask whose addresses have one.

    Invite the address: POST /organisers/<id>/invitations mails it a link.
    """

    code, title = "invite-instead", "Invite them instead"


constraint("uq_organiser_members_organiser_id_user_id", AlreadyMember("Change the role instead."))


def of(organiser: Organiser) -> Select[OrganiserMember]:
    """The members of `organiser`, the oldest first."""
    return (
        select(OrganiserMember)
        .where(OrganiserMember.organiser_id == organiser.id)
        .order_by(OrganiserMember.id)
    )


def find(organiser: Organiser, user_id: int) -> OrganiserMember:
    """One member of `organiser`."""
    member = db.session.scalar(of(organiser).where(OrganiserMember.user_id == user_id))
    if member is None:
        raise NotFound(f"The user {user_id} is no member.")
    return member


def add(caller: Caller, organiser: Organiser, *, email: str, role: MemberRole) -> OrganiserMember:
    """Let an existing account work for `organiser`. Raises InviteInstead and AlreadyMember."""
    if not allowed(caller, Permission.MEMBER_ADD, organiser):
        raise InviteInstead(f"POST /organisers/{organiser.id}/invitations mails them a link.")
    user = db.session.scalar(
        select(User).where(func.lower(User.email) == func.lower(email), User.deleted_at.is_(None))
    )
    if user is None:
        raise Invalid.at("email", "No account has this address; ask them to register first.")
    with transaction():
        member = admit(lock(organiser), user.id, role)
        _record("member.add", member, after=_facts(member))
    return member


def admit(organiser: Organiser, user_id: int | None, role: MemberRole) -> OrganiserMember:
    """A new member of an organiser that the caller has locked. Raises AlreadyMember."""
    if db.session.scalar(of(organiser).where(OrganiserMember.user_id == user_id)):
        raise AlreadyMember("Change the role instead.")
    member = OrganiserMember(organiser_id=organiser.id, user_id=user_id, role=role)
    db.session.add(member)
    db.session.flush()
    return member


def require_no_member(organiser: Organiser, email: str) -> None:
    """Refuse with AlreadyMember where somebody with this address works for `organiser`."""
    theirs = of(organiser).join(User, User.id == OrganiserMember.user_id)
    if db.session.scalar(theirs.where(func.lower(User.email) == func.lower(email))):
        raise AlreadyMember("Change the role instead.")


def change_role(organiser: Organiser, member: OrganiserMember, role: MemberRole) -> OrganiserMember:
    """Give a member another role. Raises LastOwner."""
    with transaction():
        lock(organiser)
        if lock(member).role == MemberRole.OWNER and role != MemberRole.OWNER:
            _require_another_owner(organiser)
        before = _facts(member)
        member.role = role
        if before != _facts(member):
            _record("member.role", member, before=before, after=_facts(member))
    return member


def remove(organiser: Organiser, user_id: int) -> None:
    """Let a member go; somebody who is none stays none. Raises LastOwner."""
    with transaction():
        lock(organiser)
        member = db.session.scalar(of(organiser).where(OrganiserMember.user_id == user_id))
        if member is None:
            return
        if lock(member).role == MemberRole.OWNER:
            _require_another_owner(organiser)
        _record("member.remove", member, before=_facts(member))
        db.session.delete(member)


def _facts(member: OrganiserMember) -> dict[str, object]:
    return {"user_id": member.user_id, "role": member.role}


def _record(
    action: str,
    member: OrganiserMember,
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    audit_service.record_of(
        action,
        "member",
        member.id,
        organiser_id=member.organiser_id,
        before=before,
        after=after,
    )


def _require_another_owner(organiser: Organiser) -> None:
    owners = select(func.count()).where(
        OrganiserMember.organiser_id == organiser.id, OrganiserMember.role == MemberRole.OWNER
    )
    if (db.session.scalar(owners) or 0) <= 1:
        raise LastOwner("Make somebody else an owner first.")
