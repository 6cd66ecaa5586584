"""Whether an account's e-mail address is its owner's, and changing it."""

from sqlalchemy import select

from init import db
from models import AccountLink, LinkPurpose, TicketHolder, User
from models.values import Caller
from services import (
    audit_service,
    auth_service,
    link_service,
    outbox_service,
    password_service,
    ticket_holder_service,
)
from utils.clock import now
from utils.errors import Conflict, constraint
from utils.transaction import lock, transaction

VERIFY = LinkPurpose.VERIFY_EMAIL


class EmailTaken(Conflict):
    """There is an account with this e-mail address; sign in instead."""

    code, title = "email-taken", "There is an account with this e-mail address"


constraint("uq_users_email", EmailTaken("Sign in, or register with another address."))


def send_link(user: User, *, email: str | None = None) -> None:
    """Mail a link that verifies the account's address, or makes it `email` when it is used.

    In the caller's transaction.
    """
    link = link_service.issue(user.id, VERIFY, email=email)
    outbox_service.publish("mail.verify_email", user_id=user.id, link_id=link.id)


def send_again(caller: Caller) -> None:
    """Mail another link to the caller's address, unless it is verified."""
    with transaction():
        user = lock(db.session.get_one(User, caller.user_id))
        if not user.email_verified:
            send_link(user)


def change(caller: Caller, *, email: str, password: str) -> None:
    """Mail a link to another address, which becomes the caller's when it is used.

    Nobody learns whether the address is somebody else's account: then nothing is sent. Raises
    WrongPassword.
    """
    shown = password_service.require(caller, password)
    with transaction():
        user = lock(shown.user)
        password_service.require_still(shown)
        if not _is_taken(email, user):
            send_link(user, email=email)


def verify(token: str) -> None:
    """Use a link up: its mailbox is the account's owner's, and from now on the account's.

    Raises LinkNotValid, and EmailTaken where somebody else has the address by now.
    """
    link = link_service.find(token, VERIFY)
    with transaction():
        user = db.session.get_one(User, link.user_id)
        holder = _holder_to_follow(user, link)
        if holder is not None:
            ticket_holder_service.touch_bookings(holder.id)
        lock(user)
        link_service.use(link, of=user)
        user.email_verified_at = db.session.scalar(select(now()))
        if link.email is None:
            of_this_kind = link_service.of_purpose(VERIFY), AccountLink.email.is_(None)
            link_service.end_open(user.id, *of_this_kind)
            return
        if _is_taken(link.email, user):
            raise EmailTaken("Somebody else registered with this address meanwhile.")
        user.email = link.email
        if holder is not None:
            lock(holder).email = link.email
        link_service.end_open(user.id)  # those that went to the old mailbox, too
        audit_service.record("user.email_changed", user)


def _is_taken(email: str, user: User) -> bool:
    return db.session.scalar(auth_service.account_at(email).where(User.id != user.id)) is not None


def _holder_to_follow(user: User, link: AccountLink) -> TicketHolder | None:
    """The account's own ticket holder, if the address changes and it has the old one."""
    holder = ticket_holder_service.standing_for(user)
    if holder is None or link.email is None or holder.email != user.email:
        return None
    return holder
