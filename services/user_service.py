"""A person's own account."""

from typing import Any

from sqlalchemy import func, select

from init import db
from models import Role, TicketHolder, User
from models.values import Caller
from services import ticket_holder_service
from utils.errors import NotFound
from utils.transaction import lock, transaction


def me(caller: Caller) -> User:
    """The account of a signed-in caller."""
    return db.session.get_one(User, caller.user_id)


def make_admin(email: str) -> User:
    """Give an account the role of an admin. Raises NotFound if there is none."""
    with transaction():
        same = func.lower(User.email) == email.lower()
        user = db.session.scalar(select(User).where(same, User.deleted_at.is_(None)))
        if user is None:
            raise NotFound(f"There is no account {email}.")
        lock(user).role = Role.ADMIN
    return user


def edit(user: User, changes: dict[str, Any]) -> User:
    """Change a profile, and the ticket holder that stands for its owner."""
    with transaction():
        holder = db.session.scalar(
            select(TicketHolder).where(
                TicketHolder.user_id == user.id,
                TicketHolder.is_self,
                TicketHolder.deleted_at.is_(None),
            )
        )
        if holder is not None:
            ticket_holder_service.touch_bookings(holder.id)
        lock(user).change(changes)
        if holder is not None:
            lock(holder).change(changes)
    return user
