"""Links that are mailed to an account: good once, for one purpose, for a while.

What a link carries is its id and a secret that is worked out again when it is needed, and so is
kept nowhere: not in the database, not in the outbox. Whoever writes to an account's links has
locked the account, or has just made it.
"""

import hmac
import re
from datetime import timedelta

from sqlalchemy import ColumnElement, select, update

from config import settings
from init import db
from models import AccountLink, LinkPurpose, User
from utils.clock import now
from utils.errors import Conflict
from utils.tokens import derived
from utils.transaction import lock

TOKEN = re.compile(r"([1-9][0-9]{0,17})\.([0-9a-f]{64})", re.ASCII)
OPEN_AT_ONCE = 3  # who asks again may still find the first mail before the second


class LinkNotValid(Conflict):
    """The link was used, has expired, was replaced, or is not one of ours; ask for a new one."""

    code, title = "link-not-valid", "The link is not valid any more"


def lifetime(purpose: LinkPurpose) -> timedelta:
    """For how long a link of this purpose is good."""
    if purpose == LinkPurpose.RESET_PASSWORD:
        return timedelta(minutes=settings.reset_link_minutes)
    return timedelta(hours=settings.verify_link_hours)


def issue(user_id: int, purpose: LinkPurpose, *, email: str | None = None) -> AccountLink:
    """A new link, in the caller's transaction; beyond the third, older ones of its kind end."""
    link = AccountLink(
        user_id=user_id, purpose=purpose, email=email, expires_at=now() + lifetime(purpose)
    )
    db.session.add(link)
    db.session.flush()
    newest = (
        select(AccountLink.id)
        .where(AccountLink.user_id == user_id, of_purpose(purpose))
        .order_by(AccountLink.id.desc())
        .limit(OPEN_AT_ONCE)
    )
    end_open(user_id, of_purpose(purpose), AccountLink.id.not_in(newest))
    return link


def of_purpose(purpose: LinkPurpose) -> ColumnElement[bool]:
    """That a link is for this."""
    return AccountLink.purpose == purpose


def end_open(user_id: int, *which: ColumnElement[bool]) -> None:
    """End an account's open links, or those of them that fit, in the caller's transaction."""
    open_ones = AccountLink.used_at.is_(None), AccountLink.expires_at > now()
    db.session.execute(
        update(AccountLink)
        .where(AccountLink.user_id == user_id, *open_ones, *which)
        .values(expires_at=now())
        .execution_options(synchronize_session=False)
    )


def token_of(link: AccountLink) -> str:
    """What the link carries."""
    return f"{link.id}.{_secret(link.id, link.purpose)}"


def find(token: str, purpose: LinkPurpose) -> AccountLink:
    """The open link of this purpose that a token is of. Raises LinkNotValid."""
    shape = TOKEN.fullmatch(token)
    if shape is None or not hmac.compare_digest(shape[2], _secret(int(shape[1]), purpose)):
        raise _not_valid()
    link = db.session.get(AccountLink, int(shape[1]))
    if link is None or link.purpose != purpose:
        raise _not_valid()
    return _open(link)


def use(link: AccountLink, *, of: User) -> None:
    """Use up a link of an account that is locked. Raises LinkNotValid when another was faster."""
    if of.deleted_at is not None:  # and its links with it
        raise _not_valid()
    _open(lock(link)).used_at = db.session.scalar(select(now()))


def _open(link: AccountLink) -> AccountLink:
    if link.used_at is not None or link.expires_at <= db.session.scalars(select(now())).one():
        raise _not_valid()
    return link


def _secret(link_id: int, purpose: LinkPurpose) -> str:
    return derived("account link", link_id, purpose)


def _not_valid() -> LinkNotValid:
    return LinkNotValid("Ask for a new link.")
