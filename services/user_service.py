"""Accounts, as an admin sees and governs them."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Select, or_, select

from init import db
from models import Role, User
from models.values import Caller
from services import audit_service, auth_service, sign_in_service
from utils.clock import now
from utils.errors import Conflict, NotFound
from utils.listing import contains, ordered
from utils.transaction import lock, lock_all, transaction

SORTS = {
    "created_at": User.created_at,
    "name": User.name,
    "email": User.email,
    "user_name": User.user_name,
}
SEARCHED = (User.user_name, User.name, User.first_name, User.last_name, User.email)


class LastAdmin(Conflict):
    """An admin neither bans nor demotes themselves, and the last one is neither; make another."""

    code, title = "last-admin", "There must be an admin, and not by their own hand"


def search(wanted: dict[str, Any]) -> Select[User]:
    """The accounts that fit what was asked for, in the order asked for."""
    query = _living().order_by(*ordered(wanted["sort"], SORTS, User.id))
    if words := wanted.get("q"):
        query = query.where(contains(words, *SEARCHED))
    if role := wanted.get("role"):
        query = query.where(User.role == role)
    if (banned := wanted.get("banned")) is not None:
        query = query.where(User.banned_at.is_not(None) if banned else User.banned_at.is_(None))
    return query


def find(user_id: int) -> User:
    """One account."""
    user = db.session.scalar(_living().where(User.id == user_id))
    if user is None:
        raise NotFound(f"There is no account {user_id}.")
    return user


def ban(user: User, *, by: Caller, reason: str) -> User:
    """Let nobody in with this account, from the next request on. May be repeated."""

    def change() -> None:
        if user.banned_at is None:
            _require_another_admin(user, by)
            user.banned_at = db.session.scalar(select(now()))
            sign_in_service.end_all(user.id, "banned")
            audit_service.record(
                "user.ban", user, before={"banned": False}, after={"banned": True}, reason=reason
            )

    return _governed(user, change)


def unban(user: User, *, reason: str) -> User:
    """Let a banned account sign in again. May be repeated."""

    def change() -> None:
        if user.banned_at is not None:
            user.banned_at = None
            audit_service.record(
                "user.unban", user, before={"banned": True}, after={"banned": False}, reason=reason
            )

    return _governed(user, change)


def change_role(user: User, role: Role, *, by: Caller, reason: str) -> User:
    """Give an account another role, from its next request on. Raises LastAdmin."""

    def change() -> None:
        if user.role != role:
            _require_another_admin(user, by)
            _give(user, role, reason)

    return _governed(user, change)


def make_admin(email: str) -> User:
    """Give an account the role of an admin. Raises NotFound if there is none."""
    with transaction():
        user = db.session.scalar(auth_service.account_at(email))
        if user is None:
            raise NotFound(f"There is no account {email}.")
        if lock(user).role != Role.ADMIN:
            _give(user, Role.ADMIN, None)
    return user


def require_not_the_last_admin(user: User) -> None:
    """Refuse where nobody but this account could govern the others; with the admins locked."""
    others = select(User.id).where(
        User.id != user.id,
        User.role == Role.ADMIN,
        User.banned_at.is_(None),
        User.deleted_at.is_(None),
    )
    if user.role == Role.ADMIN and db.session.scalar(others.limit(1)) is None:
        raise LastAdmin("Make somebody else an admin first.")


def lock_with_admins(user: User) -> User:
    """Lock an account and every admin's, so that two admins do not do away with each other."""
    lock_all(select(User).where(or_(User.id == user.id, User.role == Role.ADMIN)))
    return lock(user)


def _governed(user: User, change: Callable[[], None]) -> User:
    with transaction():
        if lock_with_admins(user).deleted_at is not None:
            raise NotFound(f"There is no account {user.id}.")
        change()
    return user


def _require_another_admin(user: User, by: Caller) -> None:
    if user.id == by.user_id:
        raise LastAdmin("Ask another admin.")
    require_not_the_last_admin(user)


def _give(user: User, role: Role, reason: str | None) -> None:
    before, user.role = user.role, role
    audit_service.record(
        "user.role", user, before={"role": before}, after={"role": role}, reason=reason
    )


def _living() -> Select[User]:
    return select(User).where(User.deleted_at.is_(None))
