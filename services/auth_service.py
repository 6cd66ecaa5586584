"""Who a password or a token speaks for."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Select, func, select

from config import settings
from init import db
from models import MemberRole, Role, SignIn, User
from models.values import Caller
from services import audit_service, guess_service, sign_in_service
from utils import passwords
from utils.clock import now
from utils.errors import Unauthenticated
from utils.statement import Statement
from utils.transaction import lock, transaction

# Two refreshes at the same instant, of two tabs or of a retry, are no theft.
SAME_INSTANT = timedelta(seconds=10)


class WrongPassword(Unauthenticated):
    """The e-mail address and the password do not belong together."""

    code, title = "wrong-password", "E-mail address or password is wrong"


class Banned(Unauthenticated):
    """The account is banned; ask whoever runs this box office."""

    code, title = "banned", "The account is banned"


class RefreshReused(Unauthenticated):
    """This refresh token was spent before, so somebody else may have it: its sign-in has ended.

    Sign in again; of the tokens that a refresh answers, keep the new ones.
    """

    code, title = "refresh-reused", "The refresh token was used before"


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
     WHERE u.id = :user_id AND s.id = :sign_in_id AND s.ended_at IS NULL
       AND u.deleted_at IS NULL AND u.banned_at IS NULL
       AND :expires_at > extract(epoch FROM (SELECT clock_timestamp()))
    """,
    alone=True,
)

OPENED_BY = Statement(
    "opened_by", "SELECT booking_id FROM booking_secrets WHERE secret_hash = :secret_hash"
)


@dataclass(frozen=True)
class Identity:
    """Whom a token of ours names, and until when: seconds since 1970.

    A refresh token also says which generation of its sign-in's it is.
    """

    user_id: int
    sign_in_id: int
    expires_at: int
    generation: int = 0


@dataclass(frozen=True)
class SignedIn:
    """A user, the sign-in that their tokens belong to, and which generation of it they are."""

    user: User
    sign_in_id: int
    generation: int = 1

    @property
    def access_lifetime(self) -> timedelta:
        return timedelta(minutes=settings.access_token_minutes)

    @property
    def refresh_lifetime(self) -> timedelta:
        return timedelta(days=settings.refresh_token_days)


def account_at(email: str) -> Select[User]:
    """The account with this e-mail address, in any case of letters, unless it is gone."""
    same = func.lower(User.email) == func.lower(email)
    return select(User).where(same, User.deleted_at.is_(None))


def sign_in(
    *, email: str, password: str, address: str | None = None, agent: str | None = None
) -> SignedIn:
    """A sign-in for the account with this password. Raises WrongPassword, TooManyRequests, and
    Banned if it is so.

    An unknown address costs the same time as a wrong password, so that neither tells. `address` is
    the network's, and `agent` what the program calls itself.
    """
    known = account_at(email).with_only_columns(User.id, User.password_hash)
    user_id, password_hash = db.session.execute(known).one_or_none() or (None, None)
    with guess_service.guarded(email, address):
        if not passwords.matches(password_hash, password):
            raise WrongPassword("Check the e-mail address and the password.")
    with transaction():
        user = lock(db.session.get_one(User, user_id))
        if user.password_hash != password_hash:  # changed while it was being checked
            raise WrongPassword("Check the e-mail address and the password.")
        if user.banned_at is not None:
            raise Banned("This account is banned.")
        return signed_in(user, address=address, agent=agent)


def signed_in(user: User, *, address: str | None, agent: str | None) -> SignedIn:
    """A first generation of tokens for somebody who has shown who they are; not yet committed."""
    return SignedIn(user, sign_in_service.begin(user, address=address, agent=agent).id)


def sign_out(caller: Caller) -> None:
    """End the sign-in that the caller's token belongs to; its tokens stop working at once."""
    sign_in_service.end(caller.sign_in_id, caller=caller, reason="logout")


def sign_out_everywhere(caller: Caller) -> None:
    """End all sign-ins of the caller's account, this one too."""
    with transaction():
        sign_in_service.end_all(caller.user_id, "logout_everywhere")


def renew(identity: Identity) -> SignedIn:
    """The next generation of a sign-in's tokens, for its present refresh token.

    For a moment, the one before it gets the present generation once more. An older one was copied:
    the sign-in ends. Raises RefreshReused, and Unauthenticated when it had ended before.
    """
    caller_of(identity)
    with transaction():
        sign_in = lock(db.session.get_one(SignIn, identity.sign_in_id))
        if sign_in.ended_at is not None:
            raise _over()
        renewed = _renewed(sign_in, identity.generation)
        if not renewed:
            sign_in_service.close(sign_in, "reused")
            spent = {"user_id": sign_in.user_id, "generation": identity.generation}
            audit_service.record("sign_in.reused", sign_in, after=spent)
    if not renewed:  # said only now: the end of the sign-in stays
        raise RefreshReused("This refresh token was used before; sign in again.")
    user = db.session.get_one(User, identity.user_id)
    return SignedIn(user, sign_in.id, sign_in.generation)


def _renewed(sign_in: SignIn, generation: int) -> bool:
    """Whether a refresh token of this generation is good, or was a moment ago."""
    moment = db.session.scalars(select(now())).one()
    if generation == sign_in.generation:
        sign_in.generation += 1
        sign_in.renewed_at = moment
        return True
    just_now = sign_in.renewed_at is not None and moment - sign_in.renewed_at <= SAME_INSTANT
    return generation == sign_in.generation - 1 and just_now


def caller_of(identity: Identity) -> Caller:
    """Who a token's user is at this moment: role and memberships are read, never remembered.

    Raises Unauthenticated when the token's time is up, the sign-in has ended, or the account is
    gone.
    """
    row = WHO.first(
        user_id=identity.user_id,
        sign_in_id=identity.sign_in_id,
        expires_at=identity.expires_at,
    )
    if row is None:
        raise _over()
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


def _over() -> Unauthenticated:
    return Unauthenticated("The token has expired, or its sign-in has ended; sign in again.")
