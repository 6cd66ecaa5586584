"""Passwords: shown, changed, forgotten."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, text

from init import db
from models import LinkPurpose, User
from models.values import Caller
from services import (
    audit_service,
    guess_service,
    link_service,
    password_rules,
    sign_in_service,
)
from services.auth_service import WrongPassword
from utils import passwords
from utils.clock import now
from utils.transaction import lock, transaction

RESET = LinkPurpose.RESET_PASSWORD


@dataclass(frozen=True)
class Shown:
    """An account whose password was shown, and what was kept of it at that moment."""

    user: User
    password_hash: str


# Without an account it is the same work: a message that is for nobody, and done.
OFFER = text(
    """
    WITH account AS (
        SELECT id FROM users WHERE lower(email) = lower(:email) AND deleted_at IS NULL
           FOR NO KEY UPDATE),
    link AS (
        INSERT INTO account_links (user_id, purpose, expires_at)
        SELECT id, 'reset_password', clock_timestamp() + CAST(:lifetime AS interval) FROM account
        RETURNING id, user_id)
    INSERT INTO outbox_messages (topic, payload, attempts, due_at)
    SELECT 'mail.reset_password', jsonb_build_object('user_id', user_id, 'link_id', id), 0,
           CASE WHEN id IS NOT NULL THEN now() END
      FROM (SELECT) AS nobody LEFT JOIN link ON true
    """
)
# The older ones beyond the third.
END_OLDER = text(
    """
    UPDATE account_links SET expires_at = clock_timestamp(), updated_at = clock_timestamp()
     WHERE id IN (SELECT l.id FROM account_links l JOIN users u ON u.id = l.user_id
                   WHERE lower(u.email) = lower(:email) AND u.deleted_at IS NULL
                     AND l.purpose = 'reset_password'
                   ORDER BY l.id DESC OFFSET :kept)
       AND used_at IS NULL AND expires_at > (SELECT clock_timestamp())
    """
)


def require(caller: Caller, password: str) -> Shown:
    """The caller's account, if this is its password, and what is kept of that. Raises
    WrongPassword, and TooManyRequests: whoever found a token guesses no faster than at the door.

    Whoever then changes the account locks it and asks `require_still`.
    """
    query = select(User.password_hash).where(User.id == caller.user_id)
    password_hash = db.session.scalars(query).one()
    with guess_service.guarded(caller.email or "", None, sign_in_id=caller.sign_in_id):
        if not passwords.matches(password_hash, password):
            raise WrongPassword("This is not the password of your account.")
    return Shown(db.session.get_one(User, caller.user_id), password_hash)


def require_still(shown: Shown) -> None:
    """Refuse when the locked account has had another password since. Raises WrongPassword."""
    if shown.user.password_hash != shown.password_hash:
        raise WrongPassword("The password was changed meanwhile.")


def change(caller: Caller, *, current_password: str, new_password: str) -> None:
    """Another password for the caller; every sign-in but this one ends.

    Raises WrongPassword, and Invalid for one that is easy to guess.
    """
    shown = require(caller, current_password)
    user = shown.user
    _require_good(user, new_password, field="new_password")
    new_hash = passwords.hashed(new_password)
    with transaction():
        lock(user)
        require_still(shown)
        _set(user, new_hash)
        sign_in_service.end_all(user.id, "password_changed", but=caller.sign_in_id)
        audit_service.record("user.password_changed", user)


def forgot(email: str) -> None:
    """Mail a link to set a new password, if there is such an account; nobody learns whether."""
    with transaction():
        lifetime: timedelta = link_service.lifetime(RESET)
        db.session.execute(OFFER, {"email": email, "lifetime": lifetime})
        db.session.execute(END_OLDER, {"email": email, "kept": link_service.OPEN_AT_ONCE})


def reset(*, token: str, password: str) -> None:
    """Set a new password with a link that was mailed, which proves the mailbox; all sign-ins end.

    Raises LinkNotValid, and Invalid for a password that is easy to guess.
    """
    link = link_service.find(token, RESET)
    user = db.session.get_one(User, link.user_id)
    _require_good(user, password, field="password")
    new_hash = passwords.hashed(password)
    with transaction():
        link_service.use(link, of=lock(user))
        _set(user, new_hash)
        user.email_verified_at = user.email_verified_at or db.session.scalar(select(now()))
        sign_in_service.end_all(user.id, "password_reset")
        guess_service.forgive(user.email)
        audit_service.record("user.password_reset", user)


def _set(user: User, new_hash: str) -> None:
    user.password_hash = new_hash
    link_service.end_open(user.id)  # of other purposes too: whoever knew the old one may have asked


def _require_good(user: User, password: str, *, field: str) -> None:
    password_rules.require_hard_to_guess(password, field=field, email=user.email, name=user.name)
