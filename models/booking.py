"""A buyer's claim on places of one show."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    and_,
    case,
    func,
    text,
)
from sqlalchemy.orm import Mapped, column_property, mapped_column, relationship

from init import Base
from models.api_key import ApiKey
from models.columns import Keyed, Versioned, Xid8, step
from models.show import Show
from models.stock import Place
from models.ticket import Ticket
from models.ticket_holder import TicketHolder
from models.tier import Price, Tier
from utils.clock import now
from utils.errors import Conflict
from utils.money import Money


class BookingStatus(StrEnum):
    HELD = "held"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class PaymentStatus(StrEnum):
    UNPAID = "unpaid"
    PAID = "paid"
    PARTLY_REFUNDED = "partly_refunded"
    REFUNDED = "refunded"


class Channel(StrEnum):
    """Where a booking was made."""

    WEB = "web"
    DESK = "desk"
    API = "api"
    COMP = "comp"


NEXT = {
    BookingStatus.HELD: {BookingStatus.CONFIRMED, BookingStatus.CANCELLED, BookingStatus.EXPIRED},
    BookingStatus.CONFIRMED: {BookingStatus.CANCELLED},
}


class BookingMovedOn(Conflict):
    """The booking is past the point in its life where this could be done."""

    code, title = "booking-moved-on", "The booking is past the point where this could be done"


class HoldExpired(Conflict):
    """The hold ran out; its places may be somebody else's by now. Book again."""

    code, title = "hold-expired", "The hold has run out"


class HasSales(Conflict):
    """People hold or have bought places here; `bookings` says how many bookings. Cancel first."""

    code, title = "has-sales", "There are bookings"


def require_held(status: str) -> None:
    """Refuse what only a living hold may do, by what its status is at this moment."""
    if status == BookingStatus.EXPIRED:
        raise HoldExpired("The hold has run out; its places are on sale again.")
    if status != BookingStatus.HELD:
        raise BookingMovedOn(f"The booking is {status} already.")


class Booking(Versioned, Base):
    """Places held for a buyer until they are paid for, given up or time out.

    A hold is dead from `held_until` on, also before anyone has cleared it away: ask
    `current_status`, which knows, rather than `status`, which is what was last written.
    """

    __tablename__ = "bookings"
    __allow_unmapped__ = True
    __table_args__ = (
        UniqueConstraint("id", "show_id"),
        CheckConstraint("total_amount >= 0", name="total_amount"),
        CheckConstraint("held_until <= held_at + interval '24 hours'", name="hold_is_short"),
        CheckConstraint("channel <> 'comp' OR comp_reason IS NOT NULL", name="comp_has_reason"),
        Index(
            "ix_bookings_dead_holds",
            "show_id",
            "held_until",
            postgresql_where=text("status = 'held'"),
        ),
        Index("ix_bookings_buyer_email", "show_id", "email_key"),
        Index("ix_bookings_buyer_user", "show_id", "user_id"),
        Index("ix_bookings_user_id", "user_id", "id"),
        Index("ix_bookings_show_id", "show_id", "id"),
        Index(
            "ix_bookings_settled_in",
            "show_id",
            "settled_in",
            postgresql_where=text("settled_in IS NOT NULL"),
        ),
        Index(
            "ix_bookings_sold_by_key_id",
            "sold_by_key_id",
            "id",
            postgresql_where=text("sold_by_key_id IS NOT NULL"),
        ),
    )

    reference: Mapped[str] = mapped_column(unique=True)
    show_id: Mapped[int] = mapped_column(ForeignKey("shows.id"))
    status: Mapped[BookingStatus] = mapped_column(default=BookingStatus.HELD)
    channel: Mapped[Channel]
    payment_status: Mapped[PaymentStatus] = mapped_column(default=PaymentStatus.UNPAID)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    sold_by_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    # No foreign key: every sale of a shop would lock the one row of its key. `verify` looks.
    sold_by_key_id: Mapped[int | None]
    ticket_holder_id: Mapped[int] = mapped_column(ForeignKey("ticket_holders.id"), index=True)
    email: Mapped[str | None]
    email_key: Mapped[str | None]
    total_amount: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    held_at: Mapped[datetime]
    held_until: Mapped[datetime]
    # Place-minutes of what was held in it and given back before it ended.
    given_back_minutes: Mapped[int] = mapped_column(default=0, server_default="0")
    extended: Mapped[bool] = mapped_column(default=False, server_default="false")
    confirmed_at: Mapped[datetime | None]
    # The transaction that confirmed or extended it: its seats are its own for longer from then on.
    settled_in: Mapped[str | None] = mapped_column(Xid8)
    cancelled_at: Mapped[datetime | None]
    comp_reason: Mapped[str | None]
    note: Mapped[str | None]
    attendees: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")

    show: Mapped[Show] = relationship(viewonly=True)
    sold_by_key: Mapped[ApiKey | None] = relationship(
        primaryjoin="foreign(Booking.sold_by_key_id) == ApiKey.id", viewonly=True
    )
    ticket_holder: Mapped[TicketHolder] = relationship(viewonly=True)
    lines: Mapped[list["BookingLine"]] = relationship(order_by="BookingLine.id", viewonly=True)
    places: Mapped[list[Place]] = relationship(
        primaryjoin="foreign(Place.booking_id) == Booking.id", order_by=Place.id, viewonly=True
    )
    tickets: Mapped[list[Ticket]] = relationship(
        primaryjoin="foreign(Ticket.booking_id) == Booking.id", order_by=Ticket.id, viewonly=True
    )
    secret: str | None = None
    if TYPE_CHECKING:
        current_status: Mapped[str]

    @property
    def total(self) -> Money:
        return Money(self.total_amount, self.currency)

    @property
    def etag(self) -> str:
        """A hold dies by the clock, without a new version."""
        return f"{super().etag}-{self.current_status}"

    @property
    def organiser_id(self) -> int | None:
        return self.show.event.organiser_id

    def move(self, to: BookingStatus) -> None:
        """Take the next step of a booking's life, refusing any other."""
        self.status = step("booking", NEXT, self.status, to, BookingMovedOn)

    def require_alive(self) -> None:
        """Refuse what only a hold that has not run out may do; look under the lock."""
        require_held(self.current_status)


Booking.current_status = column_property(
    case(
        (
            and_(Booking.status == BookingStatus.HELD, Booking.held_until <= now()),
            text("'expired'"),
        ),
        else_=Booking.status,
    )
)


class BookingSecret(Keyed, Base):
    """What a guest shows instead of signing in; only its hash is kept."""

    __tablename__ = "booking_secrets"

    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"), index=True)
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class BookingLine(Keyed, Base):
    """How many places at which price; the price is the hold's own from then on."""

    __tablename__ = "booking_lines"
    __table_args__ = (
        UniqueConstraint("id", "booking_id", "show_id"),
        ForeignKeyConstraint(["booking_id", "show_id"], ["bookings.id", "bookings.show_id"]),
        ForeignKeyConstraint(["tier_id", "show_id"], ["tiers.id", "tiers.show_id"]),
        ForeignKeyConstraint(["price_id", "tier_id"], ["prices.id", "prices.tier_id"]),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("unit_amount >= 0", name="unit_amount"),
        Index("ix_booking_lines_tier_id", "tier_id", "price_id"),
    )

    booking_id: Mapped[int] = mapped_column(index=True)
    show_id: Mapped[int]
    tier_id: Mapped[int | None]
    price_id: Mapped[int | None]
    quantity: Mapped[int]
    unit_amount: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))

    tier: Mapped[Tier | None] = relationship(
        viewonly=True, primaryjoin="foreign(BookingLine.tier_id) == Tier.id"
    )
    price: Mapped[Price | None] = relationship(
        viewonly=True, primaryjoin="foreign(BookingLine.price_id) == Price.id"
    )

    @property
    def unit_price(self) -> Money:
        return Money(self.unit_amount, self.currency)

    @property
    def amount(self) -> Money:
        return self.unit_price * self.quantity
