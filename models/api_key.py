"""What a program shows instead of signing in."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from init import Base
from models.columns import Timestamped


class Scope(StrEnum):
    """What a key can do for its organiser."""

    CATALOGUE = "catalogue"
    SELL = "sell"
    DOOR = "door"
    REPORTS = "reports"


class KeyMode(StrEnum):
    """Whether what a key does counts; its prefix says so: gm_test_…, gm_live_…."""

    TEST = "test"
    LIVE = "live"


class ApiKey(Timestamped, Base):
    """A program that works for one organiser; only the hash of its secret is kept."""

    __tablename__ = "api_keys"
    __allow_unmapped__ = True
    __table_args__ = (Index("ix_api_keys_organiser", "organiser_id", "id"),)

    organiser_id: Mapped[int] = mapped_column(ForeignKey("organisers.id"))
    name: Mapped[str]
    mode: Mapped[KeyMode]
    scopes: Mapped[list[str]]
    prefix: Mapped[str]
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    made_by_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    secret: str | None = None  # the whole key, while it is being made
