"""The people who work for an organiser."""

from sqlalchemy import Select, func, select

from init import db
from models import MemberRole, Organiser, OrganiserMember, User
from utils.errors import Conflict, Invalid, NotFound, constraint
from utils.transaction import lock, transaction


class LastOwner(Conflict):
    """An organiser keeps at least one owner; make somebody else one first."""

    code, title = "last-owner", "An organiser keeps an owner"


class AlreadyMember(Conflict):
    """This account works for the organiser already; change its role instead."""

    code, title = "already-member", "A member already"


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


def add(organiser: Organiser, *, email: str, role: MemberRole) -> OrganiserMember:
    """Let an existing account work for `organiser`. Raises AlreadyMember."""
    user = db.session.scalar(
        select(User).where(func.lower(User.email) == email.lower(), User.deleted_at.is_(None))
    )
    if user is None:
        raise Invalid.at("email", "No account has this address; ask them to register first.")
    with transaction():
        lock(organiser)
        if db.session.scalar(of(organiser).where(OrganiserMember.user_id == user.id)):
            raise AlreadyMember("Change the role instead.")
        member = OrganiserMember(organiser_id=organiser.id, user_id=user.id, role=role)
        db.session.add(member)
    return member


def change_role(organiser: Organiser, member: OrganiserMember, role: MemberRole) -> OrganiserMember:
    """Give a member another role. Raises LastOwner."""
    with transaction():
        lock(organiser)
        if lock(member).role == MemberRole.OWNER and role != MemberRole.OWNER:
            _require_another_owner(organiser)
        member.role = role
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
        db.session.delete(member)


def _require_another_owner(organiser: Organiser) -> None:
    owners = select(func.count()).where(
        OrganiserMember.organiser_id == organiser.id, OrganiserMember.role == MemberRole.OWNER
    )
    if (db.session.scalar(owners) or 0) <= 1:
        raise LastOwner("Make somebody else an owner first.")
