"""Word for the outside world, saved with the change it tells of."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from init import Base
from models.columns import Timestamped


class OutboxMessage(Timestamped, Base):
    """A message that a worker delivers at least once; `due_at` is null when it is done."""

    __tablename__ = "outbox_messages"
    __table_args__ = (
        Index("ix_outbox_messages_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index("ix_outbox_messages_booking", text("((payload ->> 'booking_id'))"), "topic"),
    )

    topic: Mapped[str]
    payload: Mapped[dict[str, Any]]
    attempts: Mapped[int] = mapped_column(server_default="0")
    due_at: Mapped[datetime | None] = mapped_column(server_default=func.now())
