"""A person whom a booking or a ticket is for."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from init import Base
from models.columns import Versioned


class TicketHolder(Versioned, Base):
    """A person whom a user or an organiser knows; an e-mail address is no proof of who it is."""

    __tablename__ = "ticket_holders"
    __table_args__ = (
        CheckConstraint("user_id IS NULL OR organiser_id IS NULL", name="one_owner"),
        Index(
            "uq_ticket_holders_self",
            "user_id",
            unique=True,
            postgresql_where=text("is_self AND deleted_at IS NULL"),
        ),
    )

    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    organiser_id: Mapped[int | None] = mapped_column(ForeignKey("organisers.id"), index=True)
    is_self: Mapped[bool] = mapped_column(default=False, server_default="false")
    name: Mapped[str]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    deleted_at: Mapped[datetime | None]
