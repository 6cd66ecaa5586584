"""The right to enter: one for each place of a confirmed booking."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from init import Base
from models.columns import Timestamped
from models.stock import Place
from models.ticket_holder import TicketHolder
from models.user import User

if TYPE_CHECKING:
    from models.booking import Booking, BookingLine


class TicketStatus(StrEnum):
    VALID = "valid"
    USED = "used"
    VOID = "void"


class Ticket(Timestamped, Base):
    """A code that opens the door once; a void one may outlive its place."""

    __tablename__ = "tickets"
    __table_args__ = (
        ForeignKeyConstraint(
            ["line_id", "booking_id", "show_id"],
            ["booking_lines.id", "booking_lines.booking_id", "booking_lines.show_id"],
            name="fk_tickets_line",
        ),
        Index(
            "uq_tickets_live_place",
            "place_id",
            unique=True,
            postgresql_where=text("status <> 'void'"),
        ),
        CheckConstraint("status = 'void' OR place_id IS NOT NULL", name="live_has_place"),
        Index("ix_tickets_show_id", "show_id", "id"),
    )

    show_id: Mapped[int]
    booking_id: Mapped[int] = mapped_column(index=True)
    line_id: Mapped[int]
    place_id: Mapped[int | None] = mapped_column(
        ForeignKey("places.id", ondelete="SET NULL"), index=True
    )
    ticket_holder_id: Mapped[int] = mapped_column(ForeignKey("ticket_holders.id"), index=True)
    code: Mapped[str] = mapped_column(unique=True)
    status: Mapped[TicketStatus] = mapped_column(default=TicketStatus.VALID)

    place: Mapped[Place | None] = relationship(viewonly=True)
    ticket_holder: Mapped[TicketHolder] = relationship(viewonly=True)
    booking: Mapped["Booking"] = relationship(
        viewonly=True, primaryjoin="foreign(Ticket.booking_id) == Booking.id"
    )
    line: Mapped["BookingLine"] = relationship(
        viewonly=True, primaryjoin="foreign(Ticket.line_id) == BookingLine.id"
    )
    check_in: Mapped["CheckIn | None"] = relationship(viewonly=True, uselist=False)


class CheckIn(Timestamped, Base):
    """One admission at a door."""

    __tablename__ = "check_ins"
    __table_args__ = (
        Index("uq_check_ins_ticket_id", "ticket_id", unique=True),
        Index("ix_check_ins_show_id", "show_id", "id"),
    )

    show_id: Mapped[int] = mapped_column(ForeignKey("shows.id"))
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    gate: Mapped[str | None]
    admitted_by_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    admitted_at: Mapped[datetime]

    ticket: Mapped[Ticket] = relationship(viewonly=True)
    admitted_by: Mapped[User | None] = relationship(viewonly=True)
