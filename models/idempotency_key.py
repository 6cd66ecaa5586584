"""What was answered to a request that named itself, so that its retry gets the same."""

from sqlalchemy import Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from init import Base
from models.columns import Timestamped


class IdempotencyKey(Timestamped, Base):
    """One success, kept for a day."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        UniqueConstraint("scope", "key"),
        Index("ix_idempotency_keys_created_at", "created_at"),
    )

    scope: Mapped[str]
    key: Mapped[str]
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int]
    location: Mapped[str | None]
    body: Mapped[bytes] = mapped_column(LargeBinary)
