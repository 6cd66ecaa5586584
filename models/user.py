"""Someone who can sign in, and their sign-ins."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from init import Base
from models.columns import Timestamped, Versioned


class Role(StrEnum):
    """What an account is for; what it may do with one organiser is a membership."""

    ATTENDEE = "attendee"
    ORGANISER = "organiser"
    ADMIN = "admin"


class User(Versioned, Base):
    """An account: an e-mail address and a password."""

    __tablename__ = "users"

    email: Mapped[str]
    password_hash: Mapped[str]
    name: Mapped[str]
    phone: Mapped[str | None]
    role: Mapped[Role] = mapped_column(default=Role.ATTENDEE)
    deleted_at: Mapped[datetime | None]

    __table_args__ = (Index("uq_users_email", text("lower(email)"), unique=True),)


class SignIn(Timestamped, Base):
    """One login on one device; its tokens die with it."""

    __tablename__ = "sign_ins"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    ended_at: Mapped[datetime | None]
