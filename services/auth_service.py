"""Accounts and sign-ins: who a password or a token speaks for."""

import functools
import threading
from dataclasses import asdict, dataclass
from datetime import timedelta

from flask_bcrypt import Bcrypt
from sqlalchemy import func, select

from config import settings
from init import bcrypt, db
from models import (
    MemberRole,
    Role,
    SignIn,
    TicketHolder,
    User,
)
from models.values import Caller
from utils.clock import now
from utils.errors import Busy, Conflict, Unauthenticated, constraint
from utils.statement import Statement
from utils.transaction import abandon, lock, transaction


class EmailTaken(Conflict):
    """There is an account with this e-mail address; sign in instead."""

    code, title = "email-taken", "There is an account with this e-mail address"


class WrongPassword(Unauthenticated):
    """The e-mail address and the password do not belong together."""

    code, title = "wrong-password", "E-mail address or password is wrong"


constraint("uq_users_email", EmailTaken("Sign in, or register with another address."))


# Asked on every request with a token: a few index look-ups.
WHO = Statement(
    "who",
    """
    SELECT u.email, u.name, u.role,
           (SELECT json_object_agg(m.organiser_id, m.role)
              FROM organiser_members m JOIN organisers o ON o.id = m.organiser_id
             WHERE m.user_id = u.id AND o.deleted_at IS NULL),
           h.id, h.name, h.email
      FROM users u JOIN sign_ins s ON s.user_id = u.id
      LEFT JOIN ticket_holders h ON h.user_id = u.id AND h.is_self AND h.deleted_at IS NULL
     WHERE u.id = :user_id AND s.id = :sign_in_id AND s.ended_at IS NULL AND u.deleted_at IS NULL
       AND :expires_at > extract(epoch FROM (SELECT clock_timestamp()))
    """,
    alone=True,
)

OPENED_BY = Statement(
    "opened_by", "SELECT booking_id FROM booking_secrets WHERE secret_hash = :secret_hash"
)


@dataclass(frozen=True)
class Identity:
    """Whom a token of ours names, and until when: seconds since 1970."""

    user_id: int
    sign_in_id: int
    expires_at: int


@dataclass(frozen=True)
class SignedIn:
    """A user and the sign-in that their tokens belong to."""

    user: User
    sign_in_id: int

    @property
    def access_lifetime(self) -> timedelta:
        return timedelta(minutes=settings.access_token_minutes)

    @property
    def refresh_lifetime(self) -> timedelta:
        return timedelta(days=settings.refresh_token_days)


def register(*, email: str, password: str, name: str, role: Role, phone: str | None) -> SignedIn:
    """A new account, its own ticket holder, and its first sign-in. Raises EmailTaken."""
    if _by_email(email) is not None:
        raise EmailTaken("Sign in, or register with another address.")
    password_hash = _hashed(password)
    with transaction():
        user = User(email=email, password_hash=password_hash, name=name, role=role, phone=phone)
        db.session.add(user)
        db.session.flush()
        db.session.add(
            TicketHolder(user_id=user.id, is_self=True, name=name, email=email, phone=phone)
        )
        return _signed_in(user)


def sign_in(*, email: str, password: str) -> SignedIn:
    """A sign-in for the account with this password. Raises WrongPassword.

    An unknown address costs the same time as a wrong password, so that neither tells.
    """
    user = _by_email(email)
    abandon()
    right = _matches(user.password_hash if user else _decoy(), password)
    if user is None or not right:
        raise WrongPassword("Check the e-mail address and the password.")
    with transaction():
        return _signed_in(user)


def sign_out(caller: Caller) -> None:
    """End the sign-in that the caller's token belongs to; its tokens stop working at once."""
    with transaction():
        signed_in = db.session.get(SignIn, caller.sign_in_id)
        if signed_in is not None and lock(signed_in).ended_at is None:
            signed_in.ended_at = db.session.scalar(select(now()))


def renew(identity: Identity) -> SignedIn:
    """The user of a refresh token whose sign-in still stands. Raises Unauthenticated."""
    caller_of(identity)
    return SignedIn(db.session.get_one(User, identity.user_id), identity.sign_in_id)


def caller_of(identity: Identity) -> Caller:
    """Who a token's user is at this moment: role and memberships are read, never remembered.

    Raises Unauthenticated when the token's time is up, the sign-in has ended, or the account is
    gone.
    """
    row = WHO.first(**asdict(identity))
    if row is None:
        raise Unauthenticated("The token has expired, or its sign-in has ended; sign in again.")
    email, name, role, of_organisers, holder_id, holder_name, holder_email = row
    works_for = {int(key): MemberRole(value) for key, value in (of_organisers or {}).items()}
    return Caller(
        user_id=identity.user_id,
        sign_in_id=identity.sign_in_id,
        email=email,
        name=name,
        role=Role(role),
        ticket_holder_id=holder_id,
        holder_name=holder_name,
        holder_email=holder_email,
        memberships=works_for,
    )


def guest_with(secret_hash: bytes) -> Caller:
    """The guest who shows a booking's secret. Raises Unauthenticated when it opens nothing."""
    booking_id = OPENED_BY.scalar(secret_hash=secret_hash)
    if booking_id is None:
        raise Unauthenticated("This booking secret opens nothing; ask for a new one.")
    return Caller(booking_id=booking_id)


def _signed_in(user: User) -> SignedIn:
    signed_in = SignIn(user_id=user.id)
    db.session.add(signed_in)
    db.session.flush()
    return SignedIn(user, signed_in.id)


def _by_email(email: str) -> User | None:
    same = func.lower(User.email) == email.lower()
    return db.session.scalar(select(User).where(same, User.deleted_at.is_(None)))


# A hash costs a quarter of a second of CPU: let a few run, so that selling goes on beside them.
@functools.cache
def _turnstile() -> threading.BoundedSemaphore:
    return threading.BoundedSemaphore(settings.password_hashes_at_once)


def _hashed(password: str) -> str:
    with _Turn():
        return str(bcrypt.generate_password_hash(password, settings.bcrypt_rounds).decode())


def _matches(password_hash: str, password: str) -> bool:
    with _Turn():
        return bool(bcrypt.check_password_hash(password_hash, password))


@functools.cache
def _decoy() -> str:
    return str(Bcrypt.generate_password_hash(bcrypt, "decoy", settings.bcrypt_rounds).decode())


class _Turn:
    """A place at the turnstile, waited for no longer than a person would."""

    def __enter__(self) -> None:
        abandon()
        if not _turnstile().acquire(timeout=5):
            raise Busy("Many people are signing in at this moment; try again.")

    def __exit__(self, *_args: object) -> None:
        _turnstile().release()
