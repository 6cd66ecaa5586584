"""A person's own account."""

from typing import Any

from init import db
from models import TicketHolder, User
from models.values import Caller
from utils.transaction import lock, transaction


def me(caller: Caller) -> User:
    """The account of a signed-in caller."""
    return db.session.get_one(User, caller.user_id)


def edit(user: User, changes: dict[str, Any]) -> User:
    """Change a profile, and the ticket holder that stands for its owner."""
    with transaction():
        lock(user).change(changes)
        holder = db.session.scalar(
            db.select(TicketHolder).where(
                TicketHolder.user_id == user.id,
                TicketHolder.is_self,
                TicketHolder.deleted_at.is_(None),
            )
        )
        if holder is not None:
            lock(holder).change(changes)
    return user
