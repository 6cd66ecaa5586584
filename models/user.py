"""Someone who can sign in, their sign-ins, and the links that were sent to them."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column, query_expression

from init import Base
from models.columns import Keyed, Timestamped, Versioned


class Role(StrEnum):
    """What an account is for; what it may do with one organiser is a membership."""

    ATTENDEE = "attendee"
    ORGANISER = "organiser"
    ADMIN = "admin"


class User(Versioned, Base):
    """An account: an e-mail address and a password."""

    __tablename__ = "users"
    __table_args__ = (
        Index("uq_users_email", text("lower(email)"), unique=True),
        Index("uq_users_user_name", text("lower(user_name)"), unique=True),
    )

    email: Mapped[str]
    email_verified_at: Mapped[datetime | None]
    password_hash: Mapped[str]
    name: Mapped[str]
    user_name: Mapped[str | None]
    first_name: Mapped[str | None]
    last_name: Mapped[str | None]
    phone: Mapped[str | None]
    date_of_birth: Mapped[date | None]
    avatar_url: Mapped[str | None]
    role: Mapped[Role] = mapped_column(default=Role.ATTENDEE)
    banned_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]

    @property
    def email_verified(self) -> bool:
        """Whether somebody who reads this mailbox has shown it."""
        return self.email_verified_at is not None


class SignIn(Timestamped, Base):
    """One login on one device; its tokens die with it.

    `generation` counts its refresh tokens: only the last one is good, and for a moment after
    `renewed_at` the one before it. `address` and `agent` say where from, until the account is gone.
    """

    __tablename__ = "sign_ins"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    generation: Mapped[int] = mapped_column(default=1, server_default="1")
    renewed_at: Mapped[datetime | None]
    address: Mapped[str | None]
    agent: Mapped[str | None]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]
    current: Mapped[bool] = query_expression()  # whether it is the one that asks


class LinkPurpose(StrEnum):
    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105 (what a link is for)


class AccountLink(Timestamped, Base):
    """A link that was mailed to an account: good once, for its purpose, until it expires.

    The secret in it is not kept: `utils.tokens.derived` works it out again for the mail.
    """

    __tablename__ = "account_links"
    __table_args__ = (Index("ix_account_links_user", "user_id", "purpose"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    purpose: Mapped[LinkPurpose]
    email: Mapped[str | None]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class FailedGuess(Keyed, Base):
    """How often somebody guessed wrong lately, by a digest of whom or from where."""

    __tablename__ = "failed_guesses"
    __table_args__ = (
        CheckConstraint("failures > 0", name="failures"),
        Index("ix_failed_guesses_first_at", "first_at"),
    )

    about: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    failures: Mapped[int]
    first_at: Mapped[datetime]
