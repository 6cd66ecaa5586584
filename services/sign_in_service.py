"""Sign-ins: one for each login on each device, and their ends."""

from datetime import timedelta

from sqlalchemy import ColumnElement, Select, func, select, update
from sqlalchemy.orm import with_expression

from config import settings
from init import db
from models import SignIn, User
from models.values import Caller
from utils.clock import now
from utils.errors import NotFound
from utils.transaction import lock, transaction

LONGEST_AGENT = 300


def begin(user: User, *, address: str | None, agent: str | None) -> SignIn:
    """A new sign-in, from a network address and by a program that names itself; it is not yet
    committed.
    """
    said = "".join(filter(str.isprintable, agent or ""))[:LONGEST_AGENT]
    sign_in = SignIn(user_id=user.id, address=address, agent=said or None)
    db.session.add(sign_in)
    db.session.flush()
    return sign_in


def standing(caller: Caller) -> Select[SignIn]:
    """The caller's sign-ins that still stand, the newest first; `current` is the one that asks."""
    return (
        select(SignIn)
        .where(SignIn.user_id == caller.user_id, *still_good())
        .options(with_expression(SignIn.current, SignIn.id == caller.sign_in_id))
        .order_by(SignIn.id.desc())
    )


def still_good() -> tuple[ColumnElement[bool], ...]:
    """That a sign-in has not ended, and that its last refresh token has not expired."""
    lifetime = timedelta(days=settings.refresh_token_days)
    last_used = func.coalesce(SignIn.renewed_at, SignIn.created_at)
    return SignIn.ended_at.is_(None), last_used > now() - lifetime


def end(sign_in_id: int | None, *, caller: Caller, reason: str) -> None:
    """End one of the caller's own sign-ins; its tokens stop working at once. May be repeated."""
    own = select(SignIn).where(SignIn.id == sign_in_id, SignIn.user_id == caller.user_id)
    with transaction():
        sign_in = db.session.scalar(own)
        if sign_in is None:
            raise NotFound(f"There is no sign-in {sign_in_id}.")
        close(lock(sign_in), reason)


def close(sign_in: SignIn, reason: str) -> None:
    """End a sign-in that the caller has locked; one that has ended keeps its reason."""
    if sign_in.ended_at is None:
        sign_in.ended_at = db.session.scalar(select(now()))
        sign_in.end_reason = reason


def end_all(user_id: int | None, reason: str, *, but: int | None = None) -> None:
    """End every sign-in of an account, perhaps `but` one, in the caller's transaction."""
    db.session.execute(
        update(SignIn)
        .where(
            SignIn.user_id == user_id, SignIn.ended_at.is_(None), SignIn.id.is_distinct_from(but)
        )
        .values(ended_at=now(), end_reason=reason)
        .execution_options(synchronize_session=False)
    )
