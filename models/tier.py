"""What is on offer: a sales window, limits, prices, and the stocks that it sells from."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from init import Base
from models.columns import Timestamped, Versioned
from models.event import Event
from models.seat_map import Section
from models.show import Show
from models.stock import Stock
from utils.money import Money

LARGEST_QUANTITY = 1000


class PriceAudience(StrEnum):
    """Who may buy at a price: anyone, who signs in, or who comes to the desk."""

    ANYONE = "anyone"
    SIGNED_IN = "signed_in"
    DESK = "desk"


class Tier(Versioned, Base):
    """Early Bird, Regular, VIP: on sale at its show, or, without one, in its event's price list.

    `then_tier_id` names the tier that may also sell this one's stocks once it has closed or sold
    out. `section` and `capacity` are what a price list plans; a show's tier has stocks instead.
    """

    __tablename__ = "tiers"
    __table_args__ = (
        UniqueConstraint("id", "show_id"),
        ForeignKeyConstraint(["show_id", "event_id"], ["shows.id", "shows.event_id"]),
        ForeignKeyConstraint(
            ["then_tier_id", "show_id"], ["tiers.id", "tiers.show_id"], name="fk_tiers_then"
        ),
        CheckConstraint("min_per_booking BETWEEN 1 AND max_per_booking", name="min_per_booking"),
        CheckConstraint(f"max_per_booking <= {LARGEST_QUANTITY}", name="max_per_booking"),
        CheckConstraint("max_per_buyer >= 1", name="max_per_buyer"),
        CheckConstraint("off_sale_at > on_sale_at", name="window"),
        CheckConstraint("then_tier_id <> id", name="then_another"),
        Index("ix_tiers_show_id", "show_id", "position"),
        Index("ix_tiers_event_id", "event_id"),
        Index(
            "uq_tiers_show_id_name",
            "show_id",
            "name",
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
        Index(
            "uq_tiers_event_id_name",
            "event_id",
            "name",
            unique=True,
            postgresql_where=text("show_id IS NULL AND deleted_at IS NULL"),
        ),
    )

    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    show_id: Mapped[int | None]
    name: Mapped[str]
    description: Mapped[str | None]
    position: Mapped[int] = mapped_column(default=0, server_default="0")
    on_sale_at: Mapped[datetime | None]
    off_sale_at: Mapped[datetime | None]
    min_per_booking: Mapped[int] = mapped_column(default=1)
    max_per_booking: Mapped[int]
    max_per_buyer: Mapped[int]
    then_tier_id: Mapped[int | None]
    section: Mapped[str | None]
    capacity: Mapped[int | None]
    deleted_at: Mapped[datetime | None]

    event: Mapped[Event] = relationship(viewonly=True, foreign_keys=[event_id])
    show: Mapped[Show | None] = relationship(
        viewonly=True, primaryjoin="foreign(Tier.show_id) == Show.id"
    )
    prices: Mapped[list["Price"]] = relationship(
        order_by="Price.position, Price.id",
        primaryjoin="and_(Price.tier_id == Tier.id, Price.deleted_at.is_(None))",
        cascade="save-update, merge",
    )
    stocks: Mapped[list[Stock]] = relationship(
        secondary="tier_stocks",
        order_by="TierStock.position",
        primaryjoin="Tier.id == TierStock.tier_id",
        secondaryjoin="Stock.id == TierStock.stock_id",
        viewonly=True,
    )

    releases: Mapped[list[Stock]] = relationship(
        order_by="Stock.release_at, Stock.id",
        primaryjoin="and_(Tier.show_id == foreign(Stock.show_id),"
        " Tier.id == foreign(Stock.release_tier_id))",
        viewonly=True,
    )

    @property
    def organiser_id(self) -> int | None:
        return self.event.organiser_id

    @property
    def etag(self) -> str:
        """Those who work for the organiser read more, with the stocks, and have a tag of theirs."""
        return super().etag + ("-stocks" if "stocks" in vars(self) else "")


class Price(Timestamped, Base):
    """A variant of a tier: Adult, Child. The amount is all-in; `fee` is the part that is a fee.

    `capacity` is how many places of the show may go at this price, `max_per_booking` how many of
    one booking; `eligibility` tells people who may have it, `audience` is what is checked.
    """

    __tablename__ = "prices"
    __table_args__ = (
        UniqueConstraint("id", "tier_id"),
        CheckConstraint("amount BETWEEN 0 AND 1000000000000", name="amount"),
        CheckConstraint("fee BETWEEN 0 AND amount", name="fee"),
        CheckConstraint("max_per_booking >= 1", name="max_per_booking"),
        CheckConstraint("capacity >= 0", name="capacity"),
    )

    tier_id: Mapped[int] = mapped_column(ForeignKey("tiers.id"), index=True)
    name: Mapped[str]
    amount: Mapped[int]
    fee: Mapped[int] = mapped_column(default=0, server_default="0")
    currency: Mapped[str] = mapped_column(String(3))
    position: Mapped[int] = mapped_column(default=0, server_default="0")
    max_per_booking: Mapped[int | None]
    capacity: Mapped[int | None]
    audience: Mapped[PriceAudience] = mapped_column(
        default=PriceAudience.ANYONE, server_default="anyone"
    )
    eligibility: Mapped[str | None]
    deleted_at: Mapped[datetime | None]

    @property
    def price(self) -> Money:
        """What a buyer pays for one place."""
        return Money(self.amount, self.currency)

    @property
    def parts(self) -> dict[str, Money]:
        """What the price is made of."""
        fee = Money(self.fee, self.currency)
        return {"face_value": self.price - fee, "fee": fee}


class TierStock(Base):
    """That a tier sells from a stock, and in which order."""

    __tablename__ = "tier_stocks"
    __table_args__ = (
        ForeignKeyConstraint(["tier_id", "show_id"], ["tiers.id", "tiers.show_id"]),
        ForeignKeyConstraint(["stock_id", "show_id"], ["stocks.id", "stocks.show_id"]),
        Index("ix_tier_stocks_show_id", "show_id"),
    )

    tier_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    stock_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, index=True)
    show_id: Mapped[int]
    position: Mapped[int]


class SectionLimit(Base):
    """How many places of a section of its map a show sells at most, and to one buyer.

    What was sold before `set_at` may be more.
    """

    __tablename__ = "section_limits"
    __table_args__ = (
        CheckConstraint("max_places >= 0", name="max_places"),
        CheckConstraint("max_per_buyer >= 1", name="max_per_buyer"),
        CheckConstraint("num_nonnulls(max_places, max_per_buyer) > 0", name="limits_something"),
    )

    show_id: Mapped[int] = mapped_column(
        ForeignKey("shows.id"), primary_key=True, autoincrement=False
    )
    section_id: Mapped[int] = mapped_column(
        ForeignKey("sections.id"), primary_key=True, autoincrement=False, index=True
    )
    max_places: Mapped[int | None]
    max_per_buyer: Mapped[int | None]
    set_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())

    section: Mapped[Section] = relationship(viewonly=True)
