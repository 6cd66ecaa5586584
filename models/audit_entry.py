"""Who did what, when and why: written with the change, and never changed."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column, query_expression

from init import Base
from models.columns import Keyed


class AuditEntry(Keyed, Base):
    """One change of money, role, state or permission.

    It refers to people by id and holds nothing of theirs, so that an account can be anonymised
    without touching it; and it has no foreign keys, so that nothing waits for what it refers to.
    Where a person asked from is in their sign-in.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_organiser", "organiser_id", "id"),
        Index("ix_audit_entries_target", "target_type", "target_id", "id"),
        Index("ix_audit_entries_user", "user_id", "id"),
    )

    at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    action: Mapped[str]
    target_type: Mapped[str]
    target_id: Mapped[int]
    organiser_id: Mapped[int | None]
    origin: Mapped[str]
    user_id: Mapped[int | None]
    sign_in_id: Mapped[int | None]
    api_key_id: Mapped[int | None]
    booking_id: Mapped[int | None]
    request_id: Mapped[str | None]
    before: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    after: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    reason: Mapped[str | None]

    address: Mapped[str | None] = query_expression()
