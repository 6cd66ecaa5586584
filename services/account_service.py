"""A person's own account: opened, looked at, edited."""

from datetime import date
from typing import Any

from sqlalchemy import Date, cast, select

from init import db
from models import Role, TicketHolder, User
from models.values import Caller
from services import (
    audit_service,
    auth_service,
    email_service,
    password_rules,
    ticket_holder_service,
)
from services.auth_service import SignedIn
from services.email_service import EmailTaken
from utils import passwords
from utils.clock import now
from utils.errors import Conflict, Invalid, constraint
from utils.transaction import lock, transaction

OF_THE_HOLDER = ("name", "phone")


class UserNameTaken(Conflict):
    """Somebody else has this user name, perhaps in other capitals; choose another."""

    code, title = "user-name-taken", "Somebody else has this user name"


constraint("uq_users_user_name", UserNameTaken("Choose another user name."))


def register(
    *,
    email: str,
    password: str,
    name: str,
    role: Role,
    address: str | None = None,
    agent: str | None = None,
    **profile: Any,
) -> SignedIn:
    """A new account, its own ticket holder, its first sign-in, and a mail to verify its address.

    A taken address costs the same time as a free one. Raises EmailTaken, UserNameTaken, and Invalid
    for a password that is easy to guess.
    """
    password_rules.require_hard_to_guess(password, field="password", email=email, name=name)
    _require_past(profile.get("date_of_birth"))
    password_hash = passwords.hashed(password)
    if db.session.scalar(auth_service.account_at(email)) is not None:
        raise EmailTaken("Sign in, or register with another address.")
    with transaction():
        user = User(email=email, password_hash=password_hash, name=name, role=role, **profile)
        db.session.add(user)
        db.session.flush()
        db.session.add(
            TicketHolder(user_id=user.id, is_self=True, name=name, email=email, phone=user.phone)
        )
        email_service.send_link(user)
        audit_service.record("user.register", user, after={"role": role})
        return auth_service.signed_in(user, address=address, agent=agent)


def me(caller: Caller) -> User:
    """The account of a signed-in caller."""
    return db.session.get_one(User, caller.user_id)


def edit(user: User, changes: dict[str, Any]) -> User:
    """Change a profile, and the ticket holder that stands for its owner. Raises UserNameTaken."""
    _require_past(changes.get("date_of_birth"))
    shown = {name: value for name, value in changes.items() if name in OF_THE_HOLDER}
    with transaction():
        holder = ticket_holder_service.standing_for(user)
        if holder is not None and shown:
            ticket_holder_service.touch_bookings(holder.id)
        lock(user).change(changes)
        if holder is not None and shown:
            lock(holder).change(shown)
    return user


def _require_past(day: date | None) -> None:
    if day is not None and day >= db.session.scalars(select(cast(now(), Date))).one():
        raise Invalid.at("date_of_birth", "Is not in the past.")
